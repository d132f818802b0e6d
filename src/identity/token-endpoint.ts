/**
 * The token endpoint: SMART Backend Services (https://hl7.org/fhir/smart-app-launch/backend-services.html), OAuth 2.0
 * client_credentials with private_key_jwt (RFC 7523) or a certificate (RFC 8705 §2); and token introspection (RFC 7662) for those who
 * are clients themselves.
 *
 * Who an assertion claims to be is looked up first, and an unknown client is checked like one that is known, against keys that nobody
 * has: the answer and its time tell nobody who is a client.
 */
import { decodeJwt, exportJWK, generateKeyPair, type JWK, type JWTPayload } from 'jose';
import { formatScope, grantScopes, parseScopes } from '../access/index.ts';
import type { Ids } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import type { ShownCertificate } from './certificate.ts';
import type { Client } from './client.ts';
import type { ClientBook } from './client-book.ts';
import { useAssertion } from './clients.sql.ts';
import { localKeys, tokenLimits, verify } from './jose.ts';
import { type OwnTokens, tokenLifeSeconds } from './own-token.ts';

/** What an endpoint of OAuth answers: JSON, and no outcome of FHIR. */
export interface OAuthAnswer {
  readonly status: number;
  readonly body: object;
  /** Whose request it was, for the audit: only where that is proved. */
  readonly clientId?: string;
}

export interface TokenEndpoint {
  readonly url: string;
  token(form: URLSearchParams, certificate: ShownCertificate | undefined): Promise<OAuthAnswer>;
  introspect(form: URLSearchParams, certificate: ShownCertificate | undefined): Promise<OAuthAnswer>;
}

export interface TokenEndpointInput {
  readonly db: Database;
  readonly clients: ClientBook;
  readonly tokens: OwnTokens;
  readonly url: string;
  readonly algorithms: readonly string[];
  readonly ids: Ids;
  readonly now: () => number;
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** An assertion may end five minutes from now, by a clock that is half a minute ahead of ours. */
const assertionMaxSeconds = 330;
const scopeLengthMax = 20_000;

type OAuthError = 'invalid_request' | 'invalid_client' | 'invalid_scope' | 'unsupported_grant_type';

class Refusal extends Error {
  readonly code: OAuthError;

  constructor(code: OAuthError, description: string) {
    super(description);
    this.code = code;
  }
}

export async function createTokenEndpoint(input: TokenEndpointInput): Promise<TokenEndpoint> {
  const decoys = await makeDecoys(input.algorithms);
  const asked = { ...input, decoys };
  return {
    url: input.url,
    token: (form, certificate) =>
      answered(async () => grant(asked, form, await authenticate(asked, form, certificate), certificate)),
    introspect: (form, certificate) =>
      answered(async () => {
        const { id } = await authenticate(asked, form, certificate);
        return { status: 200, body: await inspect(asked, one(form, 'token') ?? ''), clientId: id };
      }),
  };
}

async function answered(work: () => Promise<OAuthAnswer>): Promise<OAuthAnswer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: 400, body: { error: error.code, error_description: error.message } };
  }
}

interface Asked extends TokenEndpointInput {
  readonly decoys: readonly JWK[];
}

/** Keys whose private halves were thrown away, one for each algorithm. */
function makeDecoys(algorithms: readonly string[]): Promise<readonly JWK[]> {
  return Promise.all(
    algorithms.map(async (alg) => exportJWK((await generateKeyPair(alg, { extractable: true })).publicKey)),
  );
}

/** A parameter that stands twice is refused (RFC 6749 §3.2). */
function one(form: URLSearchParams, name: string): string | undefined {
  const values = form.getAll(name);
  if (values.length > 1) throw new Refusal('invalid_request', `${name} stands more than once`);
  return values[0];
}

async function authenticate(
  asked: Asked,
  form: URLSearchParams,
  certificate: ShownCertificate | undefined,
): Promise<Client> {
  const type = one(form, 'client_assertion_type');
  const assertion = one(form, 'client_assertion');
  if (assertion === undefined) return authenticateByCertificate(asked, form, certificate);
  if (type !== assertionType) throw new Refusal('invalid_request', `expected client_assertion_type ${assertionType}`);
  const claimed = claimedClient(assertion);
  const client = await knownClient(asked, claimed);
  const claims = await verify(assertion, keysOf(asked, client), {
    algorithms: asked.algorithms,
    issuer: claimed,
    audience: [asked.url],
    nowMs: asked.now(),
    skewSeconds: tokenLimits.skewSeconds,
  });
  const used = usedOf(claims, asked.now());
  const isOf = used?.clientId === client?.id && (one(form, 'client_id') ?? claimed) === claimed;
  if (client === undefined || used === undefined || !isOf) throw invalidClient();
  if (!(await useAssertion(asked.db, { ...used, nowMs: asked.now() }))) throw invalidClient();
  return client;
}

