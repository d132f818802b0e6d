import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Problem } from '../../src/base/index.ts';
import { type Database, databaseFaultOf, type Transaction } from '../../src/db/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let test: TestDatabase;
let database: Database;
beforeAll(async () => {
  test = await openTestDatabase('none');
  database = test.database;
  await database.query({ text: 'create table bed (number integer primary key, patient text not null)' });
});
afterAll(() => test.close());

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Problem) return outcome;
  throw new Error('expected a Problem', { cause: outcome });
}

const admit = (number: number, patient: string) => ({
  name: 'admit',
  text: 'insert into bed values ($1, $2)',
  values: [number, patient],
});

async function beds(from: number): Promise<readonly number[]> {
  const rows = await database.query<{ number: number }>({
    text: 'select number from bed where number between $1 and $1 + 9 order by number',
    values: [from],
  });
  return rows.map(({ number }) => number);
}

describe('a value that comes back', () => {
  it.each([
    ['int8', "'-9223372036854775808'::bigint", '-9223372036854775808'],
    ['numeric', '0.10::numeric', '0.10'],
    ['timestamptz', "'2026-03-02T08:00:00+01:00'::timestamptz", new Date(Date.UTC(2026, 2, 2, 7))],
    ['date', "'2026-03-02'::date", '2026-03-02'],
    ['timestamp', "'2026-03-02 08:00:00'::timestamp", '2026-03-02 08:00:00'],
    ['int8 array', "'{1,9007199254740993}'::bigint[]", ['1', '9007199254740993']],
    ['text', "'é'", 'é'],
  ])('is exact: %s', async (_type, expression, value) => {
    expect(await database.query({ text: `select ${expression} as value` })).toEqual([{ value }]);
  });

  it('is the bigint that was sent, alone or in an array', async () => {
    const values = [2n ** 63n - 1n, [-(2n ** 63n)]];
    const rows = await database.query({ text: 'select $1::bigint as one, $2::bigint[] as many', values });
    expect(rows).toEqual([{ one: '9223372036854775807', many: ['-9223372036854775808'] }]);
  });
});

describe('a statement that fails', () => {
  it.each([
    ['a NUL character', { text: 'select $1::text', values: ['a\u0000b'] }, 'unprocessable'],
    ['a number out of range', { text: 'select 3000000000::integer' }, 'unprocessable'],
    ['a syntax error', { text: 'selekt 1' }, 'fault'],
    ['a time limit', { text: "select set_config('statement_timeout', '10', true), pg_sleep(5)" }, 'unavailable'],
  ])('is a Problem: %s', async (_case, statement, category) => {
    const inside = database.transaction(async (tx) => {
      if (statement.text.includes('sleep')) await tx.query({ text: 'set local statement_timeout = 10' });
      await tx.query(statement);
    });
    expect((await problemOf(inside)).category).toBe(category);
  });

  it('tells the caller state and constraint, and nobody the value', async () => {
    await database.query(admit(10, 'Martin'));
    const problem = await problemOf(database.query(admit(10, 'Martin')));
    expect(problem.category).toBe('conflict');
    expect(databaseFaultOf(problem)).toEqual({ sqlState: '23505', constraint: 'bed_pkey' });
    expect(JSON.stringify([problem.message, problem.issues])).not.toMatch(/bed|10|Martin/);
  });

  it('keeps its connection', async () => {
    const pids = new Set<unknown>();
    for (let count = 0; count < 10; count++) {
      await problemOf(database.query({ text: 'selekt 1' }));
      pids.add((await database.query({ text: 'select pg_backend_pid() as pid' }))[0]?.['pid']);
    }
    expect(pids.size).toBe(1);
  });

  it('waits for a lock no longer than its limit', async () => {
    await database.transaction(async (tx) => {
      await tx.query({ text: 'lock table bed' });
      const other = database.transaction(async (second) => {
        await second.query({ text: 'set local lock_timeout = 10' });
        await second.query({ text: 'select from bed' });
      });
      expect(await problemOf(other)).toMatchObject({ category: 'unavailable', retryAfterMs: 1_000 });
    });
  });
});

describe('a transaction', () => {
  it('commits what its function did and answers what it answers', async () => {
    const answer = await database.transaction(async (tx) => {
      await tx.query(admit(20, 'A'));
      await tx.query(admit(21, 'B'));
      return 'done';
    });
    expect(answer).toBe('done');
    expect(await beds(20)).toEqual([20, 21]);
  });

  it('undoes everything when its function throws, and hands on what was thrown', async () => {
    const refusal = new Error('no bed for C');
    const failing = database.transaction(async (tx) => {
      await tx.query(admit(30, 'C'));
      throw refusal;
    });
    await expect(failing).rejects.toBe(refusal);
    expect(await beds(30)).toEqual([]);
  });

  it('does not pretend to commit when its function passed over a failed statement', async () => {
    const failing = database.transaction(async (tx) => {
      await tx.query(admit(40, 'D'));
      await problemOf(tx.query(admit(40, 'E')));
    });
    await expect(failing).rejects.toThrow('passed over');
    expect(await beds(40)).toEqual([]);
  });

  it('refuses to be used after its end', async () => {
    let leaked: Transaction | undefined;
    await database.transaction(async (tx) => {
      leaked = tx;
    });
    await expect(leaked?.query({ text: 'select 1' })).rejects.toThrow('after its end');
  });

  it.each(['40001', '40P01'])('runs again after %s, from the beginning', async (state) => {
    let runs = 0;
    await database.transaction(async (tx) => {
      await tx.query({ text: `delete from bed where number = 50` });
      await tx.query(admit(50, 'F'));
      if (++runs < 3) await tx.query({ text: `do $$ begin raise exception using errcode = '${state}'; end $$` });
    });
    expect(runs).toBe(3);
    expect(await beds(50)).toEqual([50]);
  });

  it('gives up after the sixth run', async () => {
    let runs = 0;
    const failing = database.transaction(async (tx) => {
      runs++;
      await tx.query({ text: "do $$ begin raise exception using errcode = '40001'; end $$" });
    });
    expect(await problemOf(failing)).toMatchObject({ category: 'unavailable', retryAfterMs: 1_000 });
    expect(runs).toBe(6);
  });

  it('gets out of a real deadlock', async () => {
    await database.query({ text: "insert into bed values (60, 'G'), (61, 'H')" });
    let arrivals = 0;
    let meet: () => void = () => undefined;
    const meeting = new Promise<void>((resolve) => {
      meet = resolve;
    });
    const swap = (first: number, second: number) =>
      database.transaction(async (tx) => {
        await tx.query({ text: 'update bed set patient = patient || $2 where number = $1', values: [first, 'x'] });
        if (++arrivals === 2) meet();
        await meeting;
        await tx.query({ text: 'update bed set patient = patient || $2 where number = $1', values: [second, 'x'] });
      });
    await Promise.all([swap(60, 61), swap(61, 60)]);
    const rows = await database.query({ text: 'select patient from bed where number in (60, 61) order by number' });
    expect(rows).toEqual([{ patient: 'Gxx' }, { patient: 'Hxx' }]);
  });
});
