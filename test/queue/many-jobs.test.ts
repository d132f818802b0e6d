/** Looks at the jobs while very many wait: what is due next is found, and how many there are is counted, without reading them. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { countJobs } from '../../src/app/metrics.sql.ts';
import { nextJobAt } from '../../src/queue/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test?.close());

const nowMs = Date.parse('2026-03-02T08:00:00Z');
const at = (minutes: number): string => new Date(nowMs + minutes * 60_000).toISOString();

type Row = readonly [kind: string, key: string, minutes: number, state?: 'held' | 'parked'];

async function fill(rows: readonly Row[]): Promise<void> {
  await test.database.query({ text: 'truncate job' });
  for (const [kind, key, minutes, state] of rows) {
    const values = [kind, key, at(minutes), state === 'held' ? 7 : null, state === 'parked'];
    const text = 'insert into job (kind, key, run_at, holder, is_parked) values ($1, $2, $3, $4, $5)';
    await test.database.query({ text, values });
  }
}

it.each<[string, readonly Row[], number | undefined]>([
  ['nothing waits', [], undefined],
  ['one waits', [['judge', 'a', 5]], 5],
  [
    'the first of all kinds is not of the first kind',
    [
      ['judge', 'a', 5],
      ['judge', 'b', 7],
      ['send', 'a', 3],
      ['zz', 'a', 9],
    ],
    3,
  ],
  [
    'one that is held counts',
    [
      ['judge', 'a', 5],
      ['send', 'a', 2, 'held'],
    ],
    2,
  ],
  [
    'one that was given up does not',
    [
      ['judge', 'a', 1, 'parked'],
      ['send', 'a', 4],
    ],
    4,
  ],
])('%s: the next is told', async (_, rows, minutes) => {
  await fill(rows);
  expect(await nextJobAt(test.database)).toBe(minutes === undefined ? undefined : Date.parse(at(minutes)));
});

it('counts jobs by kind and state', async () => {
  await fill([
    ['judge', 'a', -1],
    ['judge', 'b', 0],
    ['judge', 'c', 1],
    ['judge', 'd', -5, 'held'],
    ['judge', 'e', -5, 'parked'],
    ['send', 'a', 9],
    ['send', 'b', 10],
  ]);
  const counted = (await countJobs(test.database, nowMs)).map(({ kind, state, count }) => `${kind} ${state} ${count}`);
  expect(counted.sort()).toEqual([
    'judge due 2',
    'judge held 1',
    'judge parked 1',
    'judge waiting 1',
    'send waiting 2',
  ]);
});

it('reads a few, not all, where 50,000 wait', async () => {
  const { database } = test;
  await fill([['send', 'a', 60]]);
  await database.query({
    text: `insert into job (kind, key, run_at, payload)
           select 'judge', 'Patient/' || n, $1::timestamptz + n * interval '1 second', '{}' from generate_series(1, 50000) as n`,
    values: [at(120)],
  });
  await database.query({ text: 'analyze job' });
  const rows = await database.transaction(async (tx) => {
    for (let turn = 0; turn < 10; turn++) expect(await nextJobAt(tx)).toBe(Date.parse(at(60)));
    // Of this transaction alone.
    return tx.query<{ read: number }>({
      text: `select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::integer as read
             from pg_stat_xact_user_tables where relname = 'job'`,
    });
  });
  expect(rows[0]?.read).toBeGreaterThan(0);
  expect(rows[0]?.read).toBeLessThan(500);
});
