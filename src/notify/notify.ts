/** Puts the parts together: what guards Subscriptions, what follows changes, and what delivers. */
import type { Clock, Ids, Log } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import { parseJson, type Resource, serializeJson } from '../fhir/index.ts';
import type { Follower, Work } from '../queue/index.ts';
import type { SearchContext } from '../search/index.ts';
import type { Store } from '../store/index.ts';
import { type Answers, createAnswers } from './answers.ts';
import { type Figures, readFigures } from './answers.sql.ts';
import { createCaller } from './call.ts';
import { createRestHook } from './channels/rest-hook.ts';
import { createDeliveries } from './deliver.ts';
import type { EndpointRules } from './endpoint.ts';
import { createFollower } from './follow.ts';
import { createGuard, type NotifyGuard } from './guard.ts';
import { type Resolve, resolveHost } from './resolve.ts';
import { handlesOf, revealSecrets } from './secrets.ts';
import { readSecrets } from './state.sql.ts';
import { readTopic } from './topics/basic.ts';
import { createTopicBook } from './topics/book.ts';
import { shippedTopics } from './topics/shipped.ts';
import { listTopicRows } from './topics/topics.sql.ts';
import { createTrimWork } from './trim.ts';

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
  readonly guard: NotifyGuard;
  readonly follower: Follower;
  readonly works: readonly Work[];
  readonly answers: Answers;
  /** For metrics. */
  figures(): Promise<Figures>;
  /** Canonicals of the topics that take subscriptions, for the CapabilityStatement. */
  topics(): Promise<readonly string[]>;
  /** A stored Subscription with its secrets, as JSON text: for the answer to whoever has just written it, and nobody else. */
  reveal(raw: string): Promise<string>;
}

export function createNotify(input: NotifyInput): Notify {
  const { clock, ids } = input;
  const origins = input.origins === undefined ? undefined : new Set(input.origins);
  const rules: EndpointRules = { allowsLoopback: input.allowsLoopback, origins };
  const book = createTopicBook(input);
  const newId = () => ids.next(clock.now());
  const newKey = () => `${newId()}${newId()}`.replaceAll('-', '');
  const parts = { ...input, setting: input, rules, book };
  const channel = createRestHook(createCaller(input.resolve ?? resolveHost, rules));
  return {
    guard: createGuard({ ...parts, newHandle: newId, newKey }),
    follower: createFollower(parts),
    works: [...createDeliveries({ ...parts, channel }), createTrimWork(parts)],
    answers: createAnswers(input),
    figures: () => readFigures(input.db),
    topics: () => listTopics(input.db),
    reveal: (raw) => reveal(input.db, raw),
  };
}

async function listTopics(db: Database): Promise<readonly string[]> {
  const added = (await listTopicRows(db)).map(({ raw }) => readTopic(parseJson(raw) as Resource).topic);
  return [...shippedTopics, ...added.filter((topic) => topic !== undefined)]
    .filter(({ status }) => status === 'active')
    .map(({ url }) => url);
}

async function reveal(db: Database, raw: string): Promise<string> {
  const resource = parseJson(raw) as Resource;
  return serializeJson(revealSecrets(resource, await readSecrets(db, handlesOf(resource))));
}
