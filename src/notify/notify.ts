/** Puts the parts together: what guards Subscriptions, what follows changes, and what delivers. */
import type { Clock, Ids, Log } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import type { Follower, Work } from '../queue/index.ts';
import type { SearchContext } from '../search/index.ts';
import type { Store } from '../store/index.ts';
import { createCaller } from './call.ts';
import { createRestHook } from './channels/rest-hook.ts';
import { createDeliveries } from './deliver.ts';
import type { EndpointRules } from './endpoint.ts';
import { createFollower } from './follow.ts';
import { createGuard, type SubscriptionGuard } from './guard.ts';
import { type Resolve, resolveHost } from './resolve.ts';
import { createTrimWork } from './trim.ts';
import { createWatching } from './watch.ts';

export interface NotifyInput {
  readonly store: Store;
  readonly db: Database;
  readonly search: SearchContext;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: () => number;
  readonly log: Log;
  readonly holder: number;
  /** Without trailing slash. */
  readonly baseUrl: string;
  /** For trials: endpoints on this machine, over plain http too. */
  readonly allowsLoopback: boolean;
  /** Exact origins that alone may be called; undefined: any public one. */
  readonly origins?: readonly string[];
  /** How hosts become addresses; for tests. */
  readonly resolve?: Resolve;
}

export interface Notify {
  readonly guard: SubscriptionGuard;
  readonly follower: Follower;
  readonly works: readonly Work[];
}

export function createNotify(input: NotifyInput): Notify {
  const { search, clock, ids } = input;
  const origins = input.origins === undefined ? undefined : new Set(input.origins);
  const rules: EndpointRules = { allowsLoopback: input.allowsLoopback, origins };
  const channel = createRestHook(createCaller(input.resolve ?? resolveHost, rules));
  const watching = createWatching(search, clock);
  const newId = () => ids.next(clock.now());
  return {
    guard: createGuard({
      ...input,
      rules,
      watching,
      newHandle: newId,
      newKey: () => `${newId()}${newId()}`.replaceAll('-', ''),
    }),
    follower: createFollower({ ...input, rules, watching }),
    works: [...createDeliveries({ ...input, rules, channel }), createTrimWork(input)],
  };
}
