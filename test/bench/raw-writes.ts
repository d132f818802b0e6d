/**
 * The limit of writes: rows that are there already, copied under new ids into clones of the same tables with the same
 * indexes and the same content, by `pg` alone. One prepared statement for each commit, its parameters made beforehand, so
 * that nothing but PostgreSQL and the driver is left.
 */
import pg from 'pg';
import { driveLoops, type Figures, type Load } from './measure.ts';

export interface RawWrites {
  /** One Observation and all its index rows in each commit. */
  single(load: Load): Promise<Figures>;
  /** 100 resources of pathways in each commit. */
  batch(load: Load): Promise<Figures>;
  /** One Patient: former version kept, current row replaced, four token rows moved. */
  update(load: Load): Promise<Figures>;
  stop(): Promise<void>;
}

const tables = ['resource', 'version', 'token_index', 'date_index', 'string_index', 'number_index', 'change'];
export const batchSize = 100;
const singlesMax = 500;
const batchesMax = 20;
const patientsMax = 500;

export async function openRawWrites(databaseUrl: string, connections: number): Promise<RawWrites> {
  const clients = await Promise.all(Array.from({ length: connections }, () => openClient(databaseUrl)));
  const [first] = clients;
  if (first === undefined) throw new Error('no connection was asked for');
  for (const table of tables) await cloneTable(first, table);
  const singles = await prepareCopies(first, { where: `type = 'Observation'`, count: singlesMax, size: 1 });
  const batches = await prepareCopies(first, {
    where: `id like 'b-0%'`,
    count: batchesMax * batchSize,
    size: batchSize,
  });
  const patients = await first.query<{ rid: string; raw: string }>(
    `select rid, raw from bench.resource where type = 'Patient' order by rid limit ${patientsMax}`,
  );
  let turn = 0;
  const insert = (copies: readonly Copy[]) => async (loop: number) => {
    await clients[loop]?.query({ name: 'copy', text: insertText, values: [...(copies[turn++ % copies.length] ?? [])] });
  };
  return {
    single: (load) => driveLoops(insert(singles), load),
    batch: (load) => driveLoops(insert(batches), load),
    update: (load) =>
      driveLoops(async (loop) => {
        const round = Math.floor(turn / patients.rows.length);
        const patient = patients.rows[turn++ % patients.rows.length];
        if (patient === undefined) return;
        const values = [patient.rid, patient.raw, movedKeys(patient.rid, round - 1), movedKeys(patient.rid, round)];
        await clients[loop]?.query({ name: 'update', text: updateText, values });
      }, load),
    async stop() {
      await Promise.all(clients.map((client) => client.end()));
    },
  };
}

