/**
 * The workers of one instance: followers of the change log, and kinds of jobs.
 *
 * A follower handles changes in the order of the log, one instance at a time (the reader's row is its lock), in the
 * transaction that moves its place. A kind of job runs several at once, over all instances, each job in one place.
 * Nothing here decides by a timer in memory: `wake` and the poll only say "look again now".
 *
 * One of the three places that catch: a failed job is given back with a later time, or parked for an operator.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, type Log, Problem, problemCategories } from '../base/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import { advanceReader, type Change, hasUnreadChanges, openReader, readChanges, trimChanges } from './changes.ts';
import { freeAbandonedJobs } from './holder.ts';
import { bringForward, failJob, type Job, type Room, takeJobs } from './jobs.ts';

export interface Follower {
  readonly name: string;
  /** How many changes are handled in one transaction. */
  readonly changesMax: number;
  handle(tx: Transaction, changes: readonly Change[]): Promise<void>;
}

export interface Work {
  readonly kind: string;
  readonly concurrency: number;
  /** Does the job and finishes it (`finishJob`) in its own transaction. */
  handle(job: Job): Promise<void>;
  /** How long to wait before the next attempt, in ms; undefined: park the job. */
  retryAfterMs(attempts: number): number | undefined;
  /** It finds out by itself when it is to run next: run early when the clock has gone back, it only comes back at the right time. */
  readonly looksAgain?: true;
}

export interface Workers {
  /** Look for work now: something was committed, or the clock moved. */
  wake(): void;
  /** Waits until no change is unread and no job is due; answers false when that took longer than `timeoutMs`. */
  settle(timeoutMs: number): Promise<boolean>;
  /** How many jobs this instance has run since it started. */
  jobsRun(): number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface WorkersInput {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Number of this instance, see holder.ts. */
  readonly holder: number;
  readonly followers: readonly Follower[];
  readonly works: readonly Work[];
  /** A job has run. */
  readonly onJob?: (kind: string, outcome: 'done' | 'failed', seconds: number) => void;
}

const pollMs = 500;
/**
 * Between two looks of one loop, with a real clock: under load a look then finds many changes at once, and looks that
 * find nothing do not compete with the writers. Whoever moves a manual clock waits for each of them.
 */
const paceMs = { real: 25, manual: 2 } as const;
/** The same where jobs waited for a place and one has become free. */
const refillPaceMs = 2;
const abandonedEveryMs = 1000;
const trimEveryTurns = 600;
/** A clock that lags behind real time by more than this between two looks has been set back. */
const clockBackMs = 2_000;
const retryLongestMs = 3_600_000;
const changesKeptMs = 7 * 24 * 3_600_000;
const settleStepMs = 4;

export function createWorkers(input: WorkersInput): Workers {
  const signal = createSignal();
  const loops: Promise<void>[] = [];
  const stopping = new AbortController();
  const crew: Crew = { ...input, signal, stopping: stopping.signal, active: new Set() };
  let run = 0;

  async function guarded(component: string, step: () => Promise<Found>): Promise<void> {
    let lastReason: string | undefined;
    while (!stopping.signal.aborted) {
      const seen = signal.count();
      const nextMs = performance.now() + paceMs[input.clock.kind];
      try {
        const found = await step();
        lastReason = undefined;
        if (found === 'nothing') await signal.wait(seen, pollMs);
        if (found !== 'more') await pause(nextMs - performance.now(), stopping.signal);
      } catch (error) {
        const reason = reasonOf(error);
        if (reason !== lastReason) input.log.warn({ component, reason }, 'work is interrupted and will be tried again');
        lastReason = reason;
        await signal.wait(signal.count(), pollMs);
      }
    }
  }

  return {
    wake: signal.raise,
    jobsRun: () => run,
    async start() {
      for (const follower of input.followers) await openReader(input.db, follower.name);
      await freeAbandonedJobs(input.db);
      for (const follower of input.followers)
        loops.push(guarded(follower.name, createFollowLoop(input.db, follower, signal)));
      loops.push(
        guarded(
          'jobs',
          createWorkLoop(crew, () => run++),
        ),
      );
      loops.push(guarded('upkeep', createUpkeep(crew)));
    },
    async settle(timeoutMs) {
      const started = performance.now();
      signal.raise();
      while (!(await isSettled(input))) {
        if (performance.now() - started > timeoutMs) return false;
        await delay(settleStepMs);
      }
      return true;
    },
    async stop() {
      stopping.abort();
      signal.raise();
      await Promise.all(loops);
      await Promise.all(crew.active);
    },
  };
}

/** What one look found: everything that was there, a part of it, or nothing. */
type Found = 'some' | 'more' | 'nothing';

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  if (durationMs > 0) await delay(durationMs, undefined, { signal }).catch(() => undefined);
}

