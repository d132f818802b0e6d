/** Figures that stand in the database, for the metrics. */
import type { Database } from '../db/index.ts';

interface Count {
  readonly kind: string;
  readonly rule: string;
  readonly state: string;
  readonly count: number;
}

/** From indexes alone: with a million that wait, reading the rows would take seconds. */
export async function countJobs(db: Database, nowMs: number): Promise<readonly Count[]> {
  return db.query<Count>({
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
  return db.query<Count>({ text: 'select rule, state, count(*)::integer as count from judgment group by 1, 2' });
}
