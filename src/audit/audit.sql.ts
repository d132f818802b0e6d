/** The audit log in the database (migrations/0043): written in batches, read by who may, never changed. */
import { type Ids, formatInstant } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import { agentOf, type AuditRow, type Note, personOf } from './note.ts';

export async function insertNotes(
  db: Queryable,
  notes: readonly Note[],
  { ids, nowMs }: { readonly ids: Ids; readonly nowMs: number },
): Promise<void> {
  const rows = notes.map(({ caller, origin, ...note }) => ({
    recorded_at: formatInstant(nowMs),
    ...note,
    id: note.id ?? ids.next(nowMs),
    client: caller.clientId,
    who: personOf(caller),
    agent: agentOf(caller),
    request: origin?.requestId,
    address: origin?.address,
  }));
  await db.query({ name: 'audit-write', text: insertText, values: [JSON.stringify(rows)] });
}

/**
 * A row for each patient of the resources that are named, or one without: of what was deleted, those of the version before. Each resource
 * is looked up by itself (`limit 1` keeps it so), whatever the plan was made for.
 */
const insertText = `insert into audit_event
    (id, recorded_at, code, operation, status, patient, data, client, who, agent, query, request, address, detail, raw)
  select case when coalesce(p.place, 1) = 1 then n.id else n.id || '.' || p.place end, n.recorded_at, n.code, n.operation, n.status,
         p.patient, n.data, n.client, n.who, n.agent, n.query, n.request, n.address, n.detail, n.raw
  from jsonb_to_recordset($1::jsonb) as n(
    id text, recorded_at timestamptz, code text, operation text, status smallint, concerns text[], data text[], client text, who text,
    agent jsonb, query text, request text, address text, detail jsonb, raw text)
  left join lateral (
    select one.patient, row_number() over (order by one.patient) as place
    from (
      select distinct of_it.patient
      from unnest(n.concerns) as c(reference)
      cross join lateral (
        select case when r.type = 'Patient' then array['Patient/' || r.id]
                    when r.is_deleted then (select v.patients from version v where v.rid = r.rid and v.version = r.version - 1)
                    else r.patients end as patients
        from resource r where r.type = split_part(c.reference, '/', 1) and r.id = split_part(c.reference, '/', 2)
        limit 1
      ) as found
      cross join lateral unnest(found.patients) as of_it(patient)
    ) as one where one.patient is not null
  ) as p on true`;

/** Answers how many months went. */
export async function openMonths(db: Queryable, nowMs: number, keptFromMs: number): Promise<number> {
  const rows = await db.query<{ gone: number }>({
    text: 'select audit_months($1, $2) as gone',
    values: [new Date(nowMs), new Date(keptFromMs)],
  });
  return rows[0]?.gone ?? 0;
}

export interface AuditQuery {
  readonly id?: string;
  readonly patient?: string;
  /** `Type/id` among what was read or written. */
  readonly entity?: string;
  readonly client?: string;
  readonly who?: string;
  readonly code?: string;
  readonly operation?: string;
  readonly codes?: readonly string[];
  /** In [from, to) of HTTP's status. */
  readonly statuses?: readonly [number, number];
  /** In [from, to), in ms. */
  readonly dates?: readonly (readonly [number, number])[];
  /** Behind this one, in the order that is asked for. */
  readonly after?: { readonly recordedAtMs: number; readonly id: string };
  readonly isOldestFirst?: boolean;
  /** The condition on a row of `resource` that all of what was read or written must meet, where it is stored at all. */
  readonly seen?: (alias: string, bind: (value: unknown) => string) => string;
}

const columns =
  'id, recorded_at, code, operation, status, patient, data, client, who, agent, query, request, address, detail, raw';

export async function readAudit(db: Queryable, query: AuditQuery, limit: number): Promise<readonly AuditRow[]> {
  const values: unknown[] = [];
  const where = conditionOf(query, values);
  const direction = query.isOldestFirst === true ? 'asc' : 'desc';
  const text = `select ${columns} from audit_event where ${where}
    order by recorded_at ${direction}, id ${direction} limit $${values.push(limit)}`;
  return db.query<AuditRow>({ text, values });
}

export async function countAudit(db: Queryable, query: AuditQuery): Promise<number> {
  const values: unknown[] = [];
  const text = `select count(*)::integer as count from audit_event where ${conditionOf(query, values)}`;
  return (await db.query<{ count: number }>({ text, values }))[0]?.count ?? 0;
}

function conditionOf(query: AuditQuery, values: unknown[]): string {
  const bind = (value: unknown) => `$${values.push(value)}`;
  const equal = (column: string, value: string | undefined) =>
    value === undefined ? [] : [`${column} = ${bind(value)}`];
  const [lowest, highest] = query.statuses ?? [];
  const { after, codes } = query;
  const beyond = query.isOldestFirst === true ? '>' : '<';
  return [
    'true',
    ...equal('id', query.id),
    ...equal('patient', query.patient),
    ...equal('client', query.client),
    ...equal('who', query.who),
    ...equal('code', query.code),
    ...equal('operation', query.operation),
    ...(codes === undefined ? [] : [`code = any (${bind(codes)}::text[])`]),
    ...(query.entity === undefined ? [] : [entityText(query.entity, bind)]),
    ...(query.seen === undefined ? [] : [seenText(query.seen, bind)]),
    ...(lowest === undefined ? [] : [`status >= ${bind(lowest)} and status < ${bind(highest)}`]),
    ...(query.dates ?? []).map(
      ([from, to]) =>
        `recorded_at >= ${bind(instant(from))}::timestamptz and recorded_at < ${bind(instant(to))}::timestamptz`,
    ),
    ...(after === undefined
      ? []
      : [`(recorded_at, id) ${beyond} (${bind(instant(after.recordedAtMs))}::timestamptz, ${bind(after.id)}::text)`]),
  ].join(' and ');
}

function entityText(entity: string, bind: (value: unknown) => string): string {
  return `exists (select from unnest(data) as d(reference) where d.reference = ${bind(entity)}
    or starts_with(d.reference, ${bind(`${entity}/_history/`)}))`;
}

function seenText(seen: NonNullable<AuditQuery['seen']>, bind: (value: unknown) => string): string {
  return `not exists (select from unnest(data) as d(reference)
      join resource r on r.type = split_part(d.reference, '/', 1) and r.id = split_part(d.reference, '/', 2)
    where (${seen('r', bind)}) is not true)`;
}

/** PostgreSQL and JavaScript both know the years 1 to 9999. */
function instant(ms: number): string {
  return formatInstant(Math.min(Math.max(ms, -62_135_596_800_000), 253_402_300_799_999));
}
