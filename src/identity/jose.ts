/**
 * What every token and assertion is held against before its signature is (rows A1 to A6): the algorithm is that of the setting and
 * never that of the header; nothing in a header leads anywhere; a member that stands twice is refused.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  errors,
  type JWK,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from 'jose';
import { Problem } from '../base/index.ts';
import { parseJson } from '../fhir/index.ts';
import { fetchBounded } from './fetch.ts';

export const tokenLimits = {
  /** Characters. */
  tokenMax: 12_000,
  headerMax: 2000,
  keyIdMax: 200,
  /** How far another's clock may be from ours, in seconds. */
  skewSeconds: 60,
  /** After keys were fetched, before an unknown one may make them be fetched again. */
  keysCooldownMs: 60_000,
  /** How long fetched keys count. */
  keysMaxAgeMs: 600_000,
  /** After keys could not be fetched, before it is tried again. */
  keysRetryMs: 5000,
} as const;

const leadsElsewhere = ['crit', 'zip', 'jwk', 'jku', 'x5u', 'b64', 'enc'];

/** Undefined: the header is none that we take. */
function headerOf(token: string, algorithms: readonly string[]): { readonly alg: string } | undefined {
  if (token.length > tokenLimits.tokenMax || token.indexOf('.') > tokenLimits.headerMax) return undefined;
  try {
    const header = decodeProtectedHeader(token) as Readonly<Record<string, unknown>>;
    const { alg, kid } = header;
    const isPlain = !leadsElsewhere.some((name) => name in header);
    const isNamed = kid === undefined || (typeof kid === 'string' && kid.length <= tokenLimits.keyIdMax);
    return isPlain && isNamed && typeof alg === 'string' && algorithms.includes(alg) ? { alg } : undefined;
  } catch {
    return undefined;
  }
}

export interface Expected {
  readonly algorithms: readonly string[];
  readonly issuer: string;
  /** One of these is in `aud`. */
  readonly audience: readonly string[];
  readonly nowMs: number;
  readonly skewSeconds: number;
}

/** The claims of a token that is good; undefined for any other. Throws `unavailable` when the keys cannot be had now. */
export async function verify(
  token: string,
  keys: JWTVerifyGetKey | Uint8Array,
  expected: Expected,
): Promise<JWTPayload | undefined> {
  const { algorithms, issuer, audience, nowMs, skewSeconds } = expected;
  if (headerOf(token, algorithms) === undefined) return undefined;
  try {
    const options = {
      algorithms: [...algorithms],
      issuer,
      audience: [...audience],
      currentDate: new Date(nowMs),
      clockTolerance: skewSeconds,
      requiredClaims: ['exp'],
    };
    const verified = await (keys instanceof Uint8Array
      ? jwtVerify(token, keys, options)
      : jwtVerify(token, keys, options));
    const { payload } = verified;
    const isFromTheFuture = typeof payload.iat === 'number' && payload.iat > nowMs / 1000 + tokenLimits.skewSeconds;
    return isFromTheFuture || saysTwice(token) ? undefined : payload;
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) throw keysUnavailable(error);
    return undefined;
  }
}

/** jose keeps the last of two members of one name; others may keep the first. */
function saysTwice(token: string): boolean {
  try {
    for (const part of token.split('.').slice(0, 2)) parseJson(Buffer.from(part, 'base64url'));
    return false;
  } catch {
    return true;
  }
}

function keysUnavailable(cause: unknown): Problem {
  return new Problem('unavailable', 'the keys that tokens are checked with cannot be had now', { cause });
}

export function localKeys(keys: readonly JWK[]): JWTVerifyGetKey {
  return createLocalJWKSet({ keys: [...keys] });
}

/**
 * Keys at a configured URL: kept for ten minutes, fetched again for an unknown one once a minute at most, and not counted on beyond
 * their age when they cannot be fetched.
 */
export function remoteKeys(url: string, elapsedMs: () => number): JWTVerifyGetKey {
  let failedAtMs = Number.NEGATIVE_INFINITY;
  const fetchKeys = async (from: string, options: { readonly signal: AbortSignal }): Promise<Response> => {
    if (elapsedMs() - failedAtMs < tokenLimits.keysRetryMs) throw keysUnavailable(undefined);
    try {
      const { status, text } = await fetchBounded(from, { signal: options.signal });
      if (status !== 200) throw new Error(`the keys were answered ${status}`);
      return new Response(text, { status });
    } catch (error) {
      failedAtMs = elapsedMs();
      throw keysUnavailable(error);
    }
  };
  return createRemoteJWKSet(new URL(url), {
    cooldownDuration: tokenLimits.keysCooldownMs,
    cacheMaxAge: tokenLimits.keysMaxAgeMs,
    [customFetch]: fetchKeys,
  });
}
