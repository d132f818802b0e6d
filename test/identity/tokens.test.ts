/** Tokens of this server, as SMART Backend Services has them (https://hl7.org/fhir/smart-app-launch/backend-services.html); rows A1 to A13 of the hostile inputs. */
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportSPKI, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { clientResource } from '../../src/identity/index.ts';
import type { App } from '../../src/app/index.ts';
import { httpLimits } from '../../src/base/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { client, type KeyPair, makeKeys, sign } from '../support/authority.ts';
import { createClient, type Reply } from '../support/client.ts';

let app: TestApp;
let keys: KeyPair;
let strangers: KeyPair;
let root: string;
let tokenUrl: string;

beforeAll(async () => {
  keys = await makeKeys();
  strangers = await makeKeys();
  const open = await startTestApp();
  const own = { keys: [keys.jwk] };
  await open.client.putAll(
    clientResource(client('his', { ...own, rights: ['patient-all', 'id-choose'] })),
    clientResource(client('reader', { ...own, scope: 'system/Observation.rs?code=8867-4 system/Patient.read' })),
    clientResource(client('admin', { ...own, rights: ['client-manage', 'id-choose', 'patient-all'] })),
    clientResource(client('gone', { ...own, isActive: false })),
    { resourceType: 'Patient', id: 'p', name: [{ family: 'Martin' }] },
  );
  app = await open.restart({ SUTURE_AUTH: 'smart' });
  root = app.client.baseUrl.replace('/fhir', '');
  tokenUrl = `${root}/auth/token`;
});

afterAll(() => app.close());

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

function ask(form: Readonly<Record<string, string>>, type = 'application/x-www-form-urlencoded'): Promise<Reply> {
  return app.client.send('POST', '/auth/token', { body: new URLSearchParams(form).toString(), type });
}

function formOf(assertion: string, scope = 'system/*.cruds'): Record<string, string> {
  return {
    grant_type: 'client_credentials',
    client_assertion_type: assertionType,
    client_assertion: assertion,
    ...(scope && { scope }),
  };
}

const claimsOf = (id: string) => ({ iss: id, sub: id, aud: tokenUrl });

