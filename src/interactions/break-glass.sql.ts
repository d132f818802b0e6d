/** Broken glass in the database (migrations/0044). */
import type { Queryable } from '../db/index.ts';

export interface Broken {
  readonly patient: string;
  readonly reason: string;
  readonly until: Date;
}

/** The last one of this owner that is neither over nor ended. */
export async function findBroken(db: Queryable, owner: string, nowMs: number): Promise<Broken | undefined> {
  const rows = await db.query<Broken>({
    name: 'find-broken-glass',
    text: `select patient, reason, until from break_glass
           where owner = $1 and began_at <= $2 and until > $2 and ended_at is null order by began_at desc, id desc limit 1`,
    values: [owner, new Date(nowMs)],
  });
  return rows[0];
}

/** How many this owner has broken since then; whoever asks next waits until this transaction has ended. */
export async function countBroken(tx: Queryable, owner: string, sinceMs: number): Promise<number> {
  await tx.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 44))', values: [owner] });
  const rows = await tx.query<{ count: number }>({
    text: 'select count(*)::integer as count from break_glass where owner = $1 and began_at > $2',
    values: [owner, new Date(sinceMs)],
  });
  return rows[0]?.count ?? 0;
}

/** Whether the patient has refused somebody of these names, or everybody, in emergencies too or for all care. */
export async function hasRefused(
  tx: Queryable,
  { patient, names, nowMs }: { readonly patient: string; readonly names: readonly string[]; readonly nowMs: number },
): Promise<boolean> {
  const rows = await tx.query({
    text: `select 1 from access_relation x
           where x.patient = $1 and x.ground in ('objection', 'emergency-objection')
             and x.who = any (access_who($2::text[], $3::bigint) || '*'::text) and x.lo <= $3::bigint and x.hi > $3::bigint
           limit 1`,
    values: [patient, names, nowMs],
  });
  return rows.length > 0;
}

export interface Breaking {
  readonly id: string;
  readonly owner: string;
  readonly patient: string;
  readonly reason: string;
  readonly nowMs: number;
  readonly untilMs: number;
}

export async function insertBroken(tx: Queryable, breaking: Breaking): Promise<void> {
  const { id, owner, patient, reason, nowMs, untilMs } = breaking;
  await tx.query({
    text: 'insert into break_glass (id, owner, patient, reason, began_at, until) values ($1, $2, $3, $4, $5, $6)',
    values: [id, owner, patient, reason, new Date(nowMs), new Date(untilMs)],
  });
}

/** Whether there was one to end. */
export async function endBroken(
  tx: Queryable,
  { owner, patient, nowMs }: { readonly owner: string; readonly patient: string; readonly nowMs: number },
): Promise<boolean> {
  const rows = await tx.query({
    text: `update break_glass set ended_at = $3
           where owner = $1 and patient = $2 and until > $3 and ended_at is null returning 1`,
    values: [owner, patient, new Date(nowMs)],
  });
  return rows.length > 0;
}
