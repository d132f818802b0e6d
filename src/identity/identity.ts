/** Authentication as the server uses it (SUTURE_AUTH=smart): who asks, where tokens are had, and what of it is told. */
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../access/index.ts';
import type { Ids } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import type { CertificateOf, ShownCertificate } from './certificate.ts';
import { createClientBook } from './client-book.ts';
import { createIdentify } from './identify.ts';
import { createForeignReader } from './issuer.ts';
import type { IssuerSetting } from './issuer-file.ts';
import { createOwnTokens } from './own-token.ts';
import { type OAuthUrls, smartConfiguration } from './smart-configuration.ts';
import { createTokenEndpoint, type OAuthAnswer } from './token-endpoint.ts';

export interface Identity {
  callerOf(request: IncomingMessage): Promise<Caller>;
  token(form: URLSearchParams, request: IncomingMessage): Promise<OAuthAnswer>;
  introspect(form: URLSearchParams, request: IncomingMessage): Promise<OAuthAnswer>;
  /** JSON text of `.well-known/smart-configuration`. */
  readonly configuration: string;
}

export interface IdentityInput {
  readonly db: Database;
  readonly ids: Ids;
  /** The FHIR base as clients see it. */
  readonly baseUrl: string;
  readonly urls: OAuthUrls;
  /** Key of our tokens; the same on all instances. */
  readonly secret: Uint8Array;
  readonly algorithms: readonly string[];
  readonly issuers: readonly IssuerSetting[];
  /** Certificates that clients have shown; without it none counts. */
  readonly certificateOf?: CertificateOf;
  /** The real time: tokens and assertions live by it, whatever clock the record has. */
  readonly now: () => number;
}

export async function createIdentity(input: IdentityInput): Promise<Identity> {
  const { db, ids, baseUrl, urls, secret, algorithms, issuers, now } = input;
  const certificateOf = input.certificateOf ?? (() => undefined);
  const clients = createClientBook(db, now);
  const tokens = createOwnTokens({ baseUrl, issuer: urls.issuer, secret, now });
  const foreign = createForeignReader(issuers, now);
  const endpoint = await createTokenEndpoint({ db, clients, tokens, url: urls.token, algorithms, ids, now });
  return {
    callerOf: createIdentify({ clients, tokens, foreign, certificateOf, now }),
    token: (form, request) => withCertificate(certificateOf, request, (shown) => endpoint.token(form, shown)),
    introspect: (form, request) => withCertificate(certificateOf, request, (shown) => endpoint.introspect(form, shown)),
    configuration: JSON.stringify(
      smartConfiguration(urls, { algorithms, takesCertificates: input.certificateOf !== undefined }),
    ),
  };
}

/** An endpoint of OAuth refuses in its own form (RFC 6749 §5.2). */
async function withCertificate(
  certificateOf: CertificateOf,
  request: IncomingMessage,
  answer: (shown: ShownCertificate | undefined) => Promise<OAuthAnswer>,
): Promise<OAuthAnswer> {
  let shown: ShownCertificate | undefined;
  try {
    shown = certificateOf(request);
  } catch {
    return { status: 401, body: { error: 'invalid_client', error_description: 'the certificate is not good' } };
  }
  return answer(shown);
}
