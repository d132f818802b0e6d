/** The audit log in the database (migrations/0043): written in batches, read by who may, never changed. */
import { type Ids, formatInstant } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import { agentOf, type AuditRow, type Note, personOf } from './note.ts';

export async function insertNotes(
  db: Queryable,
  notes: readonly Note[],
  { ids, nowMs }: { readonly ids: Ids; readonly nowMs: number },
): Promise<void> {
  const found = await findPatients(db, notes);
  const recorded_at = formatInstant(nowMs);
  const rows = notes.flatMap(({ caller, origin, concerns: _concerns, patients, ...note }, at) => {
    const id = note.id ?? ids.next(nowMs);
    const row = {
      recorded_at,
      ...note,
      client: caller.clientId,
      who: personOf(caller),
      agent: agentOf(caller),
      request: origin?.requestId,
      address: origin?.address,
    };
    const concerned = patients ?? found.get(at) ?? [];
    const rowOf = (patient: string | undefined, place: number) => ({
      ...row,
      id: place === 0 ? id : `${id}.${place + 1}`,
      patient,
    });
    return concerned.length === 0 ? [rowOf(undefined, 0)] : concerned.map(rowOf);
  });
  await db.query({ name: 'audit-insert', text: insertText, values: [JSON.stringify(rows)] });
}

/** The patients of the notes that do not bring them, by the place of the note. */
async function findPatients(db: Queryable, notes: readonly Note[]): Promise<ReadonlyMap<number, readonly string[]>> {
  const sought = notes.flatMap(({ concerns, patients }, at) =>
    patients === undefined ? concerns.map((reference) => ({ at, reference })) : [],
  );
  if (sought.length === 0) return new Map();
  const values = [sought.map(({ at }) => at), sought.map(({ reference }) => reference)];
  const rows = await db.query<FoundRow>({ name: 'audit-patients', text: patientsText, values });
  return new Map(rows.map(({ note, patients }) => [note, patients]));
}

interface FoundRow {
  readonly note: number;
  readonly patients: readonly string[];
}

/**
 * The patients of the resources that are named: of what was deleted, those of the version before. Each resource is looked up by itself
 * (`limit 1` keeps it so), whatever the plan was made for.
 */
const patientsText = `select n.note, array_agg(distinct of_it.patient) as patients
  from unnest($1::integer[], $2::text[]) as n(note, reference)
  cross join lateral (
    select case when r.type = 'Patient' then array['Patient/' || r.id]
                when r.is_deleted then (select v.patients from version v where v.rid = r.rid and v.version = r.version - 1)
                else r.patients end as patients
    from resource r where r.type = split_part(n.reference, '/', 1) and r.id = split_part(n.reference, '/', 2)
    limit 1
  ) as found
  cross join lateral unnest(found.patients) as of_it(patient)
  where of_it.patient is not null
  group by n.note`;

const columns =
  'id, recorded_at, code, operation, status, patient, data, client, who, agent, query, request, address, detail, raw';

/** A row for each patient. As json: what is kept is read from it once, and jsonb would be made for nothing. */
const insertText = `insert into audit_event (${columns}) select ${columns} from json_to_recordset($1::json) as n(
    id text, recorded_at timestamptz, code text, operation text, status smallint, patient text, data text[], client text, who text,
    agent jsonb, query text, request text, address text, detail jsonb, raw text)`;

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
