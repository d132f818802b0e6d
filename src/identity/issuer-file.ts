/**
 * The issuers whose tokens are taken besides our own (SUTURE_ISSUERS), as JSON: a list of
 *
 *     { "issuer": "https://sso.chu.example/realms/soins",    as `iss` says it, to the letter
 *       "kind": "smart",                                      or `psc`: Pro Santé Connect
 *       "audience": ["https://suture.chu.example/fhir"],      one of these stands in `aud`
 *       "algorithms": ["RS256"],                              that alone count, whatever a token says
 *       "jwksUrl": "https://...",                             or, to ask the issuer about each token:
 *       "introspection": { "url": "https://...", "clientId": "suture", "clientSecret": "..." },
 *       "userinfoUrl": "https://...",                         psc: where the professional's situation is, if not in the answer
 *       "assurance": ["APPPRIP3"],                            psc: values of Palier_Authentification that suffice
 *       "claims": { "rpps": "rpps", "finess": "finess" } }    smart: what the issuer calls the numbers of a professional
 */
import { Problem, signatureAlgorithms } from '../base/index.ts';
import { parseJson } from '../fhir/index.ts';

export interface IssuerSetting {
  readonly issuer: string;
  readonly kind: 'smart' | 'psc';
  /** Empty: not asked for, which only an introspection may do without. */
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly jwksUrl: string | undefined;
  readonly introspection: Introspection | undefined;
  readonly userinfoUrl: string | undefined;
  readonly assurance: readonly string[];
  readonly claims: { readonly rpps: string; readonly finess: string };
}

export interface Introspection {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const issuersMax = 20;

/** Throws with every fault, which stops the start. */
export function readIssuers(content: Uint8Array): readonly IssuerSetting[] {
  const faults: string[] = [];
  let list: unknown;
  try {
    list = parseJson(content);
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list) || list.length > issuersMax) {
    throw wrong([`SUTURE_ISSUERS is no file of JSON with a list of at most ${issuersMax} issuers`]);
  }
  const issuers = list.map((one: unknown, place) => readIssuer(one, (text) => faults.push(`issuer ${place}: ${text}`)));
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length) faults.push('an issuer stands twice');
  if (faults.length > 0) throw wrong(faults);
  return issuers;
}

function wrong(faults: readonly string[]): Problem {
  const issues = faults.map((text) => ({ severity: 'error' as const, code: 'invalid', text }));
  return new Problem('incorrect', `the issuers are wrong: ${faults.join('; ')}`, { issues });
}

const members = new Set([
  'issuer',
  'kind',
  'audience',
  'algorithms',
  'jwksUrl',
  'introspection',
  'userinfoUrl',
  'assurance',
  'claims',
]);

type Fault = (text: string) => void;

function readIssuer(value: unknown, fault: Fault): IssuerSetting {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).filter((name) => !members.has(name));
  if (unknown.length > 0) fault(`${unknown.join(', ')} is not known here`);
  const claims = (given['claims'] ?? {}) as Readonly<Record<string, unknown>>;
  const setting: IssuerSetting = {
    issuer: textOf(given['issuer']) ?? '',
    kind: given['kind'] === 'psc' ? 'psc' : 'smart',
    audience: textsOf(given['audience']),
    algorithms: textsOf(given['algorithms']),
    jwksUrl: textOf(given['jwksUrl']),
    introspection: readIntrospection(given['introspection'], fault),
    userinfoUrl: textOf(given['userinfoUrl']),
    assurance: textsOf(given['assurance']),
    claims: { rpps: textOf(claims['rpps']) ?? 'rpps', finess: textOf(claims['finess']) ?? 'finess' },
  };
  if (given['kind'] !== 'psc' && given['kind'] !== 'smart') fault('kind is smart or psc');
  checkIssuer(setting, fault);
  return setting;
}

function checkIssuer(setting: IssuerSetting, fault: Fault): void {
  const { issuer, kind, audience, algorithms, jwksUrl, introspection, userinfoUrl, assurance } = setting;
  if (!isReachable(issuer)) fault('issuer is a URL of https, or of this machine itself');
  if ((jwksUrl === undefined) === (introspection === undefined)) fault('give either jwksUrl or introspection');
  const urls = [jwksUrl, introspection?.url, userinfoUrl].filter((url) => url !== undefined);
  if (!urls.every(isReachable)) fault('each URL is of https, or of this machine itself');
  if (jwksUrl !== undefined && (audience.length === 0 || algorithms.length === 0)) {
    fault('tokens that are checked by keys need audience and algorithms');
  }
  const isPinned = algorithms.every((one) => signatureAlgorithms.includes(one));
  if (!isPinned) fault(`algorithms are of ${signatureAlgorithms.join(', ')}`);
  if (kind === 'psc' && assurance.length === 0) fault('psc needs assurance: the values of Palier_Authentification');
}

function readIntrospection(value: unknown, fault: Fault): Introspection | undefined {
  if (value === undefined) return undefined;
  const { url, clientId, clientSecret } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const found = { url: textOf(url), clientId: textOf(clientId), clientSecret: textOf(clientSecret) };
  if (found.url !== undefined && found.clientId !== undefined && found.clientSecret !== undefined) {
    return found as Introspection;
  }
  fault('introspection has url, clientId and clientSecret');
  return undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

const ownHosts: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

function isReachable(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && ownHosts.has(hostname));
}
