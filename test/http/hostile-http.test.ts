/**
 * Rows H of hostile inputs (../shared/reference/security-reliability.md) that stand in no other file: what clients do with connections,
 * headers, paths, and what the database may answer underneath.
 */
import { once } from 'node:events';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callersBy, patientUser } from '../access/callers.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client } from '../support/client.ts';

const secret = 'ZZHOSTILESECRET';
let test: TestApp;
let client: Client;
/** Like everybody in this test's other world: nobody without a token. */
let stranger: Client;

beforeAll(async () => {
  test = await startTestApp({ callerOf: callersBy({ own: patientUser('Patient/own') }) });
  stranger = test.client;
  client = test.client.with({ authorization: 'Bearer system' });
  await client.putAll({ resourceType: 'Patient', id: 'own' }, { resourceType: 'Patient', id: 'other' });
});
afterAll(() => test?.close());

/** Sends bytes over a connection of its own; answers what came until it was closed, or until `enough` is there. */
async function raw(bytes: string | Uint8Array, enough = /\r\n\r\n/): Promise<string> {
  const { hostname, port } = new URL(client.baseUrl);
  const socket = net.connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  let text = '';
  const isOver = new Promise<void>((resolve) => {
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
      if (enough.test(text)) resolve();
    });
    socket.on('close', () => resolve());
  });
  socket.write(bytes);
  await isOver;
  socket.destroy();
  return text;
}

const head = (line: string, ...more: readonly string[]) => [line, 'Host: x', ...more, '', ''].join('\r\n');
const asSystem = 'Authorization: Bearer system';
const json = 'Content-Type: application/fhir+json';

describe('A connection', () => {
  it('is answered 401 before a byte of its body has been read (H1)', async () => {
    const answer = await raw(head('POST /fhir/Patient HTTP/1.1', json, 'Content-Length: 5242880') + '{"resourceType":');
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('is answered 413 at once when it announces 4 GB (H6)', async () => {
    const before = process.memoryUsage().rss;
    const answer = await raw(head('POST /fhir/Patient HTTP/1.1', asSystem, json, 'Content-Length: 4294967296'));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });

  it('may send a thousand requests at once and go away: others are answered (H22)', async () => {
    const request = head('GET /fhir/Patient/own HTTP/1.1', asSystem);
    const { hostname, port } = new URL(client.baseUrl);
    for (let round = 0; round < 3; round++) {
      const socket = net.connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(request.repeat(1_000));
      await once(socket, 'data');
      socket.resetAndDestroy();
    }
    // What was taken of the thousand is done first; until then others are told to come again.
    let reply = await client.get('Patient/own');
    while (reply.status === 503) reply = await client.get('Patient/own');
    expect(reply.status).toBe(200);
    const open = () =>
      new Promise<number>((resolve) => void test.app.http.server.getConnections((_error, count) => resolve(count)));
    while ((await open()) > 2) await new Promise(setImmediate);
  });
});

describe('A packed body', () => {
  const bomb = gzipSync(Buffer.alloc(300 * 2 ** 20, ' '));

  it('is refused when what is in it passes the limit, without being unpacked whole (H5)', async () => {
    const before = process.memoryUsage().rss;
    const reply = await client.post('Patient', bomb, { 'content-encoding': 'gzip' });
    expect([400, 413]).toContain(reply.status);
    expect(process.memoryUsage().rss - before).toBeLessThan(250 * 2 ** 20);
  });

  it.each(['gzip, gzip', 'compress', 'gzip, identity, gzip'])('is refused packed as %s (H5)', async (encoding) => {
    const reply = await client.post('Patient', gzipSync('{"resourceType":"Patient"}'), {
      'content-encoding': encoding,
    });
    expect(reply.status).toBe(415);
    expect(reply.json.resourceType).toBe('OperationOutcome');
  });
});

describe('A path', () => {
  it.each([
    'GET /fhir/Patient/..%2f..%2fetc HTTP/1.1',
    'GET /fhir/Patient/%2e%2e%2f%2e%2e%2fadmin HTTP/1.1',
    'GET /fhir/Patient/a%00b HTTP/1.1',
    'GET /fhir/Patient/%ff%fe HTTP/1.1',
    'GET /fhir/Patient%2Fown HTTP/1.1',
    'GET /fhir/../../etc/passwd HTTP/1.1',
    'GET /fhir//Patient//own HTTP/1.1',
    `GET /fhir/Patient/${'a'.repeat(65)} HTTP/1.1`,
  ])('%s is 400 or 404, and an outcome (H12)', async (line) => {
    const answer = await raw(head(line, asSystem, 'Connection: close'), /\}$/);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).toContain('OperationOutcome');
    expect(answer).not.toContain('etc');
  });
});

