/**
 * From changes to events: the reader of the change log named `subscriptions`.
 *
 * A change of a Subscription puts it in force from this place of the log on. Any other change is shown to the subscriptions
 * that it may concern; each that matches gets an event under its next number and a delivery job, in the transaction that moves
 * the reader: exactly one event per subscription and change, whatever crashes.
 */
import type { Clock, Log } from '../base/index.ts';
import type { Transaction } from '../db/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type Change, type Follower, type JobRequest, requestJobs } from '../queue/index.ts';
import type { EndpointRules } from './endpoint.ts';
import { insertEvents, type NewEvent, readTexts } from './events.sql.ts';
import { deliveryJob } from './jobs.ts';
import { notifyLimits } from './limits.ts';
import { createRegister, type Register } from './register.ts';
import { handlesOf } from './secrets.ts';
import { applyState } from './state.sql.ts';
import type { SubscriptionStatus } from './subscription.ts';
import { trimJob } from './trim.ts';
import type { SeenChange, Watching } from './watch.ts';

export interface FollowInput {
  readonly watching: Watching;
  readonly rules: EndpointRules;
  readonly clock: Clock;
  readonly log: Log;
}

export function createFollower(input: FollowInput): Follower {
  const register = createRegister(input);
  return {
    name: 'subscriptions',
    changesMax: notifyLimits.changesMax,
    async handle(tx, changes) {
      await register.catchUp(tx);
      const texts = await readTexts(tx, changes.filter(needsText(register, changes)));
      const events: NewEvent[] = [];
      const jobs: JobRequest[] = [];
      for (const change of changes) {
        const seen = toSeen(input.watching, change, texts);
        if (seen !== undefined) events.push(...match(register, change, seen));
        if (change.type === 'Subscription') jobs.push(await putInForce(input, register, tx, { change, seen }));
      }
      const told = await insertEvents(tx, events);
      const nowMs = input.clock.now();
      const due = told.map(({ subscription, isSlow, retryAtMs }) =>
        deliveryJob(subscription, isSlow, Math.max(nowMs, retryAtMs ?? nowMs)),
      );
      const trims = jobs.length > 0 ? [trimJob(nowMs)] : [];
      await requestJobs(tx, onePerKey([...due, ...jobs, ...trims]));
    },
  };
}

/** A subscription that was put in force in this batch is looked at now, whatever it waited for. */
function onePerKey(jobs: readonly JobRequest[]): readonly JobRequest[] {
  return [...new Map(jobs.map((job) => [`${job.kind} ${job.key}`, job])).values()];
}

/** A batch that puts subscriptions in force may need every text in it, because what they watch is not known yet. */
function needsText(register: Register, changes: readonly Change[]): (change: Change) => boolean {
  const mayWatchMore = changes.some(({ type }) => type === 'Subscription');
  return ({ type, method }) => method !== 'DELETE' && type !== 'Binary' && (mayWatchMore || register.watches(type));
}

/** undefined: nobody watches it. */
function toSeen(watching: Watching, change: Change, texts: ReadonlyMap<string, string>): SeenChange | undefined {
  const { rid, version, type, method } = change;
  if (method === 'DELETE') return { type, method, current: undefined };
  const raw = texts.get(`${rid}/${version}`);
  return raw === undefined ? undefined : { type, method, current: watching.version(JSON.parse(raw) as Resource) };
}

function match(register: Register, change: Change, seen: SeenChange): readonly NewEvent[] {
  const keys = () => seen.current?.values().tokens ?? [];
  return [...register.candidates(change.type, keys)]
    .filter(({ matcher }) => matcher.matches(seen))
    .map(({ subscription }) => ({ subscription, change }));
}

async function putInForce(
  { clock }: FollowInput,
  register: Register,
  tx: Transaction,
  { change, seen }: { readonly change: Change; readonly seen: SeenChange | undefined },
): Promise<JobRequest> {
  const resource = seen?.current?.resource;
  const status = resource === undefined ? 'gone' : (resource['status'] as SubscriptionStatus);
  const secrets = resource === undefined ? [] : handlesOf(resource);
  const { isSlow } = await applyState(tx, { subscription: change.id, version: change.version, status, secrets });
  register.set(change.id, status === 'off' ? undefined : resource);
  return deliveryJob(change.id, isSlow, clock.now());
}
