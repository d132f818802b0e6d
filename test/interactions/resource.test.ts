/** The life of one resource over HTTP (https://hl7.org/fhir/R4/http.html): create, read, update, delete, versions, conditions. */
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

const patient = { resourceType: 'Patient', active: true, name: [{ family: 'Vauquelin' }] };
const identified = (value: string) => ({ ...patient, identifier: [{ system: 'urn:oid:1.2.250.1.999.7.1', value }] });

function outcome(reply: Reply): { code: string; text: string; expression: string | undefined } {
  const [issue] = reply.json.issue;
  return { code: issue.code, text: issue.details?.text, expression: issue.expression?.[0] };
}

async function create(resource: object = patient): Promise<string> {
  const reply = await client.post((resource as { resourceType: string }).resourceType, resource);
  expect(reply.status).toBe(201);
  return reply.json.id as string;
}

describe('create', () => {
  it('answers 201 with id, version, Location, ETag, Last-Modified and the resource', async () => {
    const reply = await client.post('Patient', { ...patient, id: 'mine' });
    const { id } = reply.json;
    expect(reply.status).toBe(201);
    expect(id).not.toBe('mine');
    expect(reply.json).toMatchObject({ ...patient, meta: { versionId: '1', lastUpdated: '2026-03-02T07:00:00.000Z' } });
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      location: `${client.baseUrl}/Patient/${id}/_history/1`,
      etag: 'W/"1"',
      'last-modified': 'Mon, 02 Mar 2026 07:00:00 GMT',
      'content-type': 'application/fhir+json; charset=utf-8',
    });
  });

  it('answers no body, or an outcome, when the client prefers that', async () => {
    const minimal = await client.post('Patient', patient, { prefer: 'return=minimal' });
    expect([minimal.status, minimal.text, minimal.headers.get('etag')]).toEqual([201, '', 'W/"1"']);
    const told = await client.post('Patient', patient, { prefer: 'return=OperationOutcome' });
    expect(told.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'information' }] });
  });

  it('ignores the version and time that a client writes, and keeps its tags (J18)', async () => {
    const meta = { versionId: '77', lastUpdated: '2001-01-01T00:00:00Z', tag: [{ system: 'urn:x', code: 't' }] };
    const { json } = await client.post('Patient', { ...patient, meta });
    expect(json.meta).toEqual({ versionId: '1', lastUpdated: '2026-03-02T07:00:00.000Z', tag: meta.tag });
  });

  it('keeps the digits of decimals and the order of members', async () => {
    const body = `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.500,"unit":"mg"},"referenceRange":[{"low":{"value":0.10}},{"low":{"value":1.00e2}}]}`;
    const { status, json } = await client.send('POST', 'Observation', { body });
    expect(status).toBe(201);
    const { text } = await client.get(`Observation/${json.id}`);
    expect(text).toContain('"valueQuantity":{"value":1.500,"unit":"mg"}');
    expect(text).toContain('"referenceRange":[{"low":{"value":0.10}},{"low":{"value":1.00e2}}]');
  });
});

describe('conditional create', () => {
  const header = (value: string) => ({ 'if-none-exist': `identifier=urn:oid:1.2.250.1.999.7.1|${value}` });

  it('creates when nothing matches, and answers what is there when one does', async () => {
    const first = await client.post('Patient', identified('c1'), header('c1'));
    const second = await client.post('Patient', identified('c1'), header('c1'));
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.json.id).toBe(first.json.id);
    expect(second.headers.get('location')).toBe(`${client.baseUrl}/Patient/${first.json.id}/_history/1`);
  });

  it('answers 412 when several match, and when the criteria are none', async () => {
    await create(identified('c2'));
    await create(identified('c2'));
    expect((await client.post('Patient', identified('c2'), header('c2'))).status).toBe(412);
    expect((await client.post('Patient', identified('c2'), { 'if-none-exist': '' })).status).toBe(412);
  });

  it('refuses criteria that it does not know rather than drop them', async () => {
    const reply = await client.post('Patient', patient, { 'if-none-exist': 'nmae=x' });
    expect(reply.status).toBe(400);
  });

  it('makes one resource when twenty ask at once', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => client.post('Patient', identified('c3'), header('c3'))),
    );
    expect(new Set(replies.map(({ json }) => json.id)).size).toBe(1);
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(await client.search('Patient?identifier=c3')).toHaveLength(1);
  });

  it('makes one resource in each of sixty rounds, while others write', async () => {
    const made: number[] = [];
    for (let round = 0; round < 60; round++) {
      const asked = identified(`round-${round}`);
      const beside = Promise.all([0, 1, 2].map(() => client.post('Patient', identified(`beside-${round}`))));
      const replies = await Promise.all([0, 1].map(() => client.post('Patient', asked, header(`round-${round}`))));
      expect((await beside).map(({ status }) => status)).toEqual([201, 201, 201]);
      made.push(replies.filter(({ status }) => status === 201).length);
      expect(replies[0]?.json.id).toBe(replies[1]?.json.id);
    }
    expect(made).toEqual(Array.from({ length: 60 }, () => 1));
  }, 60_000);
});

