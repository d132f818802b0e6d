/**
 * What is asked about a whole record: Patient/$everything, compartments, searches of the whole system, handling=lenient; and $meta,
 * $meta-add, $meta-delete, $convert (https://hl7.org/fhir/R4/operations.html).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import { careTeam, gp, patient, person, professionals, stay } from '../support/builders.ts';
import type { Client, Reply } from '../support/client.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
  for (const [index, id] of ['anna', 'bert'].entries()) {
    await client.putAll(patient(person(id, index + 1)), careTeam(id), stay(id));
  }
  await client.putAll(
    note('n1', 'anna', '2026-01-10'),
    note('n2', 'anna', '2026-02-10'),
    note('n3', 'bert', '2026-02-10'),
  );
  await client.putAll({
    resourceType: 'List',
    id: 'shared',
    status: 'current',
    mode: 'working',
    subject: { reference: 'Patient/anna' },
    entry: [{ item: { reference: 'Observation/n3' } }, { item: { reference: 'Patient/bert' } }],
  });
});
afterAll(() => test?.close());

const note = (id: string, of: string, date: string) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'Poids' },
  subject: { reference: `Patient/${of}` },
  effectiveDateTime: date,
  performer: [{ reference: gp }],
});

interface Entry {
  readonly resource: { readonly resourceType: string; readonly id: string };
  readonly search: { readonly mode: string };
}

function found(reply: Reply, mode?: string): readonly string[] {
  expect(reply.status).toBe(200);
  return ((reply.json.entry ?? []) as Entry[])
    .filter(({ search }) => mode === undefined || search.mode === mode)
    .map(({ resource }) => `${resource.resourceType}/${resource.id}`);
}

async function pages(path: string): Promise<readonly string[]> {
  const all: string[] = [];
  for (let at: string | undefined = path; at !== undefined; ) {
    const reply: Reply = await client.get(at);
    all.push(...found(reply, 'match'));
    const links = reply.json.link as { relation: string; url: string }[];
    at = links
      .find(({ relation }) => relation === 'next')
      ?.url.slice(client.baseUrl.length)
      .replace(/^\//, '');
  }
  return all;
}

const ofAnna = [
  'Patient/anna',
  'CareTeam/anna-team',
  'Encounter/anna-stay',
  'List/shared',
  'Observation/n1',
  'Observation/n2',
];

describe('Patient/$everything', () => {
  it('has the patient first, the compartment, and who is referred to; nothing of another patient (F22)', async () => {
    const reply = await client.get('Patient/anna/$everything');
    expect(found(reply, 'match')[0]).toBe('Patient/anna');
    expect([...found(reply, 'match')].sort()).toEqual([...ofAnna].sort());
    expect([...found(reply, 'include')].sort()).toEqual(
      ['Organization/ch-arzon', gp, 'Practitioner/idec-morvan'].sort(),
    );
    expect(reply.text).not.toContain('"id":"bert');
  });

  it('comes in pages, each resource of the compartment once', async () => {
    for (const count of [1, 2, 4]) {
      const all = await pages(`Patient/anna/$everything?_count=${count}`);
      expect([...all].sort()).toEqual([...ofAnna].sort());
    }
  });

  it.each([
    ['_type=Observation,Practitioner', ['Observation/n1', 'Observation/n2']],
    ['_type=Patient', ['Patient/anna']],
    ['_type=Observation&start=2026-02-01', ['Observation/n2']],
    ['_type=Observation&start=2026-01-01&end=2026-01-31', ['Observation/n1']],
    ['_type=Observation&_since=2027-01-01T00:00:00Z', []],
  ])('with %s has what that says', async (query, expected) => {
    expect([...found(await client.get(`Patient/anna/$everything?${query}`), 'match')].sort()).toEqual(expected);
  });

  it('takes its parameters from a body too', async () => {
    const parameter = [
      { name: '_type', valueCode: 'Observation' },
      { name: 'end', valueDate: '2026-01-31' },
    ];
    const reply = await client.post('Patient/anna/$everything', { resourceType: 'Parameters', parameter });
    expect(found(reply, 'match')).toEqual(['Observation/n1']);
  });

  it('is 404 for nobody, and 400 for what it does not know', async () => {
    expect((await client.get('Patient/nobody/$everything')).status).toBe(404);
    for (const query of ['nmae=x', '_type=Patients', 'start=soon', '_count=0', '_cursor=abc']) {
      expect((await client.get(`Patient/anna/$everything?${query}`)).status).toBe(400);
    }
  });

  it('can be summed up', async () => {
    const { json } = await client.get('Patient/anna/$everything?_summary=text&_type=Patient');
    expect(json.entry[0].resource.meta.tag[0].code).toBe('SUBSETTED');
  });
});

describe('The compartment of a patient', () => {
  it('is searched by type, with criteria, by form, in pages', async () => {
    expect([...found(await client.get('Patient/anna/Observation'))].sort()).toEqual([
      'Observation/n1',
      'Observation/n2',
    ]);
    expect(found(await client.get('Patient/anna/Observation?date=gt2026-02-01'))).toEqual(['Observation/n2']);
    const form = { body: 'date=gt2026-02-01', type: 'application/x-www-form-urlencoded' };
    expect(found(await client.send('POST', 'Patient/anna/Observation/_search', form))).toEqual(['Observation/n2']);
    expect([...(await pages('Patient/anna/Observation?_count=1'))].sort()).toEqual([
      'Observation/n1',
      'Observation/n2',
    ]);
  });

  it('is searched over all types', async () => {
    expect([...(await pages('Patient/anna/*?_count=2'))].sort()).toEqual(ofAnna.slice(1).sort());
  });

  it('does not take a page of another patient (F7)', async () => {
    const { json } = await client.get('Patient/anna/Observation?_count=1');
    const next =
      (json.link as { relation: string; url: string }[]).find(({ relation }) => relation === 'next')?.url ?? '';
    expect((await client.get(next.slice(client.baseUrl.length + 1))).status).toBe(200);
    expect((await client.get(next.slice(client.baseUrl.length + 1).replace('anna', 'bert'))).status).toBe(400);
  });

  it('is refused for a type that never stands in it, and for a type that has no compartment', async () => {
    expect((await client.get('Patient/anna/Practitioner')).status).toBe(400);
    expect((await client.get('Patient/anna/Nothing')).status).toBe(404);
    expect((await client.get('Organization/chu/Observation')).status).toBe(501);
  });
});

describe('A search of the whole system', () => {
  it('finds the types that it names', async () => {
    const all = await pages('?_type=Patient,Practitioner&_count=2');
    expect([...all].sort()).toEqual(['Patient/anna', 'Patient/bert', gp, 'Practitioner/idec-morvan'].sort());
    expect(found(await client.get('?_type=Patient,Observation&_id=n1'))).toEqual(['Observation/n1']);
    const form = { body: '_type=Observation&_id=n1', type: 'application/x-www-form-urlencoded' };
    expect(found(await client.send('POST', '_search', form))).toEqual(['Observation/n1']);
  });

  it('needs _type, of types that there are', async () => {
    for (const query of ['', '?_id=n1', '?_type=Nothing', '?_type=*'])
      expect((await client.get(query)).status).toBe(400);
  });
});

describe('Prefer: handling', () => {
  it('is strict by default: an unknown parameter is refused (F15)', async () => {
    expect((await client.get('Patient?nmae=x')).status).toBe(400);
    expect((await client.get('Patient?nmae=x', { prefer: 'handling=strict' })).status).toBe(400);
  });

  it('lenient leaves out what is unknown, says so, and shows in the self link what was asked', async () => {
    const reply = await client.get('Patient?nmae=x&_id=anna', { prefer: 'handling=lenient' });
    expect(found(reply, 'match')).toEqual(['Patient/anna']);
    const outcome = (reply.json.entry as Entry[]).find(({ search }) => search.mode === 'outcome')?.resource;
    expect(outcome).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'warning' }] });
    expect(reply.json.link[0].url).toBe(`${client.baseUrl}/Patient?_id=anna`);
  });

  it('lenient does not forgive a wrong value', async () => {
    expect((await client.get('Patient?birthdate=soon', { prefer: 'handling=lenient' })).status).toBe(400);
  });
});

describe('Encounter/$everything', () => {
  it('gives the stay, what refers to it, its patient and the professionals, and nobody else', async () => {
    const stayId = (await client.search('Encounter?patient=anna'))[0]?.id ?? '';
    const of = { encounter: { reference: `Encounter/${stayId}` } };
    await client.putAll(
      { ...note('s1', 'anna', '2026-01-11'), ...of },
      { ...note('s2', 'anna', '2026-01-12'), ...of, focus: [{ reference: 'Patient/bert' }] },
    );
    const all = await client.get(`Encounter/${stayId}/$everything`);
    expect(found(all, 'match')).toEqual([`Encounter/${stayId}`, 'Observation/s1', 'Observation/s2']);
    const brought = found(all, 'include');
    expect(brought).toEqual(expect.arrayContaining(['Patient/anna', gp]));
    expect(brought).not.toContain('Patient/bert');
    const some = await client.get(`Encounter/${stayId}/$everything?_type=Observation&_count=1`);
    expect(found(some, 'match')).toEqual(['Observation/s1']);
    expect((some.json.link as { relation: string }[]).map(({ relation }) => relation)).toContain('next');
    // A stay has one time of its own.
    expect((await client.get(`Encounter/${stayId}/$everything?start=2026-01-01`)).status).toBe(400);
    expect((await client.get('Encounter/never/$everything')).status).toBe(404);
    await client.remove('Observation/s1');
    await client.remove('Observation/s2');
  });
});

describe('$meta', () => {
  it('tells the labels in use on a type and in the whole system', async () => {
    const label = (id: string, code: string, display: string) => ({
      ...note(id, 'anna', '2026-01-11'),
      meta: { tag: [{ system: 'urn:labels', code, display }], security: [{ system: 'urn:secret', code: 'R' }] },
    });
    await client.putAll(label('l1', 'a', 'One'), label('l2', 'a', 'Other'), label('l3', 'b', 'Two'));
    const metaOf = async (path: string) => (await client.get(path)).json.parameter[0].valueMeta;
    const ofType = await metaOf('Observation/$meta');
    expect(ofType.tag.map(({ code }: { code: string }) => code)).toEqual(['a', 'b']);
    expect(ofType.security).toEqual([{ system: 'urn:secret', code: 'R' }]);
    expect(ofType).not.toHaveProperty('versionId');
    expect((await metaOf('CareTeam/$meta')).tag).toBeUndefined();
    expect((await metaOf('$meta')).tag).toEqual(expect.arrayContaining(ofType.tag));
    await client.remove('Observation/l3');
    expect((await metaOf('Observation/$meta')).tag).toHaveLength(1);
    await client.remove('Observation/l1');
    await client.remove('Observation/l2');
    expect((await client.get('Nonsense/$meta')).status).toBe(404);
    expect((await client.get('Observation/$meta?mode=all')).status).toBe(400);
  });

  const tag = { system: 'urn:x', code: 'suivi', display: 'Suivi' };
  const profile = 'http://hl7.org/fhir/StructureDefinition/Patient';
  const meta = (name: string, valueMeta: object) =>
    client.post(`Patient/bert/${name}`, { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta }] });

  it('is told, added to, each once, and taken from, as versions', async () => {
    expect((await client.get('Patient/bert/$meta')).json.parameter[0]).toMatchObject({
      name: 'return',
      valueMeta: { versionId: '1' },
    });
    const added = await meta('$meta-add', { tag: [tag], profile: [profile] });
    expect([added.status, added.headers.get('etag')]).toEqual([200, 'W/"2"']);
    await meta('$meta-add', { tag: [{ system: 'urn:x', code: 'suivi' }] });
    const { json } = await client.get('Patient/bert');
    expect([json.meta.tag, json.meta.profile, json.name.length]).toEqual([[tag], [profile], 1]);
    await meta('$meta-delete', { tag: [{ system: 'urn:x', code: 'suivi' }] });
    const left = (await client.get('Patient/bert')).json.meta;
    expect([left.tag, left.profile]).toEqual([undefined, [profile]]);
  });

  it('is refused without a meta, and for nobody', async () => {
    expect((await client.post('Patient/bert/$meta-add', { resourceType: 'Parameters' })).status).toBe(400);
    expect((await client.post('Patient/bert/$meta-add', { resourceType: 'Patient' })).status).toBe(400);
    expect((await client.get('Patient/nobody/$meta')).status).toBe(404);
  });
});

describe('$convert', () => {
  const text = '{"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"urn:x","valueDecimal":1.50}]}';

  it('turns JSON into XML and back, digits included, and stores nothing', async () => {
    const count = async () => (await client.get('Basic?_summary=count')).json.total as number;
    const before = await count();
    const xml = await client.send('POST', '$convert', { body: text, headers: { accept: 'application/fhir+xml' } });
    expect([xml.status, xml.headers.get('content-type')]).toEqual([200, 'application/fhir+xml; charset=utf-8']);
    const back = await client.send('POST', '$convert', { body: xml.text, type: 'application/fhir+xml' });
    expect(back.text).toContain('"valueDecimal":1.50');
    expect(back.json.code).toEqual({ text: 'x' });
    expect(await count()).toBe(before);
  });

  it('is refused for what is no resource', async () => {
    expect((await client.post('$convert', {})).status).toBe(400);
    expect((await client.get('$convert')).status).toBe(405);
  });
});
