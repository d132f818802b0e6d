/** Tokens of others: by their keys, by asking, and of Pro Santé Connect; rows A2, A4, A6, A12 to A14, A18 of the hostile inputs. */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportSPKI, SignJWT } from 'jose';
import { clientResource, readIssuers } from '../../src/identity/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { client, type FakeIssuer, type KeyPair, makeKeys, sign, startIssuer } from '../support/authority.ts';

let app: TestApp;
let issuer: FakeIssuer;
let keys: KeyPair;
let next: KeyPair;
let published: object[];
const audience = 'https://suture.test/fhir';
const rpps = '10100000011';

const basic = (body: object) => ({ body });
let told: Record<string, unknown> = {};
let userinfo: Record<string, unknown> = {};

beforeAll(async () => {
  issuer = await startIssuer();
  keys = await makeKeys('one', 'ES256');
  next = await makeKeys('two', 'ES256');
  published = [keys.jwk];
  issuer.answers['/keys'] = () => basic({ keys: published });
  issuer.answers['/introspect'] = () => basic(told);
  issuer.answers['/psc/introspect'] = () => basic(told);
  issuer.answers['/psc/userinfo'] = () => basic(userinfo);
  const introspection = (path: string) => ({ url: `${issuer.url}${path}`, clientId: 'suture', clientSecret: 's3cret' });
  const file = join(tmpdir(), `issuers-${process.pid}.json`);
  const settings = [
    {
      issuer: `${issuer.url}/sso`,
      kind: 'smart',
      audience: [audience],
      algorithms: ['ES256'],
      jwksUrl: `${issuer.url}/keys`,
    },
    { issuer: `${issuer.url}/asked`, kind: 'smart', introspection: introspection('/introspect') },
    {
      issuer: `${issuer.url}/psc`,
      kind: 'psc',
      introspection: introspection('/psc/introspect'),
      userinfoUrl: `${issuer.url}/psc/userinfo`,
      assurance: ['APPPRIP3'],
    },
  ];
  await writeFile(file, JSON.stringify(settings));
  const open = await startTestApp();
  await open.client.putAll(
    clientResource(client('batch', { issuer: `${issuer.url}/sso`, rights: ['patient-all'] })),
    clientResource(client('portal', { issuer: `${issuer.url}/sso`, scope: 'user/*.cruds patient/*.rs' })),
    clientResource(client('asked', { issuer: `${issuer.url}/asked`, rights: ['patient-all'] })),
    clientResource(client('psc-app', { issuer: `${issuer.url}/psc`, scope: 'user/*.rs' })),
    { resourceType: 'Patient', id: 'p', name: [{ family: 'Martin' }] },
    { resourceType: 'Patient', id: 'q', name: [{ family: 'Petit' }] },
    { resourceType: 'Practitioner', id: 'anna', identifier: [{ system: 'https://rpps.esante.gouv.fr', value: rpps }] },
    {
      resourceType: 'CareTeam',
      id: 'c',
      status: 'active',
      subject: { reference: 'Patient/p' },
      participant: [{ member: { reference: 'Practitioner/anna' } }],
    },
  );
  app = await open.restart({ SUTURE_AUTH: 'smart', SUTURE_ISSUERS: file });
});

afterAll(async () => {
  await app.close();
  await issuer.close();
});

const claims = (more: object = {}) => ({
  iss: `${issuer.url}/sso`,
  aud: [audience, 'account'],
  azp: 'batch',
  client_id: 'batch',
  scope: 'openid system/*.rs',
  ...more,
});

async function status(token: string, path = 'Patient/p', headers: object = {}): Promise<number> {
  return (await app.client.get(path, { authorization: `Bearer ${token}`, ...headers })).status;
}

