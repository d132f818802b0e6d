/**
 * What an update reads of the index: the rows that it takes away, and not all that stand under the same key. Where
 * most keys are rare, the planner looks up a row by its key alone, and reads every resource with the same status (migrations/0063).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Queryable } from '../../src/db/index.ts';
import { createStore, type Store, type WriteEntry } from '../../src/store/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

const besides = 2_000;
let test: TestDatabase;
let store: Store;

beforeAll(async () => {
  test = await openTestDatabase();
  store = createStore({
    db: test.database,
    index: ({ status, n }) => ({
      tokens: [BigInt(status as number), 1_000n + BigInt(n as number)],
      drivers: [BigInt(status as number), 1_000n + BigInt(n as number)],
      ord: n as number,
      dates: [],
      strings: [],
      numbers: [],
      patients: [],
      references: [],
    }),
    compartmentKeys: () => [],
    now: () => Date.parse('2026-03-02T08:00:00.000Z'),
    onCommit: () => undefined,
  });
  await store.commit(Array.from({ length: besides }, (_one, n) => put(n, 1)));
});

afterAll(() => test.close());

function put(n: number, status: number): WriteEntry {
  const id = `task-${n}`;
  return { method: 'PUT', type: 'Task', id, resource: { resourceType: 'Task', id, status, n } };
}

/** Index rows that the statements of one transaction fetch. */
async function fetchedBy(entries: readonly WriteEntry[]): Promise<number> {
  return store.transaction(async (session, tx) => {
    // What earlier transactions of the connection have counted may not be handed in yet.
    const before = await fetched(tx);
    await session.commit(entries);
    return (await fetched(tx)) - before;
  });
}

async function fetched(tx: Queryable): Promise<number> {
  const [row] = await tx.query<{ fetched: number }>({
    text: `select idx_tup_fetch::integer as fetched from pg_stat_xact_user_tables where relname = 'token_index'`,
  });
  return row?.fetched ?? NaN;
}

describe('An update', () => {
  it('reads the index rows that it takes away, not those of all resources under the same key', async () => {
    expect(await fetchedBy([put(7, 2)])).toBeLessThanOrEqual(4);
  });

  it('does so for many resources at once', async () => {
    expect(await fetchedBy(Array.from({ length: 50 }, (_one, n) => put(100 + n, 2)))).toBeLessThanOrEqual(200);
  });

  it('does so where statistics call most keys rare', async () => {
    await test.database.query({ text: 'analyze token_index' });
    expect(await fetchedBy([put(8, 2)])).toBeLessThanOrEqual(4);
  });
});
