/**
 * The manual clock, moved forward (design.md section 5, decision 1): a jump stops at each instant at which a job falls
 * due, so that the work done there sees exactly that time, and it answers when all of it is done.
 */
import { type ManualClock, Problem } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import { nextJobAt } from './jobs.ts';
import type { Workers } from './worker.ts';

export const settleTimeoutMs = 30_000;

export interface TimeKeeper {
  /** Moves time to `instantMs`; answers how many jobs ran. Earlier than now is `incorrect`; more than 30 s of real work at one instant is `unavailable`. */
  moveTo(instantMs: number): Promise<{ readonly fired: number }>;
}

export function createTimeKeeper(input: {
  readonly db: Database;
  readonly clock: ManualClock;
  readonly workers: Workers;
}): TimeKeeper {
  const { db, clock, workers } = input;
  let last: Promise<unknown> = Promise.resolve();

  async function stepTo(instantMs: number): Promise<void> {
    clock.moveTo(instantMs);
    await keepClock(db, instantMs);
    await settleOrFail(workers);
  }

  async function move(instantMs: number): Promise<{ fired: number }> {
    if (instantMs < clock.now())
      throw new Problem('incorrect', 'the clock moves forward only: the instant lies before now');
    const before = workers.jobsRun();
    await settleOrFail(workers);
    for (let due = await nextJobAt(db); due !== undefined && due <= instantMs; due = await nextJobAt(db)) {
      await stepTo(Math.max(due, clock.now()));
    }
    await stepTo(instantMs);
    return { fired: workers.jobsRun() - before };
  }

  return {
    moveTo(instantMs) {
      const moved = last.then(() => move(instantMs));
      last = moved.catch(() => undefined);
      return moved;
    },
  };
}

export async function settleOrFail(workers: Workers): Promise<void> {
  if (await workers.settle(settleTimeoutMs)) return;
  throw new Problem('unavailable', `work was still going on after ${settleTimeoutMs / 1000} s`, { retryAfterMs: 1000 });
}

async function keepClock(db: Database, instantMs: number): Promise<void> {
  await db.query({
    text: `insert into clock (now) values ($1)
           on conflict (is_only) do update set now = greatest(clock.now, excluded.now)`,
    values: [new Date(instantMs)],
  });
}

/** Where a manual clock stood when the server stopped; undefined at the first start. */
export async function keptClock(db: Database): Promise<number | undefined> {
  const rows = await db.query<{ now: Date }>({ text: 'select now from clock' });
  return rows[0]?.now.getTime();
}