describe('an issuer that is known by its keys', () => {
  it('vouches for its clients, and for people by their RPPS or as patients', async () => {
    expect(await status(await sign(keys, claims()))).toBe(200);
    const portal = { azp: 'portal', client_id: 'portal', scope: 'user/*.rs patient/*.rs' };
    const anna = await sign(keys, claims({ ...portal, fhirUser: 'Practitioner/anna', rpps }));
    expect([await status(anna), await status(anna, 'Patient/q')]).toEqual([200, 404]);
    const q = await sign(keys, claims({ ...portal, fhirUser: 'Patient/q', patient: 'q' }));
    expect([await status(q), await status(q, 'Patient/q')]).toEqual([404, 200]);
    const nobodyWeKnow = await sign(keys, claims({ ...portal, fhirUser: 'Practitioner/x' }));
    expect(await status(nobodyWeKnow)).toBe(403);
    // A token for people gives an application nothing, and the other way round.
    expect(await status(await sign(keys, claims({ ...portal, scope: 'system/*.rs' })))).toBe(403);
  });

  it('A2, A4, A6, A12: is not believed for what is not exact', async () => {
    const pem = await exportSPKI(keys.publicKey);
    const stranger = await makeKeys('one', 'ES256');
    const forged = (secret: string) =>
      new SignJWT({ ...claims(), exp: 9_999_999_999 })
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(new TextEncoder().encode(secret));
    const wrong = await Promise.all([
      forged(pem),
      forged(`\n${pem}`),
      sign(stranger, claims()),
      sign(await makeKeys('one', 'ES384'), claims()),
      sign(keys, claims({ iss: `${issuer.url}/sso/` })),
      sign(keys, claims({ aud: 'https://other.example' })),
      sign(keys, claims({ aud: undefined })),
      sign(keys, claims({ exp: undefined })),
      sign(keys, claims({ azp: 'other' })),
      sign(keys, claims({ azp: 'unknown', client_id: 'unknown' })),
      sign(keys, claims({ azp: 'asked', client_id: 'asked' })),
      sign(keys, claims({ azp: undefined, client_id: undefined })),
      sign(keys, claims(), { expires: -62 }),
      sign(keys, claims({ nbf: 9_999_999_999 })),
      sign(keys, claims(), { header: { x5u: `${issuer.url}/keys` } }),
      sign(keys, claims({ cnf: { 'x5t#S256': 'abc' } })),
    ]);
    expect(await Promise.all(wrong.map((one) => status(one)))).toEqual(wrong.map(() => 401));
    expect(await status(await sign(keys, claims(), { expires: -30 }))).toBe(200);
  });

  it('A4, A13: is asked for its keys again once a minute at most, and follows when they change', async () => {
    const before = issuer.asked['/keys'] ?? 0;
    const unknown = await Promise.all(
      Array.from({ length: 50 }, async (_one, at) => makeKeys(`unknown-${at}`, 'ES256')),
    );
    for (const one of unknown) expect(await status(await sign(one, claims()))).toBe(401);
    expect((issuer.asked['/keys'] ?? 0) - before).toBeLessThanOrEqual(1);
  });

  it('A13: is not believed when its keys cannot be had', async () => {
    const restarted = await app.restart();
    app = restarted;
    const token = await sign(keys, claims());
    for (const answer of [
      { status: 500, body: {} },
      { status: 200, body: '<html>' },
      { status: 302, body: '/keys' },
      { status: 200, body: 'x'.repeat(600_000) },
    ]) {
      issuer.answers['/keys'] = () => answer;
      expect(await status(token)).toBe(503);
    }
    issuer.answers['/keys'] = () => ({ body: { keys: [next.jwk] } });
    app = await app.restart();
    expect(await status(await sign(next, claims()))).toBe(200);
    expect(await status(token)).toBe(401);
  });
});

describe('an issuer that is asked', () => {
  const good = () => ({ active: true, client_id: 'asked', scope: 'system/*.rs', exp: 9_999_999_999 });

  it('vouches for what it calls active, and is asked once in half a minute', async () => {
    told = good();
    const before = issuer.asked['/introspect'] ?? 0;
    expect([await status('opaque-1'), await status('opaque-1')]).toEqual([200, 200]);
    expect((issuer.asked['/introspect'] ?? 0) - before).toBe(1);
  });

  it('A14: is believed in nothing else', async () => {
    const wrong: object[] = [
      { active: false },
      { ...good(), active: 'true' },
      { ...good(), client_id: 'batch' },
      { ...good(), client_id: undefined },
      { ...good(), exp: 1 },
      { ...good(), exp: undefined },
      { ...good(), iss: 'https://other.example' },
    ];
    for (const [at, one] of wrong.entries()) {
      told = one as Record<string, unknown>;
      expect(await status(`opaque-wrong-${at}`)).toBe(401);
    }
    for (const [at, answer] of [
      { status: 500, body: {} },
      { status: 200, body: 'no' },
      { status: 302, body: '/x' },
    ].entries()) {
      issuer.answers['/introspect'] = () => answer;
      expect(await status(`opaque-down-${at}`)).toBe(503);
    }
    issuer.answers['/introspect'] = () => ({ body: told });
  });
});

