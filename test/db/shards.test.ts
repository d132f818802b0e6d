/**
 * Decision 0004 held against the schema: what distribution by compartment needs. Each table either carries `shard` in its primary key and
 * in every unique index, or is named here with the reason why it may stand whole on one node or as a copy on each.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test?.close());

/** Table -> why it needs no shard. */
const whole: Readonly<Record<string, string>> = {
  access_state: 'one row: whether access is filled in',
  clock: 'one row: a manual clock',
  pointer_state: 'one row: whether references are filled in',
  server_secret: 'one row',
  schema_migration: 'the schema itself, the same on each node',
  reader: 'a row for each reader of changes: where it stands',
  package: 'reference table: what people loaded, read by everybody, written by hand',
  package_resource: 'reference table: the same',
  search_parameter: 'reference table: the same',
  pointer:
    'who refers to whom across compartments: it belongs to none, and is kept whole where references are enforced',
  patient_move: 'what passes from one compartment to another, until it has passed',
  job: 'the queue: one table that all take from, rows live as long as the work; the key names the patient',
  bulk_job: 'work on everything, for some days',
  bulk_file: 'the same: it lies with its job',
  receipt: 'numbers of messages of a sender, before it is known about whom',
  staged_content: 'content on its way into a resource, before it is known of whom',
  websocket_token: 'lives for a minute, of no patient',
  audit_event: 'appended, partitioned by month, names patients of many compartments in one search',
};

interface Index {
  readonly table: string;
  readonly name: string;
  readonly columns: readonly string[];
}

const uniqueIndexes = `
  select t.relname as table, i.relname as name,
    array(select a.attname::text from unnest(x.indkey::smallint[]) with ordinality as k(number, place)
          join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number order by k.place) as columns
  from pg_index x join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
  where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition and x.indisunique
  order by 1, 2`;
const tables = `
  select relname as table from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`;
const references = `
  select c.conrelid::regclass::text as table, c.confrelid::regclass::text as target,
    array(select a.attname::text from unnest(c.conkey) as k(number)
          join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number) as columns
  from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace`;

describe('The schema', () => {
  it('has shard in the primary key and in every unique index of each table, or a reason why not', async () => {
    const names = (await test.database.query<{ table: string }>({ text: tables })).map(({ table }) => table);
    const indexes = await test.database.query<Index>({ text: uniqueIndexes });
    const withoutShard = names.filter((table) => {
      const own = indexes.filter((index) => index.table === table);
      return own.length === 0 || own.some(({ columns }) => !columns.includes('shard'));
    });
    expect(withoutShard.filter((table) => !(table in whole))).toEqual([]);
    expect(Object.keys(whole).filter((table) => !withoutShard.includes(table))).toEqual([]);
  });

  it('refers by foreign keys from no distributed table to another row without its shard', async () => {
    const found = await test.database.query<{ table: string; target: string; columns: string[] }>({ text: references });
    expect(found.filter(({ table, columns }) => !(table in whole) && !columns.includes('shard'))).toEqual([]);
  });
});
