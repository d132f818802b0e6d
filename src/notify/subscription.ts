/**
 * A Subscription as this server understands it, read from the resource: what is watched, and where notifications go.
 * Two kinds live side by side: core R4, whose criteria are a search (https://hl7.org/fhir/R4/subscription.html), and the
 * Subscriptions R5 Backport guide 1.1 for R4, whose criteria are the canonical of a topic
 * (http://hl7.org/fhir/uv/subscriptions-backport). What cannot be served is refused here, by name.
 */
import type { Extension, Subscription as FhirSubscription } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { backport, type ChannelRules, type ChannelTerms, type Refuse, readChannel } from './channel-terms.ts';
import { notifyLimits } from './limits.ts';

export type SubscriptionStatus = 'requested' | 'active' | 'error' | 'off';

export interface Subscription {
  readonly id: string;
  readonly status: SubscriptionStatus;
  readonly endMs: number | undefined;
  readonly watch: Watch;
  readonly channel: ChannelTerms;
}

export type Watch =
  | { readonly kind: 'criteria'; readonly type: string; readonly query: string }
  | { readonly kind: 'topic'; readonly url: string; readonly filters: readonly string[] };

export type ReadSubscription =
  | { readonly subscription: Subscription; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

export function readSubscription(resource: Resource, rules: ChannelRules): ReadSubscription {
  const fhir = resource as unknown as FhirSubscription;
  const issues: Issue[] = [];
  const refuse: Refuse = (element, text, code = 'value') =>
    issues.push({ severity: 'error', code, text, expression: `Subscription.${element}` });
  const watch = readWatch(fhir, refuse);
  const channel = readChannel(fhir.channel, { rules, isTopic: watch?.kind === 'topic' }, refuse);
  if (watch === undefined || channel === undefined || issues.length > 0) return { issues };
  const endMs = fhir.end === undefined ? undefined : Date.parse(fhir.end);
  return { subscription: { id: fhir.id ?? '', status: fhir.status, endMs, watch, channel } };
}

function readWatch(fhir: FhirSubscription, refuse: Refuse): Watch | undefined {
  const extensions = fhir._criteria?.extension ?? [];
  if (/^(?:https?:\/\/|urn:)\S+$/.test(fhir.criteria)) return readTopicWatch(fhir.criteria, extensions, refuse);
  const [, type, query] = /^([A-Z][A-Za-z]+)(?:\?(.*))?$/s.exec(fhir.criteria) ?? [];
  if (type === undefined) {
    refuse('criteria', 'expected a search such as Encounter?status=finished, or the canonical URL of a topic');
    return undefined;
  }
  if (extensions.length > 0)
    refuse('criteria.extension', 'a search takes no extension: filters are for topics', 'not-supported');
  return { kind: 'criteria', type, query: query ?? '' };
}

function readTopicWatch(url: string, extensions: readonly Extension[], refuse: Refuse): Watch {
  const filters = extensions.filter((extension) => extension.url === `${backport}backport-filter-criteria`);
  if (filters.length < extensions.length) {
    refuse('criteria.extension', 'the only extension here is backport-filter-criteria', 'not-supported');
  }
  if (filters.length > notifyLimits.filtersMax) {
    refuse('criteria.extension', `at most ${notifyLimits.filtersMax} filters are allowed`);
  }
  return { kind: 'topic', url, filters: filters.map(({ valueString }) => valueString ?? '') };
}
