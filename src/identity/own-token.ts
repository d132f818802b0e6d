/**
 * Tokens of this server: JWTs that only it reads, sealed with a key that its instances share (server_secret). Five minutes, as SMART
 * Backend Services asks; what a client may is not in them but looked up, so that taking it away counts at once.
 */
import { SignJWT } from 'jose';
import { verify } from './jose.ts';

export interface OwnTokens {
  readonly issuer: string;
  issue(grant: Grant): Promise<string>;
  /** undefined: not ours, or no longer good. */
  read(token: string): Promise<Grant | undefined>;
}

export interface Grant {
  readonly clientId: string;
  readonly scope: string;
  /** x5t#S256 of the certificate that it counts with alone. */
  readonly certificate: string | undefined;
  readonly tokenId: string;
  readonly expiresAtMs: number;
}

export const tokenLifeSeconds = 300;
const algorithm = 'HS256';

export interface OwnTokensInput {
  /** The FHIR base: whom the tokens are for. */
  readonly baseUrl: string;
  readonly issuer: string;
  readonly secret: Uint8Array;
  readonly now: () => number;
}

export function createOwnTokens({ baseUrl, issuer, secret, now }: OwnTokensInput): OwnTokens {
  return {
    issuer,
    issue({ clientId, scope, certificate, tokenId, expiresAtMs }) {
      const claims = { client_id: clientId, scope, ...(certificate && { cnf: { 'x5t#S256': certificate } }) };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setSubject(clientId)
        .setAudience(baseUrl)
        .setJti(tokenId)
        .setIssuedAt(new Date(now()))
        .setExpirationTime(new Date(expiresAtMs))
        .sign(secret);
    },
    async read(token) {
      const claims = await verify(token, secret, {
        algorithms: [algorithm],
        issuer,
        audience: [baseUrl],
        nowMs: now(),
        skewSeconds: 0,
      });
      const { client_id: clientId, scope, jti, exp } = claims ?? {};
      if (typeof clientId !== 'string' || typeof scope !== 'string' || exp === undefined || jti === undefined)
        return undefined;
      const certificate = boundTo(claims);
      return { clientId, scope, certificate, tokenId: jti, expiresAtMs: exp * 1000 };
    },
  };
}

/** https://www.rfc-editor.org/rfc/rfc8705#section-3.1; a confirmation of another kind is one that nothing meets. */
export function boundTo(claims: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const confirmation = claims?.['cnf'] as Readonly<Record<string, unknown>> | undefined;
  if (confirmation === undefined) return undefined;
  const thumbprint = confirmation['x5t#S256'];
  return typeof thumbprint === 'string' ? thumbprint : 'of another kind';
}
