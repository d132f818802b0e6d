/** The real server process on an embedded database of its own, to be killed and started again. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../support/client.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const entry = join(root, 'dist/main.js');

export interface ServerProcess {
  /** Of the process that runs now. */
  readonly client: Client;
  readonly pid: number;
  start(): Promise<void>;
  /** SIGKILL; with `database` the PostgreSQL below it is killed first, as when the machine loses power. */
  kill(what?: 'server' | 'server and database'): Promise<void>;
  /** SIGTERM; answers the exit code and how long it took, in ms. */
  terminate(): Promise<{ readonly code: number | null; readonly tookMs: number }>;
  /** Stops gracefully and removes all files. */
  close(): Promise<void>;
}

/** The build runs at install (`prepare`); a working copy without it gets one. */
export function requireBuild(): void {
  if (existsSync(entry)) return;
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit' });
}

export async function createServerProcess(settings: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'suture-kill-'));
  const env = { PATH: process.env['PATH'], HOME: folder, PORT: '0', SUTURE_DATA_DIR: folder, ...settings };
  let running: { readonly child: ChildProcess; readonly client: Client } | undefined;

  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = running?.child;
    running = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  return {
    get client() {
      if (running === undefined) throw new Error('the server is not running');
      return running.client;
    },
    get pid() {
      return running?.child.pid ?? 0;
    },
    async start() {
      const child = spawn(process.execPath, [entry, 'serve'], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
      running = { child, client: createClient(await readyUrl(child)) };
    },
    async kill(what = 'server') {
      if (what === 'server and database') process.kill(await postmasterPid(folder), 'SIGKILL');
      await end('SIGKILL');
    },
    async terminate() {
      const child = running?.child;
      running = undefined;
      if (child === undefined) throw new Error('the server is not running');
      const started = performance.now();
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      return { code, tookMs: performance.now() - started };
    },
    async close() {
      await end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for the one line on stdout; fails with what the server wrote to stderr when it ends first. */
function readyUrl(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the server has no output');
  let errors = '';
  stderr.on('data', (part: Buffer) => {
    errors = (errors + part.toString()).slice(-4000);
  });
  return new Promise((resolve, reject) => {
    createInterface(stdout).on('line', (line) => {
      const url = /^Suture is ready at (\S+)$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${errors}`)));
  });
}

async function postmasterPid(folder: string): Promise<number> {
  for (const place of ['cluster/postmaster.pid', 'postgres/cluster/postmaster.pid']) {
    const text = await readFile(join(folder, place), 'utf8').catch(() => undefined);
    if (text !== undefined) return Number(text.split('\n')[0]);
  }
  throw new Error('the embedded database has no postmaster.pid');
}
