/**
 * The running PostgreSQL, as its file `postmaster.pid` tells it: pid, folder, start, port, socket folder, TCP address,
 * shared memory, state, one per line (https://www.postgresql.org/docs/current/storage-file-layout.html).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';

/** `host` is a folder when it begins with a slash, as PostgreSQL's own clients have it. */
export interface PostmasterAddress {
  readonly host: string;
  readonly port: number;
}

interface Postmaster {
  readonly pid: number;
  readonly isReady: boolean;
  readonly address: PostmasterAddress;
}

const pidFile = 'postmaster.pid';
const defaultPort = 5432;
/** `sockaddr_un` holds 104 bytes on macOS, 108 on Linux. */
const socketPathBytesMax = 103;
const knockTimeoutMs = 1_000;

/** Where a new one shall listen: a socket in the folder, which only its owner can enter, else TCP on loopback. */
export async function chooseAddress(folder: string): Promise<PostmasterAddress> {
  const socket = Buffer.byteLength(socketPath({ host: folder, port: defaultPort }));
  if (process.platform !== 'win32' && socket <= socketPathBytesMax) return { host: folder, port: defaultPort };
  return { host: '127.0.0.1', port: await findFreePort() };
}

/** The address of the one that is running and answers; undefined when none does. */
export async function findPostmaster(cluster: string): Promise<PostmasterAddress | undefined> {
  const postmaster = await readPostmaster(cluster);
  if (postmaster === undefined || !postmaster.isReady) return undefined;
  return (await answers(postmaster.address)) ? postmaster.address : undefined;
}

/** Whether there is a process that may be starting, e.g. replaying what a crash left. */
export async function isPostmasterAlive(cluster: string): Promise<boolean> {
  const postmaster = await readPostmaster(cluster);
  return postmaster !== undefined && (await isPostgres(postmaster.pid));
}

/**
 * After a crash of the machine or of a container, the pid that the lock files hold may be that of any other process, and
 * PostgreSQL would refuse to start for as long as that one lives. The files must not be deleted, because they also guard
 * against processes of the former run; but PostgreSQL knows that the pid of whoever starts it is not a PostgreSQL.
 */
export async function clearReusedPid(folder: string, cluster: string): Promise<void> {
  const socketLock = `${socketPath({ host: folder, port: defaultPort })}.lock`;
  for (const file of [join(cluster, pidFile), socketLock]) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const pid = Number.parseInt(text, 10);
    if (Number.isNaN(pid) || !isAlive(pid) || (await isPostgres(pid))) continue;
    await writeFile(file, text.replace(/^\d+/, String(process.pid)));
  }
}

async function readPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(cluster, pidFile), 'utf8').catch(() => '');
  const [pid, , , port, socketFolder, , , state] = text.split('\n');
  if (pid === undefined || port === undefined || state === undefined) return undefined;
  const host = socketFolder === undefined || socketFolder === '' ? '127.0.0.1' : socketFolder;
  return { pid: Number(pid), isReady: state.trim() === 'ready', address: { host, port: Number(port) } };
}

/** Where it cannot be told (no /proc), any process counts; then only the answer on its address decides. */
async function isPostgres(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  const [, name, state] = /\((.*)\) (\S)/.exec(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')) ?? [];
  return name === 'postgres' && state !== 'Z'; // dead, but nobody has asked for its end (a container without init)
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function answers(address: PostmasterAddress): Promise<boolean> {
  const target: NetConnectOpts = address.host.startsWith('/') ? { path: socketPath(address) } : { ...address };
  return new Promise((resolve) => {
    const socket = connect(target);
    const settle = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.setTimeout(knockTimeoutMs, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

function socketPath({ host, port }: PostmasterAddress): string {
  return join(host, `.s.PGSQL.${port}`);
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
