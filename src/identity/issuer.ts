/**
 * Tokens of others: checked by the keys of their issuer, or by asking it. What an issuer says counts only for the client that is
 * registered here as one of its own, and never beyond what that client is allowed. When an issuer cannot be asked, nobody comes in.
 */
import { hash } from 'node:crypto';
import { decodeJwt, type JWTPayload } from 'jose';
import { Problem } from '../base/index.ts';
import { parseJson } from '../fhir/index.ts';
import { fetchBounded } from './fetch.ts';
import type { Introspection, IssuerSetting } from './issuer-file.ts';
import { remoteKeys, tokenLimits, verify } from './jose.ts';
import { createMemory } from './memory.ts';

/** A token that its issuer vouches for. */
export interface ForeignToken {
  readonly setting: IssuerSetting;
  readonly claims: Readonly<Record<string, unknown>>;
  /** `client_id`, or `azp`: to whom the issuer gave it. */
  readonly clientId: string;
  readonly expiresAtMs: number;
}

export type ReadForeign = (token: string) => Promise<ForeignToken | undefined>;

/** How long an answer about a token counts; never beyond the token itself. */
export const introspectedMs = 30_000;
const rememberedMax = 2000;

type ReadClaims = (token: string) => Promise<Readonly<Record<string, unknown>> | undefined>;

/** Throws `unavailable` when an issuer cannot be asked; undefined: none of them vouches for the token. */
export function createForeignReader(settings: readonly IssuerSetting[], now: () => number): ReadForeign {
  const remembered = createMemory<ForeignToken>({ now, entriesMax: rememberedMax });
  const readers = settings.map((setting) => ({ setting, read: readerOf(setting, now) }));
  return async (token) => {
    if (token.length > tokenLimits.tokenMax) return undefined;
    const key = hash('sha256', token);
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const issuer = issuerOf(token);
    // One that says nothing of its issuer is asked of those who can be asked.
    const asked = readers.filter(({ setting }) =>
      issuer === undefined ? setting.introspection !== undefined : setting.issuer === issuer,
    );
    for (const { setting, read } of asked) {
      const found = vouched(setting, await read(token), now());
      if (found === undefined) continue;
      remembered.keep(key, found, Math.min(found.expiresAtMs, now() + introspectedMs));
      return found;
    }
    return undefined;
  };
}

function issuerOf(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

function readerOf(setting: IssuerSetting, now: () => number): ReadClaims {
  const { issuer, audience, algorithms, jwksUrl, introspection } = setting;
  if (introspection !== undefined) return introspecting(setting, introspection);
  const keys = remoteKeys(jwksUrl ?? '', now);
  return (token) =>
    verify(token, keys, { issuer, audience, algorithms, nowMs: now(), skewSeconds: tokenLimits.skewSeconds });
}

function vouched(
  setting: IssuerSetting,
  claims: Readonly<Record<string, unknown>> | undefined,
  nowMs: number,
): ForeignToken | undefined {
  if (claims === undefined) return undefined;
  const { client_id, azp, exp, nbf } = claims as JWTPayload;
  const clientId = client_id ?? azp;
  // Both are there in the tokens of some issuers, and then they name the same client.
  if (typeof clientId !== 'string' || (azp !== undefined && azp !== clientId)) return undefined;
  if (typeof exp !== 'number' || (nbf !== undefined && nbf * 1000 > nowMs + tokenLimits.skewSeconds * 1000))
    return undefined;
  const expiresAtMs = (exp + tokenLimits.skewSeconds) * 1000;
  return expiresAtMs > nowMs ? { setting, claims, clientId, expiresAtMs } : undefined;
}

/** RFC 7662: `active` is the value true, and nothing like it. */
function introspecting(setting: IssuerSetting, introspection: Introspection): ReadClaims {
  return async (token) => {
    const claims = await introspect(introspection, token);
    const { active, iss, aud } = claims;
    if (active !== true || (iss !== undefined && iss !== setting.issuer)) return undefined;
    const audience = [aud ?? []].flat();
    const isForUs = setting.audience.length === 0 || setting.audience.some((one) => audience.includes(one));
    if (!isForUs) return undefined;
    const isComplete = setting.userinfoUrl === undefined || claims['SubjectRefPro'] !== undefined;
    return isComplete ? claims : { ...(await userinfo(setting.userinfoUrl ?? '', token, claims['sub'])), ...claims };
  };
}

/** The identity of the client goes in the header; a character that is no letter is written as a form does (RFC 6749 §2.3.1). */
async function introspect(
  { url, clientId, clientSecret }: Introspection,
  token: string,
): Promise<Readonly<Record<string, unknown>>> {
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64');
  return askIssuer(url, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, accept: 'application/json' },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
  });
}

/** OpenID Connect Core §5.3.2: of the same subject, or it is not used. */
async function userinfo(url: string, token: string, sub: unknown): Promise<Readonly<Record<string, unknown>>> {
  const found = await askIssuer(url, { headers: { authorization: `Bearer ${token}`, accept: 'application/json' } });
  return sub === undefined || found['sub'] === sub ? found : {};
}

async function askIssuer(url: string, init: RequestInit): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { status, text } = await fetchBounded(url, init);
    const found = status === 200 ? parseJson(text) : undefined;
    if (typeof found === 'object' && found !== null) return found as Readonly<Record<string, unknown>>;
    throw new Error(`an issuer answered ${status}`);
  } catch (cause) {
    throw new Problem('unavailable', 'the issuer of the token cannot be asked now', { cause });
  }
}
