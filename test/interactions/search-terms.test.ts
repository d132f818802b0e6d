/**
 * Searches that ask what codes mean (https://hl7.org/fhir/R4/search.html#token, `:in :not-in :above :below`), over a package that
 * is loaded, a value set that is stored and R4 itself; and results sorted by codes and references.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { guide, makeTarball } from '../packages/tarball.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const guideUrl = 'https://guide.example/fhir';
const system = `${guideUrl}/CodeSystem/scores`;

const scores = {
  resourceType: 'CodeSystem',
  url: system,
  version: '1.0.0',
  status: 'active',
  content: 'complete',
  hierarchyMeaning: 'is-a',
  concept: [
    {
      code: 'frailty',
      display: 'Fragilité',
      concept: [
        { code: 'g8', display: 'G8' },
        { code: 'cga', display: 'Évaluation gériatrique' },
      ],
    },
    { code: 'pain', display: 'Douleur' },
  ],
};
const screening = {
  resourceType: 'ValueSet',
  url: `${guideUrl}/ValueSet/screening`,
  version: '1.0.0',
  status: 'active',
  compose: { include: [{ system, concept: [{ code: 'g8' }, { code: 'pain' }] }] },
};

let folder: string;
let test: TestApp;

const observation = (id: string, code: string, status: string, performer: string) => ({
  resourceType: 'Observation',
  id,
  status,
  code: { coding: [{ system, code }] },
  subject: { reference: 'Patient/p1' },
  performer: [{ reference: performer }],
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'suture-terms-'));
  await writeFile(join(folder, 'guide.tgz'), await makeTarball(guide([scores, screening])));
  test = await startTestApp({ settings: { SUTURE_PACKAGES: folder, SUTURE_VALIDATION: 'off' } });
  await test.client.putAll(
    { resourceType: 'Patient', id: 'p1' },
    observation('o1', 'g8', 'final', 'Practitioner/b'),
    observation('o2', 'cga', 'amended', 'Practitioner/c'),
    observation('o3', 'pain', 'registered', 'Practitioner/a'),
    { ...observation('o4', 'frailty', 'cancelled', 'Organization/z'), performer: undefined },
    {
      resourceType: 'ValueSet',
      id: 'own',
      status: 'active',
      compose: { include: [{ valueSet: [screening.url] }, { system, concept: [{ code: 'cga' }] }] },
    },
    {
      resourceType: 'Encounter',
      id: 'e1',
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'ACUTE' },
    },
  );
});
afterAll(async () => {
  await test?.close();
  await rm(folder, { recursive: true, force: true });
});

const ids = async (path: string) => (await test.client.search(path)).map(({ id }) => id);
const found = async (path: string) => [...(await ids(path))].sort();

describe('A search by what codes mean', () => {
  it.each([
    ['a value set of a package', `Observation?code:in=${screening.url}`, ['o1', 'o3']],
    ['a version of it', `Observation?code:in=${screening.url}%7C1.0.0`, ['o1', 'o3']],
    ['what is not in it', `Observation?code:not-in=${screening.url}`, ['o2', 'o4']],
    ['a stored value set, that imports the one of the package', 'Observation?code:in=ValueSet/own', ['o1', 'o2', 'o3']],
    ['what a code contains', `Observation?code:below=${system}%7Cfrailty`, ['o1', 'o2', 'o4']],
    ['what contains a code', `Observation?code:above=${system}%7Cg8`, ['o1', 'o4']],
    ['a chain to a value set', `Patient?_has:Observation:patient:code:in=${screening.url}`, ['p1']],
    [
      'a value set of R4 itself',
      'Observation?status:in=http://hl7.org/fhir/ValueSet/observation-status',
      ['o1', 'o2', 'o3', 'o4'],
    ],
    [
      'a hierarchy of R4 itself',
      'Encounter?class:below=http://terminology.hl7.org/CodeSystem/v3-ActCode%7CIMP',
      ['e1'],
    ],
  ])('finds %s', async (_what, path, expected) => expect(await found(path)).toEqual(expected));

  it.each([
    ['an unknown value set', `Observation?code:in=${guideUrl}/ValueSet/never`],
    ['a value set that is not stored', 'Observation?code:in=ValueSet/never'],
    ['an unknown hierarchy', 'Observation?code:below=urn:oid:1.2.3%7Cx'],
    ['a code that its system does not have', `Observation?code:below=${system}%7Cnever`],
  ])('refuses %s, for it would be an empty filter', async (_what, path) => {
    const { status, json } = await test.client.get(path);
    expect(status).toBe(400);
    expect(json.resourceType).toBe('OperationOutcome');
  });

  it('leaves an unknown value set out where the client is lenient, and says so', async () => {
    const { json } = await test.client.send('GET', `Observation?code:in=${guideUrl}/ValueSet/never&patient=p1`, {
      headers: { prefer: 'handling=lenient' },
    });
    const entries = json.entry as { search: { mode: string } }[];
    expect(entries.map(({ search }) => search.mode).sort()).toEqual(['match', 'match', 'match', 'match', 'outcome']);
  });

  it('answers a conditional read by a value set too', async () => {
    const body = { ...observation('x', 'cga', 'final', 'Practitioner/a'), id: undefined };
    const { status } = await test.client.send('POST', 'Observation', {
      body,
      headers: { 'if-none-exist': `patient=p1&code:in=${screening.url}&status=final` },
    });
    expect(status).toBe(200);
  });
});

describe('A sort', () => {
  it.each([
    ['by code', '_sort=status', ['o2', 'o4', 'o1', 'o3']],
    ['by code, backward', '_sort=-status', ['o3', 'o1', 'o4', 'o2']],
    ['by codes of concepts', '_sort=code', ['o2', 'o4', 'o1', 'o3']],
    ['by reference, those without last', '_sort=performer', ['o3', 'o1', 'o2', 'o4']],
    ['by reference, backward, those without last all the same', '_sort=-performer', ['o2', 'o1', 'o3', 'o4']],
  ])('%s', async (_what, sort, expected) => {
    expect(await ids(`Observation?patient=p1&${sort}`)).toEqual(expected);
    expect(await pages(`Observation?patient=p1&${sort}&_count=1`)).toEqual(expected);
  });

  it('by a code is refused where it would have to read everything', async () => {
    const { status, json } = await test.client.get('Observation?_sort=status');
    expect(status).toBe(400);
    expect(JSON.stringify(json)).toContain('too-costly');
  });

  it('by what is computed or composed is refused', async () => {
    expect((await test.client.get('Patient?_id=p1&_sort=deceased')).status).toBe(400);
    expect((await test.client.get('Observation?patient=p1&_sort=code-value-quantity')).status).toBe(400);
  });
});

describe('Contained resources', () => {
  it('are said not to be searched', async () => {
    expect((await test.client.get('Observation?patient=p1&_contained=false&_containedType=container')).status).toBe(
      200,
    );
    expect((await test.client.get('Observation?patient=p1&_contained=both')).status).toBe(400);
    expect((await test.client.get('Observation?patient=p1&_containedType=contained')).status).toBe(400);
  });
});

/** Page by page, along the links. */
async function pages(path: string): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const { json } = await test.client.get(next);
    const { entry = [], link = [] } = json as {
      entry?: { resource: { id: string } }[];
      link?: { relation: string; url: string }[];
    };
    seen.push(...entry.map(({ resource }) => resource.id));
    next = link.find(({ relation }) => relation === 'next')?.url.replace(`${test.client.baseUrl}/`, '');
  }
  return seen;
}
