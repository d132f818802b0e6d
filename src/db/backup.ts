/**
 * A backup: everything that the database holds, as it stood at one instant, while the server goes on. A folder:
 *
 *     manifest.json      level of the migrations, tables with their columns, rows and checksums, sequences, partitions
 *     NAME.copy.gz       a table as COPY writes it
 *
 * One snapshot (REPEATABLE READ) holds for all tables. The folder appears whole or not at all.
 *
 * What a dump by other means would get wrong: numbers of transactions (xid8) mean nothing in another cluster, and readers of the change
 * log would wait for transactions that are long over. So changes are numbered anew in their order, readers stand at the
 * same place of it, and all get the number of the transaction that restores them.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import pg from 'pg';
import { Problem } from '../base/index.ts';
import { copyOut } from './copy.ts';
import { draftOf, isThere, putInPlace } from './folder.ts';
import { clientConfig } from './pool.ts';
import { asProblem } from './sql-state.ts';

export const backupFormat = 1;

export interface TableBackup {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
  readonly bytes: number;
  /** SHA-256 of the rows as COPY writes them, in hex. */
  readonly sha256: string;
}

export interface Manifest {
  readonly format: typeof backupFormat;
  readonly takenAt: string;
  readonly postgres: string;
  readonly migrations: readonly { readonly number: number; readonly name: string; readonly checksum: string }[];
  /** A table comes after those that it refers to. */
  readonly tables: readonly TableBackup[];
  readonly sequences: Readonly<Record<string, string>>;
  readonly partitions: readonly { readonly name: string; readonly parent: string; readonly bounds: string }[];
}

export interface BackupOptions {
  readonly url: string;
  /** Must not be there yet. */
  readonly folder: string;
  /** Called when a table is done. */
  readonly tell?: (table: TableBackup) => void;
}

/** Throws `conflict` where the folder is there already, `unavailable` when the database breaks off. */
export async function backUp({ url, folder, tell = () => undefined }: BackupOptions): Promise<Manifest> {
  if (await isThere(folder))
    throw new Problem('conflict', `${folder} is there already: a backup gets a folder of its own`);
  const draft = draftOf(folder);
  await mkdir(dirname(draft), { recursive: true });
  await mkdir(draft, { mode: 0o700 });
  const client = new pg.Client(clientConfig(url));
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('begin isolation level repeatable read, read only');
    const manifest = await dump(client, draft, tell);
    await client.query('commit');
    await writeFile(join(draft, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`, {
      mode: 0o600,
      flush: true,
    });
    await putInPlace(folder);
    return manifest;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw asProblem(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function dump(client: pg.Client, folder: string, tell: (table: TableBackup) => void): Promise<Manifest> {
  const [facts] = await rowsOf<{ postgres: string; now: Date }>(
    client,
    `select current_setting('server_version') as postgres, now() as now`,
  );
  const migrations = await rowsOf<Manifest['migrations'][number]>(
    client,
    'select number, name, checksum from schema_migration order by number',
  );
  const tables: TableBackup[] = [];
  for (const table of await findTables(client)) {
    const done = await dumpTable(client, folder, table);
    tables.push(done);
    tell(done);
  }
  return {
    format: backupFormat,
    takenAt: facts?.now.toISOString() ?? '',
    postgres: facts?.postgres ?? '',
    migrations,
    tables,
    // Last: they are no part of the snapshot, and must not lie below what it holds.
    sequences: await readSequences(client),
    partitions: await rowsOf(
      client,
      `select c.relname as name, p.relname as parent, pg_get_expr(c.relpartbound, c.oid) as bounds
       from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
       where c.relispartition and c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace order by 1`,
    ),
  };
}

interface Table {
  readonly name: string;
  /** Those that are kept, in their order. */
  readonly columns: readonly string[];
  readonly refers: readonly string[];
}

/** Partitions come with their parents; of xid8 nothing is kept. */
async function findTables(client: pg.Client): Promise<readonly Table[]> {
  const tables = await rowsOf<Table>(
    client,
    `select c.relname as name,
       array(select attname::text from pg_attribute
             where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '' and atttypid <> 'xid8'::regtype
             order by attnum) as columns,
       array(select r.relname::text from pg_constraint k join pg_class r on r.oid = k.confrelid
             where k.conrelid = c.oid and k.contype = 'f' and r.oid <> c.oid) as refers
     from pg_class c
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname <> 'schema_migration'
     order by 1`,
  );
  const placed: Table[] = [];
  for (let rest = tables; rest.length > 0; ) {
    const next = rest.filter(({ refers }) => refers.every((name) => placed.some((one) => one.name === name)));
    if (next.length === 0) throw new Problem('fault', 'tables refer to each other in a circle');
    placed.push(...next);
    rest = rest.filter((one) => !next.includes(one));
  }
  return placed;
}

/** Where rows are not what the table says. */
const selections: Readonly<Record<string, (columns: string) => string>> = {
  change: (columns) =>
    `select ${columns} from (
       select (jsonb_populate_record(c, jsonb_build_object('seq', row_number() over (order by c.xid, c.seq)))).*
       from change c) renumbered order by seq`,
  reader: () =>
    `select name, (select count(*) from change c where (c.xid, c.seq) <= (r.xid, r.seq)) as seq from reader r`,
};

async function dumpTable(client: pg.Client, folder: string, { name, columns }: Table): Promise<TableBackup> {
  const listed = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  const select = selections[name]?.(listed) ?? `select ${listed} from ${pg.escapeIdentifier(name)}`;
  const [rows, figures] = [copyOut(client, `copy (${select}) to stdout`), createFigures()];
  const file = createWriteStream(join(folder, fileOf(name)), { mode: 0o600, flush: true });
  await pipeline(rows, figures.through, createGzip({ level: 1 }), file);
  return { name, columns, ...figures.read() };
}

export function fileOf(table: string): string {
  return `${table}.copy.gz`;
}

/** What goes through it, counted: rows of COPY end with a line feed, and have none within. */
export function createFigures() {
  const hash = createHash('sha256');
  let [rows, bytes] = [0, 0];
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows++;
      done(null, chunk);
    },
  });
  return { through, read: () => ({ rows, bytes, sha256: hash.digest('hex') }) };
}

async function readSequences(client: pg.Client): Promise<Readonly<Record<string, string>>> {
  const rows = await rowsOf<{ name: string; last: string | null }>(
    client,
    'select sequencename as name, last_value::text as last from pg_sequences where schemaname = current_schema()',
  );
  return Object.fromEntries(rows.flatMap(({ name, last }) => (last === null ? [] : [[name, last]])));
}

export async function rowsOf<R extends object>(client: pg.ClientBase, text: string): Promise<readonly R[]> {
  return (await client.query<R>(text)).rows;
}
