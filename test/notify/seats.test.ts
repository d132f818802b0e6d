/** How many subscriptions there may be: row U12 of the hostile inputs. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freeSeat, takeSeat } from '../../src/notify/seats.sql.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

const limits = { subscriptionsMax: 5, subscriptionsPerCallerMax: 3 };
let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());
beforeEach(() => test.database.query({ text: 'truncate subscription_seat' }));

const take = (id: string, owner?: string) => test.database.transaction((tx) => takeSeat(tx, id, owner, limits));
const taken = async () =>
  (await test.database.query({ text: 'select subscription from subscription_seat order by 1' })).map(
    ({ subscription }) => subscription,
  );

describe('subscriptions', () => {
  it('of one caller have a limit, which others do not feel (U12)', async () => {
    for (const id of ['a1', 'a2', 'a3']) await take(id, 'anna');
    await expect(take('a4', 'anna')).rejects.toMatchObject({
      category: 'forbidden',
      issues: [{ code: 'too-costly', text: expect.stringContaining('at most 3 ') }],
    });
    await take('b1', 'boris');
    expect(await taken()).toEqual(['a1', 'a2', 'a3', 'b1']);
  });

  it('of the whole server have a limit, also those of nobody in particular (U12)', async () => {
    for (const id of ['s1', 's2', 's3', 's4', 's5']) await take(id);
    await expect(take('s6')).rejects.toMatchObject({ category: 'forbidden' });
    await expect(take('a1', 'anna')).rejects.toMatchObject({ category: 'forbidden' });
  });

  it('that end leave their seat to another, and one that has its seat keeps it', async () => {
    for (const id of ['a1', 'a2', 'a3', 'a3']) await take(id, 'anna');
    await test.database.transaction((tx) => freeSeat(tx, 'a2'));
    await take('a4', 'anna');
    expect(await taken()).toEqual(['a1', 'a3', 'a4']);
  });

  it('that come at the same time, or in one transaction, do not pass the limit (U12)', async () => {
    const atOnce = await Promise.allSettled(['c1', 'c2', 'c3', 'c4', 'c5', 'c6'].map((id) => take(id, 'clara')));
    expect(atOnce.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    const together = test.database.transaction(async (tx) => {
      for (const id of ['d1', 'd2', 'd3', 'd4']) await takeSeat(tx, id, 'dora', limits);
    });
    await expect(together).rejects.toMatchObject({ category: 'forbidden' });
    expect(await taken()).toHaveLength(3);
  });
});