describe('read', () => {
  it('answers the resource with its version, and HEAD the same without body', async () => {
    const id = await create();
    const reply = await client.get(`Patient/${id}`);
    expect([reply.status, reply.headers.get('etag')]).toEqual([200, 'W/"1"']);
    const head = await client.send('HEAD', `Patient/${id}`);
    expect([head.status, head.text, head.headers.get('etag')]).toEqual([200, '', 'W/"1"']);
    expect(head.headers.get('last-modified')).toBe(reply.headers.get('last-modified'));
    expect(head.headers.get('content-length')).toBe(String(reply.bytes.length));
  });

  it('answers 304 when the client has this version already', async () => {
    const id = await create();
    const status = async (headers: Record<string, string>) => (await client.get(`Patient/${id}`, headers)).status;
    expect(await status({ 'if-none-match': 'W/"1"' })).toBe(304);
    expect(await status({ 'if-none-match': 'W/"7", W/"1"' })).toBe(304);
    expect(await status({ 'if-none-match': '*' })).toBe(304);
    expect(await status({ 'if-none-match': 'W/"2"' })).toBe(200);
    expect(await status({ 'if-modified-since': 'Mon, 02 Mar 2026 07:00:00 GMT' })).toBe(304);
    expect(await status({ 'if-modified-since': 'Mon, 02 Mar 2026 06:59:59 GMT' })).toBe(200);
    expect(await status({ 'if-modified-since': 'some day' })).toBe(200);
  });

  it.each([
    ['an id that was never used', 'Patient/never', 404, 'not-found'],
    ['an id that cannot be', `Patient/${'x'.repeat(65)}`, 404, 'not-found'],
    ['an id with a NUL', 'Patient/a%00b', 404, 'not-found'],
    ['a path inside the id', 'Patient/..%2f..%2fetc', 404, 'not-found'],
    ['a type that is none', 'Patients/1', 404, 'not-supported'],
    ['a name of the language', 'constructor/1', 404, 'not-supported'],
    ['a version that is not there', 'Patient/never/_history/3', 404, 'not-found'],
    ['a version that is no number', 'Patient/never/_history/last', 404, 'not-found'],
  ])('answers an outcome for %s', async (_what, path, status, code) => {
    const reply = await client.get(path);
    expect([reply.status, outcome(reply).code]).toEqual([status, code]);
  });

  it('answers each former version as it was', async () => {
    const id = await create();
    await client.put({ ...patient, id, active: false });
    expect((await client.get(`Patient/${id}/_history/1`)).json).toMatchObject({
      active: true,
      meta: { versionId: '1' },
    });
    const second = await client.get(`Patient/${id}/_history/2`);
    expect(second.json).toMatchObject({ active: false });
    expect(second.headers.get('etag')).toBe('W/"2"');
  });
});

