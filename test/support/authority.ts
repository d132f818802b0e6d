/** What the world outside has to prove who it is: keys, assertions, an issuer that answers as told. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Client } from '../../src/identity/index.ts';
import { parseScopes } from '../../src/access/index.ts';

export interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
  readonly alg: string;
}

export async function makeKeys(kid = 'k1', alg = 'ES384'): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicKey, alg, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export function client(id: string, changes: Partial<Client> & { readonly scope?: string } = {}): Client {
  const { scope = 'system/*.cruds', ...others } = changes;
  const scopeTexts = scope.split(' ');
  return {
    ...{ id, name: `client ${id}`, isActive: true, scopeTexts, scopes: parseScopes(scope).scopes, rights: [] },
    ...{ keys: [], jwksUrl: undefined, issuer: undefined, finess: undefined, certificates: [] },
    ...{ certificateSubject: undefined, isBound: false },
    ...others,
  };
}

let used = 0;

/** A JWT that is good, but for what the changes say. Times in seconds from now. */
export async function sign(
  keys: Pick<KeyPair, 'privateKey' | 'alg'> & { readonly jwk?: JWK },
  claims: Readonly<Record<string, unknown>>,
  { header = {}, expires = 120 }: { readonly header?: object; readonly expires?: number } = {},
): Promise<string> {
  const now = Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000);
  const payload = { iat: now, exp: now + expires, jti: `jti-${++used}-${now}`, ...claims };
  const kid = keys.jwk?.kid;
  return new SignJWT(payload)
    .setProtectedHeader({ alg: keys.alg, typ: 'JWT', ...(kid && { kid }), ...header })
    .sign(keys.privateKey);
}

export interface FakeIssuer {
  readonly url: string;
  /** How often each path was asked for. */
  readonly asked: Record<string, number>;
  /** By path; a function decides by the request. */
  readonly answers: Record<string, (request: IncomingMessage, body: string) => { status?: number; body: unknown }>;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<FakeIssuer> {
  const asked: FakeIssuer['asked'] = {};
  const answers: FakeIssuer['answers'] = {};
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    asked[path] = (asked[path] ?? 0) + 1;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status = 200, body } = answers[path]?.(request, Buffer.concat(chunks).toString()) ?? {
        status: 404,
        body: {},
      };
      response.statusCode = status;
      if (status >= 300 && status < 400) response.setHeader('location', String(body));
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, asked, answers },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
