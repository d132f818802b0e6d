/** How many subscriptions there may be: row U12 of the hostile inputs. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freeSeat, takeSeat } from '../../src/notify/seats.sql.ts';
import { startTestApp } from '../support/app.ts';
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

describe('a server with SUTURE_SUBSCRIPTIONS_MAX=2', () => {
  const subscription = (id: string, status = 'requested') => ({
    resourceType: 'Subscription',
    id,
    status,
    reason: 'essai',
    criteria: 'Encounter?status=finished',
    channel: { type: 'rest-hook', endpoint: 'http://127.0.0.1:9/hook' },
  });

  it('refuses the third with 403, and takes it when one is off or gone (U12)', async () => {
    const server = await startTestApp({ settings: { SUTURE_SUBSCRIPTIONS_MAX: '2' } });
    try {
      const { client } = server;
      const put = async (id: string, status?: string) => (await client.put(subscription(id, status))).status;
      expect([await put('s1'), await put('s2')]).toEqual([201, 201]);
      const refused = await client.put(subscription('s3'), { 'accept-language': 'fr' });
      expect([refused.status, refused.json.issue?.[0]?.code]).toEqual([403, 'too-costly']);
      expect((await client.get('Subscription/s3')).status).toBe(404);
      expect([await put('s1', 'off'), await put('s3')]).toEqual([200, 201]);
      expect(await put('s4')).toBe(403);
      expect((await client.remove('Subscription/s2')).status).toBe(204);
      expect(await put('s4')).toBe(201);
    } finally {
      await server.close();
    }
  });
});