describe('A form that is asked for', () => {
  it.each(['Patient/own?_format=html', 'Patient/own?_format=text/html', 'Patient?_format=application/xhtml%2Bxml'])(
    'is never a page: %s (H17)',
    async (path) => {
      const reply = await client.get(path);
      expect([200, 406]).toContain(reply.status);
      expect(reply.headers.get('content-type')).toMatch(/^application\/fhir\+json/);
    },
  );

  it('is XML where it is asked for by _format (H17)', async () => {
    const reply = await client.get('Patient/own?_format=application/fhir%2Bxml');
    expect(reply.headers.get('content-type')).toMatch(/^application\/fhir\+xml/);
  });
});

describe('What nobody else may see', () => {
  it('is not there for a probe by ETag either, and no cache keeps it (H19)', async () => {
    const patient = test.client.with({ authorization: 'Bearer own' });
    const seen = await client.get('Patient/other');
    for (const tag of [seen.headers.get('etag') ?? '', 'W/"99"', '*']) {
      expect((await patient.get('Patient/other', { 'if-none-match': tag })).status).toBe(404);
    }
    expect(seen.headers.get('cache-control')).toBe('no-store');
    expect((await patient.get('Patient/own')).headers.get('cache-control')).toBe('no-store');
    expect((await stranger.get('Patient/own')).status).toBe(401);
  });
});

describe('What everybody may see', () => {
  it('tells nothing of what is underneath (H20)', async () => {
    const { status, text, headers } = await stranger.get('metadata');
    expect(status).toBe(200);
    const told = `${text} ${JSON.stringify([...headers])}`;
    for (const name of ['fastify', 'postgres', process.version, process.versions.v8, '/work', 'localhost:54'])
      expect(told.toLowerCase()).not.toContain(name.toLowerCase());
    expect(headers.get('server') ?? headers.get('x-powered-by')).toBeNull();
  });
});

describe('If-Match', () => {
  it.each([
    ['W/"01"', [400, 412]],
    ['W/"99999999999999999999"', [400, 412]],
    ['W/"-1"', [400, 412]],
    ['W/""', [400, 412]],
    ['*', [200, 400, 412]],
    ['"1"', [200, 400, 412]],
    [`W/"${'1'.repeat(5000)}"`, [400, 412]],
    ['W/"1", W/"2"', [200, 400, 412]],
    ['nonsense', [400, 412]],
  ])('%.30s is matched exactly or refused (H21)', async (tag, statuses) => {
    await client.putAll({ resourceType: 'Basic', id: 'tagged', code: { text: 'x' } });
    const { version } = { version: (await client.get('Basic/tagged')).json.meta.versionId as string };
    const body = { resourceType: 'Basic', id: 'tagged', code: { text: 'y' } };
    const { status } = await client.put(body, { 'if-match': tag });
    expect(statuses).toContain(status);
    if (status !== 200) expect((await client.get('Basic/tagged')).json.meta.versionId).toBe(version);
  });
});

describe('What PostgreSQL may answer', () => {
  beforeAll(async () => {
    await test.database.query({
      text: `create function hostile_state() returns trigger language plpgsql as $$
        begin
          if new.raw like '%hostile-state-%' then
            raise exception using errcode = substring(new.raw from 'hostile-state-(.....)'),
              message = '${secret}', detail = '${secret}', hint = '${secret}';
          end if;
          return new;
        end $$`,
    });
    await test.database.query({
      text: 'create trigger hostile_state before insert on resource for each row execute function hostile_state()',
    });
  });

  it.each([
    ...['22P05', '22021', '22P02', '22008', '22003', '54000', '54001'].map((state) => [state, 422] as const),
    ...['40001', '40P01', '55P03', '57014', '53300', '53100', '53200', '57P01', '57P02', '57P03', '25P03', '08006'].map(
      (state) => [state, 503] as const,
    ),
    ...['42P01', '42703', 'XX000', '99999'].map((state) => [state, 500] as const),
  ])('%s is answered %i, with fixed words (H15)', async (state, status) => {
    const body = { resourceType: 'Basic', code: { text: `hostile-state-${state}` } };
    const reply = await client.post('Basic', body);
    expect(reply.status).toBe(status);
    expect(reply.json.resourceType).toBe('OperationOutcome');
    expect(`${reply.text} ${test.logged.join('\n')}`).not.toContain(secret);
    if (status === 503) expect(reply.headers.get('retry-after')).toMatch(/^\d+$/);
    if (status === 500) expect(reply.text).toContain('error id');
  });

  it('23505 is a conflict (H15)', async () => {
    const body = { resourceType: 'Basic', code: { text: 'hostile-state-23505' } };
    expect([409, 412, 503]).toContain((await client.post('Basic', body)).status);
  });
});
