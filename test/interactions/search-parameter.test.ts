/**
 * A SearchParameter that is stored is a parameter of the server (https://hl7.org/fhir/R4/searchparameter.html): validated, known to new
 * writes at once, built for what was stored before by a job that a kill does not lose, refused to searches until it is whole.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Task } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { reindexTaskId } from '../../src/store/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

jest.setTimeout(120_000);

const eyeColour = 'https://hopital.example/fhir/StructureDefinition/eye-colour';

function parameter(members: object): Resource {
  return {
    resourceType: 'SearchParameter',
    id: 'eye-colour',
    url: 'https://hopital.example/fhir/SearchParameter/eye-colour',
    name: 'EyeColour',
    status: 'active',
    description: 'La couleur des yeux',
    code: 'eye-colour',
    base: ['Patient'],
    type: 'token',
    expression: `Patient.extension('${eyeColour}').value.ofType(CodeableConcept)`,
    ...members,
  };
}

const patient = (id: string, colour: string, members: object = {}) =>
  ({
    resourceType: 'Patient',
    id,
    extension: [{ url: eyeColour, valueCodeableConcept: { coding: [{ system: 'urn:colour', code: colour }] } }],
    ...members,
  }) as Resource;

let server: TestApp;
beforeAll(async () => {
  server = await startTestApp();
});
afterAll(() => server.close());

const idsOf = async (path: string) => (await server.client.search(path)).map(({ id }) => id).sort();

describe('refused', () => {
  test.each<[string, object, string]>([
    ['an expression that cannot be indexed', { expression: 'Patient.name.first()' }, 'first() is not supported'],
    ['an element that is not there', { expression: 'Patient.eyes' }, 'has no element eyes'],
    ['values of another type', { type: 'quantity', expression: 'Patient.name' }, 'can be sought as quantity'],
    ['the code of another parameter', { code: 'family' }, 'is that of another search parameter'],
    ['a code that no query can hold', { code: 'eye.colour' }, 'cannot stand in a query'],
    ['no expression', { expression: undefined }, 'no expression'],
  ])('%s', async (_what, members, expected) => {
    const reply = await server.client.put(parameter(members));
    expect(reply.status).toBe(422);
    expect(reply.json.issue[0].expression[0]).toMatch(/^SearchParameter\./);
    expect(reply.text).toContain(expected);
  });
});

describe('a stored parameter', () => {
  test('finds what was stored before and after, and shows its progress as a Task', async () => {
    const before = Array.from({ length: 250 }, (_one, place) =>
      patient(`old-${place}`, place % 2 === 0 ? 'green' : 'blue'),
    );
    for (let start = 0; start < before.length; start += 150) {
      const entry = before.slice(start, start + 150).map((resource) => ({
        resource,
        request: { method: 'PUT', url: `Patient/${resource.id}` },
      }));
      expect((await server.client.post('', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(200);
    }
    expect((await server.client.get('Patient?eye-colour=green')).status).toBe(400);
    expect((await server.client.put(parameter({}))).status).toBe(201);
    await server.client.putAll(patient('new', 'green'));
    await server.client.settle();

    expect(await idsOf('Patient?eye-colour=urn:colour|green&_count=1000')).toHaveLength(126);
    expect(await idsOf('Patient?eye-colour=green&_id=new,old-0,old-1')).toEqual(['new', 'old-0']);
    expect(await idsOf('Patient?eye-colour:missing=true')).toEqual([]);
    const task = await server.client.read<Task>(`Task/${reindexTaskId('eye-colour')}`);
    expect([task.status, task.focus?.reference]).toEqual(['completed', 'SearchParameter/eye-colour']);
    // The new one has its rows from its own write: it is among these only when the work began after it.
    const [done = 0, total] = task.output?.map(({ valueInteger }) => valueInteger) ?? [];
    expect([done, [250, 251].includes(done)]).toEqual([total, true]);
    const statement = (await server.client.get('metadata')).json;
    const patients = statement.rest[0].resource.find(({ type }: { type: string }) => type === 'Patient');
    expect(patients.searchParam.map(({ name }: { name: string }) => name)).toContain('eye-colour');
  });

  test('forgets what another expression found', async () => {
    expect((await server.client.put(parameter({ expression: 'Patient.maritalStatus' }))).status).toBe(200);
    await server.client.settle();
    expect(await idsOf('Patient?eye-colour=green')).toEqual([]);
    expect(await idsOf('Patient?eye-colour:missing=true&_count=1000')).toHaveLength(251);
  });

  test('is gone when it is retired', async () => {
    expect((await server.client.put(parameter({ status: 'retired' }))).status).toBe(200);
    await server.client.settle();
    expect((await server.client.get('Patient?eye-colour=green')).status).toBe(400);
  });
});

describe('while the index is built', () => {
  test('a search waits, a kill loses one batch at most, and the rest goes on from there', async () => {
    const { database } = server;
    // The state in which a server that was killed after its first batch leaves the row.
    expect((await server.client.put(parameter({ id: 'later', code: 'later', url: 'urn:x:later' }))).status).toBe(201);
    await server.client.settle();
    await database.query({
      text: `update search_parameter set is_whole = false, pass = 1, place = '["Patient", "old-199"]', done = 200, total = 251 where id = 'later'`,
    });
    await database.query({ text: 'delete from token_index' });
    const answer = await waitFor(() => server.client.get('Patient?later=green'), 503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    await database.query({
      text: `insert into job (kind, key, run_at) values ('reindex', 'later', '2026-03-01T00:00:00Z')`,
    });
    server = await server.restart();
    await server.client.settle();
    expect(await idsOf('Patient?later=green&_count=1000')).toHaveLength(126);
    const [row] = await server.database.query<{ done: string; rest: string }>({
      text: `select done, (select count(*) from resource where type = 'Patient' and id > 'old-199') as rest
             from search_parameter where id = 'later'`,
    });
    // 200 were done before the kill: the first pass went on after them.
    expect(Number(row?.done)).toBe(200 + Number(row?.rest));
  });
});

/** The parameters are read again when the database says that they changed. */
async function waitFor<T extends { readonly status: number }>(ask: () => Promise<T>, status: number): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const answer = await ask();
    if (answer.status === status) return answer;
  }
  throw new Error(`it was never answered ${status}`);
}
