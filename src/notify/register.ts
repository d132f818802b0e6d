/**
 * The subscriptions of this server in memory, found by what a change is before any of them is asked: by type, then by
 * index keys that a match must have (a patient, a code). Thousands of subscriptions cost a change a few look-ups.
 *
 * The database is the truth: `catchUp` takes over what changed there since the last look, whoever changed it. What a batch
 * of changes itself puts in force is known here before it is committed, and is read again at the next look, because the
 * batch may have been undone.
 */
import type { Log } from '../base/index.ts';
import type { Transaction } from '../db/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import type { EndpointRules } from './endpoint.ts';
import { readWatched } from './state.sql.ts';
import { readSubscription } from './subscription.ts';
import type { Matcher, Watching } from './watch.ts';

export interface Watcher {
  readonly subscription: string;
  readonly matcher: Matcher;
}

export interface Register {
  catchUp(tx: Transaction): Promise<void>;
  /** Puts a version in force for the rest of this batch; undefined: none. */
  set(subscription: string, resource: Resource | undefined): void;
  watches(type: string): boolean;
  /** Those that a resource of the type with these index keys may concern. */
  candidates(type: string, keys: () => readonly bigint[]): Iterable<Watcher>;
}

interface OfType {
  readonly byKey: Map<bigint, Set<Watcher>>;
  /** Without keys that a match must have. */
  readonly others: Set<Watcher>;
}

export interface RegisterInput {
  readonly watching: Watching;
  readonly rules: EndpointRules;
  readonly log: Log;
}

export function createRegister(input: RegisterInput): Register {
  const watchers = new Map<string, Watcher>();
  const types = new Map<string, OfType>();
  let horizon = '0';
  let unsure = new Set<string>();

  function replace(subscription: string, watcher: Watcher | undefined): void {
    const former = watchers.get(subscription);
    if (former !== undefined) forEachPlace(types, former, (place) => place.delete(former));
    watchers.delete(subscription);
    if (watcher === undefined) return;
    watchers.set(subscription, watcher);
    forEachPlace(types, watcher, (place) => place.add(watcher));
  }

  return {
    async catchUp(tx) {
      const also = [...unsure];
      const look = await readWatched(tx, horizon, also);
      for (const subscription of also) replace(subscription, undefined);
      for (const { subscription, status, raw } of look.rows) {
        const isLive = raw !== null && raw !== '' && status !== 'off' && status !== 'gone';
        replace(subscription, isLive ? compileWatcher(input, subscription, parseJson(raw) as Resource) : undefined);
      }
      horizon = look.horizon;
      unsure = new Set();
    },
    set(subscription, resource) {
      unsure.add(subscription);
      replace(subscription, resource === undefined ? undefined : compileWatcher(input, subscription, resource));
    },
    watches: (type) => types.has(type),
    *candidates(type, keys) {
      const found = types.get(type);
      if (found === undefined) return;
      yield* found.others;
      if (found.byKey.size === 0) return;
      const seen = new Set<Watcher>();
      for (const key of keys()) for (const watcher of found.byKey.get(key) ?? []) seen.add(watcher);
      yield* seen;
    },
  };
}

/** undefined: this version of the server cannot serve what an earlier one accepted; its delivery puts it in error. */
function compileWatcher(input: RegisterInput, subscription: string, resource: Resource): Watcher | undefined {
  const read = readSubscription(resource, input.rules);
  const compiled = read.issues === undefined ? input.watching.compile(read.subscription.watch) : read;
  if (compiled.issues === undefined) return { subscription, matcher: compiled.matcher };
  input.log.error(
    { resource: `Subscription/${subscription}`, reason: 'unreadable' },
    'a subscription cannot be served any more',
  );
  return undefined;
}

function forEachPlace(types: Map<string, OfType>, watcher: Watcher, act: (place: Set<Watcher>) => void): void {
  for (const type of watcher.matcher.types) {
    const ofType = types.get(type) ?? { byKey: new Map<bigint, Set<Watcher>>(), others: new Set<Watcher>() };
    types.set(type, ofType);
    if (watcher.matcher.keys === undefined) act(ofType.others);
    for (const key of watcher.matcher.keys ?? []) {
      const place = ofType.byKey.get(key) ?? new Set<Watcher>();
      ofType.byKey.set(key, place);
      act(place);
      if (place.size === 0) ofType.byKey.delete(key);
    }
    if (ofType.byKey.size === 0 && ofType.others.size === 0) types.delete(type);
  }
}
