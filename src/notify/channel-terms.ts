/**
 * `Subscription.channel`, read: where notifications go, in which form, how often. What each type of channel takes is one line of a
 * table; what it does not take is refused by name (http://hl7.org/fhir/uv/subscriptions-backport, channels and payloads).
 */
import type { Extension, Subscription as FhirSubscription } from 'fhir/r4.js';
import { type EndpointRules, isInDomains, type MailRules, readEndpoint, readMailbox } from './endpoint.ts';
import { type HeaderLine, readHeaderLine } from './header-lines.ts';
import { notifyLimits } from './limits.ts';

export type ChannelType = 'rest-hook' | 'message' | 'email' | 'websocket';
export type Content = 'empty' | 'id-only' | 'full-resource';

/** From less to more. */
export const contents: readonly Content[] = ['empty', 'id-only', 'full-resource'];

export interface ChannelTerms {
  readonly type: ChannelType;
  /** undefined for websocket, whose client calls us. */
  readonly endpoint: URL | undefined;
  /** Values may be sealed (secrets.ts). */
  readonly headers: readonly HeaderLine[];
  /** The signing key, sealed. */
  readonly key: string | undefined;
  /** As the Subscription has it; undefined: core R4 without payload. */
  readonly contentType: string | undefined;
  /** undefined for core R4. */
  readonly content: Content | undefined;
  readonly heartbeatMs: number | undefined;
  readonly timeoutMs: number;
  /** How many events one notification may tell. */
  readonly eventsMax: number;
}

export interface ChannelRules extends EndpointRules, MailRules {}

export const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
export const keyExtension = 'https://suture.example/fhir/StructureDefinition/subscription-key';

/** Notes what is refused, in the words of an OperationOutcome. */
export type Refuse = (element: string, text: string, code?: 'value' | 'required' | 'not-supported') => void;

type FhirChannel = FhirSubscription['channel'];

interface Form {
  /** The endpoint, or what is wrong with it. */
  readonly endpoint: (text: string | undefined, rules: ChannelRules) => URL | undefined | string;
  readonly payload: (payload: string) => boolean;
  readonly payloadExpected: string;
  /** What may be told there. */
  readonly contents: (channel: FhirChannel, rules: ChannelRules) => readonly Content[];
  readonly takesHeaders: boolean;
  readonly takesHeartbeat: boolean;
}

const json = { payload: isJsonPayload, payloadExpected: 'application/fhir+json, of FHIR version 4.0 if any is named' };
const web: Form = { endpoint: readWeb, ...json, contents: () => contents, takesHeaders: true, takesHeartbeat: true };

const forms: Readonly<Record<ChannelType, Form>> = {
  'rest-hook': web,
  message: web,
  websocket: { ...web, endpoint: readNone, takesHeaders: false },
  // Mail is read by people and kept on the way: no resource goes into it but to MSSanté, and no sign of life every minute.
  email: {
    endpoint: readMail,
    payload: (payload) => /^text\/plain(?:;\s*attach=application\/fhir\+json)?$/.test(payload),
    payloadExpected: 'text/plain, with ;attach=application/fhir+json if the notification shall be attached',
    contents: mailContents,
    takesHeaders: false,
    takesHeartbeat: false,
  },
};

interface Reading {
  readonly rules: ChannelRules;
  readonly channel: FhirChannel;
  readonly form: Form;
  readonly isTopic: boolean;
  readonly refuse: Refuse;
}

/** `isTopic`: of a subscription to a topic; core R4 has rest-hook alone. */
export function readChannel(
  channel: FhirChannel,
  { rules, isTopic }: { readonly rules: ChannelRules; readonly isTopic: boolean },
  refuse: Refuse,
): ChannelTerms | undefined {
  const type = readType(channel, isTopic, refuse);
  if (type === undefined) return undefined;
  const form = forms[type];
  const reading: Reading = { channel, form, isTopic, refuse, rules };
  const endpoint = form.endpoint(channel.endpoint, rules);
  if (typeof endpoint === 'string') refuse('channel.endpoint', `the endpoint cannot be used: ${endpoint}`);
  return {
    type,
    endpoint: typeof endpoint === 'string' ? undefined : endpoint,
    headers: readHeaders(reading),
    key: valueOf(channel.extension, keyExtension)?.valueString,
    ...readPayload(reading),
    ...readTerms(reading),
  };
}

function readType({ type, _type }: FhirChannel, isTopic: boolean, refuse: Refuse): ChannelType | undefined {
  if (_type !== undefined) refuse('channel.type.extension', 'custom channel types are not supported', 'not-supported');
  const served = isTopic ? Object.keys(forms) : ['rest-hook'];
  if (served.includes(type)) return type as ChannelType;
  // A code of a required value set: it may be repeated.
  const what = isTopic ? 'a topic' : 'a search by criteria';
  refuse(
    'channel.type',
    `the channel type ${type} is not served for ${what}: expected ${served.join(', ')}`,
    'not-supported',
  );
  return undefined;
}

function readWeb(text: string | undefined, rules: ChannelRules): URL | string {
  return text === undefined ? 'it is missing' : readEndpoint(text, rules);
}

