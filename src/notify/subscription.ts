/**
 * A Subscription as this server understands it, read from the resource: what is watched, and where notifications go.
 * Two kinds live side by side: core R4, whose criteria are a search (https://hl7.org/fhir/R4/subscription.html), and the
 * Subscriptions R5 Backport guide 1.1 for R4, whose criteria are the canonical of a topic
 * (http://hl7.org/fhir/uv/subscriptions-backport). What cannot be served is refused here, by name.
 */
import type { Extension, Subscription as FhirSubscription } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type EndpointRules, readEndpoint } from './endpoint.ts';
import { type HeaderLine, readHeaderLine } from './header-lines.ts';
import { notifyLimits } from './limits.ts';

export type SubscriptionStatus = 'requested' | 'active' | 'error' | 'off';
export type Content = 'empty' | 'id-only' | 'full-resource';

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

export interface ChannelTerms {
  readonly endpoint: URL;
  /** Values may be sealed (secrets.ts). */
  readonly headers: readonly HeaderLine[];
  /** The signing key, sealed. */
  readonly key: string | undefined;
  /** As the Subscription has it, for Content-Type; undefined: core R4 without payload. */
  readonly contentType: string | undefined;
  /** undefined for core R4. */
  readonly content: Content | undefined;
  readonly heartbeatMs: number | undefined;
  readonly timeoutMs: number;
  /** How many events one notification may tell. */
  readonly eventsMax: number;
}

export const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
export const keyExtension = 'https://suture.example/fhir/StructureDefinition/subscription-key';

