/**
 * Durable jobs: now, later, again.
 *
 * A job is a row (kind, key). Asking for it again brings it forward and changes its stamp; it never waits for a worker.
 * A worker takes a job by writing its holder into the row. What it does for the job it does in one transaction that ends
 * with `finish`: if the stamp is still the one it took, the job is gone (or waits until `again`); if not, somebody asked
 * meanwhile and the job is free to be taken once more. If the holder is no longer the worker, the whole transaction is
 * undone: two workers can never both commit work for one key.
 *
 * States of a row: free (holder null, run_at reached or not) -> held -> gone | free again | parked (attempts used up).
 */
import { Problem } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';

export interface JobRequest {
  readonly kind: string;
  readonly key: string;
  readonly runAtMs: number;
  readonly payload?: unknown;
}

export interface Job {
  readonly kind: string;
  readonly key: string;
  readonly runAtMs: number;
  readonly payload: unknown;
  readonly stamp: string;
  readonly attempts: number;
}

interface JobRow {
  readonly kind: string;
  readonly key: string;
  readonly run_at: Date;
  readonly payload: unknown;
  readonly stamp: string;
  readonly attempts: number;
}

/** Asks for jobs, in the caller's transaction. A job that waits already keeps the earlier of both times. */
export async function requestJobs(tx: Queryable, requests: readonly JobRequest[]): Promise<void> {
  if (requests.length === 0) return;
  await tx.query({
    name: 'request-jobs',
    text: `insert into job (kind, key, payload, run_at)
           select kind, key, payload, run_at
           from json_to_recordset($1) as j(kind text, key text, payload jsonb, run_at timestamptz)
           order by kind, key
           on conflict (kind, key) do update
           set run_at = least(job.run_at, excluded.run_at), payload = coalesce(excluded.payload, job.payload),
               stamp = job.stamp + 1, is_parked = false`,
    values: [
      JSON.stringify(
        requests.map(({ kind, key, payload, runAtMs }) => ({
          kind,
          key,
          payload,
          run_at: new Date(runAtMs).toISOString(),
        })),
      ),
    ],
  });
}

/** How many jobs of a kind there is room for. */
export interface Room {
  readonly kind: string;
  readonly limit: number;
}

/**
 * Takes due jobs of several kinds in one statement, oldest first, of each kind no more than there is room for. The rows are chosen in
 * a CTE, which runs once: as a subquery of `in` it may be run again for each row of a nested loop, and takes as many more each time.
 */
export async function takeJobs(
  db: Queryable,
  take: { readonly rooms: readonly Room[]; readonly holder: number; readonly nowMs: number },
): Promise<readonly Job[]> {
  const rows = await db.query<JobRow>({
    name: 'take-jobs',
    text: `with due as materialized (
             select j.kind, j.key
             from unnest($1::text[], $2::integer[]) as room(kind, places)
             cross join lateral (
               select kind, key from job
               where kind = room.kind and holder is null and not is_parked and run_at <= $4
               order by run_at, key limit room.places for update skip locked) j)
           update job j set holder = $3, attempts = attempts + 1
           from due where j.kind = due.kind and j.key = due.key
           returning j.kind, j.key, j.run_at, j.payload, j.stamp, j.attempts`,
    values: [
      take.rooms.map(({ kind }) => kind),
      take.rooms.map(({ limit }) => limit),
      take.holder,
      new Date(take.nowMs),
    ],
  });
  return rows
    .map(({ run_at, ...row }) => ({ ...row, runAtMs: run_at.getTime() }))
    .sort((a, b) => a.runAtMs - b.runAtMs || (a.key < b.key ? -1 : 1));
}

/**
 * Ends a job inside the transaction of its work; call it last. `again`: it must run once more at that time.
 * Throws `conflict` when another worker has the job now, so that this transaction is undone.
 */
export async function finishJob(
  tx: Queryable,
  job: Job,
  holder: number,
  again?: { readonly runAtMs: number; readonly payload?: unknown },
): Promise<void> {
  if (again === undefined && (await endJob(tx, job, holder))) return;
  const rows = await tx.query({
    name: 'repeat-job',
    text: `update job set holder = null, attempts = 0, last_error = null,
             run_at = case when stamp = $4 then $5 else least(run_at, coalesce($5, run_at)) end,
             payload = case when stamp = $4 then coalesce($6::jsonb, payload) else payload end
           where kind = $1 and key = $2 and holder = $3 returning 1`,
    values: [
      job.kind,
      job.key,
      holder,
      job.stamp,
      again === undefined ? null : new Date(again.runAtMs),
      again?.payload === undefined ? null : JSON.stringify(again.payload),
    ],
  });
  if (rows.length === 0) throw new Problem('conflict', 'the job is held by another worker');
}

/** False when somebody asked meanwhile (also while this statement waits for the row), or another worker holds it. */
async function endJob(tx: Queryable, { kind, key, stamp }: Job, holder: number): Promise<boolean> {
  const rows = await tx.query({
    name: 'end-job',
    text: 'delete from job where kind = $1 and key = $2 and holder = $3 and stamp = $4 returning 1',
    values: [kind, key, holder, stamp],
  });
  return rows.length > 0;
}

/** Gives a failed job back: to be tried at `runAtMs`, or parked when that is undefined. */
export async function failJob(
  db: Queryable,
  job: Job,
  holder: number,
  failure: { readonly runAtMs: number | undefined; readonly error: string },
): Promise<void> {
  await db.query({
    name: 'fail-job',
    text: `update job set holder = null, last_error = $5, is_parked = $4::timestamptz is null,
             run_at = coalesce($4, run_at)
           where kind = $1 and key = $2 and holder = $3`,
    values: [
      job.kind,
      job.key,
      holder,
      failure.runAtMs === undefined ? null : new Date(failure.runAtMs),
      failure.error,
    ],
  });
}

/** Makes due now what waits for a time after `beyondMs`: jobs of these kinds, and jobs of any kind that have failed. */
export async function bringForward(
  db: Queryable,
  { kinds, nowMs, beyondMs }: { readonly kinds: readonly string[]; readonly nowMs: number; readonly beyondMs: number },
): Promise<void> {
  await db.query({
    name: 'bring-forward',
    text: `update job set run_at = $2
           where holder is null and not is_parked and run_at > $3 and (kind = any ($1) or last_error is not null)`,
    values: [kinds, new Date(nowMs), new Date(beyondMs)],
  });
}

/**
 * When the next job falls due, in ms; undefined when nothing waits. A held job counts: it is due now. The kinds that there are, then
 * the first of each, each by the index of due jobs: the least of all reads every job that waits (800 ms for a million).
 */
export async function nextJobAt(db: Queryable): Promise<number | undefined> {
  const rows = await db.query<{ at: Date | null }>({
    name: 'next-job',
    text: `with recursive kinds as (
             (select kind, run_at from job where holder is null and not is_parked order by kind, run_at, key limit 1)
             union all
             select next.kind, next.run_at from kinds k cross join lateral (
               select kind, run_at from job where kind > k.kind and holder is null and not is_parked
               order by kind, run_at, key limit 1) next)
           select least((select min(run_at) from kinds),
                        (select min(run_at) from job where holder is not null and not is_parked)) as at`,
  });
  return rows[0]?.at?.getTime();
}
