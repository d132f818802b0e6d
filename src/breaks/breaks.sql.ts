/** What is remembered of judgments and of break occurrences (migrations/0004-breaks.sql). */
import type { Queryable } from '../db/index.ts';
import type { KnownJudgment } from './judge-patient.ts';

interface Row {
  readonly rule: string;
  readonly focus: string;
  readonly state: string;
  readonly due_at: Date | null;
  readonly since_at: Date | null;
  readonly focus_version: number;
  readonly met_since: Date | null;
  readonly rule_set: string | null;
}

export async function readJudgments(db: Queryable, patient: string): Promise<readonly KnownJudgment[]> {
  const rows = await db.query<Row>({
    name: 'read-judgments',
    text: `select rule, focus, state, due_at, since_at, focus_version, met_since, rule_set
           from judgment where patient = $1 order by rule, focus`,
    values: [patient],
  });
  return rows.map(({ rule, focus, state, due_at, since_at, focus_version, met_since, rule_set }) => ({
    rule,
    focus,
    state,
    dueAtMs: due_at?.getTime(),
    since: since_at?.toISOString(),
    focusVersion: focus_version,
    metSince: met_since?.toISOString(),
    ruleSet: rule_set ?? undefined,
  }));
}

export interface JudgmentRow {
  readonly rule: string;
  readonly focus: string;
  readonly state: string;
  readonly dueAt: string | undefined;
  readonly since: string | undefined;
  readonly focusVersion: number;
  readonly metSince: string | undefined;
  readonly ruleSet?: string | undefined;
  readonly anchorAt?: string | undefined;
  readonly metAt?: string | undefined;
  readonly isKnownLate?: boolean;
  readonly site?: string | undefined;
  readonly pathway?: string | undefined;
}

export async function keepJudgments(tx: Queryable, patient: string, rows: readonly JudgmentRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query({
    name: 'keep-judgments',
    text: `insert into judgment (patient, rule, focus, state, due_at, since_at, focus_version, met_since,
             anchor_at, met_at, is_known_late, site, pathway, rule_set)
           select $1, rule, focus, state, "dueAt", since, "focusVersion", "metSince",
             "anchorAt", "metAt", coalesce("isKnownLate", false), site, pathway, "ruleSet"
           from json_to_recordset($2) as j(rule text, focus text, state text, "dueAt" timestamptz, since timestamptz,
             "focusVersion" integer, "metSince" timestamptz, "anchorAt" timestamptz, "metAt" timestamptz,
             "isKnownLate" boolean, site text, pathway text, "ruleSet" text)
           on conflict (patient, rule, focus, shard) do update
           set state = excluded.state, due_at = excluded.due_at, since_at = excluded.since_at,
               focus_version = excluded.focus_version, met_since = excluded.met_since,
               anchor_at = excluded.anchor_at, met_at = excluded.met_at, is_known_late = excluded.is_known_late,
               site = excluded.site, pathway = excluded.pathway, rule_set = excluded.rule_set
           where (judgment.state, judgment.due_at, judgment.since_at, judgment.focus_version, judgment.met_since,
               judgment.anchor_at, judgment.met_at, judgment.is_known_late, judgment.site, judgment.pathway,
               judgment.rule_set)
             is distinct from (excluded.state, excluded.due_at, excluded.since_at, excluded.focus_version, excluded.met_since,
               excluded.anchor_at, excluded.met_at, excluded.is_known_late, excluded.site, excluded.pathway,
               excluded.rule_set)`,
    values: [patient, JSON.stringify(rows)],
  });
}

/** Fails on a key and occurrence that is there already: a break is raised once, whatever races. */
export async function keepOccurrences(
  tx: Queryable,
  raised: readonly { readonly key: string; readonly occurrence: number; readonly issueId: string }[],
): Promise<void> {
  if (raised.length === 0) return;
  await tx.query({
    name: 'keep-occurrences',
    text: `insert into break (key, occurrence, issue_id)
           select key, occurrence, "issueId"
           from json_to_recordset($1) as b(key text, occurrence integer, "issueId" text)`,
    values: [JSON.stringify(raised)],
  });
}

