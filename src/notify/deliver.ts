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
import assert from 'node:assert/strict';
import type { Access } from '../access/index.ts';
import { type Clock, type Log, Problem } from '../base/index.ts';
import { type Database, isUndone, type Transaction } from '../db/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import { finishJob, type Job, requestJobs, type Work } from '../queue/index.ts';
import type { Session, Store } from '../store/index.ts';
import { afterAttempt, type Attempted, errorText } from './attempt.ts';
import type { Channel, Outcome } from './channel.ts';
import { compose } from './compose.ts';
import { createDueReader, type Due, hasTexts, openChannel, type ReadDue } from './due.ts';
import type { ChannelRules } from './channel-terms.ts';
import type { Event, EventRange } from './events.sql.ts';
import { readOwnEvents } from './owned.ts';
import { deliveryJob, deliveryKind, deliveryKinds } from './jobs.ts';
import { faultRetryMs, notifyLimits } from './limits.ts';
import { recordAll, recordAttempt, type Recorded } from './record.sql.ts';
import { freeSeat } from './seats.sql.ts';
import { lockSubscription, setStatus } from './state.sql.ts';
import { withStatus } from './status.ts';
import { nextStep, type Standing, timeOfNextStep } from './step.ts';
import type { Subscription } from './subscription.ts';
import { createTogether } from './together.ts';

export interface DeliverInput {
  readonly db: Database;
  readonly store: Store;
  readonly access: Access;
  readonly channel: Channel;
  readonly rules: ChannelRules;
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly holder: number;
  readonly log: Log;
  readonly onAttempt?: (kind: string, outcome: string, seconds: number) => void;
  /** Something was told: done before it is recorded as such, so that a crash between tells it again and loses neither. */
  readonly onTold?: (told: Told) => Promise<void>;
}

/** What a subscriber was told of. */
export interface Told {
  readonly subscription: string;
  /** Origin of the endpoint, or the mail address. */
  readonly recipient: string;
  /** `Type/id/_history/n` */
  readonly references: readonly string[];
}

/** What deliveries ask of the database, several in one statement. */
interface Shared extends DeliverInput {
  readonly readDue: ReadDue;
  readonly readEvents: (range: EventRange) => Promise<readonly Event[]>;
  readonly recordAndFinish: (recorded: Recorded) => Promise<void>;
}

export function createDeliveries(input: DeliverInput): readonly Work[] {
  const itemsMax = notifyLimits.togetherMax;
  const { db, access, rules } = input;
  const shared: Shared = {
    ...input,
    readDue: createDueReader(db, rules),
    readEvents: createTogether({ run: (ranges: readonly EventRange[]) => readOwnEvents(db, access, ranges), itemsMax }),
    recordAndFinish: createRecorder(input),
  };
  const work = (kind: string, concurrency: number): Work => ({
    kind,
    concurrency,
    handle: (job) => deliver(shared, job),
    retryAfterMs: faultRetryMs,
    looksAgain: true,
  });
  return [work(deliveryKinds.quick, notifyLimits.callsMax), work(deliveryKinds.slow, notifyLimits.slowCallsMax)];
}

/** Deliveries that end together are recorded together; one whose rows are locked just now goes alone, and waits for nobody else. */
function createRecorder({ db, holder }: DeliverInput): Shared['recordAndFinish'] {
  const together = createTogether({
    itemsMax: notifyLimits.togetherMax,
    async run(all: readonly Recorded[]) {
      const names = all.map(({ attempt }) => attempt.subscription);
      const first = all.filter((_one, place) => names.indexOf(names[place] ?? '') === place);
      const done = await recordAll(db, first, { holder, waits: false }).catch((error: unknown) => {
        if (isUndone(error)) return [];
        throw error;
      });
      const recorded = new Set(first.filter((_one, place) => done[place] === true));
      return all.map((one) => recorded.has(one));
    },
  });
  return async (recorded) => {
    if (await together(recorded)) return;
    const [isRecorded] = await recordAll(db, [recorded], { holder, waits: true });
    if (isRecorded !== true) throw new Problem('conflict', 'the job is held by another worker');
  };
}

async function deliver(input: Shared, job: Job): Promise<void> {
  const due = await input.readDue(job.key);
  if (due === undefined) return input.db.transaction((tx) => finishJob(tx, job, input.holder));
  const nowMs = input.clock.now();
  if (job.kind !== deliveryKind(due.isSlow)) return comeBack(input, job, due, nowMs);
  if (due.fault !== undefined && due.standing.status !== 'error') {
    return turn(input, job, due, { status: 'error', error: due.fault });
  }
  const step = nextStep(callsUs(due) ? quiet(due.standing) : due.standing, nowMs);
  if (step.kind === 'rest') return comeBack(input, job, due, step.untilMs);
  if (step.kind === 'end') return turn(input, job, due, { status: 'off' });
  return notify(input, job, due, step.kind);
}

/** The client of a websocket calls us (websocket/hub.ts): its job only watches the end. */
function callsUs({ subscription }: Due): boolean {
  return subscription?.channel.type === 'websocket';
}

function quiet(standing: Standing): Standing {
  return { ...standing, deliveredNumber: standing.lastNumber, heartbeatMs: undefined };
}

