/**
 * The embedded PostgreSQL: a cluster of our own in a folder, started when Suture starts and nothing else is set up.
 *
 *     data/postgres/            0700
 *       cluster/                PostgreSQL's data; suture.conf in it is written at each start
 *       password                random, 0600
 *       log                     of the present run; states and crashes, never a statement or a value
 *       .s.PGSQL.5432           the socket; 127.0.0.1 instead where a socket cannot be (Windows, a very long path)
 *
 * The folder appears whole or not at all (it is made beside and renamed), so a crash during the first start leaves
 * nothing half made. PostgreSQL outlives us when we are killed: the next start finds it and goes on with it. Whoever stops
 * leaves it running when others are connected, so that a second Suture that fails to start does not stop the first one's.
 */
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { type Log, Problem } from '../base/index.ts';
import { type Account, chooseAccount, handOver, run } from './embedded-account.ts';
import { type Binaries, findBinaries } from './embedded-binaries.ts';
import { draftOf, isThere, putInPlace, removeAbandonedDrafts } from './folder.ts';
import { clientConfig } from './pool.ts';
import {
  chooseAddress,
  clearReusedPid,
  findPostmaster,
  isPostmasterAlive,
  type PostmasterAddress,
} from './postmaster.ts';

export interface EmbeddedOptions {
  /** Made when it is not there. */
  readonly folder: string;
  /** PostgreSQL settings above our own, e.g. `fsync: 'off'` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly log: Log;
}

export interface EmbeddedDatabase {
  readonly url: string;
  /** A PostgreSQL left by a killed Suture, or started by another one, was found running. */
  readonly wasRunning: boolean;
  /** Ends when PostgreSQL has ended; answers false when it was left running because others use it. `force` stops it anyhow. */
  stop(options?: { readonly force: boolean }): Promise<boolean>;
}

interface Place {
  readonly folder: string;
  readonly cluster: string;
  readonly account: Account;
  readonly binaries: Binaries;
}

const embeddedLimits = {
  /** A start after a crash replays up to `max_wal_size` first. */
  startSeconds: 600,
  startPollMs: 50,
  startAttempts: 4,
  startPauseMs: 250,
  /** Then the stop is immediate, and the next start replays. */
  stopSeconds: 60,
  logTailCharacters: 2_000,
} as const;

const user = 'suture';
const passwordBytes = 24;

/** Made for one machine and records of a few kilobytes; the log tells nothing about what is stored. */
const ourSettings: Readonly<Record<string, string>> = {
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  max_wal_size: '2GB',
  min_wal_size: '256MB',
  wal_compression: 'pglz',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  synchronous_commit: 'on',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length_on_error: '0',
  unix_socket_permissions: '0700',
};

export async function startEmbedded({ folder, settings = {}, log }: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const place = await findPlace(resolve(folder), log);
  if (!(await isThere(place.cluster))) await createCluster(place);
  let address = await findPostmaster(place.cluster);
  const wasRunning = address !== undefined;
  address ??= await startPostmaster(place, settings);
  const url = await urlOf(place, address);
  return { url, wasRunning, stop: (options) => stopPostmaster(place, url, options?.force ?? false) };
}

async function findPlace(folder: string, log: Log): Promise<Place> {
  await mkdir(dirname(folder), { recursive: true });
  const account = await chooseAccount(folder);
  const binaries = await findBinaries(account, dirname(folder), log);
  if (await isThere(folder)) await handOver(account, folder);
  return { folder, cluster: join(folder, 'cluster'), account, binaries };
}

async function createCluster({ folder, account, binaries }: Place): Promise<void> {
  await removeAbandonedDrafts(folder);
  const draft = draftOf(folder);
  const passwordFile = join(draft, 'password');
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, randomBytes(passwordBytes).toString('hex'), { mode: 0o600 });
  await handOver(account, draft);
  await initialise({ cluster: join(draft, 'cluster'), passwordFile, account, binaries });
  await putInPlace(folder);
}