interface Used {
  readonly clientId: string;
  readonly jti: string;
  readonly expiresAtMs: number;
}

/** For one audience, with an end soon and a name of its own; undefined: one of these is missing. */
function usedOf(claims: JWTPayload | undefined, nowMs: number): Used | undefined {
  const { sub, aud, jti, exp } = claims ?? {};
  if (sub === undefined || typeof aud !== 'string' || typeof jti !== 'string' || jti === '') return undefined;
  if (exp === undefined || exp > nowMs / 1000 + assertionMaxSeconds) return undefined;
  return { clientId: sub, jti, expiresAtMs: (exp + tokenLimits.skewSeconds) * 1000 };
}

/** Who it says that it is: nothing is believed of it yet. */
function claimedClient(assertion: string): string {
  try {
    const { iss } = assertion.length > tokenLimits.tokenMax ? {} : decodeJwt(assertion);
    return typeof iss === 'string' ? iss : '';
  } catch {
    return '';
  }
}

/** One that gets its tokens here; undefined for any other. */
async function knownClient({ clients }: Asked, id: string): Promise<Client | undefined> {
  const client = await clients.find(id);
  return client?.isActive === true && client.issuer === undefined ? client : undefined;
}

function keysOf({ clients, decoys }: Asked, client: Client | undefined) {
  if (client === undefined) return localKeys(decoys);
  return client.jwksUrl === undefined ? localKeys(client.keys) : clients.keysAt(client.jwksUrl);
}

/** RFC 8705 §2: the certificate was vouched for by the authorities of our settings, or is the very one that was registered. */
async function authenticateByCertificate(
  asked: Asked,
  form: URLSearchParams,
  certificate: ShownCertificate | undefined,
): Promise<Client> {
  const client = await knownClient(asked, one(form, 'client_id') ?? '');
  if (client === undefined || certificate === undefined) throw invalidClient();
  const { certificates, certificateSubject, finess } = client;
  const isIt = certificates.includes(certificate.thumbprint) || certificateSubject === certificate.subject;
  // A certificate says on whose behalf its holder acts: never on that of another organisation.
  const isOfAnother = finess !== undefined && certificate.finess !== undefined && certificate.finess !== finess;
  if (!isIt || isOfAnother) throw invalidClient();
  return client;
}

function invalidClient(): Refusal {
  return new Refusal('invalid_client', 'the client is not known by what it has shown');
}

async function grant(
  { tokens, ids, now }: Asked,
  form: URLSearchParams,
  client: Client,
  certificate: ShownCertificate | undefined,
): Promise<OAuthAnswer> {
  if (one(form, 'grant_type') !== 'client_credentials') {
    throw new Refusal('unsupported_grant_type', 'expected grant_type client_credentials');
  }
  const scope = scopeOf(form, client);
  // A certificate that was shown binds: whoever steals the token lacks its key.
  if (client.isBound && certificate === undefined) throw invalidClient();
  const token = await tokens.issue({
    ...{ clientId: client.id, scope, certificate: certificate?.thumbprint },
    tokenId: ids.next(now()),
    expiresAtMs: now() + tokenLifeSeconds * 1000,
  });
  const body = { access_token: token, token_type: 'Bearer', expires_in: tokenLifeSeconds, scope };
  return { status: 200, body, clientId: client.id };
}

/** Of what was asked for, what was allowed before; all of that where nothing was asked for. Never for a patient or a person. */
function scopeOf(form: URLSearchParams, client: Client): string {
  const text = one(form, 'scope') ?? '';
  if (text.length > scopeLengthMax) throw new Refusal('invalid_scope', 'the scope is too long');
  const allowed = client.scopes.filter(({ level }) => level === 'system');
  const asked = text.trim() === '' ? allowed : parseScopes(text).scopes;
  const scope = grantScopes(asked, allowed).map(formatScope).join(' ');
  if (scope === '') throw new Refusal('invalid_scope', 'none of the scopes is allowed to the client');
  return scope;
}

async function inspect({ tokens, clients }: Asked, token: string): Promise<object> {
  const found = await tokens.read(token);
  const client = found === undefined ? undefined : await clients.find(found.clientId);
  if (found === undefined || client?.isActive !== true) return { active: false };
  const { clientId, scope, certificate, tokenId, expiresAtMs } = found;
  return {
    ...{ active: true, scope, client_id: clientId, sub: clientId, token_type: 'Bearer', iss: tokens.issuer },
    ...{ exp: Math.floor(expiresAtMs / 1000), jti: tokenId },
    ...(certificate && { cnf: { 'x5t#S256': certificate } }),
  };
}
