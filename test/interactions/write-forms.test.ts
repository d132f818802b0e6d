/**
 * patch (JSON Patch, FHIRPath Patch), what is done by criteria, Prefer, X-Provenance
 * (https://hl7.org/fhir/R4/http.html#patch, #cond-update, #return, #XProvenance).
 */
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

const system = 'urn:oid:1.2.250.1.999.7.1';
const patient = (value: string, more: object = {}) => ({
  resourceType: 'Patient',
  active: true,
  identifier: [{ system, value }],
  name: [{ family: 'Kerdoncuff' }],
  ...more,
});
const by = (value: string) => `Patient?identifier=${system}|${value}`;

function jsonPatch(path: string, patch: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const body = typeof patch === 'string' ? patch : JSON.stringify(patch);
  return client.send('PATCH', path, { body, type: 'application/json-patch+json', headers });
}

function replaceOperation(path: string, value: object): object {
  const part = [
    { name: 'type', valueCode: 'replace' },
    { name: 'path', valueString: path },
    { name: 'value', ...value },
  ];
  return { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] };
}

describe('A JSON Patch', () => {
  it('makes the next version, and says so in history', async () => {
    await client.putAll(patient('j1', { id: 'j1' }));
    const reply = await jsonPatch('Patient/j1', [{ op: 'replace', path: '/active', value: false }]);
    expect([reply.status, reply.headers.get('etag'), reply.json.active]).toEqual([200, 'W/"2"', false]);
    expect(reply.headers.get('location')).toBe(`${client.baseUrl}/Patient/j1/_history/2`);
    const { json } = await client.get('Patient/j1/_history?_count=1');
    expect(json.entry[0].request.method).toBe('PATCH');
  });

  it('goes through only on the version that If-Match names', async () => {
    await client.putAll(patient('j2', { id: 'j2' }));
    const patch = [{ op: 'add', path: '/gender', value: 'female' }];
    expect((await jsonPatch('Patient/j2', patch, { 'if-match': 'W/"7"' })).status).toBe(412);
    expect((await jsonPatch('Patient/j2', patch, { 'if-match': 'W/"1"' })).status).toBe(200);
  });

  it('of what is not there is 404, of what was deleted 410', async () => {
    expect((await jsonPatch('Patient/never', [])).status).toBe(404);
    await client.putAll(patient('j3', { id: 'j3' }));
    await client.remove('Patient/j3');
    expect((await jsonPatch('Patient/j3', [])).status).toBe(410);
  });

  it('keeps the digits of what it does not touch', async () => {
    const body =
      '{"resourceType":"Observation","id":"j4","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.500}}';
    await client.send('PUT', 'Observation/j4', { body });
    expect((await jsonPatch('Observation/j4', [{ op: 'add', path: '/language', value: 'fr' }])).text).toContain(
      '1.500',
    );
  });

  it('whose result is no valid resource changes nothing', async () => {
    await client.putAll(patient('j5', { id: 'j5' }));
    const reply = await jsonPatch('Patient/j5', [{ op: 'add', path: '/gender', value: 'F' }]);
    expect([reply.status, reply.json.issue[0].expression]).toEqual([400, ['Patient.gender']]);
    expect((await client.get('Patient/j5')).headers.get('etag')).toBe('W/"1"');
  });

  it('many at once are each made on what the others have left', async () => {
    await client.putAll(patient('j6', { id: 'j6' }));
    const add = (value: string) =>
      jsonPatch('Patient/j6', [{ op: 'add', path: '/identifier/-', value: { system, value } }]);
    const replies = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(add));
    expect(replies.map(({ status }) => status)).toEqual(Array(6).fill(200));
    const { identifier } = await client.read<{ identifier: { value: string }[] }>('Patient/j6');
    expect(identifier.map(({ value }) => value).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'j6']);
  });
});