export type ReadSubscription =
  | { readonly subscription: Subscription; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** Notes what is refused, in the words of an OperationOutcome. */
type Refuse = (element: string, text: string, code?: 'value' | 'required' | 'not-supported') => void;

export function readSubscription(resource: Resource, rules: EndpointRules): ReadSubscription {
  const fhir = resource as unknown as FhirSubscription;
  const issues: Issue[] = [];
  const refuse: Refuse = (element, text, code = 'value') =>
    issues.push({ severity: 'error', code, text, expression: `Subscription.${element}` });
  const watch = readWatch(fhir, refuse);
  const channel = readChannel(fhir, { rules, isTopic: watch?.kind === 'topic' }, refuse);
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

interface ChannelReading {
  readonly rules: EndpointRules;
  readonly isTopic: boolean;
}

function readChannel({ channel }: FhirSubscription, reading: ChannelReading, refuse: Refuse): ChannelTerms | undefined {
  if (channel.type !== 'rest-hook') refuse('channel.type', 'the only channel type is rest-hook', 'not-supported');
  if (channel._type !== undefined)
    refuse('channel.type.extension', 'custom channel types are not supported', 'not-supported');
  const endpoint = channel.endpoint === undefined ? 'it is missing' : readEndpoint(channel.endpoint, reading.rules);
  if (typeof endpoint === 'string') {
    refuse('channel.endpoint', `the endpoint cannot be called: ${endpoint}`);
    return undefined;
  }
  return {
    endpoint,
    headers: readHeaders(channel.header ?? [], refuse),
    key: valueOf(channel.extension, keyExtension)?.valueString,
    ...readPayload(channel, reading.isTopic, refuse),
    ...readTerms(channel.extension ?? [], reading.isTopic, refuse),
  };
}

function readHeaders(lines: readonly string[], refuse: Refuse): readonly HeaderLine[] {
  if (lines.length > notifyLimits.headersMax)
    refuse('channel.header', `at most ${notifyLimits.headersMax} are allowed`);
  const names = new Set<string>();
  return lines.flatMap((line, index) => {
    const header = readHeaderLine(line);
    const fault =
      typeof header === 'string'
        ? header
        : names.has(header.name.toLowerCase())
          ? 'its name is there twice'
          : undefined;
    if (fault !== undefined) refuse(`channel.header[${index}]`, `the header cannot be sent: ${fault}`);
    if (typeof header === 'string') return [];
    names.add(header.name.toLowerCase());
    return [header];
  });
}

type FhirChannel = FhirSubscription['channel'];

/** From less to more. */
export const contents: readonly Content[] = ['empty', 'id-only', 'full-resource'];

function readPayload(
  channel: FhirChannel,
  isTopic: boolean,
  refuse: Refuse,
): Pick<ChannelTerms, 'contentType' | 'content'> {
  const { payload, _payload } = channel;
  const extensions = _payload?.extension ?? [];
  const content = valueOf(extensions, `${backport}backport-payload-content`)?.valueCode;
  if (payload !== undefined && !isServedPayload(payload)) {
    refuse('channel.payload', 'expected application/fhir+json, of FHIR version 4.0 if any is named', 'not-supported');
  }
  if (!isTopic) {
    if (extensions.length > 0)
      refuse(
        'channel.payload.extension',
        'a search takes no extension: content levels are for topics',
        'not-supported',
      );
    return { contentType: payload, content: undefined };
  }
  if (payload === undefined) refuse('channel.payload', 'a subscription to a topic names its payload type', 'required');
  if (content === undefined || extensions.length > 1) {
    refuse('channel.payload.extension', 'expected one extension, backport-payload-content', 'required');
  } else if (!(contents as readonly string[]).includes(content)) {
    refuse('channel.payload.extension', `the content level is none of ${contents.join(', ')}`, 'not-supported');
  }
  return { contentType: payload, content: content as Content | undefined };
}

/** JSON of R4; a `fhirVersion` must be one that we can send (http://hl7.org/fhir/R4/versioning.html#mt-version). */
function isServedPayload(payload: string): boolean {
  const [type, ...parameters] = payload.toLowerCase().split(/\s*;\s*/);
  return (
    (type === 'application/fhir+json' || type === 'application/json') &&
    parameters.every((parameter) => /^(?:charset="?utf-8"?|fhirversion="?4\.0(?:\.1)?"?)$/.test(parameter))
  );
}

type Terms = Pick<ChannelTerms, 'heartbeatMs' | 'timeoutMs' | 'eventsMax'>;

function readTerms(extensions: readonly Extension[], isTopic: boolean, refuse: Refuse): Terms {
  const known = ['backport-heartbeat-period', 'backport-timeout', 'backport-max-count'].map((name) => backport + name);
  const others = extensions.filter(({ url }) => url !== keyExtension && !(isTopic && known.includes(url)));
  if (others.length > 0)
    refuse('channel.extension', 'an extension here is not one that this server can honour', 'not-supported');
  if (new Set(extensions.map(({ url }) => url)).size < extensions.length)
    refuse('channel.extension', 'an extension is there twice');
  const [heartbeat, timeout, count] = known.map((url) => valueOf(extensions, url));
  const heartbeatS = readBounded(
    heartbeat?.valueUnsignedInt,
    [1, notifyLimits.heartbeatMaxS],
    'backport-heartbeat-period',
    refuse,
  );
  const timeoutS = readBounded(
    timeout?.valueUnsignedInt,
    [1, notifyLimits.callTimeoutMaxMs / 1000],
    'backport-timeout',
    refuse,
  );
  const eventsMax = readBounded(count?.valuePositiveInt, [1, Number.MAX_SAFE_INTEGER], 'backport-max-count', refuse);
  return {
    heartbeatMs: heartbeatS === undefined ? undefined : heartbeatS * 1000,
    timeoutMs: timeoutS === undefined ? notifyLimits.callTimeoutMs : timeoutS * 1000,
    eventsMax: Math.min(eventsMax ?? 1, notifyLimits.eventsMax),
  };
}

function readBounded(
  value: number | undefined,
  [min, max]: readonly [number, number],
  name: string,
  refuse: Refuse,
): number | undefined {
  if (value !== undefined && (value < min || value > max)) {
    refuse('channel.extension', `${name} is outside ${min} to ${max}`, 'not-supported');
  }
  return value;
}

function valueOf(extensions: readonly Extension[] | undefined, url: string): Extension | undefined {
  return extensions?.find((extension) => extension.url === url);
}