/**
 * Asks for a judgment of every patient: a rule set has changed. What opens on a focus that was recorded before
 * `rulesAtMs` is told in a digest.
 */
export async function requestAllPatients(tx: Queryable, atMs: number, rulesAtMs: number): Promise<void> {
  await tx.query({
    text: `insert into job (kind, key, run_at, payload)
           select 'judge', 'Patient/' || id, $1, $2 from resource where type = 'Patient' and not is_deleted order by id
           on conflict (kind, key) do update
           set run_at = least(job.run_at, excluded.run_at), stamp = job.stamp + 1, is_parked = false,
               payload = excluded.payload`,
    values: [new Date(atMs), JSON.stringify({ rulesAtMs })],
  });
}

/** Keeps what the next digest of the organisation tells of, in the order it was raised. */
export async function keepUntold(
  tx: Queryable,
  untold: readonly { readonly issueId: string; readonly rule: string; readonly organisation: string }[],
  atMs: number,
): Promise<void> {
  await tx.query({
    name: 'keep-untold',
    text: `insert into untold_break (issue_id, rule, organisation, at)
           select "issueId", rule, organisation, $2
           from json_to_recordset($1) as u("issueId" text, rule text, organisation text)
           on conflict (issue_id, shard) do nothing`,
    values: [JSON.stringify(untold), new Date(atMs)],
  });
}

/** Takes away what the digest of this organisation tells of. */
export async function takeUntold(
  tx: Queryable,
  organisation: string,
): Promise<readonly { readonly rule: string; readonly issueId: string }[]> {
  return tx.query<{ rule: string; issueId: string }>({
    text: `with gone as (delete from untold_break where organisation = $1 returning rule, issue_id, at)
           select rule, issue_id as "issueId" from gone order by rule, at, issue_id`,
    values: [organisation],
  });
}

/** Changes whenever a PlanDefinition does, or a Basic that sets parameters. */
export async function ruleSetStamp(db: Queryable): Promise<string> {
  const rows = await db.query<{ stamp: string }>({
    name: 'rule-set-stamp',
    text: `select count(*) || ' ' || coalesce(sum(version), 0) || ' ' || coalesce(max(rid), 0)
             || ' ' || (select coalesce(string_agg(r.id || '/' || r.version, ' ' order by r.id), '')
                        from rule_parameters p join resource r on r.type = 'Basic' and r.id = p.id)
             || ' ' || (select coalesce(string_agg(plan || '/' || version, ' ' order by plan, version), '')
                        from held_rule_set)
             || ' ' || exists (select 1 from merged_patient) || exists (select 1 from patient_move)
             as stamp
           from resource where type = 'PlanDefinition'`,
  });
  return rows[0]?.stamp ?? '';
}

export async function overrideReferences(db: Queryable): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>({
    text: `select r.id from rule_parameters p join resource r on r.type = 'Basic' and r.id = p.id and not r.is_deleted`,
  });
  return rows.map(({ id }) => `Basic/${id}`);
}

export interface JudgmentCount {
  readonly rule: string;
  readonly state: string;
  readonly count: number;
}

/** How the judgments of these rules stand. */
export async function countJudgmentsOf(db: Queryable, rules: readonly string[]): Promise<readonly JudgmentCount[]> {
  return db.query<JudgmentCount>({
    text: `select rule, state, count(*)::integer as count from judgment
           where rule = any($1::text[]) group by rule, state order by rule, state`,
    values: [rules],
  });
}

/** Which of these Basics are known to set parameters, or to have done so. */
export async function knownOverrides(db: Queryable, ids: readonly string[]): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>({
    text: `select id from rule_parameters where id = any($1::text[])`,
    values: [ids],
  });
  return rows.map(({ id }) => id);
}

export async function keepOverrides(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    text: `insert into rule_parameters (id) select unnest($1::text[]) on conflict do nothing`,
    values: [ids],
  });
}

export async function ruleSetReferences(db: Queryable): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>({
    text: `select id from resource where type = 'PlanDefinition' and not is_deleted order by id`,
  });
  return rows.map(({ id }) => `PlanDefinition/${id}`);
}

