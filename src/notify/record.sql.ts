/** What became of deliveries: the log of attempts, the place in the events, and the end of the job (migrations/0037). */
import type { Queryable } from '../db/index.ts';
import type { Job } from '../queue/index.ts';
import type { Attempted } from './attempt.ts';
import type { Standing } from './step.ts';

export interface LoggedAttempt extends Attempted {
  readonly subscription: string;
  readonly firstNumber: number | undefined;
  /** 1 for the first. */
  readonly attempt: number;
}

/** Where the subscription stands after it, and at which version it was when the attempt was made. */
export interface After extends Standing {
  readonly isSlow: boolean;
  readonly version: number;
}

/** Logs an attempt and moves the subscription on, if it still is at the version that the attempt was made for. */
export async function recordAttempt(
  tx: Queryable,
  attempt: LoggedAttempt,
  version: number,
  after: After,
): Promise<void> {
  await tx.query({
    name: 'notify-record-attempt',
    text: `with logged as (
             insert into delivery (subscription, at, kind, first_number, last_number, attempt, outcome, http_status, duration_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           )
           update subscription_state
           set version = $10,
               -- Unless somebody has put the place back meanwhile ($resend).
               delivered_number = case when delivered_number = $4::bigint - 1 then $11 else delivered_number end,
               is_slow = $12, failures = $13, failing_since = $14, retry_at = $15, sent_at = $16, status = $17
           where subscription = $1 and version = $18`,
    values: [...recordValues(attempt, after), after.status, version],
  });
}

export interface Recorded {
  readonly attempt: LoggedAttempt;
  readonly after: After;
  readonly job: Pick<Job, 'kind' | 'stamp'>;
  /** Of the next step; undefined: there is none. */
  readonly runAtMs: number | undefined;
}

/**
 * The same where the status stays, with the end of the jobs behind it, in one transaction. No subscription may come twice. Answers
 * which were recorded: not those whose job another worker holds by now, nor, unless `waits`, those whose rows somebody has
 * locked just now.
 */
export async function recordAll(
  db: Queryable,
  all: readonly Recorded[],
  { holder, waits }: { readonly holder: number; readonly waits: boolean },
): Promise<readonly boolean[]> {
  const columns = all.map(({ attempt, after, job, runAtMs }) => [
    ...recordValues(attempt, after),
    job.kind,
    job.stamp,
    timeOrNull(runAtMs),
  ]);
  const types = [
    ...['text', 'timestamptz', 'text', 'bigint', 'bigint', 'integer', 'text', 'smallint', 'integer'],
    ...['integer', 'bigint', 'boolean', 'integer', 'timestamptz', 'timestamptz', 'timestamptz'],
    ...['text', 'bigint', 'timestamptz'],
  ];
  const rows = await db.query<{ places: readonly number[] }>({
    name: 'notify-record',
    text: `select notify_record($1, $2, ${types.map((type, place) => `$${place + 3}::${type}[]`).join(', ')}) as places`,
    values: [waits, holder, ...types.map((_type, place) => columns.map((column) => column[place]))],
  });
  const places = new Set(rows[0]?.places);
  return all.map((_one, index) => places.has(index + 1));
}

/** The attempt, then where it leads, in the order of the columns of both statements. */
function recordValues(attempt: LoggedAttempt, after: After): readonly unknown[] {
  return [
    attempt.subscription,
    new Date(attempt.nowMs),
    attempt.kind,
    attempt.firstNumber ?? null,
    attempt.lastNumber ?? null,
    attempt.attempt,
    attempt.outcome.kind,
    attempt.outcome.httpStatus ?? null,
    Math.round(attempt.durationMs),
    after.version,
    after.deliveredNumber,
    after.isSlow,
    after.failures,
    timeOrNull(after.failingSinceMs),
    timeOrNull(after.retryAtMs),
    timeOrNull(after.sentAtMs),
  ];
}

function timeOrNull(ms: number | undefined): Date | null {
  return ms === undefined ? null : new Date(ms);
}