async function notify(input: Shared, job: Job, due: Due, kind: Attempted['kind']): Promise<void> {
  const { subscription, standing } = due;
  assert(subscription !== undefined);
  const nowMs = input.clock.now();
  const events = kind === 'event-notification' ? await pendingEvents(input, due, subscription) : [];
  const notification = compose({ kind, subscription, standing, events, nowMs, baseUrl: input.baseUrl });
  const channel = openChannel(subscription, due.secrets);
  const started = performance.now();
  const outcome = await input.channel(notification, channel);
  const durationMs = performance.now() - started;
  input.onAttempt?.(kind, outcome.kind, durationMs / 1000);
  if (outcome.kind === 'delivered' && events.length > 0) await input.onTold?.(toldOf(subscription, events));
  const attempted = { kind, outcome, lastNumber: events.at(-1)?.number, nowMs, durationMs, random: input.random() };
  await record(input, job, due, { ...attempted, firstNumber: events[0]?.number });
}

function toldOf({ id, channel: { endpoint } }: Subscription, events: readonly Event[]): Told {
  const recipient = endpoint?.protocol === 'mailto:' ? endpoint.href : (endpoint?.origin ?? '');
  const seen = events.filter(({ isHidden }) => isHidden !== true);
  const references = seen.map(({ type, id: of, version }) => `${type}/${of}/_history/${version}`);
  return { subscription: id, recipient, references };
}

async function pendingEvents(
  { readEvents }: Shared,
  { standing, isOwned }: Due,
  subscription: Subscription,
): Promise<readonly Event[]> {
  const numbers = { from: standing.deliveredNumber + 1, until: standing.lastNumber };
  const { id, channel } = subscription;
  const range = { subscription: id, ...numbers, limit: channel.eventsMax, hasTexts: hasTexts(subscription), isOwned };
  const events = await readEvents(range);
  assert(events.length > 0, 'events are kept until they are delivered');
  return events;
}

async function record(
  input: Shared,
  job: Job,
  due: Due,
  attempted: Attempted & { readonly firstNumber: number | undefined },
): Promise<void> {
  const after = afterAttempt(due.standing, attempted);
  const error = errorText(attempted.outcome);
  logAttempt(input.log, due, after, attempted.outcome);
  const logged = { ...attempted, subscription: due.id, attempt: due.standing.failures + 1 };
  if (after.status === due.standing.status && job.kind === deliveryKind(after.isSlow)) {
    const runAtMs = timeOfNextStep(after, input.clock.now());
    return input.recordAndFinish({ attempt: logged, after: { ...after, version: due.version }, job, runAtMs });
  }
  await input.store.transaction(async (session, tx) => {
    // Rows are locked in the order resource, state, job; the follower locks state, job.
    const written = await writeStatus(session, tx, due, { status: after.status, error });
    const stands = written === undefined ? { ...after, status: due.standing.status } : after;
    await recordAttempt(tx, logged, due.version, { ...stands, version: written ?? due.version });
    const runAtMs = timeOfNextStep(stands, input.clock.now());
    await finish(tx, job, input.holder, { isSlow: after.isSlow, runAtMs });
  });
}

/** Turns the Subscription to another status without a call. */
async function turn(input: DeliverInput, job: Job, due: Due, to: Turn): Promise<void> {
  await input.store.transaction(async (session, tx) => {
    const version = await writeStatus(session, tx, due, to);
    if (version !== undefined) await setStatus(tx, due, { ...to, version }, input.clock.now());
    await finish(tx, job, input.holder, { isSlow: due.isSlow, runAtMs: undefined });
  });
  input.log.info({ resource: `Subscription/${due.id}`, reason: to.status }, 'subscription turned');
}

interface Turn {
  readonly status: Standing['status'];
  readonly error?: string | undefined;
}

/**
 * Writes another status into the resource, and answers the version that is in force then; undefined when a client has changed the
 * Subscription meanwhile: then that version decides, as soon as the reader of changes has come to it.
 */
async function writeStatus(
  session: Session,
  tx: Transaction,
  due: Due,
  { status, error }: Turn,
): Promise<number | undefined> {
  if (status === due.standing.status || status === 'gone') return due.version;
  const current = await lockSubscription(tx, due.id);
  if (current === undefined || current.version !== due.version) return undefined;
  const resource = withStatus(parseJson(current.raw) as Resource, status, error);
  if (status === 'off') await freeSeat(session, due.id);
  const [written] = await session.commit([{ method: 'PUT', type: 'Subscription', id: due.id, resource }]);
  return written?.version;
}

async function comeBack(input: DeliverInput, job: Job, due: Due, runAtMs: number | undefined): Promise<void> {
  await input.db.transaction((tx) => finish(tx, job, input.holder, { isSlow: due.isSlow, runAtMs }));
}

/** Ends the job; when there is a next step, the job of the fitting kind waits for it. */
async function finish(
  tx: Transaction,
  job: Job,
  holder: number,
  next: { readonly isSlow: boolean; readonly runAtMs: number | undefined },
): Promise<void> {
  const { isSlow, runAtMs } = next;
  if (runAtMs === undefined) return finishJob(tx, job, holder);
  if (job.kind === deliveryKind(isSlow)) return finishJob(tx, job, holder, { runAtMs });
  await requestJobs(tx, [deliveryJob(job.key, isSlow, runAtMs)]);
  await finishJob(tx, job, holder);
}

/** The first failure of a row and each turn; what repeats is in the delivery log. */
function logAttempt(log: Log, due: Due, after: Standing, outcome: Outcome): void {
  const fields = { resource: `Subscription/${due.id}`, reason: outcome.kind };
  if (after.status !== due.standing.status) log.info({ ...fields, reason: after.status }, 'subscription turned');
  else if (after.failures === 1) log.warn(fields, 'a notification failed and will be tried again');
}
