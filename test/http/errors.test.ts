/**
 * What is refused, and how: the error table (style.md, "Errors"), the bad input of issue 2, and the hostile rows H and J of
 * ../shared/reference/security-reliability.md by their numbers. Every refusal is an OperationOutcome that names the place and
 * repeats nothing of what was sent.
 */
import http from 'node:http';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client, Reply } from '../support/client.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
});
afterAll(() => test?.close());

const marker = 'ZZMARKER';
const patient = { resourceType: 'Patient', active: true };
const stay = {
  resourceType: 'Encounter',
  status: 'planned',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
};

function expectRefusal(reply: Reply, statuses: readonly number[]): void {
  expect(statuses).toContain(reply.status);
  expect(reply.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
  expect(reply.json.resourceType).toBe('OperationOutcome');
  expect(reply.json.issue.length).toBeGreaterThan(0);
  for (const { severity, code, details } of reply.json.issue) {
    expect([severity, code, details.text]).toEqual([
      expect.stringMatching(/^(fatal|error|warning|information)$/),
      expect.any(String),
      expect.any(String),
    ]);
  }
  expect(reply.text).not.toContain(marker);
  expect(reply.text).not.toMatch(/ at .*\.(ts|js):\d+/);
}

function post(type: string, body: string | object | Uint8Array): Promise<Reply> {
  return client.send('POST', type, { body });
}

describe('Bad input', () => {
  it.each<[string, object, string]>([
    ['an unknown element', { ...patient, nmae: [{ family: marker }] }, 'Patient.nmae'],
    ['an unknown element deep inside', { ...patient, name: [{ famly: marker }] }, 'Patient.name[0].famly'],
    ['a string for a boolean', { ...patient, active: marker }, 'Patient.active'],
    ['a number for a string', { ...patient, name: [{ family: 7 }] }, 'Patient.name[0].family'],
    ['an object for a list', { ...patient, name: { family: marker } }, 'Patient.name'],
    ['a list for one value', { ...patient, gender: ['male'] }, 'Patient.gender'],
    ['a primitive for an object', { ...patient, name: [marker] }, 'Patient.name[0]'],
    ['a missing required element', { resourceType: 'Encounter', status: 'planned' }, 'Encounter.class'],
    [
      'two values of one choice',
      { ...patient, deceasedBoolean: true, deceasedDateTime: '2026-01-01' },
      'Patient.deceased',
    ],
    ['a type that the choice does not have', { ...patient, deceasedInteger: 1 }, 'Patient.deceased'],
    ['an unknown code of a required binding', { ...patient, gender: 'f' }, 'Patient.gender'],
    [
      'an unknown code of a required binding in a backbone',
      { ...stay, statusHistory: [{ status: 'over', period: {} }] },
      'Encounter.statusHistory[0].status',
    ],
    ['a date that does not exist (J12)', { ...patient, birthDate: '2024-02-30' }, 'Patient.birthDate'],
    ['a month that does not exist (J12)', { ...patient, birthDate: '2024-13' }, 'Patient.birthDate'],
    ['the year zero (J12)', { ...patient, birthDate: '0000' }, 'Patient.birthDate'],
    ['a year of six digits (J12)', { ...patient, birthDate: '294277-01-01' }, 'Patient.birthDate'],
    ['a date in another form', { ...patient, birthDate: '17/04/1951' }, 'Patient.birthDate'],
    [
      'an offset that does not exist (J12)',
      { ...patient, deceasedDateTime: '2024-01-01T00:00:00+14:01' },
      'Patient.deceased',
    ],
    ['a dateTime without zone', { ...patient, deceasedDateTime: '2024-01-01T00:00:00' }, 'Patient.deceased'],
    ['an empty string', { ...patient, name: [{ family: '' }] }, 'Patient.name[0].family'],
    ['an empty list', { ...patient, name: [] }, 'Patient.name'],
    ['an empty object', { ...patient, name: [{}] }, 'Patient.name[0]'],
    ['a null', { ...patient, birthDate: null }, 'Patient.birthDate'],
    [
      'an id that cannot be one',
      { ...patient, contained: [{ resourceType: 'Basic', id: 'a b', code: { text: 'x' } }] },
      'Patient.contained[0].id',
    ],
    [
      'an unknown type inside',
      { ...patient, contained: [{ resourceType: 'Nothing', id: 'a' }] },
      'Patient.contained[0]',
    ],
    [
      'a resource that contains one that contains one (J16)',
      { ...patient, contained: [{ ...patient, id: 'a', contained: [{ ...patient, id: 'b' }] }] },
      'Patient.contained[0]',
    ],
    [
      'an extension with a value and parts',
      { ...patient, extension: [{ url: 'urn:x', valueString: 'x', extension: [{ url: 'y', valueString: 'z' }] }] },
      'Patient.extension[0]',
    ],
    ['an extension without url', { ...patient, extension: [{ valueString: marker }] }, 'Patient.extension[0].url'],
    [
      'a script in the narrative (J14)',
      {
        ...patient,
        text: {
          status: 'generated',
          div: `<div xmlns="http://www.w3.org/1999/xhtml"><script>${marker}</script></div>`,
        },
      },
      'Patient.text',
    ],
    [
      'a handler in the narrative (J14)',
      {
        ...patient,
        text: {
          status: 'generated',
          div: `<div xmlns="http://www.w3.org/1999/xhtml"><p onclick="x()">${marker}</p></div>`,
        },
      },
      'Patient.text',
    ],
    [
      'a javascript link in the narrative (J14)',
      {
        ...patient,
        text: {
          status: 'generated',
          div: '<div xmlns="http://www.w3.org/1999/xhtml"><a href="&#x6a;avascript:1">x</a></div>',
        },
      },
      'Patient.text',
    ],
    [
      'a period that ends before it starts',
      { ...stay, period: { start: '2026-03-02', end: '2026-03-01' } },
      'Encounter.period',
    ],
  ])('is refused with its place: %s', async (_what, body, expression) => {
    const reply = await post((body as { resourceType: string }).resourceType, body);
    expectRefusal(reply, [400]);
    const places = (reply.json.issue as { expression?: string[] }[]).flatMap((issue) => issue.expression ?? []);
    expect(places.some((place) => place.startsWith(expression))).toBe(true);
  });

  it('has all its faults named at once', async () => {
    const reply = await post('Patient', { ...patient, nmae: 1, gender: 'f', birthDate: '2024-02-30' });
    const places = (reply.json.issue as { expression: string[] }[]).flatMap(({ expression }) => expression);
    expect(places.sort()).toEqual(['Patient.birthDate', 'Patient.gender', 'Patient.nmae']);
  });

  it('leaves nothing behind', async () => {
    await client.put({ ...patient, id: 'never', gender: 'f' });
    expect((await client.get('Patient/never')).status).toBe(404);
    expect((await client.get('Patient?_summary=count')).json.total).toBe(0);
  });
});

const nested = (depth: number) => `{"resourceType":"Patient","a":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`;
const listed = (depth: number) => `{"resourceType":"Patient","a":${'['.repeat(depth)}1${']'.repeat(depth)}}`;

describe('Hostile JSON', () => {
  it.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['no JSON', `{"resourceType":"Patient","name":[{"family":"${marker}"}`],
    ['two values', '{"resourceType":"Patient"}{"resourceType":"Patient"}'],
    ['a number that V8 would quote', `{"resourceType":"Patient","x":N${marker}}`],
    ['no object', `"${marker}"`],
    ['null', 'null'],
    ['a list', '[{"resourceType":"Patient"}]'],
    ['a comment', '{"resourceType":"Patient" /* x */}'],
    ['__proto__ (J1)', '{"resourceType":"Patient","__proto__":{"admin":true}}'],
    ['__proto__ inside (J1)', '{"resourceType":"Patient","name":[{"family":"x","__proto__":{"admin":true}}]}'],
    ['constructor (J2)', '{"resourceType":"Patient","constructor":{"prototype":{"x":1}}}'],
    [
      'constructor in an extension (J2)',
      '{"resourceType":"Patient","extension":[{"url":"urn:x","constructor":{"prototype":{"x":1}}}]}',
    ],
    ['101 levels of objects (J7)', nested(101)],
    ['5 000 levels of lists (J7)', listed(5000)],
    ['100 000 levels of objects (J7)', nested(100_000)],
    ['100 000 levels of lists (J7)', listed(100_000)],
    ['a key twice (J8)', '{"resourceType":"Patient","resourceType":"CareTeam"}'],
    ['a key twice, once escaped (J8)', '{"resourceType":"Patient","active":true,"\\u0061ctive":false}'],
    ['a NUL (J9)', '{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}'],
    ['half a surrogate (J9)', '{"resourceType":"Patient","name":[{"family":"\\ud800"}]}'],
    ['a raw control character (J9)', '{"resourceType":"Patient","name":[{"family":"a\u0001b"}]}'],
    [
      'bytes that are no UTF-8 (J9)',
      Buffer.concat([
        Buffer.from('{"resourceType":"Patient","name":[{"family":"'),
        Buffer.from([0xff]),
        Buffer.from('"}]}'),
      ]),
    ],
    [
      'a decimal out of range (J10)',
      '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1e400}}',
    ],
    [
      'a decimal far out of range (J10)',
      '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1e200000}}',
    ],
    ['no type', '{"active":true}'],
    ['an empty type (J13)', '{"resourceType":""}'],
    ['a type of the language (J13)', '{"resourceType":"toString"}'],
    ['a type as a path (J13)', '{"resourceType":"../Patient"}'],
    ['a type that is no string', '{"resourceType":{"a":1}}'],
  ])('is refused in a moment: %s', async (_what, body) => {
    const type = typeof body === 'string' && body.includes('Observation') ? 'Observation' : 'Patient';
    expectRefusal(await post(type, body), [400, 422]);
    expect(({} as { admin?: unknown; x?: unknown }).admin ?? ({} as { x?: unknown }).x).toBeUndefined();
    expect((await client.get('/health/live')).status).toBe(200);
  });

  it.each(['Constructor', 'toString', '__proto__', 'patient', '..%2fPatient', 'Resource', 'DomainResource'])(
    'does not find the type %s (J13)',
    async (type) => {
      expectRefusal(await post(type, { resourceType: type }), [404]);
      expectRefusal(await client.get(`${type}/1`), [404]);
    },
  );

  it.each<[string, object]>([
    ['40 digits (J10)', { value: 1 }],
    ['a long identifier (J11)', { identifier: 'x'.repeat(3000) }],
    ['a very long identifier (J11)', { identifier: 'x'.repeat(1_000_000) }],
  ])(
    'is stored or refused, never a fault: %s',
    async (_what, { value, identifier }: { value?: number; identifier?: string }) => {
      const number = '1.234567890123456789012345678901234567890';
      const reply =
        value === undefined
          ? await post('Patient', { ...patient, identifier: [{ system: 'urn:x', value: identifier }] })
          : await post(
              'Observation',
              `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${number}}}`,
            );
      expect([201, 400, 413, 422]).toContain(reply.status);
      if (reply.status === 201 && value !== undefined) {
        expect((await client.get(`Observation/${reply.json.id}`)).text).toContain(`"value":${number}}`);
      }
      if (reply.status === 201 && identifier !== undefined) {
        expect((await client.get(`Patient?identifier=${identifier.slice(0, 2000)}`)).status).toBe(200);
      }
    },
  );

  it.each<[string, readonly number[], () => object]>([
    [
      '10 000 contained resources (J16)',
      [400, 422],
      () => ({
        ...patient,
        contained: Array.from({ length: 10_000 }, (_one, index) => ({ ...patient, id: `c${index}` })),
      }),
    ],
    [
      '100 000 extensions (J19)',
      [201, 400, 413, 422],
      () => ({ ...patient, extension: Array.from({ length: 100_000 }, () => ({ url: 'urn:x', valueCode: 'a' })) }),
    ],
    [
      'a string of 8 MB (J19)',
      [400, 413, 422],
      () => ({ ...patient, name: [{ family: 'x'.repeat(8 * 1024 * 1024) }] }),
    ],
    [
      'a million list elements, all the same to the index (J19)',
      [201, 400, 413, 422],
      () => ({ ...patient, name: [{ given: Array<string>(1_000_000).fill('x') }] }),
    ],
    [
      '200 000 names to index (J19)',
      [400, 413, 422],
      () => ({ ...patient, name: [{ given: Array.from({ length: 200_000 }, (_one, index) => `x${index}`) }] }),
    ],
  ])('is refused, or taken, without cost to others: %s', async (_what, statuses, make) => {
    expect(statuses).toContain((await post('Patient', make())).status);
  });

  it('keeps a byte order mark out, or refuses it, always the same way (J9)', async () => {
    const body = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(JSON.stringify(patient))]);
    const statuses = [await post('Patient', body), await post('Patient', body)].map(({ status }) => status);
    expect([
      [201, 201],
      [400, 400],
    ]).toContainEqual(statuses);
  });

  it.each([
    'http://attacker.example/Patient/1',
    'urn:uuid:0a6f6a0e-55b1-4f0b-9b44-0f1d1d6a5c01',
    'Patient/1/_history/999',
  ])('keeps the reference %s as it is and calls nobody (J17)', async (reference) => {
    const reply = await post('Encounter', { ...stay, subject: { reference } });
    expect(reply.status).toBe(201);
    expect(reply.json.subject).toEqual({ reference });
  });

  it('stores look-alike, right-to-left and zero-width characters exactly (J20)', async () => {
    const family = 'Pаylоv\u202eabc\u200bdéf e\u0301';
    const reply = await post('Patient', { ...patient, name: [{ family }] });
    expect((await client.read<{ name: unknown } & typeof patient>(`Patient/${reply.json.id}`)).name).toEqual([
      { family },
    ]);
  });
});

