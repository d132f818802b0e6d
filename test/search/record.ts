/** A small record for search tests: resources are put into the index tables with the values of the indexer. */
import type { Database } from '../../src/db/index.ts';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { createIndexer, createSearchContext, type Indexer, type IndexValues } from '../../src/search/index.ts';

export const baseUrl = 'https://suture.example/fhir';
export const context = createSearchContext({ definitions: loadDefinitions(), zone: 'Europe/Paris', baseUrl });
export const index = createIndexer(context);
export const now = Date.parse('2026-03-02T08:00:00Z');

/** Makes these the whole record. */
export async function loadResources(
  database: Database,
  resources: readonly Resource[],
  indexer: Indexer = index,
): Promise<void> {
  await database.query({ text: 'truncate resource, token_index, date_index, string_index, number_index' });
  await insertResources(database, resources, indexer);
}

/** The store has its own statement for this; here rows are simply inserted. */
export async function insertResources(
  database: Database,
  resources: readonly Resource[],
  indexer: Indexer = index,
): Promise<void> {
  let rid = 1000;
  for (const resource of resources) await insertResource(database, { resource, values: indexer(resource), rid: ++rid });
}

interface Row {
  readonly resource: Resource;
  readonly values: IndexValues;
  readonly rid: number;
}

async function insertResource(database: Database, { resource, values, rid }: Row): Promise<void> {
  await database.query({
    name: 'insert-resource',
    text: `insert into resource (rid, type, id, version, last_updated, method, is_deleted, ord, patients, keys, raw)
           values ($1, $2, $3, 1, $4, 'PUT', false, $5, $6, $7, $8)`,
    values: [
      ...[rid, resource.resourceType, resource.id, resource.meta?.lastUpdated],
      ...[values.ord, values.patients, values.tokens, JSON.stringify(resource)],
    ],
  });
  await insertRows(database, rid, values);
}

async function insertRows(database: Database, rid: number, values: IndexValues): Promise<void> {
  const insert = (name: string, text: string, columns: readonly (readonly unknown[])[]) =>
    database.query({ name, text, values: [rid, ...columns] });
  const ranges = (rows: IndexValues['dates']) => [
    rows.map(({ k }) => k),
    rows.map(({ lo }) => lo),
    rows.map(({ hi }) => hi),
  ];
  await insert(
    'insert-tokens',
    'insert into token_index (k, ord, rid) select k, $3, $1 from unnest($2::bigint[]) as t(k)',
    [values.drivers, values.ord as never],
  );
  await insert(
    'insert-dates',
    'insert into date_index (k, lo, hi, rid) select k, lo, hi, $1 from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as t(k, lo, hi)',
    ranges(values.dates),
  );
  await insert(
    'insert-numbers',
    'insert into number_index (k, lo, hi, rid) select k, lo, hi, $1 from unnest($2::bigint[], $3::float8[], $4::float8[]) as t(k, lo, hi)',
    ranges(values.numbers),
  );
  await insert(
    'insert-strings',
    'insert into string_index (k, v, rid) select k, v, $1 from unnest($2::bigint[], $3::text[]) as t(k, v)',
    [values.strings.map(({ k }) => k), values.strings.map(({ v }) => v)],
  );
}
