/**
 * The limits of src/base/limits.ts: what the README says of them is what they are, and each is reached by a test: here at the limit and
 * one beyond, or in the file that `elsewhere` names.
 */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { httpLimits, interactionLimits, jsonLimits, limits, searchLimits } from '../../src/base/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client, Reply } from '../support/client.ts';

const root = join(import.meta.dirname, '../..');
const mebibyte = 1024 * 1024;

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp({
    settings: { SUTURE_BODY_MAX: '2', SUTURE_BODIES_MAX: '3', SUTURE_IN_FLIGHT_MAX: '3', SUTURE_PAGE_MAX: '5' },
  });
  client = test.client;
  await client.putAll(patient('a'), patient('b'));
});
afterAll(() => test?.close());

const patient = (id: string) => ({ resourceType: 'Patient', id, active: true, name: [{ family: 'Le Goff' }] });
const times = (count: number, text: string, between: string): string => Array(count).fill(text).join(between);
const repeated = (count: number, make: (n: number) => object) => Array.from({ length: count }, (_one, n) => make(n));

const hit = new Set<string>();

/** The limit by its name, as the README has it. */
function limit(name: string): number {
  hit.add(name);
  return numberOf(name);
}

function numberOf(name: string): number {
  const [group = '', key = ''] = name.split('.');
  const value = (limits as unknown as Readonly<Record<string, Readonly<Record<string, number>>>>)[group]?.[key];
  if (value === undefined) throw new Error(`there is no limit ${name}`);
  return value;
}

function expectRefused(reply: Reply, status: number, code: string): void {
  expect([reply.status, reply.json.resourceType, reply.json.issue?.[0]?.code]).toEqual([
    status,
    'OperationOutcome',
    code,
  ]);
}

describe('A search', () => {
  const { chainDepthMax: chain, stringCharactersMax } = searchLimits;
  const links = (count: number) => `Patient?${times(count, 'link:Patient', '.')}.name=x`;
  it.each<[string, (count: number) => string]>([
    ['search.parametersMax', (count) => `Patient?${times(count, 'active=true', '&')}`],
    ['search.orValuesMax', (count) => `Patient?_id=${times(count, 'a', ',')}`],
    ['search.chainDepthMax', links],
    [
      'search.sortsMax',
      (count) => `Patient?_sort=${['_id', '_lastUpdated', 'name', 'birthdate', 'family'].slice(0, count).join()}`,
    ],
    ['search.includesMax', (count) => `Patient?${times(count, '_include=Patient:link', '&')}`],
    ['search.elementsMax', (count) => `Patient?_elements=${times(count, 'name', ',')}`],
    ['search.typesMax', (count) => `?_type=${times(count, 'Patient', ',')}&_id=a`],
    ['search.stringCharactersMax', (count) => `Patient?name=${'x'.repeat(count)}`],
    ['search.filterTestsMax', (count) => `Patient?_filter=${encodeURIComponent(times(count, 'name eq x', ' or '))}`],
    ['search.filterDepthMax', (count) => `Patient?_filter=${'('.repeat(count)}name eq x${')'.repeat(count)}`],
    ['search.wordsMax', (count) => `Patient?_id=a&_text=${times(count, 'mot', '%20')}`],
  ])('is answered at %s, and refused one beyond', async (name, path) => {
    expect([(await client.get(path(limit(name)))).status]).toEqual([200]);
    expectRefused(await client.get(path(limit(name) + 1)), 400, 'too-costly');
  });

  it('is refused for a value of more than search.valueCharactersMax, and for a cursor of more than search.cursorCharactersMax', async () => {
    expectRefused(
      await client.get(`Patient?identifier=${'x'.repeat(limit('search.valueCharactersMax') + 1)}`),
      400,
      'too-costly',
    );
    expect((await client.get(`Patient?identifier=${'x'.repeat(limit('search.valueCharactersMax'))}`)).status).toBe(200);
    expect((await client.get(`Patient?_cursor=${'x'.repeat(limit('search.cursorCharactersMax') + 1)}`)).status).toBe(
      400,
    );
    expect(chain).toBeLessThan(stringCharactersMax);
  });

  it('has pages of interaction.pageMax at most, and of interaction.pageDefault where nobody asks', async () => {
    await client.post('', {
      resourceType: 'Bundle',
      type: 'batch',
      entry: repeated(22, (n) => ({ resource: patient(`p${n}`), request: { method: 'PUT', url: `Patient/p${n}` } })),
    });
    const lengthOf = async (from: Client, path: string) => (await from.search(path)).length;
    expect(await lengthOf(client, 'Patient?_count=1000000')).toBe(5);
    expect(numberOf('interaction.pageMax')).toBe(1000);
    test = await test.restart({ SUTURE_PAGE_MAX: '1000' });
    client = test.client;
    expect(await lengthOf(client, 'Patient')).toBe(limit('interaction.pageDefault'));
    expect(await lengthOf(client, 'Patient?_count=1000000')).toBe(24);
    hit.add('interaction.pageMax');
  });
});

