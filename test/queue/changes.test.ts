/** The order in which changes are read: that of transactions, and within one that of its writes, as numbers. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { advanceReader, openReader, readChanges } from '../../src/queue/changes.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test?.close());

it('reads every change once, in the order of numbers, where these get another digit', async () => {
  const { database } = test;
  const places = [
    [9, 8],
    [9, 9],
    [9, 10],
    [9, 11],
    [10, 12],
    [98, 99],
    [99, 100],
    [100, 101],
    [100, 1000],
  ];
  await database.query({
    text: `insert into change (xid, seq, rid, type, id, version, method, at, patients) overriding system value
           select p.xid::text::xid8, p.seq, 1, 'Basic', 'b', 1, 'PUT', '2026-03-02T08:00:00Z', '{}'
           from json_to_recordset($1) as p(xid bigint, seq bigint)`,
    values: [JSON.stringify([...places].reverse().map(([xid, seq]) => ({ xid, seq })))],
  });
  await openReader(database, 'reader');
  const read: (readonly number[])[] = [];
  for (let turns = 0; turns < places.length; turns++) {
    await database.transaction(async (tx) => {
      const changes = (await readChanges(tx, 'reader', 2)) ?? [];
      read.push(...changes.map(({ xid, seq }) => [Number(xid), Number(seq)]));
      const last = changes.at(-1);
      if (last !== undefined) await advanceReader(tx, 'reader', last);
    });
  }
  expect(read).toEqual(places);
});