async function openClient(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** With its content, so that the indexes have their depth; `like` leaves out the storage parameters. */
async function cloneTable(client: pg.Client, table: string): Promise<void> {
  await client.query(
    `create schema if not exists bench; create table bench.${table} (like public.${table} including all)`,
  );
  const { rows } = await client.query<{ options: string | null }>(
    `select array_to_string(reloptions, ', ') as options from pg_class where oid = 'public.${table}'::regclass`,
  );
  // Vacuumed by nobody: what the limit leaves behind would be cleared away while the server is measured, at its cost.
  const options = [rows[0]?.options ?? '', 'autovacuum_enabled = false'].filter((option) => option !== '').join(', ');
  await client.query(`alter table bench.${table} set (${options})`);
  await client.query(`insert into bench.${table} overriding system value select * from public.${table}`);
  await client.query(`vacuum analyze bench.${table}`);
}

/** The parameters of one commit, as PostgreSQL reads them. */
type Copy = readonly string[];

const insertText = `
  with entry as materialized (
    select *, nextval('public.rid_sequence') as rid
    from json_to_recordset($1) as e(place integer, type text, ord bigint, patients text[], keys bigint[], raw text)
  ),
  resources as (
    insert into bench.resource (rid, type, id, version, last_updated, method, is_deleted, ord, patients, keys, raw)
    select rid, type, 'copy-' || rid, 1, clock_timestamp(), 'POST', false, ord, patients, keys, raw from entry
  ),
  tokens as (
    insert into bench.token_index (k, ord, rid)
    select t.k, e.ord, e.rid from unnest($2::integer[], $3::bigint[]) as t(place, k) join entry e using (place)
    order by 1, 2, 3
  ),
  dates as (
    insert into bench.date_index (k, lo, hi, rid)
    select t.k, t.lo, t.hi, e.rid
    from unnest($4::integer[], $5::bigint[], $6::bigint[], $7::bigint[]) as t(place, k, lo, hi) join entry e using (place)
    order by 1, 2, 3
  ),
  strings as (
    insert into bench.string_index (k, v, rid)
    select t.k, t.v, e.rid from unnest($8::integer[], $9::bigint[], $10::text[]) as t(place, k, v)
    join entry e using (place) order by 1, 2
  ),
  numbers as (
    insert into bench.number_index (k, lo, hi, rid)
    select t.k, t.lo, t.hi, e.rid
    from unnest($11::integer[], $12::bigint[], $13::double precision[], $14::double precision[]) as t(place, k, lo, hi)
    join entry e using (place) order by 1, 2, 3
  )
  insert into bench.change (rid, type, id, version, method, at, patients)
  select rid, type, 'copy-' || rid, 1, 'POST', clock_timestamp(), patients from entry`;

const updateText = `
  with former as materialized (select * from bench.resource where rid = $1 for update),
  kept as (
    insert into bench.version (rid, version, type, id, last_updated, method, raw)
    select rid, version, type, id, last_updated, method, raw from former
  ),
  replaced as (
    update bench.resource r set version = f.version + 1, last_updated = clock_timestamp(), method = 'PUT', raw = $2
    from former f where r.rid = f.rid
  ),
  gone as (
    delete from bench.token_index t using former f where t.k = any ($3::bigint[]) and t.ord = f.ord and t.rid = f.rid
  ),
  come as (
    insert into bench.token_index (k, ord, rid) select n.k, f.ord, f.rid from former f, unnest($4::bigint[]) as n(k)
  )
  insert into bench.change (rid, type, id, version, method, at, patients)
  select rid, type, id, version + 1, 'PUT', clock_timestamp(), patients from former`;

const movedPerUpdate = 4;

/** Other keys in each round, far apart as hashes are. */
function movedKeys(rid: string, round: number): string {
  const key = (part: number) =>
    BigInt.asIntN(64, (BigInt(rid) * 1_000n + BigInt(round * movedPerUpdate + part)) * 0x9e3779b97f4a7c15n);
  return arrayText(Array.from({ length: movedPerUpdate }, (_one, part) => String(key(part))));
}

async function prepareCopies(
  client: pg.Client,
  of: { readonly where: string; readonly count: number; readonly size: number },
): Promise<readonly Copy[]> {
  const chosen = `select rid from bench.resource where ${of.where} and not is_deleted order by rid limit ${of.count}`;
  const { rows: resources } = await client.query<Record<string, unknown> & { rid: string }>(
    `select rid, type, ord::text, patients, keys::text[] as keys, raw from bench.resource where rid in (${chosen}) order by rid`,
  );
  const indexes = {
    tokens: await groupRows(client, `select rid, k from bench.token_index where rid in (${chosen})`),
    dates: await groupRows(client, `select rid, k, lo, hi from bench.date_index where rid in (${chosen})`),
    strings: await groupRows(client, `select rid, k, v from bench.string_index where rid in (${chosen})`),
    numbers: await groupRows(client, `select rid, k, lo, hi from bench.number_index where rid in (${chosen})`),
  };
  const groups = Array.from({ length: Math.floor(resources.length / of.size) }, (_one, at) =>
    resources.slice(at * of.size, (at + 1) * of.size),
  );
  return groups.map((group) => {
    const entries = group.map(({ rid: _rid, ...fields }, place) => ({ place, ...fields }));
    const columns = (rows: ReadonlyMap<string, readonly string[][]>, width: number) => {
      const found = group.flatMap(({ rid }, place) => (rows.get(rid) ?? []).map((row) => [String(place), ...row]));
      return Array.from({ length: width }, (_one, column) => arrayText(found.map((row) => row[column] ?? '')));
    };
    return [
      JSON.stringify(entries),
      ...columns(indexes.tokens, 2),
      ...columns(indexes.dates, 4),
      ...columns(indexes.strings, 3),
      ...columns(indexes.numbers, 4),
    ];
  });
}

async function groupRows(client: pg.Client, text: string): Promise<ReadonlyMap<string, readonly string[][]>> {
  const { rows } = await client.query<[string, ...unknown[]]>({ text, rowMode: 'array' });
  const byRid = new Map<string, string[][]>();
  for (const [rid, ...values] of rows) {
    const group = byRid.get(rid) ?? [];
    group.push(values.map(String));
    byRid.set(rid, group);
  }
  return byRid;
}

function arrayText(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
