/**
 * What faults happen to: one PostgreSQL, a proxy before it, two servers on the one database, and a subscriber. Each can be killed,
 * frozen and started again; everything listens on this machine only, and is ended by its process id.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { createLog } from '../../src/base/index.ts';
import { startEmbedded } from '../../src/db/index.ts';
import { openProxy, type Proxy } from './proxy.ts';
import { freePort } from '../support/port.ts';

export interface Server {
  readonly name: string;
  readonly baseUrl: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** SIGTERM; answers the exit status. */
  stop(): Promise<number | null>;
  freeze(): void;
  thaw(): void;
  /** What its clock is away from the machine's. */
  setClock(offsetMs: number): Promise<void>;
  /** Its one thread does nothing for so long. */
  stall(ms: number): Promise<void>;
  /** How often it ended without being asked to. */
  deaths(): number;
  isUp(): boolean;
  /** The folder where its log is written: a small file system of its own that can be filled; undefined where none could be mounted. */
  readonly logDisk: string | undefined;
  residentMb(): Promise<number>;
}

export interface PostgreSql {
  start(): Promise<void>;
  /** The postmaster; its children end when they see it. */
  kill(): Promise<void>;
  /** As a superuser, not through the proxy. */
  query(text: string): Promise<readonly Record<string, unknown>[]>;
  /** A session that holds what the text locks until it is ended. */
  hold(text: string): Promise<() => Promise<void>>;
  /** Where it keeps its data, on a file system of its own that can be filled; undefined where none could be mounted. */
  readonly disk: string | undefined;
}

export interface Stage {
  readonly servers: readonly [Server, Server];
  readonly postgres: PostgreSql;
  readonly proxy: Proxy;
  /** By which the servers reach the database: through the proxy. */
  readonly databaseUrl: string;
  /** `suture migrate` on the same database; killed after `killAfterMs`. Answers its exit status. */
  migrate(killAfterMs?: number): Promise<number | null>;
  close(): Promise<void>;
}

const startTimeoutMs = 60_000;
/** Room for a cluster with small write-ahead logs, and for what a run writes. */
const diskMb = 512;
/** Room for the log of a server. */
const logDiskMb = 4;