describe('A FHIRPath Patch', () => {
  it.each([['JSON'], ['XML']])('does the same, in %s', async (form) => {
    const id = `f${form.toLowerCase()}`;
    await client.putAll(patient(id, { id }));
    const xml = `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/><part><name value="type"/><valueCode value="replace"/></part><part><name value="path"/><valueString value="Patient.name[0].family"/></part><part><name value="value"/><valueString value="Le Bihan"/></part></parameter></Parameters>`;
    const body = form === 'XML' ? xml : replaceOperation('Patient.name[0].family', { valueString: 'Le Bihan' });
    const type = form === 'XML' ? 'application/fhir+xml' : 'application/fhir+json';
    const reply = await client.send('PATCH', `Patient/${id}`, { body, type });
    expect([reply.status, reply.json.name[0].family]).toEqual([200, 'Le Bihan']);
  });

  it('that cannot be applied is 422 and says which operation', async () => {
    await client.putAll(patient('f2', { id: 'f2' }));
    const body = replaceOperation('Patient.contact[0].name', { valueString: 'x' });
    const { status, json } = await client.send('PATCH', 'Patient/f2', { body });
    expect([status, json.issue[0].expression]).toEqual([422, ['Parameters.parameter[0]']]);
  });

  it('is not just any resource', async () => {
    expect((await client.send('PATCH', 'Patient/f2', { body: patient('f2') })).status).toBe(400);
    expect((await client.send('PATCH', 'Patient/f2', { body: '<x/>', type: 'application/xml-patch+xml' })).status).toBe(
      415,
    );
  });
});

