/** Profiles and codes over HTTP: packages, validation on write, $validate, the terminology operations. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { guide, makeTarball } from '../packages/tarball.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const base = 'https://guide.example/fhir';
const profile = `${base}/StructureDefinition/ward-encounter`;

const definitions = [
  {
    resourceType: 'StructureDefinition',
    url: profile,
    version: '1.2.0',
    name: 'WardEncounter',
    status: 'active',
    kind: 'resource',
    abstract: false,
    type: 'Encounter',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Encounter',
    derivation: 'constraint',
    differential: {
      element: [
        { id: 'Encounter', path: 'Encounter' },
        { id: 'Encounter.subject', path: 'Encounter.subject', min: 1, mustSupport: true },
        { id: 'Encounter.period', path: 'Encounter.period', mustSupport: true },
        {
          id: 'Encounter.type',
          path: 'Encounter.type',
          binding: { strength: 'extensible', valueSet: `${base}/ValueSet/wards` },
        },
      ],
    },
  },
  {
    resourceType: 'CodeSystem',
    url: `${base}/CodeSystem/wards`,
    version: '1.2.0',
    name: 'Wards',
    status: 'active',
    content: 'complete',
    concept: [
      { code: 'med', display: 'Médecine', concept: [{ code: 'cardio', display: 'Cardiologie', definition: 'Cœur' }] },
      { code: 'chir', display: 'Chirurgie' },
    ],
  },
  {
    resourceType: 'ValueSet',
    url: `${base}/ValueSet/wards`,
    version: '1.2.0',
    status: 'active',
    compose: { include: [{ system: `${base}/CodeSystem/wards` }] },
  },
];

const stay = {
  resourceType: 'Encounter',
  status: 'planned',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
};
const claiming = { ...stay, meta: { profile: [profile] } };

let server: TestApp;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'suture-guide-'));
  await writeFile(join(folder, 'guide.tgz'), await makeTarball(guide(definitions)));
  server = await startTestApp({ settings: { SUTURE_PACKAGES: folder } });
});
afterAll(() => server.close());

interface Outcome {
  readonly issue: readonly {
    readonly severity: string;
    readonly code: string;
    readonly expression?: readonly string[];
    readonly details: { readonly text: string; readonly _text?: unknown };
  }[];
}

const places = (body: unknown) =>
  (body as Outcome).issue.map(({ severity, expression }) => [severity, expression?.[0]] as const);
const parameter = (body: unknown, name: string): unknown => {
  const found = (body as { parameter: { name: string }[] }).parameter.find((one) => one.name === name);
  return Object.entries(found ?? {}).find(([key]) => key.startsWith('value'))?.[1];
};

describe('a loaded package', () => {
  it('is listed in the metadata', async () => {
    const { json: body } = await server.client.get('metadata');
    expect(body).toMatchObject({
      implementationGuide: ['https://guide.example/fhir|1.2.0'],
      extension: [{ valueString: 'fr.example.guide#1.2.0' }],
    });
  });
});

describe('a write', () => {
  it('that claims a loaded profile and does not conform is 422, in two languages', async () => {
    const { status, json: body } = await server.client.post('Encounter', claiming);
    expect(status).toBe(422);
    expect(places(body)).toEqual([['error', 'Encounter.subject']]);
    expect((body as Outcome).issue[0]?.details).toEqual({
      text: 'expected at least 1, found 0',
      _text: {
        extension: [
          {
            url: 'http://hl7.org/fhir/StructureDefinition/translation',
            extension: [
              { url: 'lang', valueCode: 'fr' },
              { url: 'content', valueString: 'au moins 1 attendu(s), 0 trouvé(s)' },
            ],
          },
        ],
      },
    });
  });

  it('that breaks base R4 too is 400', async () => {
    expect((await server.client.post('Encounter', { ...claiming, status: 'none' })).status).toBe(400);
  });

  it('that claims nothing, or a profile that is not loaded, is stored', async () => {
    const other = { ...stay, meta: { profile: ['https://other.example/StructureDefinition/x'] } };
    expect((await server.client.post('Encounter', stay)).status).toBe(201);
    expect((await server.client.post('Encounter', other)).status).toBe(201);
  });

  it('that claims a version of the profile is judged by it', async () => {
    const versioned = (version: string) => ({ ...stay, meta: { profile: [`${profile}|${version}`] } });
    expect((await server.client.post('Encounter', versioned('1.2.0'))).status).toBe(422);
    expect((await server.client.post('Encounter', versioned('2.0.0'))).status).toBe(201);
  });
});

describe('$validate', () => {
  it('answers 200 with what is wrong, against a profile that the resource does not claim', async () => {
    const { status, json: body } = await server.client.post(
      `Encounter/$validate?profile=${encodeURIComponent(profile)}`,
      stay,
    );
    expect(status).toBe(200);
    expect(places(body)).toContainEqual(['error', 'Encounter.subject']);
  });

  it('takes resource, profile and mode from Parameters', async () => {
    const { json: body } = await server.client.post('Encounter/$validate', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'resource', resource: stay },
        { name: 'profile', valueUri: profile },
        { name: 'mode', valueCode: 'create' },
      ],
    });
    expect(places(body)).toContainEqual(['error', 'Encounter.subject']);
  });

  it('warns of a profile that is not loaded when it is claimed, and fails when it is asked for', async () => {
    const unknown = 'https://other.example/StructureDefinition/x';
    const claimed = await server.client.post('Encounter/$validate', { ...stay, meta: { profile: [unknown] } });
    expect(places(claimed.json)).toContainEqual(['warning', 'Encounter.meta.profile[0]']);
    const asked = await server.client.post(`Encounter/$validate?profile=${encodeURIComponent(unknown)}`, stay);
    expect(places(asked.json)).toContainEqual(['error', 'Encounter']);
  });

  it('tells the missing must-support elements when asked', async () => {
    const complete = { ...claiming, subject: { reference: 'Patient/p' } };
    const plain = await server.client.post('Encounter/$validate', complete);
    const told = await server.client.post('Encounter/$validate?mustSupport=true', complete);
    expect(places(plain.json)).not.toContainEqual(['information', 'Encounter.period']);
    expect(places(told.json)).toContainEqual(['information', 'Encounter.period']);
  });

  it('judges a stored resource, and what would take its place', async () => {
    const { json: created } = await server.client.post('Encounter', stay);
    const { id } = created as { id: string };
    const stored = await server.client.get(`Encounter/${id}/$validate?profile=${encodeURIComponent(profile)}`);
    expect(places(stored.json)).toContainEqual(['error', 'Encounter.subject']);
    const other = await server.client.post(`Encounter/${id}/$validate?mode=update`, { ...stay, id: 'other' });
    expect(places(other.json)).toContainEqual(['error', 'Resource.id']);
    expect((await server.client.get(`Encounter/${id}/$validate?mode=delete`)).status).toBe(200);
    expect((await server.client.get('Encounter/none/$validate')).status).toBe(404);
    expect((await server.client.post(`Encounter/${id}/$validate?mode=other`, stay)).status).toBe(400);
  });
});

describe('the terminology operations', () => {
  const wards = `${base}/CodeSystem/wards`;
  const query = (path: string, values: Readonly<Record<string, string>>) =>
    server.client.get(`${path}?${new URLSearchParams(values).toString()}`);

  it('expand a value set of a package, by page and by words', async () => {
    const all = await query('ValueSet/$expand', { url: `${base}/ValueSet/wards` });
    expect(all.json).toMatchObject({
      expansion: { total: 3, contains: [{ code: 'med' }, { code: 'cardio' }, { code: 'chir' }] },
    });
    const page = await query('ValueSet/$expand', { url: `${base}/ValueSet/wards`, offset: '1', count: '1' });
    expect(page.json).toMatchObject({ expansion: { total: 3, offset: 1, contains: [{ code: 'cardio' }] } });
    const words = await query('ValueSet/$expand', { url: `${base}/ValueSet/wards`, filter: 'medec' });
    expect(words.json).toMatchObject({ expansion: { total: 1, contains: [{ code: 'med' }] } });
  });

  it('expand a value set of R4, and one that comes with the request', async () => {
    const gender = await query('ValueSet/$expand', { url: 'http://hl7.org/fhir/ValueSet/administrative-gender' });
    expect(gender.json).toMatchObject({ expansion: { total: 4 } });
    const inline = {
      resourceType: 'ValueSet',
      status: 'active',
      compose: { include: [{ system: wards, filter: [{ property: 'concept', op: 'is-a', value: 'med' }] }] },
    };
    const given = await server.client.post('ValueSet/$expand', inline);
    expect(given.json).toMatchObject({ expansion: { total: 2 } });
    const stored = await server.client.put({ ...inline, id: 'inline' });
    expect(stored.status).toBe(201);
    expect((await server.client.get('ValueSet/inline/$expand')).json).toMatchObject({ expansion: { total: 2 } });
  });

  it('say that a value set is unknown, or cannot be expanded', async () => {
    expect((await query('ValueSet/$expand', { url: `${base}/ValueSet/none` })).status).toBe(404);
    const loinc = await query('ValueSet/$expand', { url: 'http://hl7.org/fhir/ValueSet/observation-codes' });
    expect([loinc.status, (loinc.json as Outcome).issue[0]?.code]).toEqual([422, 'not-supported']);
  });

  it.each([
    [{ system: 'https://guide.example/fhir/CodeSystem/wards', code: 'cardio' }, true],
    [{ system: 'https://guide.example/fhir/CodeSystem/wards', code: 'none' }, false],
    [{ system: 'http://loinc.org', code: 'cardio' }, false],
  ])('tell whether %j is in a value set', async (coding, result) => {
    const { json: body } = await query('ValueSet/$validate-code', { url: `${base}/ValueSet/wards`, ...coding });
    expect(parameter(body, 'result')).toBe(result);
  });

  it('look a code up, and compare two', async () => {
    const found = await query('CodeSystem/$lookup', { system: wards, code: 'cardio' });
    expect([parameter(found.json, 'display'), parameter(found.json, 'definition')]).toEqual(['Cardiologie', 'Cœur']);
    expect((await query('CodeSystem/$lookup', { system: wards, code: 'none' })).status).toBe(404);
    const compared = await query('CodeSystem/$subsumes', { system: wards, codeA: 'med', codeB: 'cardio' });
    expect(parameter(compared.json, 'outcome')).toBe('subsumes');
    const known = await query('CodeSystem/$validate-code', { url: wards, code: 'cardio' });
    expect(parameter(known.json, 'result')).toBe(true);
    const outside = await query('CodeSystem/$validate-code', { url: 'http://snomed.info/sct', code: '1' });
    expect(parameter(outside.json, 'message')).toContain('is not known');
    expect((await query('CodeSystem/$validate-code', { url: `${wards}-none`, code: '1' })).status).toBe(404);
  });
});

describe('a required profile', () => {
  it('is asked of every resource of its type, claimed or not', async () => {
    const strict = await server.restart({ SUTURE_VALIDATION: 'required', SUTURE_REQUIRED_PROFILES: profile });
    server = strict;
    const { status, json: body } = await strict.client.post('Encounter', stay);
    expect([status, places(body)]).toEqual([422, [['error', 'Encounter.subject']]]);
    expect((await strict.client.post('Encounter', { ...stay, subject: { reference: 'Patient/p' } })).status).toBe(201);
    expect((await strict.client.post('Patient', { resourceType: 'Patient' })).status).toBe(201);
  });

  it('and claims are not looked at when that is off', async () => {
    server = await server.restart({ SUTURE_VALIDATION: 'off' });
    expect((await server.client.post('Encounter', claiming)).status).toBe(201);
  });
});
