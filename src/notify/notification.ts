/**
 * Notification Bundles of the Subscriptions R5 Backport guide for R4 (notifications.html; profiles
 * backport-subscription-notification-r4 and backport-subscription-status-r4): a history whose first entry says how the subscription
 * stands, then, as far as the content level allows, the resources.
 *
 * The text depends on nothing but the events and the terms: what is sent twice is the same, byte for byte, so that a
 * receiver recognises it. Resources go in as they were stored.
 */
import { createHash } from 'node:crypto';
import { formatInstant } from '../base/index.ts';
import type { ToSay } from './compose.ts';
import type { Event } from './events.sql.ts';
import { backport, type Content } from './channel-terms.ts';

export interface StatusSaid {
  readonly id: string;
  /** undefined for core R4. */
  readonly topic: string | undefined;
  readonly content: Content | undefined;
  readonly status: string;
  readonly type: 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';
  /** Of the last event that happened, as far as is told here. */
  readonly lastNumber: number;
  readonly events: readonly Event[];
  readonly error?: string | undefined;
}

export function notificationBundle({ kind, subscription, standing, events, baseUrl, nowMs }: ToSay): string {
  const { id, watch, channel } = subscription;
  const last = events.at(-1);
  const said: StatusSaid = {
    id,
    topic: watch.kind === 'topic' ? watch.url : undefined,
    content: channel.content,
    status: standing.status,
    type: kind,
    lastNumber: last?.number ?? standing.lastNumber,
    events,
  };
  return historyBundle(said, baseUrl, last?.at.getTime() ?? nowMs);
}

/** A Bundle of type history: the status, then the resources that the content level includes. */
export function historyBundle(said: StatusSaid, baseUrl: string, atMs: number): string {
  const isFull = said.content === 'full-resource';
  const resources = isFull
    ? said.events.filter(({ isHidden }) => isHidden !== true).map((event) => resourceEntry(event, baseUrl))
    : [];
  const companions = isFull ? companionEntries(said.events, baseUrl) : [];
  const entries = [statusEntry(said, baseUrl, atMs), ...resources, ...companions];
  return `{"resourceType":"Bundle","type":"history","timestamp":"${formatInstant(atMs)}","entry":[${entries.join(',')}]}`;
}

/** A Bundle of type searchset with one status for each subscription. */
export function statusSearchset(all: readonly StatusSaid[], baseUrl: string, atMs: number): string {
  return JSON.stringify({
    resourceType: 'Bundle',
    type: 'searchset',
    timestamp: formatInstant(atMs),
    total: all.length,
    link: [{ relation: 'self', url: `${baseUrl}/Subscription/$status` }],
    entry: all.map((said) => ({
      fullUrl: fullUrlOf(said, atMs),
      resource: statusParameters(said, baseUrl),
      search: { mode: 'match' },
    })),
  });
}

function statusEntry(said: StatusSaid, baseUrl: string, atMs: number): string {
  const parameters = statusParameters(said, baseUrl);
  return JSON.stringify({
    fullUrl: fullUrlOf(said, atMs),
    resource: parameters,
    request: { method: 'GET', url: `${baseUrl}/Subscription/${said.id}/$status` },
    response: { status: '200' },
  });
}

function fullUrlOf({ id, type, lastNumber, events }: StatusSaid, atMs: number): string {
  return `urn:uuid:${nameUuid([id, type, lastNumber, events.length, atMs].join('\n'))}`;
}

export function statusParameters(said: StatusSaid, baseUrl: string): object {
  const { id, topic, content, status, type, lastNumber, events, error } = said;
  return {
    resourceType: 'Parameters',
    meta: { profile: [`${backport}backport-subscription-status-r4`] },
    parameter: [
      { name: 'subscription', valueReference: { reference: `${baseUrl}/Subscription/${id}` } },
      ...(topic === undefined || content === 'empty' ? [] : [{ name: 'topic', valueCanonical: topic }]),
      { name: 'status', valueCode: status },
      { name: 'type', valueCode: type },
      { name: 'events-since-subscription-start', valueString: String(lastNumber) },
      ...events.map((event) => ({ name: 'notification-event', part: eventParts(event, content, baseUrl) })),
      ...(error === undefined ? [] : [{ name: 'error', valueCodeableConcept: { text: error } }]),
    ],
  };
}

function eventParts(event: Event, content: Content | undefined, baseUrl: string): readonly object[] {
  const { number, at, type, id, context, isHidden } = event;
  const hasFocus = content !== 'empty' && isHidden !== true;
  const companions = content === 'empty' ? [] : context;
  return [
    { name: 'event-number', valueString: String(number) },
    { name: 'timestamp', valueInstant: formatInstant(at.getTime()) },
    ...(hasFocus ? [{ name: 'focus', valueReference: { reference: `${baseUrl}/${type}/${id}` } }] : []),
    ...companions.map((one) => ({
      name: 'additional-context',
      valueReference: { reference: `${baseUrl}/${one.type}/${one.id}` },
    })),
  ];
}

/** As an entry of a history is written; a resource that was deleted says so instead of being there. */
function resourceEntry({ type, id, version, method, raw }: Event, baseUrl: string): string {
  const url = method === 'POST' ? type : `${type}/${id}`;
  const status = method === 'DELETE' ? '204' : version === 1 ? '201' : '200';
  const resource = raw === undefined ? '' : `"resource":${raw},`;
  const rest = JSON.stringify({ request: { method, url }, response: { status, etag: `W/"${version}"` } });
  return `{"fullUrl":${JSON.stringify(`${baseUrl}/${type}/${id}`)},${resource}${rest.slice(1)}`;
}

/** What goes with the resources, each version once, as an entry of a history that was only looked at. */
function companionEntries(events: readonly Event[], baseUrl: string): readonly string[] {
  const companions = new Map(
    events.flatMap(({ context }) => context.map((one) => [`${one.type}/${one.id}/${one.version}`, one] as const)),
  );
  return [...companions.values()].map(({ type, id, version, raw }) => {
    const resource = raw === undefined ? '' : `"resource":${raw},`;
    const status = raw === undefined ? '410' : '200';
    const rest = JSON.stringify({
      request: { method: 'GET', url: `${type}/${id}` },
      response: { status, etag: `W/"${version}"` },
    });
    return `{"fullUrl":${JSON.stringify(`${baseUrl}/${type}/${id}`)},${resource}${rest.slice(1)}`;
  });
}

/** A UUID that is the same for the same text (RFC 9562 §5.8). */
export function nameUuid(text: string): string {
  const hex = createHash('sha256').update(text, 'utf8').digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
