/** What the follower of the rules reads of new resources, in a table that has grown since PostgreSQL last looked at it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFirstVersions } from '../../src/breaks/breaks.sql.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

const count = 9_000;
let test: TestDatabase;

beforeAll(async () => {
  test = await openTestDatabase();
  await test.database.query({
    text: `insert into resource (rid, type, id, version, last_updated, method, is_deleted, ord, patients, keys, raw)
           select n, 'Observation', 'o-' || n, case when n % 5 = 4 then 2 else 1 end, '2026-03-02T08:00:00Z', 'PUT', n % 5 = 3, 0, '{}', '{}',
                  case when n % 5 = 2 then repeat('x', 64001) else 'text ' || n end
           from generate_series(1, $1::integer) as n`,
    values: [count],
  });
});

afterAll(() => test.close());

async function readsOf(index: string): Promise<number> {
  await test.database.query({ text: 'select pg_stat_force_next_flush()' });
  const [row] = await test.database.query<{ reads: number }>({
    text: 'select idx_tup_read::integer as reads from pg_stat_user_indexes where indexrelname = $1',
    values: [index],
  });
  return row?.reads ?? 0;
}

it('finds first versions that are current and not too long by their numbers, without walking what else there is', async () => {
  const rids = ['8001', '8002', '8003', '8004', '8005'];
  for (let round = 0; round < 8; round++) {
    const texts = await test.database.transaction((tx) => readFirstVersions(tx, rids));
    expect([...texts]).toEqual([
      ['8001', 'text 8001'],
      ['8005', 'text 8005'],
    ]);
  }
  expect(await readsOf('resource_by_update')).toBe(0);
});
