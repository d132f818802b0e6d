/** Puts the parts together: what guards Subscriptions, what follows changes, and what delivers. */
import type { Access } from '../access/index.ts';
import type { Clock, Ids, Log } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import { parseJson, type Resource, serializeJson } from '../fhir/index.ts';
import type { Follower, Work } from '../queue/index.ts';
import type { SearchContext } from '../search/index.ts';
import type { Store } from '../store/index.ts';
import { type Answers, createAnswers } from './answers.ts';
import { type Figures, readFigures } from './answers.sql.ts';
import { createCaller } from './call.ts';
import type { Channel } from './channel.ts';
import type { ChannelRules, ChannelType } from './channel-terms.ts';
import { createEmailChannel, type SendMail } from './channels/email.ts';
import { createMessageChannel } from './channels/message.ts';
import { createRestHook } from './channels/rest-hook.ts';
import { createDeliveries, type Told } from './deliver.ts';
import { createFollower } from './follow.ts';
import { createGuard, type NotifyGuard } from './guard.ts';
import { type Resolve, resolveHost } from './resolve.ts';
import type { SeatLimits } from './seats.sql.ts';
import { handlesOf, revealSecrets } from './secrets.ts';
import { readSecrets } from './state.sql.ts';
import { readTopic } from './topics/basic.ts';
import { createTopicBook } from './topics/book.ts';
import { shippedTopics } from './topics/shipped.ts';
import { listTopicRows } from './topics/topics.sql.ts';
import { createTrimWork } from './trim.ts';
import { createSocketHub, type SocketHub } from './websocket/hub.ts';

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
  readonly access: Access;
  /** For trials: endpoints on this machine, over plain http too. */
  readonly allowsLoopback: boolean;
  /** Exact origins that alone may be called; undefined: any public one. */
  readonly origins?: readonly string[];
  readonly seats: SeatLimits;
  /** How e-mail leaves, and the domains that it may go to; undefined: not at all. */
  readonly mail?: {
    readonly send: SendMail;
    readonly domains?: readonly string[];
    readonly mssante?: readonly string[];
  };
  /** For metrics: an attempt to notify, what became of it, and how long it took. */
  readonly onAttempt?: (kind: string, outcome: string, seconds: number) => void;
  /** Something was told to a subscriber: for the audit. */
  readonly onTold?: (told: Told) => Promise<void>;
  /** How hosts become addresses; for tests. */
  readonly resolve?: Resolve;
}

export interface Notify {
  readonly guard: NotifyGuard;
  readonly follower: Follower;
  readonly works: readonly Work[];
  readonly answers: Answers;
  readonly sockets: SocketHub;
  /** For metrics. `db`: over whose connections they are read, where not over those of the work itself. */
  figures(db?: Database): Promise<Figures>;
  /** Canonicals of the topics that take subscriptions, for the CapabilityStatement. */
  topics(): Promise<readonly string[]>;
  /** A stored Subscription with its secrets, as JSON text: for the answer to whoever has just written it, and nobody else. */
  reveal(raw: string): Promise<string>;
}

export function createNotify(input: NotifyInput): Notify {
  const { clock, ids } = input;
  const rules = rulesOf(input);
  const newId = () => ids.next(clock.now());
  const newKey = () => `${newId()}${newId()}`.replaceAll('-', '');
  const parts = { ...input, setting: input, rules, book: createTopicBook(input), newHandle: newId, newKey };
  const sockets = createSocketHub(parts);
  return {
    guard: createGuard(parts),
    follower: createFollower(parts),
    works: [...createDeliveries({ ...parts, channel: createChannels(input, rules) }), createTrimWork(parts)],
    answers: createAnswers(parts),
    sockets,
    figures: (db = input.db) => readFigures(db),
    topics: () => listTopics(input.db),
    reveal: (raw) => reveal(input.db, raw),
  };
}

function rulesOf({ allowsLoopback, origins, mail }: NotifyInput): ChannelRules {
  const setOf = (texts: readonly string[] | undefined) => (texts === undefined ? undefined : new Set(texts));
  return {
    allowsLoopback,
    origins: setOf(origins),
    mailDomains: setOf(mail?.domains),
    mssanteDomains: setOf(mail?.mssante),
  };
}

/** Each subscription's own channel; a websocket has none to send by, its client calls. */
function createChannels({ resolve, mail, baseUrl }: NotifyInput, rules: ChannelRules): Channel {
  const call = createCaller(resolve ?? resolveHost, rules);
  const channels = {
    'rest-hook': createRestHook(call),
    message: createMessageChannel(call, baseUrl),
    email: createEmailChannel(mail?.send),
    websocket: () => Promise.reject(new Error('a websocket was to be called')),
  } satisfies Record<ChannelType, Channel>;
  return (notification, channel) => channels[channel.type](notification, channel);
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
