/**
 * Under which account the embedded PostgreSQL runs. It refuses to run as root, so root lends it another face:
 *
 * - the owner of the data, when that is not root;
 * - else uid 65534 inside a user namespace: outside it stays root, so nothing changes hands and private folders open;
 * - else (no `unshare`, or forbidden, as in many containers) really uid 65534, which must be able to reach the data.
 */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';

export type Account =
  | { readonly kind: 'same' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'other'; readonly uid: number; readonly gid: number };

export interface RunResult {
  readonly status: number;
  readonly output: string;
}

const nobody = 65534;
const same: Account = { kind: 'same' };
const programLimits = { outputBytes: 1_000_000 } as const;

export async function chooseAccount(dataFolder: string): Promise<Account> {
  if (process.getuid?.() !== 0) return same;
  const owner = await stat(dataFolder).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { kind: 'other', uid: owner.uid, gid: owner.gid };
  const { status } = await run({ kind: 'namespace' }, 'true', []);
  return status === 0 ? { kind: 'namespace' } : { kind: 'other', uid: nobody, gid: nobody };
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
  return ['unshare', ['--user', `--map-user=${nobody}`, `--map-group=${nobody}`, program, ...args]];
}
