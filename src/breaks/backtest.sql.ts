/** What a back-test reads beside the current record: former versions, and what became of the breaks that there were. */
import type { Queryable } from '../db/index.ts';

export interface FormerVersion {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly atMs: number;
  readonly isDeleted: boolean;
  readonly raw: string;
}

/** All former versions of these resources (`Type/id`). */
export async function readFormerVersions(
  db: Queryable,
  references: readonly string[],
): Promise<readonly FormerVersion[]> {
  if (references.length === 0) return [];
  const pairs = references.map((reference) => reference.split('/'));
  const rows = await db.query<Omit<FormerVersion, 'atMs' | 'isDeleted'> & { last_updated: Date; method: string }>({
    name: 'read-former-versions',
    text: `select v.type, v.id, v.version, v.last_updated, v.method, v.raw
           from unnest($1::text[], $2::text[]) as w(type, id)
           join resource r on r.type = w.type and r.id = w.id
           join version v on v.rid = r.rid`,
    values: [pairs.map(([type]) => type), pairs.map(([, id]) => id)],
  });
  return rows.map(({ last_updated, method, ...row }) => ({
    ...row,
    atMs: last_updated.getTime(),
    isDeleted: method === 'DELETE',
  }));
}

/** A break that there was, as persons have judged it. */
export interface ActualBreak {
  readonly key: string;
  readonly occurrence: number;
  readonly rule: string;
  readonly state: string;
  readonly openedAtMs: number | undefined;
  readonly isAcknowledged: boolean;
}

/** Of one patient and these rules: keys begin with both. */
export async function readActualBreaks(
  db: Queryable,
  patient: string,
  rules: readonly string[],
): Promise<readonly ActualBreak[]> {
  const rows = await db.query<{
    key: string;
    occurrence: number;
    rule: string | null;
    state: string | null;
    opened_at: Date | null;
    acknowledged_at: Date | null;
  }>({
    name: 'read-actual-breaks',
    text: `select b.key, b.occurrence, b.rule, b.state, b.opened_at, b.acknowledged_at
           from unnest($1::text[], $2::text[]) as w(first, past)
           join break b on b.key >= w.first and b.key < w.past
           order by b.key, b.occurrence`,
    // ';' follows ':'.
    values: [rules.map((rule) => `${rule}:${patient}:`), rules.map((rule) => `${rule}:${patient};`)],
  });
  return rows.map(({ key, occurrence, rule, state, opened_at, acknowledged_at }) => ({
    key,
    occurrence,
    rule: rule ?? key.slice(0, key.indexOf(':')),
    state: state ?? 'open',
    openedAtMs: opened_at?.getTime(),
    isAcknowledged: acknowledged_at !== null,
  }));
}
