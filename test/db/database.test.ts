import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

describe('a statement by itself', () => {
  it('answers its rows', async () => {
    expect(await db.database.query({ text: 'select 1 as one' })).toEqual([{ one: 1 }]);
  });
});
