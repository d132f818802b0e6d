/**
 * From changes to events: the reader of the change log named `subscriptions`.
 *
 * A change of a Subscription puts it in force from this place of the log on. Any other change is shown to the subscriptions
 * that it may concern; each that matches gets an event under its next number and a delivery job, in the transaction that moves
 * the reader: exactly one event per subscription and change, whatever crashes.
 */
import type { Access } from '../access/index.ts';
import type { Clock, Log } from '../base/index.ts';
import type { Transaction } from '../db/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type Change, type Follower, type JobRequest, requestJobs } from '../queue/index.ts';
import { type Include, type PageRow, type SearchContext, toIncludeSql } from '../search/index.ts';
import { everything, type Visible } from '../store/index.ts';
import { createVersions, type SeenChange, type Version } from './criteria.ts';
import type { ChannelRules } from './channel-terms.ts';
import { insertEvents, type NewEvent, readTexts, type Texts } from './events.sql.ts';
import { deliveryJob } from './jobs.ts';
import { notifyLimits } from './limits.ts';
import { asSeen, openOwned, type Owned } from './owned.ts';
import { createRegister, type Register, type Unserved, type Watcher } from './register.ts';
import { handlesOf } from './secrets.ts';
import { isAhead } from './step.ts';
import { applyState, markUnserved } from './state.sql.ts';
import type { SubscriptionStatus } from './subscription.ts';
import type { TopicBook } from './topics/book.ts';
import type { TopicSetting } from './topics/compile.ts';
import { trimJob } from './trim.ts';
import { anchorsOfChange } from './watch.ts';

export interface FollowInput {
  readonly setting: TopicSetting;
  readonly book: TopicBook;
  readonly rules: ChannelRules;
  readonly access: Access;
  readonly clock: Clock;
  readonly log: Log;
}

export function createFollower(input: FollowInput): Follower {
  const register = createRegister(input);
  const version = createVersions(input.setting.search);
  return {
    name: 'subscriptions',
    changesMax: notifyLimits.changesMax,
    async handle(tx, changes) {
      const { hasOwners, ...known } = await register.catchUp(tx);
      const unserved = [...known.unserved];
      const texts = await readTexts(tx, textsNeeded(register, changes));
      const owned = openOwned(tx, input.access, hasOwners);
      const events: NewEvent[] = [];
      const jobs: JobRequest[] = [];
      for (const change of changes) {
        const seen = toSeen(version, change, texts);
        events.push(
          ...(await match(input, tx, { change, seen, owned, candidates: candidatesOf(register, change, seen) })),
        );
        if (change.type !== 'Subscription') continue;
        const resource = seen.current?.resource;
        jobs.push(await putInForce(tx, change, resource, input.clock.now()));
        unserved.push(...register.set(change.id, resource?.['status'] === 'off' ? undefined : resource));
      }
      await requestDeliveries(input, tx, { events, jobs, unserved });
    },
  };
}

/** A batch that puts subscriptions in force may need every text in it, because what they watch is not known yet. */
function textsNeeded(register: Register, changes: readonly Change[]): readonly { rid: string; version: number }[] {
  const mayWatchMore = changes.some(({ type }) => type === 'Subscription');
  return changes.flatMap(({ rid, type, version, method }) => {
    const watched = mayWatchMore && type !== 'Binary' ? 'both' : register.watches(type);
    if (watched === 'no') return [];
    const current = method === 'DELETE' ? [] : [{ rid, version }];
    return watched === 'both' && version > 1 ? [{ rid, version: version - 1 }, ...current] : current;
  });
}

function toSeen(toVersion: (resource: Resource) => Version, change: Change, texts: Texts): SeenChange {
  const find = (version: number): Version | undefined => {
    const raw = texts.get(`${change.rid}/${version}`);
    return raw === undefined || raw === '' ? undefined : toVersion(JSON.parse(raw) as Resource);
  };
  const { type, version, method } = change;
  return { type, current: method === 'DELETE' ? undefined : find(version), previous: find(version - 1) };
}

