/** What an operator watches, as Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/). No label ever names a patient. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineMetrics } from './breaks/index.ts';
import type { Database } from './db/index.ts';
import { countJobs, countJudgments } from './metrics.sql.ts';

export interface Metrics {
  readonly engine: EngineMetrics;
  requested(route: string, status: number, seconds: number): void;
  /** Prometheus text, with what stands in the database now. */
  text(): Promise<string>;
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
  return {
    engine: {
      judged: (count) => judgments.inc(count),
      opened: (rule) => opened.inc({ rule }),
      closed: (rule) => closed.inc({ rule }),
      ruleFailed: (rule, expression) => errors.inc({ rule, expression }),
    },
    requested: (route, status, seconds) => requests.observe({ route, status: String(status) }, seconds),
    async text() {
      await standing(now());
      return registry.metrics();
    },
  };
}

/** What stands in the database when somebody looks. */
function createStanding(db: Database, registry: Registry): (nowMs: number) => Promise<void> {
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
  return async (nowMs) => {
    jobs.reset();
    waiting.reset();
    for (const { kind, state, count } of await countJobs(db, nowMs)) jobs.set({ kind, state }, count);
    for (const { rule, state, count } of await countJudgments(db)) waiting.set({ rule, state }, count);
  };
}
