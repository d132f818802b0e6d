/**
 * The life of a Subscription (https://hl7.org/fhir/R4/subscription.html#status). A client asks for `requested` or `off`; all
 * else is said by the server:
 *
 *   requested -> active   core R4 and websockets, whose client calls: at once; else when the endpoint has answered the handshake
 *   requested -> error    the handshake failed
 *   active    -> error    deliveries failed for too long; events are still numbered and kept
 *   error     -> off      nobody came back for it for 30 days
 *   any       -> off      the client said so, the endpoint answered 410, or `end` has come
 *
 * Nothing but the client's update leads back from `error` or `off`: a server that recovers by itself hides what was lost.
 * (The R4 text allows it; the guide does not, and one rule is enough for both.) After that update, what was missed in
 * `error` is delivered first and in order; what happened in `off` was never an event.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Subscription as FhirSubscription } from 'fhir/r4.js';
import type { Resource } from '../fhir/index.ts';
import type { Subscription, SubscriptionStatus } from './subscription.ts';

/** The status to store for what a client submits, or what is wrong with it. */
export function statusAfter(
  { watch, channel }: Pick<Subscription, 'watch' | 'channel'>,
  before: Resource | undefined,
  after: Resource,
): { readonly status: SubscriptionStatus } | { readonly fault: string } {
  const asked = fhirOf(after).status;
  const was = before === undefined ? undefined : fhirOf(before).status;
  const begun = watch.kind === 'criteria' || channel.type === 'websocket' ? 'active' : 'requested';
  switch (asked) {
    case 'off':
      return { status: 'off' };
    case 'requested':
      return { status: begun };
    case 'error':
      return was === 'error' ? { status: 'error' } : { fault: 'a client submits requested or off' };
    case 'active': {
      if (before === undefined) return { fault: 'a client submits requested or off' };
      return { status: was === 'active' && hasSameTerms(before, after) ? 'active' : begun };
    }
  }
}

/** Whether both ask for the same to be sent to the same place; secrets are sealed in both. */
function hasSameTerms(before: Resource, after: Resource): boolean {
  const terms = ({ criteria, _criteria, channel }: FhirSubscription) => ({ criteria, _criteria, channel });
  return isDeepStrictEqual(terms(fhirOf(before)), terms(fhirOf(after)));
}

/** The resource in another status; `error` is the server's to write, and says why. */
export function withStatus(resource: Resource, status: SubscriptionStatus, error?: string): Resource {
  const { error: _error, ...rest } = resource;
  return { ...rest, resourceType: resource.resourceType, status, ...(error === undefined ? {} : { error }) };
}

function fhirOf(resource: Resource): FhirSubscription {
  return resource as unknown as FhirSubscription;
}
