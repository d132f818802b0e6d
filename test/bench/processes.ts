/**
 * What is measured, each in a process of its own: the server of `npm run build` on an embedded PostgreSQL with its default
 * durability, in a temporary folder, and the bare server that shows the limit of reads. Stopped by their process ids.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog } from '../../src/base/index.ts';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/index.ts';
import { type Living, livingWhile, probeSettings } from '../support/memory.ts';
import { freePort } from '../support/port.ts';

/** This file runs as dist/bench/test/bench/processes.js. */
const project = new URL('../../../../', import.meta.url);

const startTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;
const memoryEveryMs = 500;

export interface Served {
  readonly baseUrl: string;
  readonly databaseUrl: string;
  readonly pid: number;
  /** Resident memory of the server process in MB, PostgreSQL apart; undefined where the system does not tell. */
  memory(): { readonly nowMb: number; readonly peakMb: number } | undefined;
  /** By how many MB its resident memory grows at most while `work` is done; undefined where the system does not tell. */
  growth(work: () => Promise<void>): Promise<number | undefined>;
  /** What lives in it at most, above what lived before, while `work` is done. */
  living(work: () => Promise<void>): Promise<Living>;
  stop(): Promise<void>;
}

export async function startServer(folder: string): Promise<Served> {
  const database = await startEmbedded({ folder: join(folder, 'database'), log: createLog('error') });
  try {
    return await startOn(database, folder);
  } catch (error) {
    await database.stop({ force: true });
    throw error;
  }
}

/** Another instance on the same database, with settings of its own; it stops without the database. */
export function startBeside({ databaseUrl }: Served, folder: string, settings: Settings): Promise<Served> {
  return startOn({ url: databaseUrl, stop: () => Promise.resolve(true) }, folder, settings);
}

type Settings = Readonly<Record<string, string>>;

async function startOn(
  database: Pick<EmbeddedDatabase, 'url' | 'stop'>,
  folder: string,
  settings: Settings = {},
): Promise<Served> {
  const baseUrl = `http://127.0.0.1:${await freePort()}/fhir`;
  const probed = join(folder, 'memory.json');
  const child = spawn(process.execPath, [new URL('dist/main.js', project).pathname, 'serve'], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      PORT: new URL(baseUrl).port,
      DATABASE_URL: database.url,
      SUTURE_DATA_DIR: join(folder, 'data'),
      SUTURE_LOG_LEVEL: 'error',
      SUTURE_ALLOW_TEST_INS: 'true',
      SUTURE_HOOKS_ALLOW_LOOPBACK: 'true',
      ...probeSettings(new URL('test/support/memory-probe.mjs', project).pathname, probed),
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await firstLine(child);
  } catch (error) {
    await stopChild(child);
    throw error;
  }
  child.once('exit', (code, signal) => {
    if (!child.killed) process.stderr.write(`the server ended by itself: ${signal ?? `status ${code}`}\n`);
  });
  const memory = watchMemory(child.pid ?? 0);
  return {
    baseUrl,
    databaseUrl: database.url,
    pid: child.pid ?? 0,
    memory: memory.read,
    growth: (work) => growthOf(child.pid ?? 0, work),
    living: (work) => livingWhile(child.pid ?? 0, probed, work),
    async stop() {
      memory.stop();
      await stopChild(child);
      await database.stop({ force: true });
    },
  };
}

async function firstLine(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the server ended before it was ready')));
  const ready = once(child.stdout ?? child, 'data', { signal: AbortSignal.timeout(startTimeoutMs) });
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
}

export interface BareServer {
  readonly origin: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startBareServer(databaseUrl: string): Promise<BareServer> {
  const child = fork(new URL('bare-server.js', import.meta.url), [], {
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl },
  });
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(startTimeoutMs) })) as [
    { readonly port: number },
  ];
  return { origin: `http://127.0.0.1:${message.port}`, pid: child.pid ?? 0, stop: () => stopChild(child) };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await ended;
  clearTimeout(force);
}

function watchMemory(pid: number) {
  let [now, peak] = [0, 0];
  const look = () =>
    readFile(`/proc/${pid}/status`, 'utf8').then(
      (status) => {
        now = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
        peak = Math.max(peak, now);
      },
      () => undefined,
    );
  const timer = setInterval(() => void look(), memoryEveryMs);
  return {
    read: () => (peak === 0 ? undefined : { nowMb: Math.round(now), peakMb: Math.round(peak) }),
    stop: () => clearInterval(timer),
  };
}

/** The kernel keeps the highest mark since it was last told to begin again (man 5 proc, clear_refs). */
async function growthOf(pid: number, work: () => Promise<void>): Promise<number | undefined> {
  const isReset = await writeFile(`/proc/${pid}/clear_refs`, '5').then(
    () => true,
    () => false,
  );
  const before = isReset ? await residentKb(pid, 'VmRSS') : undefined;
  await work();
  const most = await residentKb(pid, 'VmHWM');
  return before === undefined || most === undefined ? undefined : Math.round(((most - before) / 1024) * 10) / 10;
}

async function residentKb(pid: number, name: 'VmRSS' | 'VmHWM'): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const found = new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1];
  return found === undefined ? undefined : Number(found);
}