describe('HTTP', () => {
  it.each<[string, string, string, number, string]>([
    ['an unknown type', 'GET', 'Patients', 404, 'not-supported'],
    ['an unknown id', 'GET', 'Patient/none', 404, 'not-found'],
    ['an unknown page', 'GET', '/nothing', 404, 'not-found'],
    ['an unknown level', 'GET', 'Patient/a/b/c/d', 404, 'not-found'],
    ['the base itself', 'GET', '', 400, 'invalid'],
    ['DELETE of a type without criteria (F16)', 'DELETE', 'Patient', 412, 'conflict'],
    ['PUT to a type without criteria (F16)', 'PUT', 'Patient?', 412, 'conflict'],
    ['POST to an instance', 'POST', 'Patient/a', 405, 'not-supported'],
    ['DELETE of a version', 'DELETE', 'Patient/a/_history/1', 405, 'not-supported'],
    ['a URL that cannot be decoded', 'GET', 'Patient/%ff%fe', 400, 'invalid'],
  ])('answers an outcome: %s', async (_what, method, path, status, code) => {
    const reply = await client.send(method, path, method === 'PUT' || method === 'POST' ? { body: patient } : {});
    expectRefusal(reply, [status]);
    expect(reply.json.issue[0].code).toBe(code);
  });

  it.each([
    ['text/html', 406],
    ['application/fhir+json; fhirVersion=5.0', 406],
    ['application/fhir+json; q=0, text/html', 406],
    ['application/fhir+xml', 200],
    ['text/html, application/fhir+json', 200],
    ['application/json', 200],
    ['*/*', 200],
    ['application/fhir+json; fhirVersion=4.0', 200],
  ])('serves Accept: %s with %i', async (accept, status) => {
    const reply = await client.get('Patient?_count=1', { accept });
    if (status === 200) expect(reply.status).toBe(200);
    else expectRefusal(reply, [status]);
  });

  it.each([
    ['application/fhir+json', 201],
    ['APPLICATION/FHIR+JSON; Charset="UTF-8" (H9)', 201],
    ['application/json', 201],
    ['text/plain (H7)', 415],
    ['application/fhir+json\ta (H7)', 415],
    ['application/fhir+json garbage (H7)', 415],
    ['application/xml-patch+xml', 415],
    ['application/fhir+json; charset=utf-16 (H8)', 415],
    ['application/fhir+json; fhirVersion=5.0 (H8)', 415],
  ])('takes Content-Type: %s with %i', async (type, status) => {
    const reply = await client.send('POST', 'Patient', { body: patient, type: type.replace(/ \(H\d\)$/, '') });
    if (status === 201) expect(reply.status).toBe(201);
    else expectRefusal(reply, [status]);
  });

  it('refuses a body without content type, and one that is too long before it is sent', async () => {
    const raw = (headers: http.OutgoingHttpHeaders, body = '') =>
      new Promise<number | undefined>((resolve, reject) => {
        const request = http.request(`${client.baseUrl}/Patient`, { method: 'POST', headers }, (response) => {
          response.resume();
          request.destroy();
          resolve(response.statusCode);
        });
        request.on('error', reject);
        if (body === '') request.flushHeaders();
        else request.end(body);
      });
    expect(await raw({ 'content-length': 2 }, '{}')).toBe(415);
    expect(await raw({ 'content-type': 'application/fhir+json', 'content-length': 4_294_967_296 })).toBe(413);
  });

  it.each([
    ['a path part of 300 characters', `Patient/${marker.repeat(40)}`, [404, 414]],
    ['a URL of 12 kB (H14)', `Patient?name=${marker.repeat(1500)}`, [400, 414]],
  ])('refuses %s', async (_what, path, statuses) => {
    expectRefusal(await client.get(path), statuses);
  });

  it('refuses headers of more than 16 kB (H14)', async () => {
    expect((await client.get(`Patient?name=${marker.repeat(2500)}`)).status).toBe(431);
  });

  it('does not answer two lengths, an odd transfer or a folded header (H10)', async () => {
    const { port, hostname } = new URL(client.baseUrl);
    const ask = (lines: readonly string[]) =>
      new Promise<string>((resolve) => {
        const socket = net.connect(Number(port), hostname, () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
        let text = '';
        socket.on('data', (part) => {
          text += part.toString();
        });
        socket.on('close', () => resolve(text));
        socket.on('error', () => resolve(text));
      });
    const head = ['POST /fhir/Patient HTTP/1.1', 'Host: x', 'Content-Type: application/fhir+json', 'Connection: close'];
    expect(await ask([...head, 'Content-Length: 5', 'Transfer-Encoding: chunked'])).toMatch(/^HTTP\/1\.1 400/);
    expect(await ask([...head, 'Transfer-Encoding: xchunked'])).toMatch(/^HTTP\/1\.1 400/);
  });

  it('builds links from its own base, whatever Host the client writes (H11)', async () => {
    const { port, hostname } = new URL(client.baseUrl);
    const text = await new Promise<string>((resolve, reject) => {
      const options = {
        port,
        hostname,
        path: '/fhir/Patient?_count=1',
        headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
      };
      http
        .get(options, (response) => {
          let body = '';
          response.on('data', (part: Buffer) => {
            body += part.toString();
          });
          response.on('end', () => resolve(body));
        })
        .on('error', reject);
    });
    expect(text).toContain(`${client.baseUrl}/Patient?`);
    expect(text).not.toContain('evil.example');
  });

  it('does not repeat a request id that it was given, and follows no overriding header (H13, H16)', async () => {
    await client.put({ ...patient, id: 'kept' });
    const reply = await client.get('Patient/kept', { 'x-request-id': marker, 'x-http-method-override': 'DELETE' });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('x-request-id')).not.toContain(marker);
    expect((await client.get('Patient/kept')).status).toBe(200);
  });

  it('gives no page of another site a right (H18), and says that its answers are data', async () => {
    const asked = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const reply = await client.send('OPTIONS', 'Patient', { headers: asked });
    expect([...reply.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    const data = await client.get('Patient?_count=1', { origin: 'https://evil.example' });
    expect(Object.fromEntries(data.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect([...data.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});
