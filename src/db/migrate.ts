/**
 * Migrations: plain SQL files `NNNN-name.sql`, applied in order of their number, only ever forward.
 *
 * - Each file runs in one transaction with the row that records it. A file whose first line is `-- no-transaction` holds
 *   one statement that PostgreSQL refuses inside a transaction (CREATE INDEX CONCURRENTLY); it must bear being run twice,
 *   because a crash may fall between it and its record.
 * - A recorded file never changes (checksum), and a schema newer than this program is refused.
 * - Two instances may start at once: one migrates, the other waits. It asks again and again instead of queueing for the
 *   lock, because CREATE INDEX CONCURRENTLY waits for every statement in progress: queueing would be a deadlock.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Log, Problem } from '../base/index.ts';
import type { Queryable } from './database.ts';
import { openDedicated } from './dedicated.ts';

export const migrationLimits = {
  /** How long one instance waits for another that migrates, and how often it asks. */
  turnWaitMs: 600_000,
  turnPollMs: 100,
  /** A change of a table waits no longer than this for its readers: everybody who comes after queues behind it. */
  lockTimeoutMs: 5_000,
} as const;

/** The project's own migrations. */
export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url));

/** Key of the advisory lock: "SUTURE" in ASCII. */
const turnLock = 0x535554555245;

export interface MigrateOptions {
  readonly url: string;
  readonly folder: string;
  readonly log: Log;
  /** The last number to apply; undefined: all. */
  readonly upTo?: number;
}

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

/** Brings the schema up to date; answers the names of the files it applied. */
export async function migrate({ url, folder, log, upTo = Infinity }: MigrateOptions): Promise<readonly string[]> {
  const migrations = await readMigrations(folder);
  const connection = await openDedicated({ url }, () => undefined);
  try {
    await takeTurn(connection);
    const all = pendingMigrations(migrations, await readApplied(connection));
    const pending = all.filter(({ number }) => number <= upTo);
    for (const migration of pending) {
      await apply(connection, migration);
      log.info({ component: 'migrate', reason: migration.name }, 'migration applied');
    }
    return pending.map(({ name }) => name);
  } finally {
    await connection.close();
  }
}

/** Numbers of the project's own migrations. */
export async function knownMigrations(): Promise<readonly number[]> {
  return (await readMigrations(migrationsFolder)).map(({ number }) => number);
}

export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const migrations = await Promise.all(names.map((name) => readMigration(folder, name)));
  const twice = migrations.find(({ number }, index) => migrations[index + 1]?.number === number);
  if (twice !== undefined) throw new Problem('fault', `two migrations have the number of ${twice.name}`);
  return migrations;
}

async function readMigration(folder: string, name: string): Promise<Migration> {
  if (!/^\d{4}-[a-z0-9-]+\.sql$/.test(name)) throw new Problem('fault', `${name} is not named NNNN-name.sql`);
  // Line ends of a checkout on Windows must not change the checksum.
  const text = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n');
  return { number: Number(name.slice(0, 4)), name, text, checksum: createHash('sha256').update(text).digest('hex') };
}

async function takeTurn(db: Queryable): Promise<void> {
  for (let waitedMs = 0; waitedMs < migrationLimits.turnWaitMs; waitedMs += migrationLimits.turnPollMs) {
    const rows = await db.query<{ taken: boolean }>({
      text: 'select pg_try_advisory_lock($1) as taken',
      values: [turnLock],
    });
    if (rows[0]?.taken === true) return;
    await wait(migrationLimits.turnPollMs);
  }
  throw new Problem('unavailable', 'another instance has been migrating the database for too long');
}

async function readApplied(db: Queryable): Promise<readonly AppliedMigration[]> {
  await db.query({ text: `set lock_timeout = ${migrationLimits.lockTimeoutMs}` });
  await db.query({
    text: `create table if not exists schema_migration (
             number integer primary key, name text not null, checksum text not null)`,
  });
  return db.query<AppliedMigration>({ text: 'select number, name, checksum from schema_migration order by number' });
}

/** What is still to be applied, after making sure that what was applied is what we know. */
function pendingMigrations(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  for (const { number, name, checksum } of applied) {
    const known = migrations.find((migration) => migration.number === number);
    if (known === undefined) {
      throw new Problem(
        'fault',
        `the database has the migration ${name}, which this version of Suture does not know: start a newer one`,
      );
    }
    if (known.checksum !== checksum) {
      throw new Problem('fault', `${known.name} was changed after it had been applied to this database`);
    }
  }
  const last = applied.at(-1)?.number ?? 0;
  const pending = migrations.filter(({ number }) => !applied.some((done) => done.number === number));
  const late = pending.find(({ number }) => number < last);
  if (late !== undefined) throw new Problem('fault', `${late.name} comes before a migration that has been applied`);
  return pending;
}

async function apply(db: Queryable, { number, name, text, checksum }: Migration): Promise<void> {
  const record = { text: 'insert into schema_migration values ($1, $2, $3)', values: [number, name, checksum] };
  const isAlone = text.startsWith('-- no-transaction\n');
  try {
    if (!isAlone) await db.query({ text: 'begin' });
    await db.query({ text });
    await db.query(record);
    if (!isAlone) await db.query({ text: 'commit' });
  } catch (error) {
    throw new Problem('fault', `the migration ${name} failed: ${reasonOf(error, text)}`, { cause: error });
  }
}

/** PostgreSQL's message is told where it can only speak of the SQL itself (class 42); elsewhere it may quote data. */
function reasonOf(error: unknown, text: string): string {
  const cause = error instanceof Problem ? error.cause : error;
  if (!(cause instanceof pg.DatabaseError)) return 'the connection was lost';
  const line =
    cause.position === undefined ? '' : ` in line ${text.slice(0, Number(cause.position)).split('\n').length}`;
  const message = cause.code?.startsWith('42') === true ? `, ${cause.message}` : '';
  return `SQLSTATE ${cause.code ?? 'unknown'}${line}${message}`;
}