async function tokenOf(id: string, scope?: string): Promise<string> {
  const reply = await ask(formOf(await sign(keys, claimsOf(id)), scope));
  if (reply.status !== 200) throw new Error(`no token: ${reply.text}`);
  return reply.json.access_token as string;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('discovery', () => {
  it('tells in both places where tokens are had, whatever is accepted, and in the metadata', async () => {
    for (const path of ['/fhir/.well-known/smart-configuration', '/.well-known/smart-configuration']) {
      const reply = await app.client.get(path, { accept: 'text/html' });
      expect(reply.status).toBe(200);
      expect(reply.headers.get('content-type')).toContain('application/json');
      expect(reply.json).toMatchObject({
        token_endpoint: tokenUrl,
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['private_key_jwt'],
        token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
        code_challenge_methods_supported: ['S256'],
        capabilities: expect.arrayContaining(['client-confidential-asymmetric', 'permission-v1', 'permission-v2']),
      });
    }
    const { json } = await app.client.get('metadata');
    expect(json.rest[0].security.service[0].coding[0].code).toBe('SMART-on-FHIR');
    expect(json.rest[0].security.extension[0].extension).toContainEqual({ url: 'token', valueUri: tokenUrl });
  });
});

describe('a client of a standard library (oauth4webapi)', () => {
  it('finds the token endpoint, is given a token by private_key_jwt, and reads with it', async () => {
    const options = { [oauth.allowInsecureRequests]: true } as const;
    const configuration = (await app.client.get('.well-known/smart-configuration')).json as oauth.AuthorizationServer;
    const response = await oauth.clientCredentialsGrantRequest(
      configuration,
      { client_id: 'his' },
      oauth.PrivateKeyJwt(
        { key: keys.privateKey, kid: 'k1' },
        {
          [oauth.modifyAssertion]: (_header, payload) => void (payload['aud'] = configuration.token_endpoint as string),
        },
      ),
      new URLSearchParams({ scope: 'system/Patient.rs' }),
      options,
    );
    const granted = await oauth.processClientCredentialsResponse(configuration, { client_id: 'his' }, response);
    expect(granted).toMatchObject({ token_type: 'bearer', expires_in: 300, scope: 'system/Patient.rs' });
    const read = await oauth.protectedResourceRequest(
      granted.access_token,
      'GET',
      new URL(`${app.client.baseUrl}/Patient/p`),
      new Headers(),
      null,
      options,
    );
    expect(read.status).toBe(200);
    const asked = await oauth.introspectionRequest(
      configuration,
      { client_id: 'his' },
      oauth.PrivateKeyJwt(
        { key: keys.privateKey, kid: 'k1' },
        {
          [oauth.modifyAssertion]: (_header, payload) => void (payload['aud'] = configuration.token_endpoint as string),
        },
      ),
      granted.access_token,
      options,
    );
    const told = await oauth.processIntrospectionResponse(configuration, { client_id: 'his' }, asked);
    expect(told).toMatchObject({ active: true, client_id: 'his', scope: 'system/Patient.rs' });
  });
});

describe('a token', () => {
  it('gives what it was granted, and no more', async () => {
    const reader = app.client.with(bearer(await tokenOf('reader', 'system/*.*')));
    expect((await reader.get('Patient')).status).toBe(200);
    expect((await reader.get('Encounter')).status).toBe(403);
    expect((await reader.post('Patient', { resourceType: 'Patient' })).status).toBe(403);
    const his = app.client.with(bearer(await tokenOf('his', 'system/Patient.read')));
    expect((await his.get('Patient/p')).status).toBe(200);
    expect((await his.put({ resourceType: 'Patient', id: 'p' })).status).toBe(403);
  });

  it('A9: is refused, or narrower, for scopes that are malformed or were not allowed before', async () => {
    const asked = async (scope: string) => (await ask(formOf(await sign(keys, claimsOf('reader')), scope))).json;
    for (const scope of [
      'system/Patient.sr',
      'system/*.dus',
      'system/Patient.read.write',
      'patient/*.rs',
      'user/Patient.rs',
      'system/Observation.rs?subject.name=x',
      'system/Encounter.rs',
      'x'.repeat(30_000),
    ]) {
      expect((await asked(scope)).error).toBe('invalid_scope');
    }
    expect((await asked('system/*.cruds')).scope).toBe('system/Observation.rs?code=8867-4 system/Patient.rs');
    expect((await asked('system/Patient.rs system/nonsense')).scope).toBe('system/Patient.rs');
    const many = Array.from({ length: 1500 }, (_one, at) => `system/T${at}.rs`).join(' ');
    expect((await asked(many.slice(0, 19_000))).error).toBe('invalid_scope');
    expect((await asked('')).scope).toBe('system/Observation.rs?code=8867-4 system/Patient.rs');
  });

  it('A11: is taken from one Authorization header, whatever the case of its scheme, and from nowhere else', async () => {
    const token = await tokenOf('his');
    const status = async (path: string, headers: Record<string, string>) =>
      (await app.client.get(path, headers)).status;
    expect(await status('Patient/p', { authorization: `bearer ${token}` })).toBe(200);
    expect(await status(`Patient/p?access_token=${token}`, {})).toBe(401);
    expect(await status('Patient/p', { cookie: `access_token=${token}` })).toBe(401);
    expect(await status('Patient/p', { authorization: `Bearer ${token} ${token}` })).toBe(401);
    expect(await status('Patient/p', { authorization: `Basic ${token}` })).toBe(401);
    const reply = await app.client.get('Patient/p', bearer('x.y.z'));
    expect([reply.status, reply.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"']);
    expect(reply.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'login' }] });
  });

  it('A1, A3, A4, A5, A12: is refused when its header or signature is not ours, and when its time is over', async () => {
    const good = await tokenOf('his');
    const [head = '', body = '', signature = ''] = good.split('.');
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
    const tokens = [
      `${encoded({ ...header, alg: 'none' })}.${body}.`,
      `${encoded({ ...header, alg: 'None' })}.${body}.${signature}`,
      `${head}.${body}.`,
      `${head}.${encoded({ ...claims, client_id: 'admin' })}.${signature}`,
      `${encoded({ ...header, crit: ['x'], x: 1 })}.${body}.${signature}`,
      `${encoded({ ...header, b64: false, crit: ['b64'] })}.${body}.${signature}`,
      `${encoded({ ...header, zip: 'DEF' })}.${body}.${signature}`,
      `${encoded({ ...header, kid: '../../dev/null' })}.${body}.${signature}`,
      `${encoded({ ...header, kid: "' or 1=1" })}.${body}.${signature}`,
      `${encoded({ ...header, jku: 'http://127.0.0.1:9/keys' })}.${body}.${signature}`,
      `${encoded({ ...header, jwk: keys.jwk })}.${body}.${signature}`,
      await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32)),
      await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES384', kid: 'k1' }).sign(keys.privateKey),
    ];
    const statuses = await Promise.all(
      tokens.map(async (one) => (await app.client.get('Patient/p', bearer(one))).status),
    );
    expect(statuses).toEqual(tokens.map(() => 401));
    expect((await app.client.get('Patient/p', bearer(good))).status).toBe(200);
  });

  it('counts no longer, seconds after its client was revoked', async () => {
    const admin = app.client.with(bearer(await tokenOf('admin')));
    await admin.putAll(clientResource(client('short', { keys: [keys.jwk] })));
    expect((await ask(formOf(await sign(keys, claimsOf('short'))))).status).toBe(200);
    await admin.putAll(clientResource(client('other', { keys: [keys.jwk], isActive: false })));
    expect((await ask(formOf(await sign(keys, claimsOf('other'))))).status).toBe(400);
    expect((await ask(formOf(await sign(keys, claimsOf('gone'))))).json.error).toBe('invalid_client');
  });
});