describe('By criteria', () => {
  it('an update makes what is not there, then updates it', async () => {
    const made = await client.send('PUT', by('u1'), { body: patient('u1') });
    const updated = await client.send('PUT', by('u1'), { body: patient('u1', { active: false }) });
    expect([made.status, updated.status, updated.json.id]).toEqual([201, 200, made.json.id]);
    expect(updated.headers.get('etag')).toBe('W/"2"');
  });

  it('an update takes the id of the resource when nothing matches', async () => {
    expect((await client.send('PUT', by('u2'), { body: patient('u2', { id: 'u2' }) })).json.id).toBe('u2');
    const taken = await client.send('PUT', by('nobody'), { body: patient('u2', { id: 'u2' }) });
    expect(taken.status).toBe(409);
    const other = await client.send('PUT', by('u2'), { body: patient('u2', { id: 'another' }) });
    expect(other.status).toBe(400);
  });

  it('twenty updates at once make one resource', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => client.send('PUT', by('u3'), { body: patient('u3') })),
    );
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(19);
  });

  it('a patch changes the one that is found, and makes none', async () => {
    await client.putAll(patient('p1', { id: 'p1' }));
    const patch = [{ op: 'replace', path: '/active', value: false }];
    expect((await jsonPatch(by('p1'), patch)).headers.get('etag')).toBe('W/"2"');
    expect((await jsonPatch(by('nobody'), patch)).status).toBe(404);
  });

  it('a delete takes one, or none, and is refused for several', async () => {
    await client.putAll(patient('d1', { id: 'd1' }), patient('d2', { id: 'd2a' }), patient('d2', { id: 'd2b' }));
    expect((await client.remove(by('d1'))).status).toBe(204);
    expect((await client.get('Patient/d1')).status).toBe(410);
    expect((await client.remove(by('d1'))).status).toBe(204);
    expect((await client.remove(by('d2'))).status).toBe(412);
    expect(await client.search(by('d2'))).toHaveLength(2);
  });

  it.each(['PUT', 'PATCH', 'DELETE'])(
    '%s is refused where several match, or a criterion is unknown or missing (F16)',
    async (method) => {
      await client.putAll(patient('s1', { id: 's1a' }), patient('s1', { id: 's1b' }));
      const sent =
        method === 'PUT'
          ? { body: patient('s1') }
          : method === 'PATCH'
            ? { body: '[]', type: 'application/json-patch+json' }
            : {};
      expect((await client.send(method, by('s1'), sent)).status).toBe(412);
      for (const query of ['', '?', '?_format=json', '?identifier=', '?_count=1']) {
        expect((await client.send(method, `Patient${query}`, sent)).status).toBe(412);
      }
      const lenient = { headers: { prefer: 'handling=lenient' }, ...sent };
      expect((await client.send(method, 'Patient?nmae=x', lenient)).status).toBe(400);
      expect(await client.search(by('s1'))).toHaveLength(2);
    },
  );

  it('several are deleted where the server is set so', async () => {
    const other = await startTestApp({ settings: { SUTURE_CONDITIONAL_DELETE: 'multiple' } });
    try {
      for (const id of ['m1', 'm2', 'm3']) await other.client.putAll(patient('m', { id }));
      const reply = await other.client.remove(by('m'), { prefer: 'return=OperationOutcome' });
      expect([reply.status, reply.json.issue[0].details.text]).toEqual([200, '3 Patient deleted']);
      expect(await other.client.search('Patient')).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('If-None-Match: * lets an update create only', async () => {
    const put = () => client.put(patient('n1', { id: 'n1' }), { 'if-none-match': '*' });
    expect([(await put()).status, (await put()).status]).toEqual([201, 412]);
  });
});

describe('Prefer', () => {
  it.each(['PUT', 'PATCH', 'DELETE'])('decides what %s answers', async (method) => {
    const id = `pref-${method.toLowerCase()}`;
    const sent =
      method === 'PUT'
        ? { body: patient(id, { id }) }
        : method === 'PATCH'
          ? { body: '[{"op":"add","path":"/language","value":"fr"}]', type: 'application/json-patch+json' }
          : {};
    const send = async (preference: string) => {
      await client.putAll(patient(id, { id }));
      return client.send(method, `Patient/${id}`, { ...sent, headers: { prefer: `return=${preference}` } });
    };
    expect((await send('minimal')).text).toBe('');
    expect((await send('OperationOutcome')).json.resourceType).toBe('OperationOutcome');
    if (method !== 'DELETE') expect((await send('representation')).json.id).toBe(id);
  });
});

describe('X-Provenance', () => {
  const provenance = JSON.stringify({
    resourceType: 'Provenance',
    recorded: '2026-03-02T07:00:00Z',
    agent: [{ who: { display: 'Établissement de santé' } }],
  });
  const header = { 'x-provenance': Buffer.from(provenance, 'utf8').toString('latin1') };

  it('is stored with the write, about the version that it made', async () => {
    const made = await client.put(patient('x1', { id: 'x1' }), header);
    expect(made.status).toBe(201);
    const [found] = await client.search<{ target: object[]; agent: object[] }>('Provenance?target=Patient/x1');
    expect(found?.agent).toEqual([{ who: { display: 'Établissement de santé' } }]);
    expect(found?.target).toEqual([{ reference: 'Patient/x1/_history/1' }]);
    await jsonPatch('Patient/x1', [{ op: 'add', path: '/language', value: 'fr' }], header);
    await client.remove('Patient/x1', header);
    const all = await client.search<{ target: { reference: string }[] }>('Provenance?target=Patient/x1');
    expect(all.map(({ target }) => target[0]?.reference.slice(-1)).sort()).toEqual(['1', '2', '3']);
  });

  it('names every resource that a transaction writes', async () => {
    const entry = ['x2', 'x3'].map((id) => ({
      resource: patient(id, { id }),
      request: { method: 'PUT', url: `Patient/${id}` },
    }));
    await client.post('', { resourceType: 'Bundle', type: 'transaction', entry }, header);
    const [found] = await client.search<{ target: object[] }>('Provenance?target=Patient/x2');
    expect(found?.target).toEqual([{ reference: 'Patient/x2/_history/1' }, { reference: 'Patient/x3/_history/1' }]);
  });

  it.each([
    ['no JSON', '{'],
    ['another resource', '{"resourceType":"Basic"}'],
    [
      'one with a target',
      JSON.stringify({ ...(JSON.parse(provenance) as object), target: [{ reference: 'Patient/x1' }] }),
    ],
    ['one that is not valid', '{"resourceType":"Provenance","recorded":"soon"}'],
  ])('that is %s is refused, and nothing is written', async (_what, text) => {
    const value = Buffer.from(text, 'utf8').toString('latin1');
    expect((await client.put(patient('x9', { id: 'x9' }), { 'x-provenance': value })).status).toBe(400);
    expect((await client.get('Patient/x9')).status).toBe(404);
  });
});
