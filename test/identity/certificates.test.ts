/**
 * Certificates of clients (src/identity/certificate.ts): in TLS of our own and by way of a proxy, tokens that are bound to them (RFC 8705);
 * rows A15 to A17 of the hostile inputs. The certificates are made by tls/make.sh.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCertificateOf } from '../../src/identity/index.ts';
import { describe as told } from '../../src/identity/certificate.ts';
import { clientResource } from '../../src/identity/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { client, type KeyPair, makeKeys, sign } from '../support/authority.ts';

const folder = join(import.meta.dirname, 'tls');
const file = (name: string) => join(folder, name);
const pem = (name: string) => readFileSync(file(name), 'utf8');
const certificate = (name: string) => new X509Certificate(pem(`${name}.pem`));
type Name = 'hospital' | 'other' | 'expired' | 'revoked' | 'server' | 'foreign';
const subject = 'CN=dossier.hopital.example,OU=1750712184,O=HOPITAL FICTIF,ST=Paris (75),C=FR';

interface Told {
  readonly status: number;
  readonly json: {
    readonly access_token?: string;
    readonly error?: string;
    readonly active?: boolean;
    readonly cnf?: object;
  };
  readonly headers: Readonly<Record<string, unknown>>;
}

interface Ask {
  readonly as?: Name;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly form?: Readonly<Record<string, string>>;
}

let open: TestApp;
let app: TestApp | undefined;
let keys: KeyPair;

beforeAll(async () => {
  keys = await makeKeys();
  open = await startTestApp();
  const rights = ['patient-all'] as const;
  await open.client.putAll(
    clientResource(client('by-subject', { certificateSubject: subject, rights, finess: '750712184', isBound: true })),
    clientResource(client('by-print', { certificates: [told(certificate('other')).thumbprint], rights })),
    clientResource(client('of-another', { certificateSubject: subject, rights, finess: '690000001' })),
    clientResource(client('by-key', { keys: [keys.jwk], rights, isBound: true })),
    { resourceType: 'Patient', id: 'p', name: [{ family: 'Martin' }] },
  );
});

afterAll(async () => {
  await open?.close();
});

const authorities = { SUTURE_AUTH: 'smart', SUTURE_CLIENT_CA: file('authorities.pem') };
const native = {
  ...authorities,
  SUTURE_TLS_CERTIFICATE: file('server.pem'),
  SUTURE_TLS_KEY: file('server.key'),
  SUTURE_CLIENT_CRL: file('revoked-list.pem'),
};

async function start(settings: Readonly<Record<string, string>>): Promise<void> {
  app = await open.restart(settings);
}

/** One connection for each request: nothing of a former handshake is used. */
function ask(path: string, { as, headers = {}, form }: Ask = {}): Promise<Told> {
  const root = (app?.app.baseUrl ?? '').replace('/fhir', '');
  const url = new URL(path, root);
  const shown = as === undefined ? {} : { cert: pem(`${as}.pem`), key: pem(`${as}.key`) };
  const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  const options = {
    method: form === undefined ? 'GET' : 'POST',
    agent: false as const,
    headers: { ...type, ...headers },
  };
  return new Promise((resolve, reject) => {
    const sent =
      url.protocol === 'https:'
        ? secureRequest(url, { ...options, ...shown, ca: pem('authorities.pem') } as never)
        : plainRequest(url, options as never);
    sent.on('error', reject);
    sent.on('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, json: JSON.parse(text) as Told['json'] });
      });
    });
    sent.end(form === undefined ? undefined : new URLSearchParams(form).toString());
  });
}

const grant = (id: string) => ({ grant_type: 'client_credentials', client_id: id });

async function byKey(): Promise<Readonly<Record<string, string>>> {
  const tokenUrl = `${(app?.app.baseUrl ?? '').replace('/fhir', '')}/auth/token`;
  return {
    ...grant('by-key'),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await sign(keys, { iss: 'by-key', sub: 'by-key', aud: tokenUrl }),
  };
}

const bearer = ({ json }: Told) => ({ authorization: `Bearer ${json.access_token ?? ''}` });

