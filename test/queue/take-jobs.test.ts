/** takeJobs: never more than asked for, whatever plan PostgreSQL makes. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { requestJobs } from '../../src/queue/index.ts';
import { takeJobs } from '../../src/queue/jobs.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

const nowMs = Date.parse('2026-03-02T08:00:00Z');
let test: TestDatabase;

beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

it.each([
  ['as it plans by itself', []],
  [
    'when it joins row by row, as it does for a table that was small when it was last counted',
    ['hashjoin', 'mergejoin', 'hashagg', 'sort', 'material'],
  ],
])('takes no more jobs than there are places, %s', async (_name, withoutPlans) => {
  const requests = Array.from({ length: 40 }, (_one, n) => ({ kind: 'slow', key: `s${n}`, runAtMs: nowMs }));
  await test.database.query({ text: 'truncate job' });
  await test.database.transaction((tx) => requestJobs(tx, requests));
  await test.database.transaction(async (tx) => {
    for (const plan of withoutPlans) await tx.query({ text: `set local enable_${plan} = off` });
    const taken = await takeJobs(tx, { rooms: [{ kind: 'slow', limit: 16 }], holder: 1, nowMs });
    expect(taken).toHaveLength(16);
    expect((await takeJobs(tx, { rooms: [{ kind: 'slow', limit: 40 }], holder: 1, nowMs })).length).toBe(24);
  });
});
