/**
 * A client: an application that may ask, kept as a resource (decision 0042). It is a Basic of code `client`, under the id
 * `client.[client_id]` and no other, with one extension `client` of these parts:
 *
 *     name                 for people
 *     status               active | revoked
 *     scope*               what it may be given at most, SMART v1 or v2
 *     right*               what no scope gives (access/caller.ts)
 *     key*                 public key (JWK, as JSON text) with which it signs its assertions
 *     jwks-url             where its keys are, in place of `key`
 *     issuer               the issuer (SUTURE_ISSUERS) that gives it its tokens, in place of this server
 *     finess               the organisation on whose behalf it acts
 *     certificate*         SHA-256 of a certificate that it may show in place of a key (base64url, as x5t#S256)
 *     certificate-subject  the subject of such a certificate, as `CN=..,O=..,C=FR`, whatever authority of ours vouches for it
 *     bound                true: its tokens count only with the certificate it showed when it asked for them
 */
import type { Basic, Extension } from 'fhir/r4.js';
import type { JWK } from 'jose';
import { clientIdPrefix, parseScopes, type Right, rights, type Scope } from '../access/index.ts';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';

export interface Client {
  readonly id: string;
  readonly name: string | undefined;
  readonly isActive: boolean;
  /** As they were written. */
  readonly scopeTexts: readonly string[];
  readonly scopes: readonly Scope[];
  readonly rights: readonly Right[];
  readonly keys: readonly JWK[];
  readonly jwksUrl: string | undefined;
  readonly issuer: string | undefined;
  readonly finess: string | undefined;
  readonly certificates: readonly string[];
  readonly certificateSubject: string | undefined;
  readonly isBound: boolean;
}

const noteSystem = 'https://suture.example/fhir/CodeSystem/record-note';
const clientUrl = 'https://suture.example/fhir/StructureDefinition/client';

export const clientLimits = { keysMax: 20, keyLengthMax: 4000 } as const;

/** What a client may be called: the id of its Basic has 64 letters. */
export const clientIdForm = /^[A-Za-z0-9.-]{1,57}$/;

export function isClient(resource: Resource | undefined): boolean {
  if (resource?.resourceType !== 'Basic') return false;
  const { coding = [] } = (resource as unknown as Basic).code;
  return coding.some(({ system, code }) => system === noteSystem && code === 'client');
}

export type ClientReading =
  | { readonly kind: 'ok'; readonly client: Client }
  | { readonly kind: 'faults'; readonly issues: readonly Issue[] };

/** Reads a Basic of code `client`; a fault says what part is missing or cannot be used. */
export function readClient(resource: Resource): ClientReading {
  const texts: string[] = [];
  const id = resource.id ?? '';
  if (!id.startsWith(clientIdPrefix) || !clientIdForm.test(id.slice(clientIdPrefix.length))) {
    texts.push(`a client is stored under the id ${clientIdPrefix}[client_id]`);
  }
  const basic = resource as unknown as Basic;
  const parts = (basic.extension ?? []).find(({ url }) => url === clientUrl)?.extension ?? [];
  const client = readParts(id.slice(clientIdPrefix.length), parts, texts);
  texts.push(...proofFaults(client));
  if (texts.length === 0) return { kind: 'ok', client };
  const issue = (text: string): Issue => ({ severity: 'error', code: 'invalid', text, expression: 'Basic.extension' });
  return { kind: 'faults', issues: texts.map(issue) };
}

function readParts(id: string, parts: readonly Extension[], texts: string[]): Client {
  const strings = stringsOf(parts);
  const status = valueOf(parts, 'status')?.valueCode;
  if (status !== 'active' && status !== 'revoked') texts.push('the status of a client is active or revoked');
  const scopeTexts = strings('scope');
  const { scopes, refused } = parseScopes(scopeTexts.join(' '));
  if (refused.length > 0) texts.push('a scope of the client is not one that is served');
  return {
    id,
    name: strings('name')[0],
    isActive: status === 'active',
    ...{ scopeTexts, scopes },
    rights: readRights(parts, texts),
    keys: readKeys(strings('key'), texts),
    jwksUrl: readJwksUrl(valueOf(parts, 'jwks-url')?.valueUrl, texts),
    issuer: valueOf(parts, 'issuer')?.valueUri,
    finess: strings('finess')[0],
    certificates: strings('certificate'),
    certificateSubject: strings('certificate-subject')[0],
    isBound: valueOf(parts, 'bound')?.valueBoolean ?? false,
  };
}