/** What the loops of one instance share. */
interface Crew extends WorkersInput {
  readonly signal: Signal;
  readonly stopping: AbortSignal;
  /** Jobs that run now: a stop waits for them. */
  readonly active: Set<Promise<void>>;
}

/**
 * Each kind by its own index range: "due or held" in one condition, or without the kind, reads every job that waits (800 ms for
 * a million). By real time, what is due when the statement begins: another instance may have set a job again since our clock was read.
 */
async function isSettled({ db, clock, works }: WorkersInput): Promise<boolean> {
  // Jobs before changes would be wrong: a change read between the two looks can still make a job.
  if (await hasUnreadChanges(db)) return false;
  const due = await db.query({
    name: 'any-due-job',
    text: `(select 1 from job where holder is not null and not is_parked limit 1)
           union all
           (select 1 from unnest($2::text[]) as k(kind) cross join lateral (
              select 1 from job
              where job.kind = k.kind and holder is null and not is_parked
                and run_at <= case when $3 then greatest($1, statement_timestamp()) else $1 end
              order by run_at, key limit 1) due
            limit 1)`,
    values: [new Date(clock.now()), works.map(({ kind }) => kind), clock.kind === 'real'],
  });
  return due.length === 0 && !(await hasUnreadChanges(db));
}

/** Batches of changes. Where nobody has said that there is something, it only asks whether there is. */
function createFollowLoop(db: Database, follower: Follower, signal: Signal): () => Promise<Found> {
  let seen = -1;
  return async () => {
    const isCalled = signal.count() !== seen;
    seen = signal.count();
    if (!isCalled && !(await hasUnreadChanges(db, follower.name))) return 'nothing';
    const outcome = await follow(db, follower);
    if (outcome !== 'nothing') {
      signal.raise();
      return outcome;
    }
    // Another instance reads, or a transaction still runs below whose horizon our change lies: look again soon.
    return (await hasUnreadChanges(db, follower.name)) ? 'some' : 'nothing';
  };
}

/** One batch. */
async function follow(db: Database, follower: Follower): Promise<Found> {
  return db.transaction(async (tx) => {
    const changes = await readChanges(tx, follower.name, follower.changesMax);
    const last = changes?.at(-1);
    if (changes === undefined || last === undefined) return 'nothing';
    await follower.handle(tx, changes);
    await advanceReader(tx, follower.name, last);
    return changes.length === follower.changesMax ? 'more' : 'some';
  });
}

/**
 * Takes jobs of all kinds in one look, as places become free. The end of a job raises the signal, because it may have asked for
 * the next; where a kind had more due than places, the look that fills the place comes at once.
 */
function createWorkLoop(crew: Crew, count: () => void): () => Promise<Found> {
  const { works, db, holder, clock, signal } = crew;
  const byKind = new Map(works.map((work) => [work.kind, { work, running: 0, isFull: false }]));
  const refill = createSignal();

  async function run(place: { work: Work; running: number; isFull: boolean }, job: Job): Promise<void> {
    place.running++;
    await runJob(crew, place.work, job);
    place.running--;
    count();
    if (place.isFull) refill.raise();
    signal.raise();
  }

  function rooms(): readonly Room[] {
    return [...byKind].flatMap(([kind, { work, running }]) =>
      running < work.concurrency ? [{ kind, limit: work.concurrency - running }] : [],
    );
  }

  return async () => {
    const [signals, refills] = [signal.count(), refill.count()];
    const nextMs = performance.now() + paceMs[clock.kind];
    const asked = rooms();
    const jobs = asked.length === 0 ? [] : await takeJobs(db, { rooms: asked, holder, nowMs: clock.now() });
    for (const job of jobs) {
      const place = byKind.get(job.kind);
      if (place === undefined) continue;
      const one: Promise<void> = run(place, job).finally(() => crew.active.delete(one));
      crew.active.add(one);
    }
    for (const place of byKind.values()) place.isFull = place.running >= place.work.concurrency;
    if (![...byKind.values()].some(({ isFull }) => isFull)) return jobs.length > 0 ? 'some' : 'nothing';
    const paced = () => pause(nextMs - performance.now(), crew.stopping);
    await Promise.race([refill.wait(refills, pollMs), signal.wait(signals, pollMs).then(paced)]);
    await pause(refillPaceMs, crew.stopping);
    return 'more';
  };
}