describe('in TLS of our own', () => {
  beforeAll(() => start(native));
  afterAll(() => app?.app.stop());

  it('a client is known by its certificate of the chain, and its token counts with that certificate alone (A15)', async () => {
    expect(app?.app.baseUrl).toMatch(/^https:/);
    const granted = await ask('/auth/token', { as: 'hospital', form: grant('by-subject') });
    expect(granted.status).toBe(200);
    const headers = bearer(granted);
    const statuses = async (as: Name | undefined) =>
      (await ask('/fhir/Patient/p', { ...(as && { as }), headers })).status;
    expect([await statuses('hospital'), await statuses('other'), await statuses(undefined)]).toEqual([200, 401, 401]);
    const introspected = await ask('/auth/introspect', {
      as: 'hospital',
      form: { ...grant('by-subject'), token: granted.json.access_token ?? '' },
    });
    expect(introspected.json).toMatchObject({
      active: true,
      cnf: { 'x5t#S256': told(certificate('hospital')).thumbprint },
    });
    const configuration = await ask('/.well-known/smart-configuration');
    expect(configuration.json).toMatchObject({
      token_endpoint_auth_methods_supported: ['private_key_jwt', 'tls_client_auth'],
      tls_client_certificate_bound_access_tokens: true,
    });
    expect(configuration.headers['strict-transport-security']).toBe('max-age=31536000');
  });

  it('a bound client is given no token without a certificate, by its key neither (A15)', async () => {
    expect(await ask('/auth/token', { form: await byKey() })).toMatchObject({
      status: 400,
      json: { error: 'invalid_client' },
    });
    const granted = await ask('/auth/token', { as: 'other', form: await byKey() });
    expect((await ask('/fhir/Patient/p', { as: 'other', headers: bearer(granted) })).status).toBe(200);
    expect((await ask('/fhir/Patient/p', { as: 'hospital', headers: bearer(granted) })).status).toBe(401);
  });

  it('A17: a certificate that is expired, revoked, of another authority or for servers alone is not taken, whatever it says', async () => {
    const granted = await ask('/auth/token', { as: 'other', form: grant('by-print') });
    expect(granted.status).toBe(200);
    for (const as of ['expired', 'revoked', 'foreign', 'server'] as const) {
      const refused = await ask('/auth/token', { as, form: grant('by-subject') });
      expect([as, refused.status, refused.json.error]).toEqual([as, 401, 'invalid_client']);
      expect([as, (await ask('/fhir/Patient/p', { as, headers: bearer(granted) })).status]).toEqual([as, 401]);
    }
  });

  it('A17: a certificate of another organisation is not that of the client', async () => {
    for (const [as, id] of [
      ['other', 'by-subject'],
      ['hospital', 'of-another'],
      ['hospital', 'by-print'],
      ['hospital', 'unknown'],
      ['hospital', 'by-key'],
    ] as const) {
      expect([as, id, (await ask('/auth/token', { as, form: grant(id) })).json.error]).toEqual([
        as,
        id,
        'invalid_client',
      ]);
    }
    expect((await ask('/auth/token', { form: grant('by-subject') })).json.error).toBe('invalid_client');
    // No proxy is trusted: a header is nothing.
    const headers = { 'client-cert': escaped('hospital') };
    expect((await ask('/auth/token', { headers, form: grant('by-subject') })).json.error).toBe('invalid_client');
  });
});

const escaped = (name: Name) => encodeURIComponent(pem(`${name}.pem`).replace(/(?<=END CERTIFICATE-----\n)[^]*/, ''));
const forms = (name: Name): readonly string[] => {
  const der = certificate(name).raw.toString('base64');
  return [escaped(name), `:${der}:`, der];
};

describe('by way of a proxy', () => {
  const trusted = { ...authorities, SUTURE_PROXIES: '127.0.0.0/8,::1' };
  beforeAll(() => start(trusted));
  afterAll(() => app?.app.stop());

  it('a certificate is handed on in its header, in the three forms that proxies have', async () => {
    for (const form of forms('hospital')) {
      const headers = { 'client-cert': form };
      const granted = await ask('/auth/token', { headers, form: grant('by-subject') });
      expect(granted.status).toBe(200);
      expect((await ask('/fhir/Patient/p', { headers: { ...headers, ...bearer(granted) } })).status).toBe(200);
      expect((await ask('/fhir/Patient/p', { headers: bearer(granted) })).status).toBe(401);
    }
  });

  it('A16: a header of whoever is no such proxy is ignored, and so is one of another name', async () => {
    await app?.app.stop();
    await start({ ...authorities, SUTURE_PROXIES: '10.1.0.4,192.0.2.0/24,2001:db8::/32' });
    for (const form of forms('hospital')) {
      for (const name of ['client-cert', 'x-ssl-client-cert', 'x-forwarded-client-cert', 'x-forwarded-for']) {
        const headers = { [name]: form };
        expect((await ask('/auth/token', { headers, form: grant('by-subject') })).json.error).toBe('invalid_client');
      }
    }
    await app?.app.stop();
    await start(trusted);
    const headers = { 'x-ssl-client-cert': escaped('hospital') };
    expect((await ask('/auth/token', { headers, form: grant('by-subject') })).json.error).toBe('invalid_client');
  });

  it('A17: what it hands on is held against authority, time and purpose once more, and is one certificate', async () => {
    for (const name of ['expired', 'foreign', 'server'] as const) {
      const refused = await ask('/auth/token', {
        headers: { 'client-cert': escaped(name) },
        form: grant('by-subject'),
      });
      expect([name, refused.status]).toEqual([name, 401]);
    }
    for (const value of ['nonsense', '-----BEGIN%20CERTIFICATE-----%', ':', 'A'.repeat(15_000)]) {
      const refused = await ask('/auth/token', { headers: { 'client-cert': value }, form: grant('by-subject') });
      expect(refused.status).toBe(401);
    }
    const twice = { 'client-cert': [escaped('other'), escaped('hospital')] };
    expect((await ask('/auth/token', { headers: twice, form: grant('by-subject') })).status).toBe(401);
  });
});

describe('a certificate', () => {
  it('says its name as RFC 4514 writes it, and whose it is', () => {
    expect(told(certificate('hospital'))).toMatchObject({ subject, finess: '750712184' });
    expect(told(certificate('server')).finess).toBeUndefined();
    expect(told(certificate('hospital')).thumbprint).toMatch(/^[\w-]{43}$/);
  });

  it('needs an authority that vouches for it', () => {
    expect(() => createCertificateOf({ authorities: 'none', proxies: undefined, now: () => 0 })).toThrow(
      /no certificate/,
    );
  });
});
