/**
 * From a request to its caller: the token in its Authorization header, checked, and the client that it was given to, looked up. Only
 * there is a credential sought (RFC 6750 §2.1): never in the URL, never in a cookie.
 */
import type { IncomingMessage } from 'node:http';
import { type Caller, grantScopes, nobody, parseScopes, type Scope, type Subject } from '../access/index.ts';
import { Problem } from '../base/index.ts';
import type { CertificateOf, ShownCertificate } from './certificate.ts';
import type { Client } from './client.ts';
import { type ClientBook, clientsRememberedMs } from './client-book.ts';
import type { ForeignToken, ReadForeign } from './issuer.ts';
import { createMemory } from './memory.ts';
import { boundTo, type Grant, type OwnTokens } from './own-token.ts';
import { recognise } from './professional.ts';

export interface IdentifyInput {
  readonly clients: ClientBook;
  readonly tokens: OwnTokens;
  readonly foreign: ReadForeign;
  readonly certificateOf: CertificateOf;
  readonly now: () => number;
}

const rememberedMax = 2000;

/** Throws `unauthenticated` for a credential that is not good, `forbidden` for a person who may not come in, `unavailable`. */
export function createIdentify(input: IdentifyInput): (request: IncomingMessage) => Promise<Caller> {
  const identifyOwn = createIdentifyOwn(input);
  return async (request) => {
    const token = bearerOf(request);
    if (token === undefined) return nobody;
    const certificate = input.certificateOf(request);
    const own = await identifyOwn(token, certificate);
    if (own !== undefined) return own;
    const foreign = await input.foreign(token);
    if (foreign === undefined) throw invalidToken();
    requireBinding(boundTo(foreign.claims), certificate);
    const client = await input.clients.find(foreign.clientId);
    if (client?.isActive !== true || client.issuer !== foreign.setting.issuer) throw invalidToken();
    return callerOfForeign(foreign, client, activityOf(request));
  };
}

interface OwnCaller {
  readonly grant: Grant;
  readonly caller: Caller;
}

/** The caller of one of our tokens is remembered for as long as its client is. */
function createIdentifyOwn({ clients, tokens, now }: IdentifyInput) {
  const remembered = createMemory<OwnCaller>({ now, entriesMax: rememberedMax });
  return async (token: string, certificate: ShownCertificate | undefined): Promise<Caller | undefined> => {
    const known = remembered.get(token) ?? (await look(token));
    if (known === undefined) return undefined;
    requireBinding(known.grant.certificate, certificate);
    return known.caller;
  };

  async function look(token: string): Promise<OwnCaller | undefined> {
    const grant = await tokens.read(token);
    if (grant === undefined) return undefined;
    const client = await clients.find(grant.clientId);
    if (client?.isActive !== true) throw invalidToken();
    const credential = { issuer: tokens.issuer, tokenId: grant.tokenId };
    const scopes = grantScopes(parseScopes(grant.scope).scopes, client.scopes);
    const found = { grant, caller: applicationCaller(client, scopes, credential) };
    remembered.keep(token, found, Math.min(grant.expiresAtMs, now() + clientsRememberedMs));
    return found;
  }
}

function applicationCaller(
  { id, finess, rights }: Client,
  scopes: readonly Scope[],
  credential: NonNullable<Caller['credential']>,
): Caller {
  return {
    kind: 'client',
    clientId: id,
    subject: { roles: ['application'], ...(finess && { finess }) },
    scopes: scopes.filter(({ level }) => level === 'system'),
    ...{ rights, credential },
  };
}

function callerOfForeign(token: ForeignToken, client: Client, activity: string | undefined): Caller {
  const { setting, claims } = token;
  const { jti } = claims;
  const credential = { issuer: setting.issuer, ...(typeof jti === 'string' && { tokenId: jti.slice(0, 200) }) };
  if (setting.kind === 'psc') return callerOfProfessional(token, client, { activity, credential });
  const { scope } = claims;
  const scopes = grantScopes(parseScopes(typeof scope === 'string' ? scope : '').scopes, client.scopes);
  const subject = subjectOf(token);
  if (subject === undefined) return applicationCaller(client, scopes, credential);
  const ofPeople = scopes.filter(({ level }) => level !== 'system');
  return { kind: 'user', clientId: client.id, subject, scopes: ofPeople, rights: client.rights, credential };
}

interface Came {
  readonly activity: string | undefined;
  readonly credential: NonNullable<Caller['credential']>;
}

/** Pro Santé Connect knows nothing of FHIR: the scopes are those of the client for people. */
function callerOfProfessional({ setting, claims }: ForeignToken, client: Client, came: Came): Caller {
  const found = recognise(claims, { activity: came.activity, assurance: setting.assurance });
  if (found.kind === 'refused') throw new Problem('forbidden', found.text);
  const { rpps, finess, role, name, assurance } = found.professional;
  return {
    kind: 'user',
    clientId: client.id,
    subject: { rpps, roles: [role], ...(finess && { finess }), ...(name && { name }) },
    scopes: client.scopes.filter(({ level }) => level === 'user'),
    rights: client.rights,
    credential: { ...came.credential, assurance },
  };
}

/** A person, by the claims of SMART and those that the setting names; undefined: the client itself. */
function subjectOf({ setting, claims }: ForeignToken): Subject | undefined {
  const read = (name: string, form: RegExp) => {
    const value = claims[name];
    return form.exec(typeof value === 'string' ? value : '') ?? [];
  };
  const [, type, id] = read('fhirUser', /(?:^|\/)(Patient|RelatedPerson|Practitioner)\/([A-Za-z0-9.-]{1,64})$/);
  const [rpps] = read(setting.claims.rpps, /^\d{11}$/);
  const [finess] = read(setting.claims.finess, /^[\dAB]{9}$/);
  const [launched] = read('patient', /^[A-Za-z0-9.-]{1,64}$/);
  const patient = type === 'Patient' ? id : launched;
  const ofPatient = patient === undefined ? {} : { patient: `Patient/${patient}` };
  if (type === 'Patient') return { roles: ['patient'], ...ofPatient };
  if (type === 'RelatedPerson') return { roles: ['representative'], ...ofPatient };
  if (rpps !== undefined) return { rpps, roles: ['professional'], ...(finess && { finess }), ...ofPatient };
  // Whom we cannot tell stands in no relation to anybody.
  return type === undefined ? undefined : { roles: [], ...ofPatient };
}

/** The scheme in any case; two headers, or anything else than one token, are no credential that is good. */
function bearerOf({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  const count = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'authorization').length;
  const token = /^bearer +([\w\-.~+/]+=*) *$/i.exec(authorization)?.[1];
  if (token === undefined || count > 1) throw invalidToken();
  return token;
}

/** The place of work from which a professional asks, where he has several. */
function activityOf({ headers }: IncomingMessage): string | undefined {
  const value = headers['x-activity'];
  return typeof value === 'string' && value.length <= 100 ? value : undefined;
}

function requireBinding(bound: string | undefined, certificate: ShownCertificate | undefined): void {
  if (bound !== undefined && bound !== certificate?.thumbprint) throw invalidToken();
}

function invalidToken(): Problem {
  return new Problem('unauthenticated', 'the credential is not good', {
    challenge: 'Bearer error="invalid_token"',
  });
}