describe('What goes with a page, and what one delete takes', () => {
  it('is interaction.includedMax and interaction.deletesMax at most', async () => {
    test = await test.restart({ SUTURE_CONDITIONAL_DELETE: 'multiple', SUTURE_PAGE_MAX: '1000' });
    client = test.client;
    const count = limit('interaction.includedMax') + 1;
    expect(limit('interaction.deletesMax')).toBe(count - 1);
    for (let from = 0; from < count; from += 500) {
      const entry = repeated(Math.min(500, count - from), (n) => ({
        resource: {
          resourceType: 'Basic',
          id: `b${from + n}`,
          code: { text: 'x' },
          subject: { reference: 'Patient/a' },
        },
        request: { method: 'PUT', url: `Basic/b${from + n}` },
      }));
      expect((await client.post('', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(200);
    }
    expectRefused(await client.get('Patient?_id=a&_revinclude=Basic:patient'), 400, 'too-costly');
    expect((await client.remove('Basic?patient=a')).status).toBe(412);
    await client.remove('Basic/b0');
    const { json } = await client.get('Patient?_id=a&_revinclude=Basic:patient');
    expect(json.entry).toHaveLength(count);
    expect((await client.remove('Basic?patient=a')).status).toBe(204);
  });

  it('is followed for interaction.iterationsMax rounds', async () => {
    const organization = (n: number) => ({
      ...{ resourceType: 'Organization', id: `o${n}`, name: 'CH' },
      ...(n > 0 && { partOf: { reference: `Organization/o${n - 1}` } }),
    });
    await client.putAll(...[0, 1, 2, 3, 4, 5, 6].map(organization));
    const { json } = await client.get('Organization?_id=o6&_include:iterate=Organization:partof');
    expect(json.entry).toHaveLength(2 + limit('interaction.iterationsMax'));
  });
});

describe('A body', () => {
  const nested = (depth: number) =>
    `{"resourceType":"Basic","code":{"extension":[${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}]}}`;
  const values = (count: number) => `{"resourceType":"Basic","a":[${times(count, '1', ',')}]}`;

  it('is refused above json.depthMax and json.valuesMax', async () => {
    const { depthMax, valuesMax } = jsonLimits;
    expectRefused(await client.post('Basic', nested(depthMax)), 400, 'structure');
    expect((await client.post('Basic', nested(depthMax))).text).toContain(`${limit('json.depthMax')}`);
    expectRefused(await client.post('Basic', values(limit('json.valuesMax'))), 422, 'too-costly');
    expectRefused(await client.post('Basic', values(valuesMax - 10)), 400, 'structure');
  });

  it.each<[string, Buffer, Record<string, string>]>([
    ['as it is', Buffer.alloc(2 * mebibyte + 1, 32), {}],
    ['unpacked', gzipSync(Buffer.alloc(2 * mebibyte + 1, 32)), { 'content-encoding': 'gzip' }],
  ])('is refused above http.bodyMax, %s', async (_how, body, headers) => {
    expect(numberOf('http.bodyMax')).toBe(50 * mebibyte);
    expectRefused(await client.post('Basic', body, headers), 413, 'too-long');
    hit.add('http.bodyMax');
    const space = 2 * mebibyte - 200;
    const one = Buffer.from(`{"resourceType":"Basic","code":{"text":"x"}}${' '.repeat(space)}`);
    const sent = headers['content-encoding'] === undefined ? one : gzipSync(one);
    expect((await client.post('Basic', sent, headers)).status).toBe(201);
  });

  it('of a search is refused above http.formBytesMax', async () => {
    const type = 'application/x-www-form-urlencoded';
    const form = (length: number) =>
      client.send('POST', 'Patient/_search', { body: `_id=${'x'.repeat(length - 4)}`, type });
    expectRefused(await form(limit('http.formBytesMax') + 1), 413, 'too-long');
    expectRefused(await form(limit('http.formBytesMax')), 400, 'too-costly');
  });

  it('as a Bundle is refused above interaction.bundleEntriesMax', async () => {
    const batch = (count: number) =>
      client.post('', {
        resourceType: 'Bundle',
        type: 'batch',
        entry: repeated(count, () => ({ request: { method: 'GET', url: 'Basic?_count=0' } })),
      });
    expectRefused(await batch(limit('interaction.bundleEntriesMax') + 1), 422, 'too-costly');
  });

  it('as a patch is refused above jsonPatch.operationsMax, jsonPatch.pointerMax and jsonPatch.growthMax', async () => {
    const patch = (operations: readonly object[]) =>
      client.send('PATCH', 'Patient/a', { body: JSON.stringify(operations), type: 'application/json-patch+json' });
    const tests = (count: number) => repeated(count, () => ({ op: 'test', path: '/active', value: true }));
    expect((await patch(tests(limit('jsonPatch.operationsMax')))).status).toBe(200);
    expectRefused(await patch(tests(limit('jsonPatch.operationsMax') + 1)), 422, 'too-costly');
    expect((await patch([{ op: 'remove', path: `/${'x'.repeat(limit('jsonPatch.pointerMax'))}` }])).status).toBe(400);
    const name = (length: number) => [{ op: 'replace', path: '/name/0/family', value: 'x'.repeat(length) }];
    expectRefused(await patch(name(limit('jsonPatch.growthMax') + 2000)), 422, 'too-costly');
    expect((await patch(name(limit('jsonPatch.growthMax') - 2000))).status).toBe(200);
  });

  it('as a FHIRPath Patch is refused above fhirPathPatch.operationsMax', async () => {
    const operation = {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: 'Patient.active' },
        { name: 'value', valueBoolean: true },
      ],
    };
    const patch = (count: number) =>
      client.send('PATCH', 'Patient/a', {
        body: { resourceType: 'Parameters', parameter: repeated(count, () => operation) },
      });
    expect((await patch(limit('fhirPathPatch.operationsMax'))).status).toBe(200);
    expectRefused(await patch(limit('fhirPathPatch.operationsMax') + 1), 422, 'too-costly');
  });
});

/** A connection that says just what it is told; `said` is all that came back. */
async function connect(): Promise<{ readonly socket: net.Socket; readonly said: () => string }> {
  const { hostname, port } = new URL(client.baseUrl);
  const socket = net.connect(Number(port), hostname);
  let said = '';
  socket.on('data', (part: Buffer) => (said += part.toString('latin1'))).on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, said: () => said };
}

