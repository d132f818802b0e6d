/** Limits towards PostgreSQL: poolSize, acquireTimeoutMs, statementTimeoutMs, lockTimeoutMs (src/base/limits.ts). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLog, databaseLimits, Problem } from '../../src/base/index.ts';
import { type Database, openDatabase } from '../../src/db/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let test: TestDatabase;
let database: Database;

beforeAll(async () => {
  test = await openTestDatabase();
  const options = { url: test.url, poolSize: 1, statementTimeoutMs: 50, acquireTimeoutMs: 50 };
  database = openDatabase({ ...options, log: createLog('silent'), random: () => 0 });
});
afterAll(async () => {
  await database.close();
  await test.close();
});

async function refusalOf(work: Promise<unknown>): Promise<readonly unknown[]> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof Problem ? [error.category, error.message, error.retryAfterMs] : [error];
}

describe('A connection of the pool', () => {
  it('ends a statement after statementTimeoutMs', async () => {
    const late = ['unavailable', 'the database did not finish in the time it is given', 1000];
    expect(await refusalOf(database.query({ text: 'select pg_sleep(10)' }))).toEqual(late);
  });

  it('is waited for no longer than acquireTimeoutMs, where all poolSize are taken', async () => {
    await database.transaction(async () => {
      const away = ['unavailable', 'the database is not available just now', 1000];
      expect(await refusalOf(database.query({ text: 'select 1' }))).toEqual(away);
    });
  });

  it('has the limits of limits.ts, where nothing else is said', async () => {
    const rows = await test.database.query<{ name: string; ms: string }>({
      text: `select name, setting as ms from pg_settings
             where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') order by name`,
    });
    expect(Object.fromEntries(rows.map(({ name, ms }) => [name, Number(ms)]))).toEqual({
      statement_timeout: databaseLimits.statementTimeoutMs,
      lock_timeout: databaseLimits.lockTimeoutMs,
      idle_in_transaction_session_timeout: databaseLimits.idleInTransactionTimeoutMs,
    });
  });
});
