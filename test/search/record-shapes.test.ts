/** Searches that need a record: lists, compartments, wildcards of includes, words, chains inside of filters. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { type PageRow, parseSearch, toCountSql, toIncludeSql, toSql, type Visible } from '../../src/search/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { context, insertResources, now } from './record.ts';

const everything: Visible = () => 'true';
const meta = { lastUpdated: '2026-03-01T10:00:00.000Z' };
const ucum = 'http://unitsofmeasure.org';
const pressure = (code: string, value: number) => ({
  code: { coding: [{ system: 'http://loinc.org', code }] },
  valueQuantity: { value, unit: 'mmHg', system: ucum, code: 'mm[Hg]' },
});

const record = [
  {
    resourceType: 'Patient',
    id: 'p1',
    text: { status: 'generated', div: '<div>Suivi d’une <b>Insuffisance</b> cardiaque</div>' },
    name: [{ family: 'Lefèvre' }],
    generalPractitioner: [{ reference: 'Practitioner/d1' }],
  },
  { resourceType: 'Patient', id: 'p2', name: [{ family: 'Roche' }] },
  { resourceType: 'Practitioner', id: 'd1', name: [{ family: 'Œuvrard' }] },
  {
    resourceType: 'Encounter',
    id: 'e1',
    status: 'finished',
    class: { code: 'IMP' },
    subject: { reference: 'Patient/p1' },
    participant: [{ individual: { reference: 'Practitioner/d1' } }],
  },
  {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: { text: 'Tension' },
    subject: { reference: 'Patient/p1' },
    encounter: { reference: 'Encounter/e1' },
    component: [pressure('8480-6', 150), pressure('8462-4', 80)],
    note: [{ text: 'Prélevé au réveil' }],
  },
  {
    resourceType: 'Observation',
    id: 'o2',
    status: 'final',
    code: { text: 'Tension' },
    subject: { reference: 'Patient/p2' },
    component: [pressure('8480-6', 110), pressure('8462-4', 145)],
  },
  {
    resourceType: 'List',
    id: 'l1',
    status: 'current',
    mode: 'working',
    entry: [{ item: { reference: 'Observation/o1' } }, { item: { reference: 'Patient/p1' } }],
  },
  {
    resourceType: 'DocumentReference',
    id: 'x1',
    status: 'current',
    relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/x0' } }],
    content: [{ attachment: {} }],
  },
].map((resource) => ({ ...resource, meta })) as unknown as Resource[];

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await openTestDatabase();
  await insertResources(testDatabase.database, record);
});
afterAll(() => testDatabase.close());

const parse = (path: string, compartment?: string) => {
  const [type = '', query = ''] = path.split('?');
  const pairs = [...new URLSearchParams(query)];
  const options = compartment === undefined ? { now } : { now, compartment };
  return parseSearch(context, type === '' ? undefined : type, pairs, options);
};

async function find(path: string, compartment?: string): Promise<readonly string[]> {
  const { database } = testDatabase;
  const search = parse(path, compartment);
  const rows = await database.query<PageRow>(toSql(context, search, { visible: everything, count: 50 }));
  const [counted] = await database.query<{ count: string }>(toCountSql(context, search, everything));
  expect([path, Number(counted?.count)]).toEqual([path, rows.length]);
  return rows.map(({ type, id }) => `${type}/${id}`).sort();
}

describe('found', () => {
  test.each<[string, readonly string[]]>([
    ['Observation?_list=l1', ['Observation/o1']],
    ['Patient?_list=l1', ['Patient/p1']],
    ['Observation?_list=l2', []],
    ['?_type=Patient,Observation&_list=l1', ['Observation/o1', 'Patient/p1']],
    ['Observation?component-code-value-quantity=8480-6$gt140', ['Observation/o1']],
    ['Observation?component-code-value-quantity=8480-6$gt15|http://unitsofmeasure.org|kPa', ['Observation/o1']],
    ['Observation?component-code-value-quantity=http://loinc.org|8462-4$gt140||mmHg', ['Observation/o2']],
    ['Observation?component-code-value-quantity=8480-6$gt200', []],
    ['Observation?combo-code-value-quantity=8480-6$lt120,8462-4$lt90', ['Observation/o1', 'Observation/o2']],
    ['DocumentReference?relationship=replaces$DocumentReference/x0', ['DocumentReference/x1']],
    ['DocumentReference?relationship=appends$DocumentReference/x0', []],
    ['Patient?_filter=general-practitioner.family sw "oeuv"', ['Patient/p1']],
    ['Observation?_filter=subject[family eq "roche"].family pr true', ['Observation/o2']],
    ['Observation?patient=p1&_content=reveil', ['Observation/o1']],
    ['Observation?patient=p1&_content=reveil absent', []],
    ['Patient?_id=p1,p2&_text=insuffisance CARDIAQUE', ['Patient/p1']],
    ['Patient?_id=p1,p2&_text=Lefèvre', []],
    ['Practitioner?_id=d1&_content=OEUVRARD', ['Practitioner/d1']],
    ['Observation?code:text=tens', ['Observation/o1', 'Observation/o2']],
  ])('%s', async (path, expected) => {
    expect(await find(path)).toEqual(expected);
  });

  test.each<[string, string, readonly string[]]>([
    ['Patient/p1', 'Observation', ['Observation/o1']],
    ['Patient/p1', '', ['Encounter/e1', 'Observation/o1']],
    ['Encounter/e1', 'Observation', ['Observation/o1']],
    ['Encounter/e1', 'Encounter', ['Encounter/e1']],
    ['Practitioner/d1', 'Patient', ['Patient/p1']],
    ['Practitioner/d1', 'Encounter?status=planned', []],
  ])('in the compartment of %s: %s', async (compartment, path, expected) => {
    expect(await find(path, compartment)).toEqual(expected);
  });

  test.each<[string, readonly string[]]>([
    ['Encounter?_include=*', ['Patient/p1', 'Practitioner/d1']],
    ['Encounter?_include=Encounter:*', ['Patient/p1', 'Practitioner/d1']],
    ['Encounter?_include=Encounter:*:Patient', ['Patient/p1']],
    ['Encounter?_revinclude=*', ['Observation/o1']],
    ['Encounter?_revinclude=Observation:*', ['Observation/o1']],
  ])('included by %s', async (path, expected) => {
    const search = parse(path);
    const page = record.filter(({ resourceType }) => resourceType === 'Encounter');
    const statement = toIncludeSql(context, search.result.includes, page, { visible: everything, limit: 50 });
    const rows = statement === undefined ? [] : await testDatabase.database.query<PageRow>(statement);
    expect(rows.map(({ type, id }) => `${type}/${id}`).sort()).toEqual(expected);
  });
});

describe('refused', () => {
  test.each([
    ['Patient?_content=insuffisance', undefined, 'must stand beside'],
    ['Observation?subject:Patient._text=insuffisance', undefined, 'must stand beside'],
    ['Observation?component-code-value-quantity=8480-6', undefined, 'expected 2 values'],
    ['Organization', 'Encounter/e1', 'never stand in that compartment'],
    ['Observation', 'Encounter/../x', 'not named by a type and an id'],
  ])('%s', (path, compartment, expected) => {
    const ask = () => toSql(context, parse(path, compartment), { visible: everything, count: 1 });
    expect(ask).toThrow(expected);
  });
});