/** C.UTF-8 is PostgreSQL's own: the same order on every system, in every version. */
async function initialise(draft: {
  readonly cluster: string;
  readonly passwordFile: string;
  readonly account: Account;
  readonly binaries: Binaries;
}): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const login = [`--username=${user}`, '--auth=scram-sha-256', `--pwfile=${draft.passwordFile}`];
  const args = ['-D', draft.cluster, ...locale, ...login, '--data-checksums', '--no-instructions'];
  const { status, output } = await run(draft.account, draft.binaries.initdb, args);
  if (status !== 0) throw new Problem('unavailable', `the embedded PostgreSQL could not be made: ${output}`);
  await appendFile(join(draft.cluster, 'postgresql.conf'), "\ninclude = 'suture.conf'\n");
}

async function startPostmaster(place: Place, settings: Readonly<Record<string, string>>): Promise<PostmasterAddress> {
  const { cluster, folder } = place;
  const address = await chooseAddress(folder);
  await writeFile(join(cluster, 'suture.conf'), settingsText({ ...ourSettings, ...settings, ...listening(address) }));
  for (let attempt = 1; attempt <= embeddedLimits.startAttempts; attempt++) {
    await clearReusedPid(folder, cluster);
    if (await runPostmaster(place)) return address;
    // Another start may have been quicker, or one that was left over is replaying; one that was killed may be dying.
    const other = await waitForOther(cluster);
    if (other !== undefined) return other;
    await wait(embeddedLimits.startPauseMs);
  }
  const tail = (await readFile(logFile(place), 'utf8').catch(() => '')).slice(-embeddedLimits.logTailCharacters);
  throw new Problem('unavailable', `the embedded PostgreSQL in ${folder} does not start: ${tail}`);
}

async function runPostmaster(place: Place): Promise<boolean> {
  const log = logFile(place);
  await rm(log, { force: true });
  const args = ['start', '-D', place.cluster, '-l', log, '-w', '-t', String(embeddedLimits.startSeconds)];
  const { status } = await run(place.account, place.binaries.pgCtl, args);
  return status === 0;
}

function logFile({ folder }: Place): string {
  return join(folder, 'log');
}

async function waitForOther(cluster: string): Promise<PostmasterAddress | undefined> {
  for (let waitedMs = 0; waitedMs < embeddedLimits.startSeconds * 1_000; waitedMs += embeddedLimits.startPollMs) {
    const address = await findPostmaster(cluster);
    if (address !== undefined) return address;
    if (!(await isPostmasterAlive(cluster))) return undefined;
    await wait(embeddedLimits.startPollMs);
  }
  return undefined;
}

function listening({ host, port }: PostmasterAddress): Record<string, string> {
  const isSocket = host.startsWith('/');
  return {
    port: String(port),
    listen_addresses: isSocket ? '' : host,
    unix_socket_directories: isSocket ? `"${host.replaceAll('"', '""')}"` : '', // a list: the path may hold a comma
  };
}

function settingsText(settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  return `# Written at each start.\n${lines.join('')}`;
}

async function urlOf({ folder }: Place, { host, port }: PostmasterAddress): Promise<string> {
  const password = await readFile(join(folder, 'password'), 'utf8');
  const query = new URLSearchParams({ host, application_name: `suture ${process.pid}` });
  return `postgresql://${user}:${password}@localhost:${port}/postgres?${query.toString()}`;
}

async function stopPostmaster({ cluster, account, binaries }: Place, url: string, force: boolean): Promise<boolean> {
  if (!force && (await isUsedByOthers(url))) return false;
  const args = ['stop', '-D', cluster, '-w', '-t', String(embeddedLimits.stopSeconds), '-m'];
  const { status } = await run(account, binaries.pgCtl, [...args, 'fast']);
  if (status !== 0 && (await isPostmasterAlive(cluster))) await run(account, binaries.pgCtl, [...args, 'immediate']);
  return true;
}

/** Others than this process, by the name that the URL gives to its connections. */
async function isUsedByOthers(url: string): Promise<boolean> {
  const client = new pg.Client(clientConfig(url));
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ used: boolean }>(
      `select exists (select from pg_stat_activity where backend_type = 'client backend'
         and application_name <> current_setting('application_name')) as used`,
    );
    return rows[0]?.used === true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
