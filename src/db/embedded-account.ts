/**
 * Under which account the embedded PostgreSQL runs. It refuses to run as root, so root lends it another face. In order:
 *
 * - the owner of the data, when there are data of somebody else;
 * - uid 65534 inside a user namespace: outside it stays root, so nothing changes hands and root's private folders open;
 * - the owner of the folder above (`sudo` in somebody's home);
 * - really uid 65534, where namespaces are forbidden, as in many containers.
 */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from '../base/index.ts';

export type Account =
  | { readonly kind: 'same' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'other'; readonly uid: number; readonly gid: number };

export interface RunResult {
  readonly status: number;
  readonly output: string;
}

const nobodyId = 65534;
const nobody: Account = { kind: 'other', uid: nobodyId, gid: nobodyId };
const same: Account = { kind: 'same' };
const programLimits = { outputBytes: 1_000_000 } as const;

/** The first account that can enter the folder in which the data folder stands. */
export async function chooseAccount(dataFolder: string): Promise<Account> {
  if (process.getuid?.() !== 0) return same;
  const parent = dirname(dataFolder);
  for (const account of await candidates(dataFolder)) {
    const { status } = await run(account, 'test', ['-x', parent]);
    if (status === 0) return account;
  }
  throw new Problem(
    'unavailable',
    `PostgreSQL does not run as root, and no other account can enter ${parent}: ` +
      'start Suture as an ordinary user, or set SUTURE_DATA_DIR or DATABASE_URL',
  );
}

async function candidates(dataFolder: string): Promise<readonly Account[]> {
  const data = await ownerOf(dataFolder);
  if (data !== undefined) return [data];
  const neighbour = await ownerAbove(dataFolder);
  return [{ kind: 'namespace' }, ...(neighbour === undefined ? [] : [neighbour]), nobody];
}

async function ownerAbove(folder: string): Promise<Account | undefined> {
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above)) {
    const owner = await ownerOf(above);
    if (owner !== undefined) return owner;
  }
  return undefined;
}

/** undefined when it is root's, or not there. */
async function ownerOf(path: string): Promise<Account | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined || found.uid === 0 ? undefined : { kind: 'other', uid: found.uid, gid: found.gid };
}

/** Gives files made by root to the account. */
export async function handOver(account: Account, folder: string): Promise<void> {
  if (account.kind === 'other') await run(same, 'chown', ['-R', `${account.uid}:${account.gid}`, folder]);
}

/** Runs a program to its end under the account, with an environment of its own: nothing of ours is inherited. */
export function run(account: Account, program: string, args: readonly string[], timeoutMs = 0): Promise<RunResult> {
  const [file, fileArgs] = account.kind === 'namespace' ? inNamespace(program, args) : [program, args];
  const options = {
    timeout: timeoutMs,
    maxBuffer: programLimits.outputBytes,
    ...(process.platform === 'win32' ? {} : { env: { LC_ALL: 'C', PATH: '/usr/bin:/bin:/usr/sbin:/sbin' } }),
    ...(account.kind === 'other' ? { uid: account.uid, gid: account.gid, cwd: '/' } : {}),
  };
  return new Promise((resolve) => {
    execFile(file, fileArgs, options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, output: stdout + stderr });
      else if (typeof error.code === 'number') resolve({ status: error.code, output: (stdout + stderr).trim() });
      else resolve({ status: -1, output: error.message });
    });
  });
}

function inNamespace(program: string, args: readonly string[]): [string, readonly string[]] {
  return ['unshare', ['--user', `--map-user=${nobodyId}`, `--map-group=${nobodyId}`, program, ...args]];
}
