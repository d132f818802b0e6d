/**
 * Figures that stand in the database, for health and metrics. Those of each look walk one end of an index, whatever the table holds;
 * those that count whole tables are asked seldom (standing.ts).
 */
import type { Database } from '../db/index.ts';

interface Count {
  readonly kind: string;
  readonly rule: string;
  readonly state: string;
  readonly count: number;
}

/** Beyond it nobody counts. */
export const dueCountedMax = 10_000;

export interface Due {
  readonly kind: string;
  /** Jobs whose time has come and that nobody has taken, up to `dueCountedMax`. */
  readonly due: number;
  /** When the first of them fell due. */
  readonly oldestAt: Date | null;
}

/** Kinds by skipping from one to the next in the primary key. */
export async function findDueJobs(db: Database, nowMs: number): Promise<readonly Due[]> {
  return db.query<Due>({
    text: `with recursive kinds as (
             (select kind from job order by kind limit 1)
             union all
             select (select kind from job where kind > kinds.kind order by kind limit 1) from kinds where kind is not null)
           select kinds.kind, due.count::integer as due, due.oldest as "oldestAt"
           from kinds cross join lateral (
             select count(*) as count, min(run_at) as oldest from (
               select run_at from job
               where kind = kinds.kind and holder is null and not is_parked and run_at <= $1
               order by run_at limit $2) as first) due
           where kinds.kind is not null`,
    values: [new Date(nowMs), dueCountedMax],
  });
}

export interface Unread {
  readonly reader: string;
  /** Of the first change that the reader has not read; null where there is none. */
  readonly oldestAt: Date | null;
}

export async function findUnreadChanges(db: Database): Promise<readonly Unread[]> {
  return db.query<Unread>({
    text: `select r.name as reader,
             (select c.at from change c where (c.xid, c.seq) > (r.xid, r.seq) order by c.xid, c.seq limit 1) as "oldestAt"
           from reader r`,
  });
}

export interface Deliveries {
  readonly delivered: number;
  readonly waiting: number;
  /** Of subscriptions whose last attempt failed. */
  readonly retrying: number;
}

/** Events of subscriptions, by how far each has come: one narrow row for each subscription. */
export async function countDeliveries(db: Database): Promise<Deliveries> {
  const [row] = await db.query<Deliveries>({
    text: `select coalesce(sum(delivered_number), 0)::float8 as delivered,
             coalesce(sum(last_number - delivered_number) filter (where failures = 0), 0)::float8 as waiting,
             coalesce(sum(last_number - delivered_number) filter (where failures > 0), 0)::float8 as retrying
           from subscription_state where status <> 'gone'`,
  });
  return row ?? { delivered: 0, waiting: 0, retrying: 0 };
}

/** From indexes alone: with a million that wait, reading the rows would take seconds. */
export async function countJobs(db: Database, nowMs: number): Promise<readonly Count[]> {
  return countSlowly(db, {
    text: `select kind, case when run_at <= $1 then 'due' else 'waiting' end as state, count(*)::integer as count
           from job where holder is null and not is_parked group by 1, 2
           union all
           select kind, 'held', count(*)::integer from job where holder is not null and not is_parked group by 1
           union all
           select kind, 'parked', count(*)::integer from job where is_parked group by 1`,
    values: [new Date(nowMs)],
  });
}

export async function countJudgments(db: Database): Promise<readonly Count[]> {
  return countSlowly(db, { text: 'select rule, state, count(*)::integer as count from judgment group by 1, 2' });
}

/** Whether this database has all these migrations. */
export async function hasMigrations(db: Database, numbers: readonly number[]): Promise<boolean> {
  const rows = await db.query<{ count: number }>({
    text: 'select count(*)::integer as count from schema_migration where number = any ($1::integer[])',
    values: [numbers],
  });
  return rows[0]?.count === numbers.length;
}

const slowCountMs = 60_000;

/** A whole table: it may take longer than a look at health does. */
function countSlowly(db: Database, statement: { readonly text: string; readonly values?: readonly unknown[] }) {
  return db.transaction(async (tx) => {
    await tx.query({ text: `set local statement_timeout = ${slowCountMs}` });
    return tx.query<Count>(statement);
  });
}
