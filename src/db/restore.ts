/**
 * A backup put into an empty database: the schema at the level of the backup, all tables in one transaction, each held against its
 * checksum, then the migrations that came since. What fails leaves an empty database, which may be tried again.
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { type Log, Problem } from '../base/index.ts';
import { backupFormat, createFigures, fileOf, type Manifest, rowsOf, type TableBackup } from './backup.ts';
import { copyIn } from './copy.ts';
import { migrate, type MigrateOptions, readMigrations } from './migrate.ts';
import { clientConfig } from './pool.ts';
import { asProblem } from './sql-state.ts';

export interface RestoreOptions {
  readonly url: string;
  readonly folder: string;
  readonly log: Log;
  /** Of the program. */
  readonly migrations: string;
  readonly tell?: (table: TableBackup) => void;
}

/** Throws `conflict` for a database that holds something, `incorrect` for a backup that cannot be taken. */
export async function restore(options: RestoreOptions): Promise<Manifest> {
  const { url, folder, log, migrations } = options;
  const manifest = await readManifest(folder);
  await requireKnownLevel(manifest, migrations);
  const client = new pg.Client(clientConfig(url));
  client.on('error', () => undefined);
  try {
    await client.connect();
    await requireEmpty(client);
    const level: MigrateOptions = { url, folder: migrations, log };
    await migrate({ ...level, upTo: manifest.migrations.at(-1)?.number ?? 0 });
    await fill(client, manifest, options);
    await migrate(level);
    return manifest;
  } catch (error) {
    throw asProblem(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch((cause: unknown) => {
    throw new Problem('incorrect', `${folder} is no backup: it has no manifest.json`, { cause });
  });
  const manifest = JSON.parse(text) as Manifest | { readonly format: undefined };
  if (manifest.format === backupFormat) return manifest;
  throw new Problem('incorrect', `the backup is of another format than ${backupFormat}`);
}

async function requireKnownLevel({ migrations }: Manifest, folder: string): Promise<void> {
  const known = await readMigrations(folder);
  for (const { number, name, checksum } of migrations) {
    const own = known.find((one) => one.number === number);
    if (own?.checksum === checksum) continue;
    const what = own === undefined ? 'does not know: start a newer one' : 'has with another content';
    throw new Problem('incorrect', `the backup has the migration ${name}, which this version of Suture ${what}`);
  }
}

/** Tables that migrations alone fill do not count. */
const telling = ['resource', 'version', 'change', 'job', 'audit_event', 'package'];

async function requireEmpty(client: pg.Client): Promise<void> {
  const there = await rowsOf<{ name: string }>(
    client,
    `select relname as name from pg_class
     where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition`,
  );
  const names = there.map(({ name }) => name);
  const isOurs = names.includes('schema_migration');
  const used: string[] = names.length > 0 && !isOurs ? names : [];
  for (const name of telling.filter((one) => isOurs && names.includes(one))) {
    if ((await client.query(`select from ${pg.escapeIdentifier(name)} limit 1`)).rows.length > 0) used.push(name);
  }
  if (used.length === 0) return;
  const text = `the database is in use: ${used.slice(0, 3).join(', ')} hold something; a backup is restored into an empty one`;
  throw new Problem('conflict', text);
}

async function fill(client: pg.Client, manifest: Manifest, { folder, tell = () => undefined }: RestoreOptions) {
  const { tables, partitions, sequences } = manifest;
  const names = tables.map(({ name }) => pg.escapeIdentifier(name));
  await client.query('begin');
  // Whoever starts a server on it meanwhile waits, or gives up.
  await client.query(`lock table ${names.join(', ')} in access exclusive mode`);
  await requireEmpty(client);
  for (const name of names) {
    await client.query(`alter table ${name} disable trigger user`);
    await client.query(`delete from ${name}`);
  }
  for (const { name, parent, bounds } of partitions) {
    await client.query(
      `create table if not exists ${pg.escapeIdentifier(name)} partition of ${pg.escapeIdentifier(parent)} ${bounds}`,
    );
  }
  for (const table of tables) {
    await fillTable(client, folder, table);
    tell(table);
  }
  await client.query(`update reader set xid = pg_current_xact_id()`);
  await client.query('update job set holder = null where holder is not null');
  for (const [name, last] of Object.entries(sequences)) {
    await client.query('select setval($1::regclass, $2::bigint)', [pg.escapeIdentifier(name), last]);
  }
  for (const name of names) await client.query(`alter table ${name} enable trigger user`);
  await client.query('commit');
  await client.query('analyze');
}

async function fillTable(client: pg.Client, folder: string, table: TableBackup): Promise<void> {
  const { name, columns, rows, sha256 } = table;
  const listed = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  const into = copyIn(client, `copy ${pg.escapeIdentifier(name)} (${listed}) from stdin`);
  const figures = createFigures();
  const damaged = (cause?: unknown): Problem =>
    new Problem('incorrect', `${fileOf(name)} is not as it was written: the backup is damaged`, { cause });
  await pipeline(createReadStream(join(folder, fileOf(name))), createGunzip(), figures.through, into).catch(
    (error: unknown) => {
      throw error instanceof pg.DatabaseError ? error : damaged(error);
    },
  );
  const found = figures.read();
  if (found.sha256 !== sha256 || found.rows !== rows) throw damaged();
}