describe('an assertion', () => {
  const refused = async (assertion: string) => {
    const { status, json } = await ask(formOf(assertion));
    return [status, json.error];
  };

  it('A2: is refused when a secret is made of the public key', async () => {
    const pem = await exportSPKI(keys.publicKey);
    for (const secret of [pem, ` ${pem}`, `${pem}\n`, JSON.stringify(keys.jwk)]) {
      for (const alg of ['HS256', 'HS384']) {
        const forged = await new SignJWT({ ...claimsOf('his'), jti: 'x', exp: 9_999_999_999 })
          .setProtectedHeader({ alg, kid: 'k1' })
          .sign(new TextEncoder().encode(secret));
        expect(await refused(forged)).toEqual([400, 'invalid_client']);
      }
    }
  });

  it('A5, A6, A7: is refused when it is not exact: who, for whom, until when, once', async () => {
    const now = Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000);
    const his = claimsOf('his');
    const wrong = [
      sign(strangers, his),
      sign(keys, { ...his, sub: 'admin' }),
      sign(keys, { ...his, iss: 'admin' }),
      sign(keys, { ...his, aud: `${tokenUrl}/` }),
      sign(keys, { ...his, aud: [tokenUrl, 'https://other.example'] }),
      sign(keys, { ...his, aud: app.client.baseUrl }),
      sign(keys, { ...his, jti: undefined }),
      sign(keys, { ...his, exp: undefined }),
      sign(keys, { ...his, iat: now + 600 }),
      sign(keys, { ...his, nbf: now + 600 }),
      sign(keys, his, { expires: 360 }),
      sign(keys, his, { expires: -61 }),
      sign(keys, his, { header: { jku: 'http://127.0.0.1:9/keys' } }),
      sign(keys, his, { header: { jwk: strangers.jwk } }),
      sign(keys, his, { header: { kid: 'x'.repeat(20_000) } }),
      sign(await makeKeys('k1', 'ES256'), his),
      Promise.resolve('x'.repeat(40_000)),
      Promise.resolve(''),
    ];
    for (const assertion of await Promise.all(wrong)) expect(await refused(assertion)).toEqual([400, 'invalid_client']);
    expect((await ask(formOf(await sign(keys, his, { expires: -30 })))).status).toBe(200);
    expect(await refused(await sign(keys, claimsOf('unknown')))).toEqual([400, 'invalid_client']);
  });

  it('is asked for in a form, each parameter once, with the grant of backend services', async () => {
    const assertion = await sign(keys, claimsOf('his'));
    const errors = [
      (await ask(formOf(assertion), 'application/json')).json.error,
      (await ask({ ...formOf(assertion), grant_type: 'password' })).json.error,
      (await ask({ ...formOf(await sign(keys, claimsOf('his'))), client_assertion_type: 'other' })).json.error,
    ];
    expect(errors).toEqual(['invalid_request', 'unsupported_grant_type', 'invalid_request']);
    const twice = `${new URLSearchParams(formOf(assertion)).toString()}&scope=system/*.rs`;
    const type = 'application/x-www-form-urlencoded';
    expect((await app.client.send('POST', '/auth/token', { body: twice, type })).status).toBe(400);
    const large = await app.client.send('POST', '/auth/token', { body: 'x'.repeat(100_000), type });
    expect(large.status).toBe(413);
  });

  it('is given tokenRequestsPerMinute times a minute to one client; others are not slowed by it', async () => {
    const wrong = (id: string) => ask({ ...formOf('x.y.z'), client_assertion: '', client_id: id });
    let refused = await wrong('hasty');
    // Meanwhile one more becomes free each second.
    for (let n = 0; n < 3 * httpLimits.tokenRequestsPerMinute && refused.status === 400; n++)
      refused = await wrong('hasty');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect((await wrong('patient')).status).toBe(400);
  });
});