function candidatesOf(register: Register, { type }: Change, seen: SeenChange): readonly Watcher[] {
  if (seen.current === undefined && seen.previous === undefined) return [];
  return [...register.candidates(type, () => anchorsOfChange(seen))];
}

interface Matched {
  readonly change: Change;
  readonly seen: SeenChange;
  readonly owned: Owned;
  readonly candidates: readonly Watcher[];
}

/** What goes with the resource is read once for each topic, and as it is now: later it may be another. */
async function match(
  { setting }: FollowInput,
  tx: Transaction,
  { change, seen, owned, candidates }: Matched,
): Promise<readonly NewEvent[]> {
  const contexts = new Map<readonly Include[], readonly string[]>();
  const events: NewEvent[] = [];
  for (const { subscription, matcher } of candidates) {
    const visible = await owned.visibleOf(subscription);
    const told = visible === undefined ? seen : await asSeen(tx, { change, seen }, visible);
    if (told === undefined || !matcher.matches(told)) continue;
    const includes = matcher.shapes?.get(change.type);
    const resource = seen.current?.resource;
    const read = (by: Visible) =>
      includes === undefined || resource === undefined
        ? Promise.resolve([])
        : readContext(tx, setting.search, { includes, resource, visible: by });
    if (visible !== undefined) {
      events.push({ subscription, change, context: await read(visible) });
      continue;
    }
    if (includes !== undefined && !contexts.has(includes)) contexts.set(includes, await read(everything));
    const context = includes === undefined ? [] : (contexts.get(includes) ?? []);
    events.push({ subscription, change, context });
  }
  return events;
}

interface Companions {
  readonly includes: readonly Include[];
  readonly resource: Resource;
  readonly visible: Visible;
}

async function readContext(
  tx: Transaction,
  search: SearchContext,
  { includes, resource, visible }: Companions,
): Promise<readonly string[]> {
  const asked = { visible, limit: notifyLimits.contextMax };
  const statement = toIncludeSql(search, includes, [resource], asked);
  const rows = statement === undefined ? [] : await tx.query<PageRow>(statement);
  return rows.slice(0, notifyLimits.contextMax).map(({ type, id, version }) => `${type}/${id}/${version}`);
}

async function putInForce(
  tx: Transaction,
  change: Change,
  resource: Resource | undefined,
  nowMs: number,
): Promise<JobRequest> {
  const status = resource === undefined ? 'gone' : (resource['status'] as SubscriptionStatus);
  const secrets = resource === undefined ? [] : handlesOf(resource);
  const { isSlow } = await applyState(tx, { subscription: change.id, version: change.version, status, secrets });
  return deliveryJob(change.id, isSlow, nowMs);
}

interface Outgoing {
  readonly events: readonly NewEvent[];
  /** Of subscriptions that were put in force. */
  readonly jobs: readonly JobRequest[];
  readonly unserved: readonly Unserved[];
}

async function requestDeliveries({ clock, log }: FollowInput, tx: Transaction, outgoing: Outgoing): Promise<void> {
  const nowMs = clock.now();
  const told = await insertEvents(tx, outgoing.events);
  const due = told.map(({ subscription, isSlow, retryAtMs }) =>
    deliveryJob(subscription, isSlow, retryAtMs !== undefined && isAhead(retryAtMs, nowMs) ? retryAtMs : nowMs),
  );
  for (const { subscription } of outgoing.unserved) {
    log.error({ resource: `Subscription/${subscription}` }, 'a subscription cannot be served any more');
  }
  const unserved = await markUnserved(tx, outgoing.unserved);
  const faults = unserved.map(({ subscription, isSlow }) => deliveryJob(subscription, isSlow, nowMs));
  const trims = outgoing.jobs.length > 0 ? [trimJob(nowMs)] : [];
  await requestJobs(tx, onePerKey([...due, ...outgoing.jobs, ...faults, ...trims]));
}

/** A subscription that was put in force in this batch is looked at now, whatever it waited for. */
function onePerKey(jobs: readonly JobRequest[]): readonly JobRequest[] {
  return [...new Map(jobs.map((job) => [`${job.kind} ${job.key}`, job])).values()];
}