const basic = JSON.stringify({ resourceType: 'Basic', code: { text: 'x' } });

/** A request that the server has begun and cannot end: it waits for the body. */
async function holdRequest(length: number) {
  const held = await connect();
  held.socket.write(
    `POST /fhir/Basic HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`,
  );
  while (!held.said().includes('100 Continue')) await once(held.socket, 'data');
  return {
    ...held,
    async finish(body: string) {
      held.socket.write(body);
      while (!/HTTP\/1\.1 [2-5]\d\d/.test(held.said())) await once(held.socket, 'data');
      held.socket.destroy();
      return Number(/HTTP\/1\.1 ([2-5]\d\d)/.exec(held.said())?.[1]);
    },
  };
}

const inFlight = async (): Promise<number> =>
  Number(/^suture_requests_in_flight (\d+)$/m.exec((await client.get('/metrics')).text)?.[1]);

/** The server learns of a client that is gone a moment later. */
async function untilNobodyIsLeft(): Promise<void> {
  while ((await inFlight()) > 0) await new Promise((resume) => setImmediate(resume));
}

describe('What is under way', () => {
  it('is http.inFlightMax at most: one more is told when to come again, and health and metrics are answered', async () => {
    await untilNobodyIsLeft();
    const held = await Promise.all([1, 2, 3].map(() => holdRequest(basic.length)));
    const refused = await client.get('Patient/a', { 'accept-language': 'fr' });
    expectRefused(refused, 503, 'transient');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.json.issue[0].details.text).toMatch(/^le serveur traite déjà/);
    for (const path of ['/health/live', '/health/ready', '/metrics']) expect((await client.get(path)).status).toBe(200);
    const { text } = await client.get('/metrics');
    expect(text).toMatch(/^suture_requests_in_flight 3$/m);
    expect(text).toMatch(/^suture_limit_hits_total\{limit="inFlightMax"\} 1$/m);
    expect(await Promise.all(held.map((one) => one.finish(basic)))).toEqual([201, 201, 201]);
    await untilNobodyIsLeft();
    expect((await client.get('Patient/a')).status).toBe(200);
    expect(numberOf('http.inFlightMax')).toBe(64);
    hit.add('http.inFlightMax');
  });

  it('is free again when clients hang up, in the middle of a body or of the work', async () => {
    const held = await Promise.all([1, 2, 3].map(() => holdRequest(basic.length)));
    expect(await inFlight()).toBe(3);
    for (const { socket } of held) socket.destroy();
    await untilNobodyIsLeft();
    // The row is locked: the update waits in the database while its client goes.
    await test.database.transaction(async (tx) => {
      await tx.query({ text: "select 1 from resource where type = 'Patient' and id = 'b' for update" });
      const { socket, said } = await connect();
      const body = JSON.stringify(patient('b'));
      socket.write(
        `PUT /fhir/Patient/b HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      while ((await inFlight()) === 0) await new Promise((resume) => setImmediate(resume));
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
      expect([said(), await inFlight()]).toEqual(['', 1]);
    });
    await untilNobodyIsLeft();
  });

  it('is free again when a client hangs up that has sent one request behind the other (RFC 9112 9.3.2)', async () => {
    await test.database.transaction(async (tx) => {
      await tx.query({ text: "select 1 from resource where type = 'Patient' and id = 'b' for update" });
      const { socket } = await connect();
      const body = JSON.stringify(patient('b'));
      socket.write(
        `PUT /fhir/Patient/b HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}GET /fhir/Patient/a HTTP/1.1\r\nHost: x\r\n\r\n`,
      );
      while ((await inFlight()) < 2) await new Promise((resume) => setImmediate(resume));
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
    });
    await untilNobodyIsLeft();
  });

  it('brings http.bodiesMax bytes at most: what is more is refused and gives back what it took', async () => {
    const half = Buffer.alloc(1.8 * mebibyte, 32).toString();
    const held = await Promise.all([1, 2].map(() => holdRequest(half.length + basic.length)));
    const [first, second] = held;
    first?.socket.write(half);
    second?.socket.write(half);
    // One of the two has room; the other does not.
    const statuses = await Promise.all(held.map((one) => one.finish(basic)));
    expect(statuses.sort()).toEqual([201, 503]);
    await untilNobodyIsLeft();
    expect((await client.get('/metrics')).text).toMatch(/^suture_request_body_bytes 0$/m);
    expect(await (await holdRequest(half.length + basic.length)).finish(half + basic)).toBe(201);
    expect(numberOf('http.bodiesMax')).toBe(256 * mebibyte);
    hit.add('http.bodiesMax');
  });

  it('has http.headerBytesMax of headers, http.pathPartMax of a part of the path', async () => {
    const { socket, said } = await connect();
    socket.write(
      `GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(limit('http.headerBytesMax'))}\r\n\r\n`,
    );
    await once(socket, 'close');
    expect(said()).toMatch(/^HTTP\/1\.1 431 /);
    expect((await client.get(`Patient/${'x'.repeat(limit('http.pathPartMax') + 1)}`)).status).toBe(414);
  });

  it('is cut off after http.requestTimeoutMs and http.headersTimeoutMs, and beyond http.connectionsMax closed (H2, H3, H4)', async () => {
    test = await test.restart({ SUTURE_REQUEST_TIMEOUT: '1', SUTURE_CONNECTIONS_MAX: '8' });
    client = test.client;
    const [slow, silent] = [await holdRequest(basic.length), await connect()];
    silent.socket.write('GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    await Promise.all([once(slow.socket, 'close'), once(silent.socket, 'close')]);
    expect([slow.said(), silent.said()]).toEqual([
      expect.stringContaining('HTTP/1.1 408 '),
      expect.stringContaining('HTTP/1.1 408 '),
    ]);
    const many = await Promise.all(Array.from({ length: 9 }, connect));
    await Promise.race(many.map(({ socket }) => once(socket, 'close')));
    for (const { socket } of many) socket.destroy();
    expect([httpLimits.requestTimeoutMs, httpLimits.headersTimeoutMs, httpLimits.connectionsMax]).toEqual([
      30_000, 10_000, 1000,
    ]);
    for (const name of ['requestTimeoutMs', 'headersTimeoutMs', 'connectionsMax']) hit.add(`http.${name}`);
  });
});

/** Reached in another file, by a test that says this. */
const elsewhere: Readonly<Record<string, readonly [file: string, words: string]>> = {
  'http.clientRequestsPerMinute': ['test/http/pace.test.ts', 'clientRequestsPerMinute'],
  'http.tokenRequestsPerMinute': ['test/identity/tokens.test.ts', 'tokenRequestsPerMinute'],
  'http.tokenFormBytesMax': ['test/identity/tokens.test.ts', 'toBe(413)'],
  'evaluation.stepsMax': ['test/breaks/hostile-rules.test.ts', 'takes more than 300000 steps'],
  'evaluation.textMax': ['test/breaks/hostile-rules.test.ts', 'more than 262144 characters'],
  'isolation.evaluationMs': ['test/breaks/hostile-rules.test.ts', 'evaluationMs'],
  'isolation.heapMb': ['test/breaks/hostile-rules.test.ts', 'heapMb'],
  'overrun.inSequenceMax': ['test/breaks/hostile-rules.test.ts', 'after the third time in sequence'],
  'overrun.suspendedMs': ['test/breaks/hostile-rules.test.ts', 'suspendedMs'],
  'database.poolSize': ['test/db/limits.test.ts', 'poolSize'],
  'database.acquireTimeoutMs': ['test/db/limits.test.ts', 'acquireTimeoutMs'],
  'database.statementTimeoutMs': ['test/db/limits.test.ts', 'statementTimeoutMs'],
  'database.lockTimeoutMs': ['test/db/database.test.ts', 'waits for a lock no longer than its limit'],
  'zip.entriesMax': ['test/formats/zip.test.ts', 'plus de 100 entrées'],
  'zip.unpackedMax': ['test/formats/zip.test.ts', 'octets déployés'],
  'zip.ratioMax': ['test/formats/zip.test.ts', 'plus de 100 fois'],
  'mail.depthMax': ['test/formats/mail.test.ts', 'M1'],
  'mllp.messageBytesMax': ['test/listeners/mllp.test.ts', 'messageBytesMax'],
  'mllp.connectionsOfOneMax': ['test/listeners/mllp.test.ts', 'connectionsOfOneMax'],
  'mllp.idleMs': ['test/listeners/mllp.test.ts', 'idleMs'],
  'mllp.messageMs': ['test/listeners/mllp.test.ts', 'messageMs'],
  'stop.stopMs': ['test/flows/stop.test.ts', 'stop'],
};
/** Of test/base/limits.test.ts. */
const withoutServer = new Set(['xml', 'zip', 'mail', 'hl7', 'fhirXml', 'expression']);

describe('The table of limits in the README', () => {
  const rows = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^\| `(\w+\.\w+)` \| ([^|]+) \|/gm)].map(
    ([, name = '', number = '']) => ({ name, number: number.trim() }),
  );

  it('has the numbers that hold', () => {
    const units: Readonly<Record<string, number>> = { MiB: mebibyte, KiB: 1024, s: 1000, ms: 1 };
    const read = (text: string): number => {
      const [number = '', unit = ''] = text.split(' ');
      return Number(number.replaceAll(',', '')) * (units[unit] ?? 1);
    };
    expect(rows.map(({ name, number }) => [name, read(number)])).toEqual(
      rows.map(({ name }) => [name, numberOf(name)]),
    );
    expect(rows.length).toBeGreaterThan(50);
  });

  it('names limits that a test reaches', () => {
    const says = (file: string, words: string) =>
      existsSync(join(root, file)) && readFileSync(join(root, file), 'utf8').includes(words);
    const unreached = rows.filter(({ name }) => {
      const [group = '', key = ''] = name.split('.');
      const place = elsewhere[name];
      if (place !== undefined) return !says(...place);
      return !hit.has(name) && !(withoutServer.has(group) && says('test/base/limits.test.ts', key));
    });
    expect(unreached.map(({ name }) => name)).toEqual([]);
    expect(interactionLimits.bundleEntriesMax).toBe(500);
  });
});
