/**
 * Hostile input by number (../shared/reference/security-reliability.md): J3 to J6 (patches), F without authentication, T. The rows that
 * stand elsewhere are named in test/README.md.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client, Reply } from '../support/client.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(patient('a'), patient('b'), {
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    code: { text: 'x' },
  });
});
afterAll(() => test?.close());

const marker = 'ZZMARKER';
const patient = (id: string) => ({
  resourceType: 'Patient',
  id,
  active: true,
  name: [{ family: 'Le Goff', given: ['Nolwenn'] }],
});

function jsonPatch(patch: unknown): Promise<Reply> {
  return client.send('PATCH', 'Patient/a', { body: JSON.stringify(patch), type: 'application/json-patch+json' });
}

function expectRefusal(reply: Reply, statuses: readonly number[]): void {
  expect([reply.text.slice(0, 300), statuses.includes(reply.status)]).toEqual([reply.text.slice(0, 300), true]);
  expect(reply.json.resourceType).toBe('OperationOutcome');
  expect(reply.text).not.toContain(marker);
}

describe('Hostile patches', () => {
  it.each([
    ['J3', [{ op: 'add', path: '/__proto__/x', value: 1 }], [400]],
    ['J3', [{ op: 'add', path: '/constructor/prototype/x', value: 1 }], [400]],
    ['J4', Array.from({ length: 22 }, (_one, n) => ({ op: 'copy', from: '', path: `/extension${n}` })), [413, 422]],
    ['J5', [{ op: 'test', path: '/name/0/family', value: marker }], [422]],
    ['J6', [{ op: 'add', path: '/name/4294967295', value: {} }], [400, 422]],
    ['J6', [{ op: 'remove', path: '/name/-' }], [400, 422]],
    ['J6', [{ op: 'remove', path: '/name/01' }], [400, 422]],
    ['J6', [{ op: 'remove', path: '/~2' }], [400, 422]],
    ['J6', Array.from({ length: 10_000 }, () => ({ op: 'test', path: '/active', value: true })), [422]],
  ])('%s are refused and change nothing', async (_row, patch, statuses) => {
    const started = performance.now();
    expectRefusal(await jsonPatch(patch), statuses);
    expect(performance.now() - started).toBeLessThan(2000);
    expect((await client.get('Patient/a')).headers.get('etag')).toBe('W/"1"');
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it('J5: a failed test does not tell the value, nor whether it was near', async () => {
    const wrong = await jsonPatch([{ op: 'test', path: '/name/0/family', value: marker }]);
    const near = await jsonPatch([{ op: 'test', path: '/name/0/family', value: 'Le Gof' }]);
    expect(wrong.text).toBe(near.text);
    expect(wrong.text).not.toContain('Le Goff');
  });
});

describe('Hostile searches', () => {
  it('F2: what is not there looks like what is there without matches', async () => {
    const [one, other] = [await client.get('Observation?patient=b'), await client.get('Observation?patient=never')];
    expect([one.status, other.status]).toEqual([200, 200]);
    expect([one.json.entry, other.json.entry]).toEqual([undefined, undefined]);
  });

  it.each([
    ['F7', 'Patient?_cursor=AAAA'],
    ['F15', `Patient?nmae=${marker}`],
    ['F17', `Patient?${Array.from({ length: 200 }, () => `name=${marker}`).join('&')}`],
    ['F17', `Patient?_id=${Array.from({ length: 3000 }, (_one, n) => n).join(',')}`.slice(0, 12_000)],
    ['F17', `Observation?${'subject.link.other.link.other.link.other.link.other.link.'.repeat(2)}name=x`],
    [
      'F17',
      'Patient?_has:Observation:subject:_has:Observation:focus:_has:Observation:focus:_has:Observation:focus:_has:Observation:focus:code=x',
    ],
    ['F17', 'Patient?_offset=9000000000'],
    ['F18', 'Patient?name=a%00b'],
    ['F20', 'Patient?_query=everybody'],
    ['F20', '?_type=*&name=x'],
    ['F20', 'Patient?_filter=nmae eq x'],
    ['F20', 'Patient?_content=goff'],
    ['F20', 'Patient?_text=goff'],
    ['F20', 'Patient?_list=$current-problems'],
    ['F6', 'Patient?_include=*:*:*:*'],
    ['F6', 'Patient?_revinclude=Nothing:subject'],
    ['F21', 'Patient?_lastUpdated=eq0'],
    ['F21', 'Observation?date=gt99999'],
  ])('%s is refused, and nothing is repeated', async (_row, path) => {
    expectRefusal(await client.get(path), [400, 414]);
  });

  it('F8, F17: counts are of what can be seen; a page is never larger than the largest', async () => {
    expect((await client.get('Patient?_count=0&_total=accurate')).json.total).toBe(2);
    expect((await client.get('Patient?_count=1000000')).status).toBe(200);
  });

  it.each(['%'.repeat(1000), '_', '\\', "'; DROP TABLE resource; --", '$$', '*'])(
    'F18: %s is a text like any other',
    async (text) => {
      const reply = await client.get(`Patient?name:contains=${encodeURIComponent(text)}`);
      if (reply.status === 200) expect(reply.json.entry).toBeUndefined();
      else expectRefusal(reply, [400]);
      expect((await client.get('Patient/a')).status).toBe(200);
    },
  );

  it('F19: a form adds to the URL, and has a limit', async () => {
    const type = 'application/x-www-form-urlencoded';
    const both = await client.send('POST', 'Patient/_search?name=nolwenn', { body: 'name=nobody', type });
    expect([both.status, both.json.entry]).toEqual([200, undefined]);
    expectRefusal(await client.send('POST', 'Patient/_search', { body: `name=${'x'.repeat(2_000_000)}`, type }), [413]);
  });

  it('F21: ranges that exclude each other find nothing', async () => {
    const reply = await client.get('Observation?date=gt2024-01-01&date=lt2023-01-01');
    expect([reply.status, reply.json.entry]).toEqual([200, undefined]);
  });

  it('F14: the history of what was deleted stays with who may read it', async () => {
    await client.putAll(patient('gone'));
    await client.remove('Patient/gone');
    expect((await client.get('Patient/gone')).status).toBe(410);
    expect((await client.get('Patient/gone/_history/1')).status).toBe(200);
  });
});

describe('Hostile Bundles', () => {
  const send = (type: string, entry: readonly object[]) => client.post('', { resourceType: 'Bundle', type, entry });
  const put = (id: string) => ({ resource: patient(id), request: { method: 'PUT', url: `Patient/${id}` } });

  it.each(['batch', 'transaction'])(
    'T4: 501 and 20 000 entries of a %s are refused before anything is done',
    async (type) => {
      for (const count of [501, 20_000]) {
        const started = performance.now();
        expectRefusal(
          await send(
            type,
            Array.from({ length: count }, (_one, n) => put(`t4-${n}`)),
          ),
          [413, 422],
        );
        expect(performance.now() - started).toBeLessThan(10_000);
      }
      expect((await client.get('Patient/t4-0')).status).toBe(404);
    },
  );

  it.each([
    ['T5', [put('t5'), put('t5')]],
    ['T6', [put('t6'), { request: { method: 'GET', url: 'http://169.254.169.254/latest' } }]],
    ['T6', [put('t6'), { request: { method: 'GET', url: '//evil/Patient' } }]],
    ['T6', [put('t6'), { request: { method: 'GET', url: '/metadata' } }]],
    ['T6', [put('t6'), { request: { method: 'GET', url: 'Patient/1/../../admin' } }]],
    ['T6', [put('t6'), { request: { method: 'GET', url: '$export' } }]],
    ['T7', [put('t7'), { request: { method: 'TRACE', url: 'Patient/a' } }]],
    ['T7', [put('t7'), { request: { method: 'get', url: 'Patient/a' } }]],
    ['T8', [put('t8'), { ...put('a'), request: { method: 'PUT', url: 'Patient/a', ifMatch: 'W/"1"\nX: y' } }]],
    ['T8', [put('t8'), { resource: patient('x'), request: { method: 'POST', url: 'Patient', ifNoneExist: marker } }]],
    ['T9', [put('t9'), { request: { method: 'GET', url: 'Patient/never' } }]],
  ])('%s fails as a whole', async (row, entry) => {
    expectRefusal(await send('transaction', entry), [400, 404, 412]);
    expect((await client.get(`Patient/${row.toLowerCase()}`)).status).toBe(404);
    expect((await client.get(`Patient/${row.toLowerCase()}/_history`)).status).toBe(404);
  });

  it('T5: references in a circle are resolved', async () => {
    const [x, y] = ['urn:uuid:0d3a3e5c-93c4-4a3a-8f3e-6d6b1c7e0b01', 'urn:uuid:0d3a3e5c-93c4-4a3a-8f3e-6d6b1c7e0b02'];
    const of = (fullUrl: string, reference: string) => ({
      fullUrl,
      resource: { resourceType: 'Patient', link: [{ other: { reference }, type: 'seealso' }] },
      request: { method: 'POST', url: 'Patient' },
    });
    expect((await send('transaction', [of(x ?? '', y ?? ''), of(y ?? '', x ?? '')])).status).toBe(200);
  });

  it('T7: a transaction in a resource is stored, not carried out', async () => {
    const inner = { resourceType: 'Bundle', type: 'transaction', entry: [put('t7b')] };
    expect((await client.post('Bundle', inner)).status).toBe(201);
    expect((await client.get('Patient/t7b')).status).toBe(404);
  });

  it('T10: two transactions that touch the same two in opposite order all go through', async () => {
    const rounds = Array.from({ length: 30 }, (_one, n) =>
      send('transaction', n % 2 === 0 ? [put('x1'), put('x2')] : [put('x2'), put('x1')]),
    );
    expect((await Promise.all(rounds)).map(({ status }) => status)).toEqual(Array(30).fill(200));
  });

  it('T11: a batch of 500 searches is answered', async () => {
    const entry = Array.from({ length: 500 }, () => ({ request: { method: 'GET', url: 'Patient?_count=1' } }));
    expect((await send('batch', entry)).json.entry).toHaveLength(500);
  });
});
