/**
 * What stands between a client and a Subscription: it is read, and refused by name when it cannot be served; its secrets
 * are sealed; its status becomes what the server says. "If we cannot serve it, reject it": a subscription that was accepted
 * and never fires is a break of its own.
 */
import type { Subscription as FhirSubscription } from 'fhir/r4.js';
import { type Caller, callerKey, mayEverything } from '../access/index.ts';
import { type Clock, type Issue, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Session } from '../store/index.ts';
import type { ChannelRules } from './channel-terms.ts';
import { freeSeat, type SeatLimits, takeSeat } from './seats.sql.ts';
import { sealSecrets } from './secrets.ts';
import { insertSecrets } from './state.sql.ts';
import { statusAfter, withStatus } from './status.ts';
import { readSubscription, type Subscription } from './subscription.ts';
import { compileStored, type TopicBook } from './topics/book.ts';
import type { CompiledTopic, TopicSetting } from './topics/compile.ts';
import { guardTopic } from './topics/guard.ts';
import { isShipped } from './topics/shipped.ts';
import { findTopicRow } from './topics/topics.sql.ts';
import { compileWatch, withoutVersion } from './watch.ts';

export interface GuardInput {
  readonly setting: TopicSetting;
  readonly book: TopicBook;
  readonly rules: ChannelRules;
  readonly seats: SeatLimits;
  readonly clock: Clock;
  readonly newHandle: () => string;
  readonly newKey: () => string;
}

export interface NotifyGuard {
  readonly types: readonly string[];
  check(session: Session, write: Write): Promise<Resource | undefined>;
}

interface Write {
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
  readonly id: string;
  readonly caller: Caller;
}

export function createGuard(input: GuardInput): NotifyGuard {
  return {
    types: ['Subscription', 'Basic'],
    async check(session, write) {
      const { before, after } = write;
      if ((after ?? before)?.resourceType === 'Basic') await guardTopic(input.setting, session, write);
      else if (after !== undefined) return guardSubscription(input, session, { ...write, after });
      else await freeSeat(session, write.id);
      return undefined;
    },
  };
}

type Kept = Write & { readonly after: Resource };

async function guardSubscription(input: GuardInput, session: Session, write: Kept): Promise<Resource> {
  const { before, after } = write;
  const subscription = await requireServed(input, session, write);
  const { resource, secrets, issues } = sealSecrets({ before, after, ...input });
  if (issues.length > 0) throw refusal(issues);
  const settled = settleStatus(subscription, { ...write, after: resource }, input.clock.now());
  await seat(input.seats, session, { ...write, after: settled });
  await insertSecrets(session, secrets);
  return settled;
}

/** Whoever began it keeps the seat, whoever changes it. */
async function seat(limits: SeatLimits, session: Session, { before, after, id, caller }: Kept): Promise<void> {
  const wasOver = before === undefined || before['status'] === 'off';
  if (after['status'] === 'off') await freeSeat(session, id);
  else if (wasOver) await takeSeat(session, id, mayEverything(caller) ? undefined : callerKey(caller), limits);
}

async function requireServed(input: GuardInput, session: Session, { before, after }: Kept): Promise<Subscription> {
  const read = readSubscription(after, input.rules);
  if (read.issues !== undefined) throw refusal(read.issues);
  const { watch } = read.subscription;
  const topic = watch.kind === 'topic' ? await findTopic(input, session, withoutVersion(watch.url)) : undefined;
  const compiled = compileWatch(watch, input.setting, () => topic);
  if (compiled.issues !== undefined) throw refusal(compiled.issues);
  const isNew = before === undefined || before['criteria'] !== after['criteria'];
  if (topic !== undefined && topic.topic.status !== 'active' && isNew) throw refusal([retired(topic)]);
  return read.subscription;
}

/** As it stands in this transaction: the book of this instance may be a moment behind. */
async function findTopic(
  { book, setting }: GuardInput,
  session: Session,
  url: string,
): Promise<CompiledTopic | undefined> {
  if (isShipped(url)) return book.find(url);
  const raw = await findTopicRow(session, url);
  return raw === undefined ? undefined : compileStored(raw, setting);
}

function retired({ topic }: CompiledTopic): Issue {
  const text = `the topic takes no new subscriptions: its status is ${topic.status}`;
  return { severity: 'error', code: 'business-rule', text, expression: 'Subscription.criteria' };
}

function settleStatus(subscription: Subscription, { before, after }: Kept, nowMs: number): Resource {
  const settled = statusAfter(subscription, before, after);
  if ('fault' in settled) {
    throw refusal([{ severity: 'error', code: 'value', text: settled.fault, expression: 'Subscription.status' }]);
  }
  const { status } = settled;
  if (status !== 'off' && subscription.endMs !== undefined && subscription.endMs <= nowMs) {
    throw refusal([{ severity: 'error', code: 'value', text: 'the end has passed', expression: 'Subscription.end' }]);
  }
  const error = status === 'error' ? (before as unknown as FhirSubscription | undefined)?.error : undefined;
  return withStatus(after, status, error);
}

function refusal(issues: readonly Issue[]): Problem {
  return new Problem('unprocessable', issues[0]?.text ?? 'the subscription cannot be served', { issues });
}
