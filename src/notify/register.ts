/**
 * The subscriptions of this server in memory, found by what a change is before any of them is asked: by type, then by the
 * keys of which a match must have one (a patient, a code, a status). Thousands of subscriptions cost a change a few look-ups.
 *
 * The database is the truth: `catchUp` takes over what changed there since the last look, whoever changed it. What a batch
 * of changes itself puts in force is known here before it is committed, and is read again at the next look, because the
 * batch may have been undone.
 */
import type { Transaction } from '../db/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import type { ChannelRules } from './channel-terms.ts';
import type { Anchor } from './criteria.ts';
import { look } from './state.sql.ts';
import { readSubscription } from './subscription.ts';
import type { TopicBook } from './topics/book.ts';
import type { TopicSetting } from './topics/compile.ts';
import { compileWatch, type Matcher, withoutVersion } from './watch.ts';

export interface Watcher {
  readonly subscription: string;
  readonly topic: string | undefined;
  readonly matcher: Matcher;
}

/** A subscription that cannot be served any more, and why. */
export interface Unserved {
  readonly subscription: string;
  readonly fault: string;
}

export interface CaughtUp {
  readonly unserved: readonly Unserved[];
  /** Whether any subscription watches on behalf of somebody. */
  readonly hasOwners: boolean;
}

export interface Register {
  catchUp(tx: Transaction): Promise<CaughtUp>;
  /** Puts a version in force for the rest of this batch; undefined: none. */
  set(subscription: string, resource: Resource | undefined): readonly Unserved[];
  watches(type: string): 'no' | 'current' | 'both';
  /** Those that a resource of the type may concern; `anchors` is all that it is found by. */
  candidates(type: string, anchors: () => readonly Anchor[]): Iterable<Watcher>;
}

interface OfType {
  readonly byAnchor: Map<Anchor, Set<Watcher>>;
  /** Without anchors. */
  readonly others: Set<Watcher>;
  /** How many ask for the version before. */
  needPrevious: number;
}

export interface RegisterInput {
  readonly setting: TopicSetting;
  readonly book: TopicBook;
  readonly rules: ChannelRules;
}

export function createRegister(input: RegisterInput): Register {
  const watchers = new Map<string, Watcher>();
  const types = new Map<string, OfType>();
  let horizon = '0';
  let unsure = new Set<string>();

  function replace(subscription: string, resource: Resource | undefined): readonly Unserved[] {
    const former = watchers.get(subscription);
    if (former !== undefined) removeWatcher(types, former);
    watchers.delete(subscription);
    if (resource === undefined) return [];
    const watcher = compileWatcher(input, subscription, resource);
    if ('fault' in watcher) return [watcher];
    watchers.set(subscription, watcher);
    addWatcher(types, watcher);
    return [];
  }

  function followersOf(topics: readonly string[]): readonly string[] {
    if (topics.length === 0) return [];
    return [...watchers.values()]
      .filter(({ topic }) => topic !== undefined && topics.includes(topic))
      .map(({ subscription }) => subscription);
  }

  return {
    async catchUp(tx) {
      const seen = await look(tx, horizon, [...unsure]);
      for (const { url, raw } of seen.topics) input.book.set(url, raw);
      const concerned = followersOf(seen.topics.map(({ url }) => url));
      const again = concerned.length === 0 ? [] : (await look(tx, seen.horizon, concerned)).watched;
      for (const subscription of [...unsure, ...concerned]) replace(subscription, undefined);
      horizon = seen.horizon;
      unsure = new Set();
      const unserved = [...seen.watched, ...again].flatMap(({ subscription, status, raw }) => {
        const isLive = raw !== null && raw !== '' && status !== 'off' && status !== 'gone';
        return replace(subscription, isLive ? (parseJson(raw) as Resource) : undefined);
      });
      return { unserved, hasOwners: seen.hasOwners };
    },
    set(subscription, resource) {
      unsure.add(subscription);
      return replace(subscription, resource);
    },
    watches(type) {
      const found = types.get(type);
      if (found === undefined) return 'no';
      return found.needPrevious > 0 ? 'both' : 'current';
    },
    *candidates(type, anchors) {
      const found = types.get(type);
      if (found === undefined) return;
      yield* found.others;
      if (found.byAnchor.size === 0) return;
      const seen = new Set<Watcher>();
      for (const anchor of anchors()) for (const watcher of found.byAnchor.get(anchor) ?? []) seen.add(watcher);
      yield* seen;
    },
  };
}

function compileWatcher(
  { rules, setting, book }: RegisterInput,
  subscription: string,
  resource: Resource,
): Watcher | Unserved {
  const read = readSubscription(resource, rules);
  const compiled = read.issues === undefined ? compileWatch(read.subscription.watch, setting, book.find) : read;
  if (read.issues !== undefined || compiled.issues !== undefined) {
    return { subscription, fault: (read.issues ?? compiled.issues)?.[0]?.text ?? '' };
  }
  const { watch } = read.subscription;
  const topic = watch.kind === 'topic' ? withoutVersion(watch.url) : undefined;
  return { subscription, topic, matcher: compiled.matcher };
}

function addWatcher(types: Map<string, OfType>, watcher: Watcher): void {
  const { matcher } = watcher;
  for (const type of matcher.types) {
    const ofType = types.get(type) ?? {
      byAnchor: new Map<Anchor, Set<Watcher>>(),
      others: new Set<Watcher>(),
      needPrevious: 0,
    };
    types.set(type, ofType);
    if (matcher.needsPrevious) ofType.needPrevious++;
    if (matcher.anchors === undefined) ofType.others.add(watcher);
    for (const anchor of matcher.anchors ?? []) {
      ofType.byAnchor.set(anchor, (ofType.byAnchor.get(anchor) ?? new Set()).add(watcher));
    }
  }
}

function removeWatcher(types: Map<string, OfType>, watcher: Watcher): void {
  const { matcher } = watcher;
  for (const type of matcher.types) {
    const ofType = types.get(type);
    if (ofType === undefined) continue;
    if (matcher.needsPrevious) ofType.needPrevious--;
    ofType.others.delete(watcher);
    for (const anchor of matcher.anchors ?? []) {
      const place = ofType.byAnchor.get(anchor);
      place?.delete(watcher);
      if (place?.size === 0) ofType.byAnchor.delete(anchor);
    }
    if (ofType.byAnchor.size === 0 && ofType.others.size === 0) types.delete(type);
  }
}