describe('update', () => {
  it('makes the next version, or creates under the id of the client', async () => {
    const made = await client.put({ ...patient, id: 'u1' });
    const again = await client.put({ ...patient, id: 'u1', active: false });
    expect([made.status, again.status]).toEqual([201, 200]);
    expect(made.headers.get('location')).toBe(`${client.baseUrl}/Patient/u1/_history/1`);
    expect(again.headers.get('location')).toBe(`${client.baseUrl}/Patient/u1/_history/2`);
    expect([again.headers.get('etag'), again.json.meta.versionId]).toEqual(['W/"2"', '2']);
  });

  it('goes through only on the version that If-Match names', async () => {
    await client.put({ ...patient, id: 'u2' });
    const status = async (tag: string, id = 'u2') => (await client.put({ ...patient, id }, { 'if-match': tag })).status;
    expect(await status('W/"1"')).toBe(200);
    expect(await status('W/"1"')).toBe(412);
    expect(await status('"2"')).toBe(200);
    expect(await status('W/"1"', 'u2-never')).toBe(412);
    expect([400, 412]).toContain(await status('last'));
    expect([400, 412]).toContain(await status('W/"99999999999999999999"'));
    expect((await client.read('Patient/u2')).meta?.versionId).toBe('3');
  });

  it.each([
    ['the id is another', { ...patient, id: 'other' }, 'Patient/u3', 'Patient.id'],
    ['the id is missing', patient, 'Patient/u3', 'Patient.id'],
    ['the type is another', { resourceType: 'Basic', id: 'u3', code: { text: 'x' } }, 'Patient/u3', undefined],
    ['the id in the URL cannot be one', { ...patient, id: 'a_b' }, 'Patient/a_b', undefined],
  ])('is refused when %s', async (_what, body, path, expression) => {
    const reply = await client.send('PUT', path, { body });
    expect(reply.status).toBe(400);
    if (expression !== undefined) expect(outcome(reply).expression).toBe(expression);
    expect((await client.get('Patient/u3')).status).toBe(404);
  });

  it('gives each of many updates at once a version of its own', async () => {
    const replies = await Promise.all(Array.from({ length: 15 }, () => client.put({ ...patient, id: 'u4' })));
    const versions = replies.map(({ json }) => Number(json.meta.versionId)).sort((a, b) => a - b);
    expect(versions).toEqual(Array.from({ length: 15 }, (_one, index) => index + 1));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  it('lets one of two updates of the same version win', async () => {
    await client.put({ ...patient, id: 'u5' });
    const both = await Promise.all([1, 2].map(() => client.put({ ...patient, id: 'u5' }, { 'if-match': 'W/"1"' })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
  });
});

describe('delete', () => {
  it('takes the resource away, keeps its versions, and may be repeated', async () => {
    const id = await create();
    expect((await client.remove(`Patient/${id}`)).status).toBe(204);
    expect((await client.remove(`Patient/${id}`)).status).toBe(204);
    const gone = await client.get(`Patient/${id}`);
    expect([gone.status, outcome(gone).code]).toEqual([410, 'deleted']);
    expect((await client.get(`Patient/${id}/_history/1`)).status).toBe(200);
    expect((await client.get(`Patient/${id}/_history/2`)).status).toBe(410);
    expect((await client.get(`Patient/${id}/_history/3`)).status).toBe(404);
    expect(await client.search(`Patient?_id=${id}`)).toEqual([]);
  });

  it('is a success for what was never there, and 412 for a version that is not current', async () => {
    expect((await client.remove('Patient/d-never')).status).toBe(204);
    const id = await create();
    expect((await client.remove(`Patient/${id}`, { 'if-match': 'W/"2"' })).status).toBe(412);
    expect((await client.remove(`Patient/${id}`, { 'if-match': 'W/"1"' })).status).toBe(204);
  });

  it('does not forget versions when the resource comes back', async () => {
    await client.put({ ...patient, id: 'd1' });
    await client.remove('Patient/d1');
    const back = await client.put({ ...patient, id: 'd1' });
    expect([back.status, back.json.meta.versionId]).toEqual([201, '3']);
  });
});

describe('history', () => {
  beforeAll(async () => {
    await client.put({ ...patient, id: 'h1' });
    await client.put({ ...patient, id: 'h1', active: false });
    await client.remove('Patient/h1');
    await client.put({ ...patient, id: 'h1' });
  });

  it('tells every version, newest first, with what made it', async () => {
    const { status, json } = await client.get('Patient/h1/_history');
    expect(status).toBe(200);
    expect(json).toMatchObject({ resourceType: 'Bundle', type: 'history' });
    type Entry = {
      request: { method: string; url: string };
      response: { status: string; etag: string };
      resource?: object;
    };
    const told = (json.entry as Entry[]).map(({ request, response, resource }) => [
      request.method,
      request.url,
      response.etag,
      resource !== undefined,
    ]);
    expect(told).toEqual([
      ['PUT', 'Patient/h1', 'W/"4"', true],
      ['DELETE', 'Patient/h1', 'W/"3"', false],
      ['PUT', 'Patient/h1', 'W/"2"', true],
      ['PUT', 'Patient/h1', 'W/"1"', true],
    ]);
  });

  it('pages by _count, and its next link leads through all versions once', async () => {
    const seen: string[] = [];
    let path: string | undefined = 'Patient/h1/_history?_count=3';
    while (path !== undefined) {
      const { json } = await client.get(path);
      seen.push(...(json.entry as { response: { etag: string } }[]).map(({ response }) => response.etag));
      const next = (json.link as { relation: string; url: string }[]).find(({ relation }) => relation === 'next');
      path = next?.url.slice(client.baseUrl.length + 1);
    }
    expect(seen).toEqual(['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']);
  });

  it('is 404 for what was never there, and 400 for a parameter that it does not know', async () => {
    expect((await client.get('Patient/never/_history')).status).toBe(404);
    expect((await client.get('Patient/h1/_history?_sort=x')).status).toBe(400);
  });
});