/** Which of these `Type/id` have ever been used, deleted ones too. */
export async function usedReferences(db: Queryable, references: readonly string[]): Promise<readonly string[]> {
  const pairs = references.map((reference) => reference.split('/'));
  const rows = await db.query<{ reference: string }>({
    text: `select r.type || '/' || r.id as reference from unnest($1::text[], $2::text[]) as wanted(type, id)
           join resource r on r.type = wanted.type and r.id = wanted.id`,
    values: [pairs.map(([type]) => type), pairs.map(([, id]) => id)],
  });
  return rows.map(({ reference }) => reference);
}

export interface BreakRow {
  readonly key: string;
  readonly occurrence: number;
  readonly rule: string;
  readonly patient: string;
  readonly site: string | undefined;
  readonly pathway: string | undefined;
  readonly state: string;
  readonly reason: string | undefined;
  readonly owner: string | undefined;
}

/**
 * The life of each break as indicators count it: when it opened, was answered, was closed, how often it came back. The rows are
 * looked up one by one first (offset 0): joined to a list of unknown length, PostgreSQL reads all breaks there are.
 */
export async function keepLives(tx: Queryable, rows: readonly BreakRow[], atMs: number): Promise<void> {
  if (rows.length === 0) return;
  await tx.query({
    name: 'keep-lives',
    text: `update break b
           set rule = l.rule, patient = l.patient, state = l.state, reason = l.reason,
               site = coalesce(l.site, b.site), pathway = coalesce(l.pathway, b.pathway),
               owner = coalesce(l.owner, b.owner),
               opened_at = coalesce(b.opened_at,
                 case when l.state not in ('pre-alert', 'moot') then $2::timestamptz end),
               acknowledged_at = coalesce(b.acknowledged_at,
                 case when l.state in ('acknowledged', 'in-progress', 'on-hold', 'repaired', 'rejected')
                   then $2::timestamptz end),
               reopened = b.reopened + case when b.closed_at is not null and l.state = 'open' then 1 else 0 end,
               closed_at = case when l.state in ('repaired', 'auto-closed', 'moot', 'rejected')
                 then coalesce(b.closed_at, $2::timestamptz) end
           from json_to_recordset($1) as l(key text, occurrence integer, rule text, patient text, site text,
             pathway text, state text, reason text, owner text)
           where b.ctid = any (array(
               select there.ctid from json_to_recordset($1) as w(key text, occurrence integer)
               cross join lateral (
                 select ctid from break where key = w.key and occurrence = w.occurrence offset 0
               ) as there))
             and b.key = l.key and b.occurrence = l.occurrence`,
    values: [JSON.stringify(rows), new Date(atMs)],
  });
}

/**
 * What the last judgment of each patient wrote, by `Type/id`, with the versions: kept with the job that waits (own-writes.ts).
 * Patients without such a job are missing. Each job is looked up by itself (offset 0), however many wait.
 */
export async function readOwnWrites(
  db: Queryable,
  patients: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, number>>>> {
  const rows = await db.query<{ key: string; wrote: Readonly<Record<string, number>> }>({
    name: 'own-writes',
    text: `select w.key, j.wrote from unnest($1::text[]) as w(key)
           cross join lateral (
             select payload -> 'wrote' as wrote from job where kind = 'judge' and key = w.key offset 0
           ) as j
           where j.wrote is not null`,
    values: [patients],
  });
  return new Map(rows.map(({ key, wrote }) => [key, wrote]));
}

/** A longer text is not looked through: it costs more to read than a judgment does. */
const firstVersionBytesMax = 64_000;

/**
 * Texts by rid, of resources whose first version is the current one. Each row is looked up by itself (offset 0): asked for together,
 * PostgreSQL may take an index that has the rid behind other columns, and walk the whole of it.
 */
export async function readFirstVersions(db: Queryable, rids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query<{ rid: string; raw: string }>({
    name: 'first-versions',
    text: `select w.rid::text as rid, r.raw
           from unnest($1::bigint[]) as w(rid) cross join lateral (
             select version, is_deleted, raw from resource where rid = w.rid offset 0
           ) as r
           where r.version = 1 and not r.is_deleted and octet_length(r.raw) <= ${firstVersionBytesMax}`,
    values: [rids],
  });
  return new Map(rows.map(({ rid, raw }) => [rid, raw]));
}
