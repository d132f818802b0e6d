/**
 * What no client sees: that the rows of the database hold together when all is over. Versions without gaps below each resource, index
 * rows of resources as they are now and of nothing else, no job that a dead instance holds, indexes that agree with their tables (amcheck).
 */
import type { PostgreSql } from '../stage.ts';
import type { Workload } from './workload.ts';

const indexTables = ['token_index', 'date_index', 'string_index', 'number_index'] as const;

/** Each answers a line for each thing that is wrong. */
const questions: readonly string[] = [
  `select r.type || '/' || r.id || ' has version ' || r.version || ' over ' || count(v.version) || ' former ones' as line
   from resource r left join version v on v.rid = r.rid group by r.rid, r.shard, r.type, r.id, r.version
   having count(v.version) <> r.version - 1 or coalesce(max(v.version), 0) <> r.version - 1`,
  `select 'version ' || v.version || ' of ' || v.type || '/' || v.id || ' belongs to no resource' as line
   from version v where not exists (select from resource r where r.rid = v.rid)`,
  ...indexTables.map(
    (table) => `select '${table} holds a row of what is not there' as line from ${table} i
      where not exists (select from resource r where r.rid = i.rid and not r.is_deleted) limit 5`,
  ),
  `select 'token_index holds a key that ' || r.type || '/' || r.id || ' does not have' as line
   from token_index i join resource r on r.rid = i.rid where not i.k = any (r.keys) limit 5`,
  `select 'job ' || kind || ' is held by an instance that is gone' as line from job
   where holder is not null and holder not in (select objid::integer from pg_locks where locktype = 'advisory' and granted)`,
  `select 'job ' || kind || ' gave up: ' || coalesce(last_error, '') as line from job where is_parked`,
];

const indexesAgree = `select bt_index_check(c.oid, true) from pg_index i join pg_class c on c.oid = i.indexrelid
  join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace join pg_am a on a.oid = c.relam
  where a.amname = 'btree' and n.nspname = 'public' and c.relkind = 'i' and t.relname in ('resource', 'version', 'job', 'change', 'token_index')`;

export function createRows(postgres: Pick<PostgreSql, 'query'>): Workload {
  return {
    name: 'rows',
    prepare: async () => undefined,
    step: async () => undefined,
    async verify() {
      const found: string[] = [];
      for (const text of questions)
        found.push(...(await postgres.query(text)).map(({ line }) => `rows: ${String(line)}`));
      return [...found, ...(found.length === 0 ? await checkIndexes() : [])];
    },
    count: () => `${questions.length} questions to the rows, amcheck of the main tables`,
  };

  async function checkIndexes(): Promise<readonly string[]> {
    await postgres.query('create extension if not exists amcheck');
    return postgres.query(indexesAgree).then(
      () => [],
      (error: unknown) => [`rows: amcheck: ${String(error)}`],
    );
  }
}
