/** What an operator watches, as Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/). No label ever names a patient. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineMetrics } from '../breaks/index.ts';
import type { Answered } from '../http/index.ts';
import type { Figures } from '../notify/index.ts';
import type { Tracing } from './tracing.ts';
import { createStanding, type StandingInput } from './standing.ts';

/** Requests that are not answered yet, bytes of bodies that they brought. */
export type UnderWay = () => { readonly requests: number; readonly bytes: number };

export interface Metrics {
  readonly engine: EngineMetrics;
  requested(answered: Answered): void;
  /** A job has run. */
  worked(kind: string, outcome: string, seconds: number): void;
  /** A limit of what is under way was met. */
  refused(limit: string): void;
  /** From now on shows what is under way. */
  watchRequests(standing: UnderWay): void;
  /** From now on shows how old the replica is; counts who answered what bears its age, and where it failed. */
  watchReplica(ageMs: () => number | undefined): {
    answered(by: 'replica' | 'primary'): void;
    failed(): void;
  };
  /** A notification was sent, or was to be. */
  attempted(kind: string, outcome: string, seconds: number): void;
  /** Prometheus text, with what stands in the database now. */
  text(subscriptions: Figures): Promise<string>;
}

export function createMetrics(input: StandingInput & { readonly tracing: Tracing }): Metrics {
  const registry = new Registry();
  const standing = createStanding(input, registry);
  const registers = [registry];
  const requests = new Histogram({
    name: 'suture_http_request_seconds',
    help: 'Requests by route and status',
    labelNames: ['route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
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
    watchReplica: (ageMs) => watchReplica(registry, ageMs),
    refused: countRefusals(registry),
    attempted(kind, outcome, seconds) {
      attempts.observe({ kind, outcome }, seconds);
      input.tracing.worked('notification', kind, outcome, seconds);
    },
    engine: countBreaks(registry),
    requested(answered) {
      requests.observe({ route: answered.route, status: String(answered.status) }, answered.seconds);
      input.tracing.requested(answered);
    },
    worked: timeJobs(registry, input.tracing),
    async text(subscriptions) {
      await standing(subscriptions);
      return registry.metrics();
    },
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

function watchReplica(registry: Registry, ageMs: () => number | undefined): ReturnType<Metrics['watchReplica']> {
  const registers = [registry];
  const show = (name: string, help: string, read: () => number): void => {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
  };
  show('suture_replica_usable', 'Whether the read replica is there and young enough', () =>
    ageMs() === undefined ? 0 : 1,
  );
  show('suture_replica_age_seconds', 'By how much its answers may be behind; 0 while it is not usable', () => {
    return (ageMs() ?? 0) / 1000;
  });
  const reads = new Counter({
    name: 'suture_replica_reads_total',
    help: 'Requests that bear an older answer, by who answered them',
    labelNames: ['answered_by'],
    registers,
  });
  const failures = new Counter({
    name: 'suture_replica_failures_total',
    help: 'Statements that the primary answered because the replica failed',
    registers,
  });
  return { answered: (by) => reads.inc({ answered_by: by }), failed: () => failures.inc() };
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

function timeJobs(registry: Registry, tracing: Tracing): Metrics['worked'] {
  const jobs = new Histogram({
    name: 'suture_job_seconds',
    help: 'Jobs that have run, by kind and outcome',
    labelNames: ['kind', 'outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [registry],
  });
  return (kind, outcome, seconds) => {
    jobs.observe({ kind, outcome }, seconds);
    tracing.worked('job', kind, outcome, seconds);
  };
}

function countBreaks(registry: Registry): EngineMetrics {
  const registers = [registry];
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
    judged: (count) => judgments.inc(count),
    opened: (rule) => opened.inc({ rule }),
    closed: (rule) => closed.inc({ rule }),
    ruleFailed: (rule, expression) => errors.inc({ rule, expression }),
  };
}