/** Where it listens, whatever it is called. */
function addressOf({ http }: App): string {
  const { port } = http.server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

describe('two instances', () => {
  it('A8: take an assertion once between them, however they race', async () => {
    const first = await startTestApp({ settings: { SUTURE_BASE_URL: 'https://suture.test/fhir' } });
    await createClient(`${addressOf(first.app)}/fhir`).putAll(clientResource(client('his', { keys: [keys.jwk] })));
    const one = await first.restart({ SUTURE_AUTH: 'smart' });
    const other = await one.another();
    const post = async (to: App, assertion: string) => {
      const body = new URLSearchParams(formOf(assertion));
      return (await fetch(`${addressOf(to)}/auth/token`, { method: 'POST', body })).status;
    };
    try {
      const his = { ...claimsOf('his'), aud: 'https://suture.test/auth/token' };
      for (let round = 0; round < 10; round++) {
        const assertion = await sign(keys, his);
        const racing = [one.app, other.app, one.app, other.app].map((to) => post(to, assertion));
        const statuses = await Promise.all(racing);
        expect(statuses.sort()).toEqual([200, 400, 400, 400]);
        expect(await post(other.app, assertion)).toBe(400);
      }
    } finally {
      await other.stop();
      await one.close();
    }
  });
});

describe('a client as a resource', () => {
  it('is seen and changed by who may administer clients alone', async () => {
    const admin = app.client.with(bearer(await tokenOf('admin')));
    const his = app.client.with(bearer(await tokenOf('his')));
    expect((await admin.get('Basic/client.his')).status).toBe(200);
    expect((await his.get('Basic/client.his')).status).toBe(404);
    expect((await his.get('Basic?_id=client.his')).json.entry).toBeUndefined();
    const self = clientResource(client('his', { keys: [keys.jwk], rights: ['admin'] }));
    expect((await his.put(self)).status).toBe(405);
    expect((await his.put(clientResource(client('mine', { keys: [keys.jwk] })))).status).toBe(403);
    expect((await his.post('Basic', { ...self, id: undefined })).status).toBe(422);
  });

  it('is refused when it has a private key, no key, a right or scope that is none, or another id', async () => {
    const admin = app.client.with(bearer(await tokenOf('admin')));
    const jwk = { ...keys.jwk, d: 'secret' };
    const good = clientResource(client('new', { keys: [keys.jwk] }));
    const wrong = [
      clientResource(client('new', { keys: [jwk] })),
      clientResource(client('new', {})),
      clientResource(client('new', { keys: [keys.jwk], rights: ['everything' as 'admin'] })),
      clientResource(client('new', { keys: [keys.jwk], scope: 'system/*.x' })),
      clientResource(client('new', { jwksUrl: 'http://127.0.0.1/keys' })),
      { ...good, id: 'new' },
      { ...good, code: { text: 'something else' } },
    ];
    for (const one of wrong) expect((await admin.put(one)).status).toBe(422);
    expect((await admin.put(good)).status).toBe(201);
  });
});

describe('the audit log', () => {
  const log = (query: string) =>
    app.database.query<{ code: string; status: number; client: string | null; query: string | null }>({
      text: `select code, status, client, query from audit_event where ${query} order by recorded_at desc, id desc`,
    });

  it('knows who was given a token before he had it, who asked about one, and who was refused', async () => {
    const token = await tokenOf('reader');
    expect((await log("code = 'token' and client = 'reader'"))[0]).toMatchObject({ status: 200 });
    const assertion = await sign(keys, claimsOf('his'));
    const { grant_type: _grant, scope: _scope, ...who } = formOf(assertion);
    const body = new URLSearchParams({ ...who, token }).toString();
    const type = 'application/x-www-form-urlencoded';
    expect((await app.client.send('POST', '/auth/introspect', { body, type })).json.active).toBe(true);
    expect((await log("code = 'introspect'"))[0]).toMatchObject({ status: 200, client: 'his' });
    // Whose request it was is not proved; of a flood within a minute the first 60 are noted.
    const unknown = "code = 'token' and status = 400 and client is null";
    await ask(formOf(await sign(strangers, claimsOf('his'))));
    expect((await log(unknown)).length).toBeGreaterThan(0);
    expect((await log(unknown)).length).toBeLessThanOrEqual(60);
  });

  it('knows who changed a client, and who was kept from it', async () => {
    const admin = app.client.with(bearer(await tokenOf('admin')));
    await admin.putAll(clientResource(client('noted', { keys: [keys.jwk] })));
    const [made] = await log("'Basic/client.noted/_history/1' = any (data)");
    expect(made).toMatchObject({ client: 'admin', status: 201 });
    const his = app.client.with(bearer(await tokenOf('his')));
    expect((await his.put(clientResource(client('noted', { keys: [strangers.jwk] })))).status).toBeGreaterThan(400);
    expect(await log("client = 'his' and code = 'update' and 'Basic/client.noted' = any (data)")).toHaveLength(1);
  });

  it('tells of tokens as AuditEvents of authentication, and holds no token and no assertion (canary)', async () => {
    const token = await tokenOf('his');
    const assertion = await sign(keys, { ...claimsOf('his'), jti: 'canary-assertion' });
    await ask(formOf(assertion));
    await app.client.get('Patient/p', bearer(token));
    await app.client.get(`Patient/p?access_token=${token}`);
    await app.client.get('Patient/p', { authorization: 'Bearer canary.token.value' });
    await app.client.get('Patient/p', { authorization: 'Basic Y2FuYXJ5OnNlY3JldA==' });
    const parts = [token, assertion, 'canary.token.value', 'Y2FuYXJ5OnNlY3JldA'].flatMap((one) => [
      one,
      one.split('.').at(-1) ?? one,
    ]);
    const metrics = await app.client.send('GET', '/metrics', {});
    const everywhere = [...app.logged, metrics.text].join('\n');
    expect(app.logged.length).toBeGreaterThan(20);
    for (const part of parts) expect(everywhere).not.toContain(part);
    const rows = await app.database.query<{ text: string }>({ text: 'select a::text as text from audit_event a' });
    const audited = rows.map(({ text }) => text).join('\n');
    for (const part of parts) expect(audited).not.toContain(part);
  });
});
