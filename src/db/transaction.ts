/**
 * Transactions: all or nothing, run again where PostgreSQL asks for it, honest where nobody can know.
 * A statement by itself is a transaction of its own, and is treated as one.
 *
 * - Serialization failure or deadlock: PostgreSQL has undone everything, so the same runs again, a few times.
 * - The connection breaks before COMMIT is sent: PostgreSQL undoes everything; `unavailable`.
 * - The connection breaks while COMMIT, or a statement by itself, is on its way: it may or may not have happened. Never
 *   repeated here; the Problem says so, and only the caller can find out (read again, If-Match, If-None-Exist).
 */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { databaseLimits, Problem } from '../base/index.ts';
import { backOffMs } from './back-off.ts';
import type { Statement, Transaction } from './database.ts';
import { type Session, sendStatement, withSession } from './session.ts';
import { isRepeatable } from './sql-state.ts';

export interface RepeatOptions {
  /** Runs beyond the first. */
  readonly retriesMax: number;
  readonly random: () => number;
}

export function inTransaction<T>(
  pool: pg.Pool,
  fn: (tx: Transaction) => Promise<T>,
  options: RepeatOptions,
): Promise<T> {
  return repeat(options, () => withSession(pool, (session) => runOnce(session, fn)));
}

/** A statement by itself. */
export function queryAlone<R extends object>(
  pool: pg.Pool,
  statement: Statement,
  options: RepeatOptions,
): Promise<readonly R[]> {
  return repeat(options, () => withSession(pool, async (session) => (await sendDecisive<R>(session, statement)).rows));
}

async function repeat<T>({ retriesMax, random }: RepeatOptions, run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt > retriesMax || !isRepeatable(error)) throw error;
    }
    await wait(backOffMs(attempt, databaseLimits.retryWaitMs, databaseLimits.retryWaitMaxMs, random));
  }
}

async function runOnce<T>(session: Session, fn: (tx: Transaction) => Promise<T>): Promise<T> {
  let isOver = false;
  const tx: Transaction = {
    isTransaction: true,
    async query<R extends object>(statement: Statement) {
      assert(!isOver, 'a transaction was used after its end');
      return (await sendStatement<R>(session, statement)).rows;
    },
  };
  await sendStatement(session, { text: 'begin isolation level read committed' });
  try {
    const result = await fn(tx);
    isOver = true;
    await commit(session);
    return result;
  } catch (error) {
    isOver = true;
    await rollBack(session);
    throw error;
  }
}

async function commit(session: Session): Promise<void> {
  const { command } = await sendDecisive(session, { text: 'commit' });
  // COMMIT answers ROLLBACK, without an error, when a statement before it failed and somebody passed over that.
  assert.equal(command, 'COMMIT', 'a failed statement was passed over inside a transaction');
}

async function rollBack(session: Session): Promise<void> {
  if (session.isBroken) return;
  try {
    await sendStatement(session, { text: 'rollback' });
  } catch {
    session.isBroken = true; // thrown away; PostgreSQL undoes what an ended session left
  }
}

/** Sends a statement that commits what it does. */
async function sendDecisive<R extends object>(session: Session, statement: Statement) {
  try {
    return await sendStatement<R>(session, statement);
  } catch (error) {
    throw session.isBroken ? outcomeUnknown(error) : error;
  }
}

function outcomeUnknown(cause: unknown): Problem {
  const text =
    'the outcome is unknown: the connection to the database broke before it answered; ' +
    'read again, or repeat a write with If-Match or If-None-Exist';
  return new Problem('unavailable', text, { cause, retryAfterMs: databaseLimits.retryAfterMs });
}