describe('Pro Santé Connect', () => {
  const activity = (finess: string) => ({ numeroFinessSite: finess, identifiantTechniqueDeLaStructure: `T${finess}` });
  const practice = (...places: string[]) => ({ codeProfession: '10', activities: places.map(activity) });
  const sub = 'f:1:899';
  let token = 0;

  async function came(info: object, headers: object = {}, path = 'Patient/p'): Promise<number> {
    told = { active: true, client_id: 'psc-app', azp: 'psc-app', exp: 9_999_999_999, sub, iss: `${issuer.url}/psc` };
    userinfo = {
      sub,
      SubjectNameID: `8${rpps}`,
      Palier_Authentification: 'APPPRIP3^1.2.250.1.213.1.5.1.1.1',
      SubjectRefPro: { exercices: [practice('750712184')] },
      given_name: 'Anna',
      family_name: 'Lefèvre',
      ...info,
    };
    const iss = Buffer.from(JSON.stringify({ iss: `${issuer.url}/psc`, n: ++token })).toString('base64url');
    return status(`e30.${iss}.c2ln`, path, headers);
  }

  it('tells a professional by his RPPS, who sees his patients and no others', async () => {
    expect([await came({}), await came({}, {}, 'Patient/q')]).toEqual([200, 404]);
  });

  it('A18: refuses who has no situation, was not surely recognised, is nobody, or came through another application', async () => {
    expect(await came({ SubjectRefPro: undefined })).toBe(403);
    expect(await came({ SubjectRefPro: { exercices: [] } })).toBe(403);
    expect(await came({ Palier_Authentification: 'APPPRIP1^1.2' })).toBe(403);
    expect(await came({ Palier_Authentification: undefined })).toBe(403);
    expect(await came({ SubjectNameID: '0751234567', preferred_username: undefined })).toBe(403);
    expect(await came({ sub: 'somebody else' })).toBe(403);
    expect(await came({ Mode_Acces_Raison: 'x\r\ny'.repeat(4000) })).toBe(200);
    const before = told;
    expect(before['azp']).toBe('psc-app');
  });

  it('A18: asks who has several activities to name one of his', async () => {
    const several = { SubjectRefPro: { exercices: [practice('750712184', '690000001'), practice('130000002')] } };
    expect(await came(several)).toBe(403);
    expect(await came(several, { 'x-activity': '690000001' })).toBe(200);
    expect(await came(several, { 'x-activity': 'T130000002' })).toBe(200);
    expect(await came(several, { 'x-activity': '999999999' })).toBe(403);
  });
});

describe('the file of issuers', () => {
  const good = {
    issuer: 'https://i.example',
    kind: 'smart',
    audience: ['a'],
    algorithms: ['ES256'],
    jwksUrl: 'https://i.example/k',
  };
  const faults = (value: unknown) => () => readIssuers(Buffer.from(JSON.stringify(value)));

  it.each([
    ['no list', good],
    ['an http issuer', [{ ...good, issuer: 'http://i.example' }]],
    ['keys by http', [{ ...good, jwksUrl: 'http://i.example/k' }]],
    ['a shared secret as algorithm', [{ ...good, algorithms: ['HS256'] }]],
    ['no algorithm', [{ ...good, algorithms: [] }]],
    ['no audience', [{ ...good, audience: undefined }]],
    [
      'keys and introspection',
      [{ ...good, introspection: { url: 'https://i.example/i', clientId: 'a', clientSecret: 'b' } }],
    ],
    ['an unknown kind', [{ ...good, kind: 'saml' }]],
    ['an unknown member', [{ ...good, insecure: true }]],
    ['psc without assurance', [{ ...good, kind: 'psc' }]],
    ['one issuer twice', [good, good]],
  ])('is refused with %s', (_what, value) => {
    expect(faults(value)).toThrow(/the issuers are wrong/);
  });

  it('is taken when it is whole', () => {
    expect(faults([good])).not.toThrow();
  });
});