/** Beyond ids only to an MSSanté mailbox (we do no S/MIME), and then as an attachment: the text is for people. */
function mailContents(
  { endpoint = '', payload = '' }: FhirChannel,
  { mssanteDomains }: ChannelRules,
): readonly Content[] {
  return isInDomains(endpoint, mssanteDomains) && payload.includes('attach=') ? contents : ['empty', 'id-only'];
}

function readMail(text: string | undefined, rules: ChannelRules): URL | string {
  return text === undefined ? 'it is missing' : readMailbox(text, rules);
}

function readNone(text: string | undefined): undefined | string {
  return text === undefined ? undefined : 'a websocket has none: its client connects to the server';
}

function readHeaders({ channel, form, refuse }: Reading): readonly HeaderLine[] {
  const { header: lines = [] } = channel;
  if (lines.length > 0 && !form.takesHeaders)
    refuse('channel.header', 'this type of channel sends no headers', 'not-supported');
  if (lines.length > notifyLimits.headersMax)
    refuse('channel.header', `at most ${notifyLimits.headersMax} are allowed`);
  const names = new Set<string>();
  return lines.flatMap((line, index) => {
    const header = readHeaderLine(line);
    const name = typeof header === 'string' ? undefined : header.name.toLowerCase();
    const fault = typeof header === 'string' ? header : names.has(name ?? '') ? 'its name is there twice' : undefined;
    if (fault !== undefined) refuse(`channel.header[${index}]`, `the header cannot be sent: ${fault}`);
    if (typeof header === 'string') return [];
    names.add(header.name.toLowerCase());
    return [header];
  });
}

function readPayload({
  channel,
  form,
  isTopic,
  refuse,
  rules,
}: Reading): Pick<ChannelTerms, 'contentType' | 'content'> {
  const { payload, _payload } = channel;
  const extensions = _payload?.extension ?? [];
  const content = valueOf(extensions, `${backport}backport-payload-content`)?.valueCode;
  if (payload !== undefined && !form.payload(payload)) {
    refuse('channel.payload', `expected ${form.payloadExpected}`, 'not-supported');
  }
  if (!isTopic) {
    if (extensions.length > 0) {
      refuse('channel.payload.extension', 'a search has no content levels: they are for topics', 'not-supported');
    }
    return { contentType: payload, content: undefined };
  }
  if (payload === undefined) refuse('channel.payload', 'a subscription to a topic names its payload type', 'required');
  if (content === undefined || extensions.length > 1) {
    refuse('channel.payload.extension', 'expected one extension, backport-payload-content', 'required');
  } else {
    const served = form.contents(channel, rules);
    if (!(served as readonly string[]).includes(content)) {
      refuse('channel.payload.extension', `the content level is none of ${served.join(', ')}`, 'not-supported');
    }
  }
  return { contentType: payload, content: content as Content | undefined };
}

/** JSON of R4; a `fhirVersion` must be one that we can send (http://hl7.org/fhir/R4/versioning.html#mt-version). */
function isJsonPayload(payload: string): boolean {
  const [type, ...parameters] = payload.toLowerCase().split(/\s*;\s*/);
  return (
    (type === 'application/fhir+json' || type === 'application/json') &&
    parameters.every((parameter) => /^(?:charset="?utf-8"?|fhirversion="?4\.0(?:\.1)?"?)$/.test(parameter))
  );
}

type Terms = Pick<ChannelTerms, 'heartbeatMs' | 'timeoutMs' | 'eventsMax'>;

function readTerms({ channel, form, isTopic, refuse }: Reading): Terms {
  const { extension: extensions = [] } = channel;
  const taken = isTopic ? [...(form.takesHeartbeat ? ['heartbeat-period'] : []), 'timeout', 'max-count'] : [];
  const urls = new Set([keyExtension, ...taken.map((name) => `${backport}backport-${name}`)]);
  if (extensions.some(({ url }) => !urls.has(url))) {
    refuse('channel.extension', 'an extension here is not one that this server can honour', 'not-supported');
  }
  if (new Set(extensions.map(({ url }) => url)).size < extensions.length) {
    refuse('channel.extension', 'an extension is there twice');
  }
  const bounded = (name: string, max: number): number | undefined => {
    const found = valueOf(extensions, `${backport}backport-${name}`);
    const value = found?.valueUnsignedInt ?? found?.valuePositiveInt;
    if (value !== undefined && (value < 1 || value > max)) {
      refuse('channel.extension', `backport-${name} is outside 1 to ${max}`, 'not-supported');
    }
    return value;
  };
  const heartbeatS = bounded('heartbeat-period', notifyLimits.heartbeatMaxS);
  const timeoutS = bounded('timeout', notifyLimits.callTimeoutMaxMs / 1000);
  const count = bounded('max-count', Number.MAX_SAFE_INTEGER);
  return {
    heartbeatMs: heartbeatS === undefined ? undefined : heartbeatS * 1000,
    timeoutMs: timeoutS === undefined ? notifyLimits.callTimeoutMs : timeoutS * 1000,
    eventsMax: Math.min(count ?? 1, notifyLimits.eventsMax),
  };
}

function valueOf(extensions: readonly Extension[] | undefined, url: string): Extension | undefined {
  return extensions?.find((extension) => extension.url === url);
}
