/**
 * What stands in the database when somebody looks at the metrics. Each look asks what the end of an index tells. Counts of
 * whole tables are made again no sooner than a hundred times as long as they took, in the background: at a million rows they cost
 * a hundredth of one processor, and no look waits for them.
 */
import { Gauge, type Registry } from 'prom-client';
import { type Log, within } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import type { Figures } from '../notify/index.ts';
import { countDeliveries, countJobs, countJudgments, findDueJobs, findUnreadChanges } from './metrics.sql.ts';

export interface StandingInput {
  /** Connections that requests do not share. */
  readonly watch: Database;
  readonly log: Log;
  readonly now: () => number;
}

export type Standing = (figures: Figures) => Promise<void>;

/** The kind of job whose time is a patient's next deadline. */
const deadlineKind = 'judge';

export function createStanding(input: StandingInput, registry: Registry): Standing {
  const gauge = createGauges(registry);
  const showQueue = createQueueGauges(input, gauge);
  const count = createSlowCounts(input, gauge);
  const subscribe = createSubscriptionGauges(gauge);
  const deliveries = gauge('suture_deliveries', 'Events of subscriptions by state', 'state');
  return async (figures) => {
    subscribe(input.now(), figures);
    await showQueue();
    const counted = await countDeliveries(input.watch);
    for (const state of ['delivered', 'waiting', 'retrying'] as const) deliveries.set({ state }, counted[state]);
    await count();
  };
}

type MakeGauge = (name: string, help: string, ...labelNames: readonly string[]) => Gauge;

function createGauges(registry: Registry): MakeGauge {
  return (name, help, ...labelNames) => new Gauge({ name, help, labelNames, registers: [registry] });
}

/** Seconds since an instant; 0 where there is none. */
function age(nowMs: number, at: Date | null): number {
  return at === null ? 0 : Math.max(0, nowMs - at.getTime()) / 1000;
}

function createQueueGauges({ watch, now }: StandingInput, gauge: MakeGauge): () => Promise<void> {
  const due = gauge('suture_jobs_due', 'Jobs whose time has come and that nobody has taken, 10000 at most', 'kind');
  const oldest = gauge('suture_queue_age_seconds', 'Since when the first of them waits', 'kind');
  const unread = gauge('suture_changes_age_seconds', 'Age of the first change that a reader has not read', 'reader');
  const overdue = gauge('suture_deadlines_overdue', 'Patients whose next deadline has passed unjudged, 10000 at most');
  const late = gauge('suture_deadlines_late_seconds', 'Since when the first of these deadlines has passed');
  return async () => {
    const nowMs = now();
    const jobs = await findDueJobs(watch, nowMs);
    for (const one of [due, oldest, unread]) one.reset();
    for (const { kind, due: count, oldestAt } of jobs) {
      due.set({ kind }, count);
      oldest.set({ kind }, age(nowMs, oldestAt));
    }
    const deadlines = jobs.find(({ kind }) => kind === deadlineKind);
    overdue.set(deadlines?.due ?? 0);
    late.set(age(nowMs, deadlines?.oldestAt ?? null));
    for (const { reader, oldestAt } of await findUnreadChanges(watch)) unread.set({ reader }, age(nowMs, oldestAt));
  };
}

const slow = {
  /** A count that takes longer is made in the background, and seldom. */
  quickMs: 50,
  pauseFactor: 100,
  /** A look waits so long for the first count. */
  firstMs: 1000,
} as const;

function createSlowCounts({ watch, log, now }: StandingInput, gauge: MakeGauge): () => Promise<void> {
  const jobs = gauge('suture_jobs', 'Jobs by kind and state', 'kind', 'state');
  const waiting = gauge('suture_deadlines_waiting', 'Patients whose next deadline is still to come');
  const judgments = gauge(
    'suture_judgments',
    'Judgments by rule and state; broken: the break is open',
    'rule',
    'state',
  );
  const countAge = gauge('suture_counts_age_seconds', 'Age of the counts of jobs and judgments');
  let [tookMs, endedAt] = [0, Number.NEGATIVE_INFINITY];
  let running: Promise<void> | undefined;

  async function count(): Promise<void> {
    const started = performance.now();
    try {
      const [byKind, byRule] = [await countJobs(watch, now()), await countJudgments(watch)];
      jobs.reset();
      judgments.reset();
      for (const one of byKind) jobs.set({ kind: one.kind, state: one.state }, one.count);
      for (const one of byRule) judgments.set({ rule: one.rule, state: one.state }, one.count);
      waiting.set(byKind.find(({ kind, state }) => kind === deadlineKind && state === 'waiting')?.count ?? 0);
    } catch {
      log.warn({ component: 'metrics' }, 'jobs and judgments could not be counted');
    }
    endedAt = performance.now();
    tookMs = endedAt - started;
    running = undefined;
  }

  return async () => {
    const pauseMs = tookMs < slow.quickMs ? 0 : tookMs * slow.pauseFactor;
    if (running === undefined && performance.now() - endedAt >= pauseMs) running = count();
    if (running !== undefined && tookMs < slow.quickMs) await within(slow.firstMs, running);
    countAge.set(Number.isFinite(endedAt) ? (performance.now() - endedAt) / 1000 : 0);
  };
}

function createSubscriptionGauges(gauge: MakeGauge): (nowMs: number, figures: Figures) => void {
  const subscriptions = gauge('suture_subscriptions', 'Subscriptions by status', 'status');
  const events = gauge('suture_subscription_events_waiting', 'Events that are numbered and not delivered');
  const oldest = gauge(
    'suture_subscription_oldest_event_seconds',
    'Age of the oldest event that waits for its delivery',
  );
  return (nowMs, { subscriptions: byStatus, eventsWaiting, oldestWaitingAtMs }) => {
    subscriptions.reset();
    for (const [status, count] of byStatus) subscriptions.set({ status }, count);
    events.set(eventsWaiting);
    oldest.set(oldestWaitingAtMs === undefined ? 0 : Math.max(0, nowMs - oldestWaitingAtMs) / 1000);
  };
}