export interface StageInput {
  /** Where `dist/main.js` is. */
  readonly project: string;
  /** A folder of the run's own. */
  readonly folder: string;
  /** More settings of the servers. */
  readonly settings: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

export async function openStage({ project, folder, settings, log }: StageInput): Promise<Stage> {
  const disk = await mountDisk(join(folder, 'disk'), diskMb);
  const logDisk = await mountDisk(join(folder, 'logs'), logDiskMb);
  if (disk === undefined) log('no file system can be mounted here: the full disks are left out');
  const postgres = await openPostgres(join(disk ?? folder, 'postgres'), disk);
  const proxy = await openProxy(postgres.target);
  const databaseUrl = `postgresql://suture:${encodeURIComponent(postgres.password)}@127.0.0.1:${proxy.port}/${postgres.database}`;
  const ports = [await freePort(), await freePort()] as const;
  const seen = `http://127.0.0.1:${ports[0]}/fhir`;
  const common = { project, folder, logDisk, env: { ...settings, DATABASE_URL: databaseUrl, SUTURE_BASE_URL: seen } };
  const servers = [
    await openServer({ ...common, name: 'A', port: ports[0] }),
    await openServer({ ...common, name: 'B', port: ports[1] }),
  ] as const;
  return {
    servers,
    postgres,
    proxy,
    databaseUrl,
    async migrate(killAfterMs) {
      const env = { PATH: process.env['PATH'], ...common.env, SUTURE_LOG_LEVEL: 'error' };
      const child = spawn(process.execPath, [join(project, 'dist/main.js'), 'migrate'], { env, stdio: 'ignore' });
      if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
      const [status] = (await once(child, 'exit')) as [number | null];
      return status;
    },
    async close() {
      for (const server of servers) {
        server.thaw();
        await server.kill();
      }
      await proxy.close();
      await postgres.close();
      for (const mounted of [disk, logDisk]) if (mounted !== undefined) execFileSync('umount', ['--lazy', mounted]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A small file system of its own, when this process may mount one. */
async function mountDisk(folder: string, megabytes: number): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  try {
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'suture-faults', folder]);
    return folder;
  } catch {
    return undefined;
  }
}

const smallLogs = { max_wal_size: '96MB', min_wal_size: '64MB', max_connections: '60', shared_buffers: '64MB' };

async function openPostgres(folder: string, disk: string | undefined) {
  const start = () => startEmbedded({ folder, settings: smallLogs, log: createLog('silent') });
  let running = await start();
  const url = new URL(running.url);
  const client = async () => {
    const one = new pg.Client({ connectionString: running.url });
    one.on('error', () => undefined);
    await one.connect();
    return one;
  };
  const path = url.searchParams.get('host');
  return {
    disk,
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    target: path === null ? { port: Number(url.port) } : { path: join(path, `.s.PGSQL.${url.port || '5432'}`) },
    async start() {
      running = await start();
    },
    async kill() {
      const text = await readFile(join(folder, 'cluster/postmaster.pid'), 'utf8');
      process.kill(Number(text.split('\n')[0]), 'SIGKILL');
    },
    async query(text: string) {
      const one = await client();
      try {
        return (await one.query<Record<string, unknown>>(text)).rows;
      } finally {
        await one.end();
      }
    },
    async hold(text: string) {
      const one = await client();
      await one.query('begin');
      await one.query(text);
      return () => one.end();
    },
    close: () => running.stop({ force: true }),
  };
}

interface ServerInput {
  readonly project: string;
  readonly folder: string;
  readonly name: string;
  readonly port: number;
  readonly logDisk: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** Not started yet. */
async function openServer({ project, folder, name, port, logDisk, env }: ServerInput): Promise<Server> {
  const [offsetFile, stallFile] = [join(folder, `clock-${name}`), join(folder, `stall-${name}`)];
  await writeFile(offsetFile, '0');
  // A file, as under a supervisor: unlike a pipe it can be full.
  const logged = openSync(join(logDisk ?? folder, `log-${name}`), 'a');
  let deaths = 0;
  const settings = {
    PATH: process.env['PATH'],
    PORT: String(port),
    SUTURE_DATA_DIR: join(folder, name),
    SUTURE_LOG_LEVEL: 'warn',
    SUTURE_HOOKS_ALLOW_LOOPBACK: 'true',
    SUTURE_ALLOW_TEST_INS: 'true',
    FAULT_CLOCK: offsetFile,
    FAULT_STALL: stallFile,
    NODE_OPTIONS: `--import=${pathToFileURL(join(project, 'test/faults/clock.mjs')).href}`,
    ...env,
  };
  let child: ChildProcess | undefined;
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null)
      return running?.exitCode ?? null;
    const ended = once(running, 'exit');
    running.kill(signal);
    const [status] = (await ended) as [number | null];
    return status;
  };
  return {
    name,
    baseUrl: `http://127.0.0.1:${port}/fhir`,
    async start() {
      const started = spawn(process.execPath, [join(project, 'dist/main.js'), 'serve'], {
        cwd: folder,
        env: settings,
        stdio: ['ignore', 'pipe', logged],
      });
      child = started;
      started.once('exit', () => void (child === started && deaths++));
      const ended = once(started, 'exit').then(() =>
        Promise.reject(new Error(`server ${name} ended before it was ready`)),
      );
      ended.catch(() => undefined);
      await Promise.race([
        once(started.stdout ?? started, 'data', { signal: AbortSignal.timeout(startTimeoutMs) }),
        ended,
      ]);
    },
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    setClock: (offsetMs) => writeFile(offsetFile, String(offsetMs)),
    stall: (ms) => writeFile(stallFile, String(ms)),
    deaths: () => deaths,
    isUp: () => child !== undefined && child.exitCode === null && child.signalCode === null,
    logDisk,
    async residentMb() {
      const status = await readFile(`/proc/${child?.pid}/status`, 'utf8').catch(() => '');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    },
  };
}
