/**
 * The work of a subscription: read where it stands, take the next step, send, record, come back.
 *
 * Nothing is locked while the endpoint is called. What became of the call, the place in the events, the status of the
 * Subscription and the job of the next step are recorded in one transaction; a crash between the call and that
 * transaction sends the same events again under the same numbers (at least once).
 *
 * One job per subscription: events go out in their order, the first that fails holds back those behind it, and no other
 * subscription waits for it.
 */
import type { Clock, Log } from '../base/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import { finishJob, type Job, requestJobs, type Work } from '../queue/index.ts';
import type { Session, Store } from '../store/index.ts';
import { afterAttempt, errorText } from './attempt.ts';
import type { Channel, OpenChannel, Outcome } from './channel.ts';
import { compose } from './compose.ts';
import { type Due, readDue } from './due.ts';
import { type Event, readEvents } from './events.sql.ts';
import { deliveryJob, deliveryKind, deliveryKinds } from './jobs.ts';
import { notifyLimits } from './limits.ts';
import { lockSubscription, recordAttempt, setStatus } from './state.sql.ts';
import { withStatus } from './status.ts';
import { nextStep, type Step, timeOfNextStep } from './step.ts';
import type { SubscriptionStatus } from './subscription.ts';
import type { EndpointRules } from './endpoint.ts';

export interface DeliverInput {
  readonly db: Database;
  readonly store: Store;
  readonly channel: Channel;
  readonly rules: EndpointRules;
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly holder: number;
  readonly log: Log;
}

export function createDeliveries(input: DeliverInput): readonly Work[] {
  const work = (kind: string, concurrency: number): Work => ({
    kind,
    concurrency,
    handle: (job) => deliver(input, job),
    retryAfterMs: faultRetryMs,
  });
  return [work(deliveryKinds.quick, notifyLimits.callsMax), work(deliveryKinds.slow, notifyLimits.slowCallsMax)];
}

/** Our own trouble (the database is away) never ends a delivery: a parked one would be a silent loss. */
function faultRetryMs(attempts: number): number {
  return Math.min(notifyLimits.faultRetryMaxMs, notifyLimits.faultRetryFirstMs * 2 ** Math.min(attempts - 1, 10));
}

async function deliver(input: DeliverInput, job: Job): Promise<void> {
  const due = await readDue(input, job.key);
  if (due === undefined) return finish(input, job);
  if (due.kind === 'unreadable') return turn(input, job, due, { status: 'error', error: 'this server cannot serve it any more' });
  if (job.kind !== deliveryKind(due.isSlow)) return comeBackAt(input, job, due, input.clock.now());
  const step = nextStep(due.standing, input.clock.now());
  switch (step.kind) {
    case 'rest':
      return comeBackAt(input, job, due, step.untilMs);
    case 'end':
      return turn(input, job, due, { status: 'off' });
    case 'handshake':
    case 'heartbeat':
    case 'event-notification':
      return notify(input, job, due, step.kind);
  }
}

type Notifying = Exclude<Step['kind'], 'rest' | 'end'>;

async function notify(input: DeliverInput, job: Job, due: Due, kind: Notifying): Promise<void> {
  const events = kind === 'event-notification' ? await pendingEvents(input, due) : [];
  const nowMs = input.clock.now();
  const started = performance.now();
  const outcome = await input.channel(compose({ due, kind, events, nowMs, baseUrl: input.baseUrl }), due.channel);
  const durationMs = performance.now() - started;
  await record(input, job, due, { kind, events, outcome, nowMs, durationMs });
}

function pendingEvents({ db }: DeliverInput, { subscription, standing, channel }: Due): Promise<readonly Event[]> {
  const from = standing.deliveredNumber + 1;
  return readEvents(db, { subscription, from, until: standing.lastNumber, limit: channel.eventsMax });
}