/** The resource of a client, as `readClient` reads it. */
export function clientResource(client: Client): Resource {
  const part = (url: string, value: object | undefined) => (value === undefined ? [] : [{ url, ...value }]);
  const texts = (url: string, values: readonly (string | undefined)[]) =>
    values.flatMap((value) => part(url, value === undefined ? undefined : { valueString: value }));
  const extension = [
    ...texts('name', [client.name]),
    { url: 'status', valueCode: client.isActive ? 'active' : 'revoked' },
    ...texts('scope', client.scopeTexts),
    ...client.rights.map((right) => ({ url: 'right', valueCode: right })),
    ...texts(
      'key',
      client.keys.map((key) => JSON.stringify(key)),
    ),
    ...part('jwks-url', client.jwksUrl === undefined ? undefined : { valueUrl: client.jwksUrl }),
    ...part('issuer', client.issuer === undefined ? undefined : { valueUri: client.issuer }),
    ...texts('finess', [client.finess]),
    ...texts('certificate', client.certificates),
    ...texts('certificate-subject', [client.certificateSubject]),
    ...part('bound', client.isBound ? { valueBoolean: true } : undefined),
  ];
  return {
    resourceType: 'Basic',
    id: `${clientIdPrefix}${client.id}`,
    extension: [{ url: clientUrl, extension }],
    code: { coding: [{ system: noteSystem, code: 'client' }] },
  };
}

function valueOf(parts: readonly Extension[], url: string): Extension | undefined {
  return parts.find((part) => part.url === url);
}

function stringsOf(parts: readonly Extension[]): (url: string) => readonly string[] {
  return (url) => parts.flatMap((part) => (part.url === url && part.valueString ? [part.valueString] : []));
}

function readRights(parts: readonly Extension[], texts: string[]): readonly Right[] {
  const codes = parts.flatMap(({ url, valueCode }) => (url === 'right' && valueCode ? [valueCode] : []));
  const known = rights.filter((right) => codes.includes(right));
  if (known.length < new Set(codes).size) texts.push('a right of the client is not one that there is');
  return known;
}

/** Of a public key alone: whoever stores a private one has given it away. */
export function readKeys(texts: readonly string[], faults: string[]): readonly JWK[] {
  if (texts.length > clientLimits.keysMax) faults.push(`a client may have ${clientLimits.keysMax} keys`);
  return texts.slice(0, clientLimits.keysMax).flatMap((text) => {
    const key = text.length > clientLimits.keyLengthMax ? undefined : asKey(text);
    if (key === undefined) faults.push('a key of the client is not a public JWK of type EC, RSA or OKP');
    return key ?? [];
  });
}

const publicMembers: ReadonlyMap<string, readonly string[]> = new Map([
  ['EC', ['kty', 'crv', 'x', 'y']],
  ['RSA', ['kty', 'n', 'e']],
  ['OKP', ['kty', 'crv', 'x']],
]);
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth'];

function asKey(text: string): JWK | undefined {
  try {
    const key = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    const members = publicMembers.get(String(key?.['kty']));
    if (key === null || members === undefined || privateMembers.some((name) => name in key)) return undefined;
    return members.every((name) => typeof key[name] === 'string') ? key : undefined;
  } catch {
    return undefined;
  }
}

function readJwksUrl(text: string | undefined, faults: string[]): string | undefined {
  if (text === undefined) return undefined;
  if (URL.canParse(text) && new URL(text).protocol === 'https:') return text;
  faults.push('the jwks-url of a client is an https URL');
  return undefined;
}

/** Something must prove that it is the client, or somebody else must vouch for it. */
function proofFaults(client: Client): readonly string[] {
  const { keys, jwksUrl, issuer, certificates, certificateSubject } = client;
  const own = [keys.length > 0, jwksUrl !== undefined, certificates.length > 0, certificateSubject !== undefined];
  const isProved = issuer !== undefined || own.includes(true);
  return isProved || !client.isActive ? [] : ['a client needs a key, a jwks-url, a certificate or an issuer'];
}
