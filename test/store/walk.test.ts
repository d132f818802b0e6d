/** What was stored before rows were kept beside it is read once, whole. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { noFacts } from '../../src/access/index.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { createStore, openFacts, openPointers, type WriteEntry } from '../../src/store/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

const count = 1_150;
const allIds = Array.from({ length: count }, (_one, n) => `p-${n}`);
let test: TestDatabase;

/** More than two pages, over a place where the numbers of the rows become a digit longer. */
beforeAll(async () => {
  test = await openTestDatabase();
  const values = { tokens: [], drivers: [], ord: 0, dates: [], strings: [], numbers: [], patients: [], references: [] };
  const store = createStore({
    db: test.database,
    index: () => values,
    compartmentKeys: () => [],
    now: () => Date.parse('2026-03-02T08:00:00.000Z'),
    onCommit: () => undefined,
  });
  const entries = allIds.map((id): WriteEntry => {
    return { method: 'PUT', type: 'Patient', id, resource: { resourceType: 'Patient', id } };
  });
  await store.commit(entries);
});

afterAll(() => test.close());

describe('at start', () => {
  it('reads the references of every resource when they are enforced from now on', async () => {
    const read: string[] = [];
    const referencesOf = ({ id = '' }: Resource) => {
      read.push(id);
      return [`Organization/of-${id}`];
    };
    await openPointers(test.database, 'recorded', referencesOf);
    await openPointers(test.database, 'enforced', referencesOf);
    expect(read.toSorted()).toEqual(allIds.toSorted());
    const rows = await test.database.query<{ source_id: string }>({ text: 'select source_id from pointer' });
    expect(rows.map(({ source_id }) => source_id).toSorted()).toEqual(allIds.toSorted());
  });

  it('reads the facts of every resource that has some for access', async () => {
    const read: string[] = [];
    await test.database.query({ text: 'update access_state set is_complete = false' });
    await openFacts(test.database, (resource) => {
      read.push(resource.id ?? '');
      return noFacts;
    });
    expect(read.toSorted()).toEqual(allIds.toSorted());
  });
});
