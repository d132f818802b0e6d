/** What an operator watches, as Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/). No label ever names a patient. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineMetrics } from '../breaks/index.ts';
import type { Database } from '../db/index.ts';
import type { Figures } from '../notify/index.ts';
import { countJobs, countJudgments } from './metrics.sql.ts';

/** Requests that are not answered yet, bytes of bodies that they brought. */
export type UnderWay = () => { readonly requests: number; readonly bytes: number };

export interface Metrics {
  readonly engine: EngineMetrics;
  requested(route: string, status: number, seconds: number): void;
  /** A limit of what is under way was met. */
  refused(limit: string): void;
  /** From now on shows what is under way. */
  watchRequests(standing: UnderWay): void;
  /** A notification was sent, or was to be. */
  attempted(kind: string, outcome: string, seconds: number): void;
  /** Prometheus text, with what stands in the database now. */
  text(subscriptions: Figures): Promise<string>;
}

export function createMetrics(db: Database, now: () => number): Metrics {
  const registry = new Registry();
  const standing = createStanding(db, registry);
  const registers = [registry];
  const requests = new Histogram({
    name: 'suture_http_request_seconds',
    help: 'Requests by route and status',
    labelNames: ['route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  const judgments = new Counter({
    name: 'suture_judgments_total',
    help: 'Judgments of one rule on one focus',
    registers,
  });
  const opened = new Counter({
    name: 'suture_breaks_opened_total',
    help: 'Breaks opened',
    labelNames: ['rule'],
    registers,
  });
  const closed = new Counter({
    name: 'suture_breaks_closed_total',
    help: 'Breaks closed',
    labelNames: ['rule'],
    registers,
  });
  const errors = new Counter({
    name: 'suture_rule_errors_total',
    help: 'Judgments that failed, by rule and part of the rule',
    labelNames: ['rule', 'expression'],
    registers,
  });
  const attempts = new Histogram({
    name: 'suture_delivery_attempt_seconds',
    help: 'Attempts to notify a subscriber, by kind of notification and outcome',
    labelNames: ['kind', 'outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers,
  });
  return {
    watchRequests: (standing) => watchRequests(registry, standing),
    refused: countRefusals(registry),
    attempted: (kind, outcome, seconds) => attempts.observe({ kind, outcome }, seconds),
    engine: {
      judged: (count) => judgments.inc(count),
      opened: (rule) => opened.inc({ rule }),
      closed: (rule) => closed.inc({ rule }),
      ruleFailed: (rule, expression) => errors.inc({ rule, expression }),
    },
    requested: (route, status, seconds) => requests.observe({ route, status: String(status) }, seconds),
    async text(subscriptions) {
      await standing(now(), subscriptions);
      return registry.metrics();
    },
  };
}

/** What stands in the database when somebody looks. */
function createStanding(db: Database, registry: Registry): (nowMs: number, figures: Figures) => Promise<void> {
  const registers = [registry];
  const jobs = new Gauge({
    name: 'suture_jobs',
    help: 'Jobs by kind and state',
    labelNames: ['kind', 'state'],
    registers,
  });
  const waiting = new Gauge({
    name: 'suture_judgments',
    help: 'Judgments by rule and state',
    labelNames: ['rule', 'state'],
    registers,
  });
  const subscribe = createSubscriptionGauges(registry);
  return async (nowMs, figures) => {
    subscribe(nowMs, figures);
    jobs.reset();
    waiting.reset();
    for (const { kind, state, count } of await countJobs(db, nowMs)) jobs.set({ kind, state }, count);
    for (const { rule, state, count } of await countJudgments(db)) waiting.set({ rule, state }, count);
  };
}

function createSubscriptionGauges(registry: Registry): (nowMs: number, figures: Figures) => void {
  const registers = [registry];
  const subscriptions = new Gauge({
    name: 'suture_subscriptions',
    help: 'Subscriptions by status',
    labelNames: ['status'],
    registers,
  });
  const events = new Gauge({
    name: 'suture_subscription_events_waiting',
    help: 'Events that are numbered and not delivered',
    registers,
  });
  const oldest = new Gauge({
    name: 'suture_subscription_oldest_event_seconds',
    help: 'Age of the oldest event that waits for its delivery',
    registers,
  });
  return (nowMs, { subscriptions: byStatus, eventsWaiting, oldestWaitingAtMs }) => {
    subscriptions.reset();
    for (const [status, count] of byStatus) subscriptions.set({ status }, count);
    events.set(eventsWaiting);
    oldest.set(oldestWaitingAtMs === undefined ? 0 : Math.max(0, nowMs - oldestWaitingAtMs) / 1000);
  };
}

function watchRequests(registry: Registry, standing: UnderWay): void {
  const registers = [registry];
  const show = (name: string, help: string, read: () => number): void => {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
  };
  show('suture_requests_in_flight', 'Requests that are not answered yet', () => standing().requests);
  show('suture_request_body_bytes', 'Bytes of bodies of requests that are not answered yet', () => standing().bytes);
}

function countRefusals(registry: Registry): (limit: string) => void {
  const refusals = new Counter({
    name: 'suture_limit_hits_total',
    help: 'Requests refused because too much was under way or a client asked too often, by limit',
    labelNames: ['limit'],
    registers: [registry],
  });
  return (limit) => refusals.inc({ limit });
}