/**
 * A clock that was ahead and is set right leaves jobs that wait for its hour: those that failed, and those of works that
 * look again, are looked at now. At the start, when nobody knows what the clock did, only what lies further ahead than a
 * retry does.
 */
function createClockWatch({ db, clock, works }: WorkersInput): () => Promise<void> {
  const kinds = works.flatMap(({ kind, looksAgain }) => (looksAgain === true ? [kind] : []));
  let before: { readonly wallMs: number; readonly realMs: number } | undefined;
  return async () => {
    const [wallMs, realMs] = [clock.now(), performance.now()];
    const isBack = before !== undefined && wallMs - before.wallMs < realMs - before.realMs - clockBackMs;
    if (before === undefined) await bringForward(db, { kinds, nowMs: wallMs, beyondMs: wallMs + retryLongestMs });
    if (isBack) await bringForward(db, { kinds, nowMs: wallMs, beyondMs: wallMs });
    before = { wallMs, realMs };
  };
}

/**
 * Paced by real time: the signal is raised at each commit, and looking for dead instances that often would cost. Changes
 * that everybody has read are kept for some days, for those who ask what happened.
 */
function createUpkeep(crew: Crew): () => Promise<Found> {
  const { db, clock, stopping } = crew;
  const watchClock = createClockWatch(crew);
  let turns = 0;
  return async () => {
    await pause(abandonedEveryMs, stopping);
    if (clock.kind === 'real') await watchClock();
    if (turns++ % trimEveryTurns === 0) await trimChanges(db, clock.now() - changesKeptMs);
    return (await freeAbandonedJobs(db)) > 0 ? 'more' : 'nothing';
  };
}

async function runJob(input: Crew, work: Work, job: Job): Promise<void> {
  const started = performance.now();
  try {
    await work.handle(job);
    input.onJob?.(job.kind, 'done', (performance.now() - started) / 1000);
    input.log.debug({ kind: job.kind, durationMs: Math.round(performance.now() - started) }, 'job done');
  } catch (error) {
    input.onJob?.(job.kind, 'failed', (performance.now() - started) / 1000);
    const reason = reasonOf(error);
    const waitMs = isRetried(error) ? work.retryAfterMs(job.attempts) : undefined;
    const runAtMs = waitMs === undefined ? undefined : input.clock.now() + waitMs;
    input.log[waitMs === undefined ? 'error' : 'warn'](
      { kind: job.kind, reason, attempt: job.attempts, ...stackOf(error) },
      waitMs === undefined ? 'job parked' : 'job failed and will be tried again',
    );
    await giveBack(input, job, { runAtMs, error: reason });
  }
}

/** Until the database takes it: a job that stays with a living holder would never run again. */
async function giveBack(
  { db, holder, stopping }: Crew,
  job: Job,
  failure: Parameters<typeof failJob>[3],
): Promise<void> {
  while (!stopping.aborted) {
    try {
      return await failJob(db, job, holder, failure);
    } catch {
      await delay(pollMs, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
}

function isRetried(error: unknown): boolean {
  return !(error instanceof Problem) || problemCategories[error.category].retried;
}

function reasonOf(error: unknown): string {
  return error instanceof Problem ? error.category : 'fault';
}

/** Where a fault came from: function names and lines, without the message, which could quote data. */
function stackOf(error: unknown): { stack?: string } {
  if (error instanceof Problem || !(error instanceof Error)) return {};
  const frames = (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  return { stack: `${error.name}\n${frames.slice(0, 6).join('\n')}` };
}

interface Signal {
  count(): number;
  raise(): void;
  /** Resolves at the next raise after `seen`, or after `timeoutMs`. */
  wait(seen: number, timeoutMs: number): Promise<void>;
}

function createSignal(): Signal {
  let raised = 0;
  let waiting = new Set<() => void>();
  return {
    count: () => raised,
    raise() {
      raised++;
      const wakened = waiting;
      waiting = new Set();
      for (const resume of wakened) resume();
    },
    wait(seen, timeoutMs) {
      if (raised !== seen) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(() => resume(), timeoutMs);
        const resume = (): void => {
          clearTimeout(timer);
          waiting.delete(resume);
          resolve();
        };
        waiting.add(resume);
      });
    },
  };
}
