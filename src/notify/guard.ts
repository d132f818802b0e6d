/**
 * What stands between a client and a Subscription: it is read, and refused by name when it cannot be served; its secrets
 * are sealed; its status becomes what the server says. "If we cannot serve it, reject it": a subscription that was accepted
 * and never fires is a break of its own.
 */
import type { Subscription as FhirSubscription } from 'fhir/r4.js';
import { type Clock, type Issue, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Session } from '../store/index.ts';
import type { EndpointRules } from './endpoint.ts';
import { insertSecrets } from './state.sql.ts';
import { sealSecrets } from './secrets.ts';
import { statusAfter, withStatus } from './status.ts';
import { readSubscription, type Subscription } from './subscription.ts';
import type { Watching } from './watch.ts';

export interface GuardInput {
  readonly watching: Watching;
  readonly rules: EndpointRules;
  readonly clock: Clock;
  readonly newHandle: () => string;
  readonly newKey: () => string;
}

export interface SubscriptionGuard {
  readonly types: readonly string[];
  check(session: Session, write: Write): Promise<Resource | undefined>;
}

interface Write {
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
}

export function createGuard(input: GuardInput): SubscriptionGuard {
  return {
    types: ['Subscription'],
    async check(session, { before, after }) {
      if (after === undefined) return undefined;
      const subscription = requireServed(input, after);
      const { resource, secrets, issues } = sealSecrets({ before, after, ...input });
      if (issues.length > 0) throw refusal(issues);
      const settled = settleStatus(subscription, { before, after: resource }, input.clock.now());
      await insertSecrets(session, secrets);
      return settled;
    },
  };
}

function requireServed(input: GuardInput, resource: Resource): Subscription {
  const read = readSubscription(resource, input.rules);
  if (read.issues !== undefined) throw refusal(read.issues);
  const compiled = input.watching.compile(read.subscription.watch);
  if (compiled.issues !== undefined) throw refusal(compiled.issues);
  return read.subscription;
}

function settleStatus(
  subscription: Subscription,
  write: Write & { readonly after: Resource },
  nowMs: number,
): Resource {
  const { before, after } = write;
  const settled = statusAfter(subscription.watch.kind, before, after);
  if ('fault' in settled)
    throw refusal([{ severity: 'error', code: 'value', text: settled.fault, expression: 'Subscription.status' }]);
  const { status } = settled;
  if (status !== 'off' && subscription.endMs !== undefined && subscription.endMs <= nowMs) {
    throw refusal([{ severity: 'error', code: 'value', text: 'the end has passed', expression: 'Subscription.end' }]);
  }
  return withStatus(
    after,
    status,
    status === 'error' ? (before as unknown as FhirSubscription | undefined)?.error : undefined,
  );
}

function refusal(issues: readonly Issue[]): Problem {
  return new Problem('unprocessable', issues[0]?.text ?? 'the subscription cannot be served', { issues });
}
