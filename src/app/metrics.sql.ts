/** Figures that stand in the database, for the metrics. */
import type { Database } from '../db/index.ts';

interface Count {
  readonly kind: string;
  readonly rule: string;
  readonly state: string;
  readonly count: number;
}

export async function countJobs(db: Database, nowMs: number): Promise<readonly Count[]> {
  return db.query<Count>({
    text: `select kind, case when is_parked then 'parked' when holder is not null then 'held'
                             when run_at <= $1 then 'due' else 'waiting' end as state, count(*)::integer as count
           from job group by 1, 2`,
    values: [new Date(nowMs)],
  });
}

export async function countJudgments(db: Database): Promise<readonly Count[]> {
  return db.query<Count>({ text: 'select rule, state, count(*)::integer as count from judgment group by 1, 2' });
}
