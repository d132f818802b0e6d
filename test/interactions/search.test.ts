/** search over HTTP (https://hl7.org/fhir/R4/http.html#search): pages, totals, forms, included resources, refusals. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import { careTeam, gp, person, patient, professionals, stay } from '../support/builders.ts';
import type { Client } from '../support/client.ts';

let test: TestApp;
let client: Client;

const families = ['Abélard', 'Besançon', 'Çelik', 'Dufour', "D'Ornano", 'Évrard', 'Fabre', 'Guérin', 'Hénin', 'Îlot'];

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
  for (const [index, family] of families.entries()) {
    const who = { ...person(`s${index}`, index), family, birthDate: `19${50 + index}-04-17` };
    const gender = index % 2 === 0 ? 'female' : 'male';
    await client.putAll(patient(who, { gender, generalPractitioner: [{ reference: gp }] }));
  }
  await client.putAll(stay('s1'), stay('s2', '2026-02-28T12:00:00+01:00'), careTeam('s1'));
});
afterAll(() => test?.close());

type Link = { relation: string; url: string };

async function ids(path: string): Promise<readonly (string | undefined)[]> {
  return (await client.search(path)).map(({ id }) => id);
}

describe('A search', () => {
  it('answers a searchset with its own link, and each match with its full URL', async () => {
    const { status, json, headers } = await client.get('Patient?family=dufour');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
    expect(json).toMatchObject({
      resourceType: 'Bundle',
      type: 'searchset',
      entry: [{ fullUrl: `${client.baseUrl}/Patient/s3`, resource: { id: 's3' }, search: { mode: 'match' } }],
    });
    expect((json.link as Link[]).find(({ relation }) => relation === 'self')?.url).toContain(
      `${client.baseUrl}/Patient?family=dufour`,
    );
  });

  it.each([
    ['a string by its beginning, without accents and case', 'Patient?family=evr', ['s5']],
    ['a string with an apostrophe', "Patient?family=d'orn", ['s4']],
    ['a string exactly', 'Patient?family:exact=Fabre', ['s6']],
    ['a string exactly, with the wrong accents', 'Patient?family:exact=Guerin', []],
    [
      'a token by system and code',
      `Patient?identifier=urn:oid:1.2.250.1.213.1.4.8|${person('s7', 7).ins.value}`,
      ['s7'],
    ],
    ['a token by code alone', `Patient?identifier=${person('s8', 8).ins.value}`, ['s8']],
    ['one of several values', 'Patient?_id=s1,s2,never', ['s1', 's2']],
    ['all of several parameters', 'Patient?gender=male&birthdate=ge1957', ['s7', 's9']],
    ['a date by its range', 'Patient?birthdate=1953', ['s3']],
    ['a date by a prefix', 'Patient?birthdate=lt1952-04-17', ['s0', 's1']],
    ['a reference', 'Encounter?patient=Patient/s1', ['s1-stay']],
    ['a reference by its id alone', 'Encounter?subject=s2', ['s2-stay']],
    ['a reference with the full URL', `CareTeam?participant=BASE/${gp}`, ['s1-team']],
    ['a period by a day inside', 'Encounter?date=gt2026-02-26&date=lt2026-02-28', ['s1-stay', 's2-stay']],
    ['a period that is over', 'Encounter?status=finished', ['s2-stay']],
    ['what was changed lately', 'Patient?_lastUpdated=ge2026-03-02&_id=s4', ['s4']],
    ['what was changed long ago', 'Patient?_lastUpdated=lt2026-03-02', []],
  ])('finds %s', async (_what, path, expected) => {
    expect([...(await ids(path.replace('BASE', client.baseUrl)))].sort()).toEqual(expected);
  });

  it('goes through all pages once, in the order asked for', async () => {
    const seen: string[] = [];
    let path: string | undefined = 'Patient?_sort=-birthdate&_count=3';
    for (let page = 0; path !== undefined && page < 9; page++) {
      const { json } = await client.get(path);
      const entries = json.entry as { resource: { id: string } }[];
      expect(entries.length).toBeLessThanOrEqual(3);
      seen.push(...entries.map(({ resource }) => resource.id));
      path = (json.link as Link[]).find(({ relation }) => relation === 'next')?.url.slice(client.baseUrl.length + 1);
    }
    expect(seen).toEqual(['s9', 's8', 's7', 's6', 's5', 's4', 's3', 's2', 's1', 's0']);
  });

  it('keeps its place when something is written between two pages', async () => {
    const first = await client.get('Patient?_sort=_id&_count=5');
    await client.putAll(patient(person('a-first', 99)));
    const next = (first.json.link as Link[]).find(({ relation }) => relation === 'next')?.url ?? '';
    expect(await ids(next.slice(client.baseUrl.length + 1))).toEqual(['s5', 's6', 's7', 's8', 's9']);
    await client.remove('Patient/a-first');
  });

  it('counts when it is asked to, and only then', async () => {
    expect((await client.get('Patient?gender=male&_total=accurate&_count=2')).json.total).toBe(5);
    const counted = await client.get('Patient?gender=male&_summary=count');
    expect([counted.json.total, counted.json.entry]).toEqual([5, undefined]);
    expect((await client.get('Patient?_count=0')).json).toMatchObject({ total: 10 });
  });

  it('takes more than the largest page as the largest page', async () => {
    expect(await ids('Patient?_count=100000')).toHaveLength(10);
  });

  it('brings along what it refers to and what refers to it, each once', async () => {
    const { json } = await client.get(
      'Patient?_id=s1,s2&_include=Patient:general-practitioner&_revinclude=Encounter:patient',
    );
    const told = (json.entry as { resource: { id: string }; search: { mode: string } }[]).map(
      ({ resource, search }) => [resource.id, search.mode],
    );
    expect(told.sort()).toEqual([
      ['dr-lescop', 'include'],
      ['s1', 'match'],
      ['s1-stay', 'include'],
      ['s2', 'match'],
      ['s2-stay', 'include'],
    ]);
  });

  it('takes its parameters from a form as from the URL', async () => {
    const form = { body: 'family=fabre', type: 'application/x-www-form-urlencoded' };
    const reply = await client.send('POST', 'Patient/_search', form);
    expect([reply.status, reply.json.entry[0].resource.id]).toEqual([200, 's6']);
    const both = await client.send('POST', 'Patient/_search?gender=male', { ...form, body: 'birthdate=ge1957' });
    expect((both.json.entry as { resource: { id: string } }[]).map(({ resource }) => resource.id).sort()).toEqual([
      's7',
      's9',
    ]);
    expect((await client.post('Patient/_search', { family: 'fabre' })).status).toBe(415);
  });

  it('shows the present version only, and nothing that was deleted', async () => {
    await client.putAll(patient({ ...person('moves', 50), family: 'Avant' }));
    await client.putAll(patient({ ...person('moves', 50), family: 'Apres' }));
    expect([await ids('Patient?family=avant'), await ids('Patient?family=apres')]).toEqual([[], ['moves']]);
    await client.remove('Patient/moves');
    expect(await ids('Patient?family=apres')).toEqual([]);
  });

  it.each([
    ['a parameter that does not exist', 'Patient?nmae=x', 400],
    ['a parameter of another type', 'Patient?encounter=x', 400],
    ['a modifier that does not fit', 'Patient?birthdate:exact=1950', 400],
    ['a date that is none', 'Patient?birthdate=1950-02-30', 400],
    ['a prefix that is none', 'Patient?birthdate=xx1950', 400],
    ['a page of letters', 'Patient?_count=many', 400],
    ['an order by nothing', 'Patient?_sort=nothing', 400],
    ['an include of nothing', 'Patient?_include=Patient:nothing', 400],
    ['a page link that somebody made up', 'Patient?_cursor=made-up', 400],
    ['a NUL', 'Patient?family=%00', 400],
    ['a type that does not exist', 'Patients?name=x', 404],
    ['another format', 'Patient?_format=html', 406],
  ])('refuses %s', async (_what, path, status) => {
    const reply = await client.get(path);
    expect([reply.status, reply.json.resourceType]).toEqual([status, 'OperationOutcome']);
    expect(reply.json.issue[0].details.text).toEqual(expect.any(String));
  });

  it.each([
    ['a wild card', 'Patient?family=%25four'],
    ['an underscore', 'Patient?family=_ufour'],
    ['a pattern', 'Patient?family=d.*r'],
    ['SQL', "Patient?family=x'; drop table resource; --"],
    ['more SQL', "Patient?family=x' or '1'='1"],
  ])('takes %s as ordinary text', async (_what, path) => {
    expect(await ids(path)).toEqual([]);
    expect(await ids('Patient?family=dufour')).toEqual(['s3']);
  });
});
