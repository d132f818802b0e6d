/** Durable jobs and the change log, with real workers on a real database and a clock that stands still. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createLog, createManualClock, Problem } from '../../src/base/index.ts';
import type { DedicatedConnection } from '../../src/db/index.ts';
import {
  announceHolder,
  type Change,
  createTimeKeeper,
  createWorkers,
  type Follower,
  finishJob,
  type Job,
  keptClock,
  requestJobs,
  type Work,
  type Workers,
} from '../../src/queue/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

const start = Date.parse('2026-03-02T08:00:00Z');
let test: TestDatabase;
let workers: Workers | undefined;
/** The instance that all workers here are of, unless they say another: what nobody announces is dead, and its jobs anybody's. */
let announced: DedicatedConnection;

beforeAll(async () => {
  test = await openTestDatabase();
  announced = await test.database.dedicate(() => undefined);
  await announceHolder(announced, 1);
});
afterAll(async () => {
  await announced.close();
  await test.close();
});
afterEach(async () => {
  await workers?.stop();
  workers = undefined;
  await test.database.query({ text: 'truncate job, change, reader, clock' });
});

const clock = createManualClock(start);

async function startWorkers(parts: {
  followers?: readonly Follower[];
  works?: readonly Work[];
  holder?: number;
}): Promise<Workers> {
  const { followers = [], works = [], holder = 1 } = parts;
  const started = createWorkers({ db: test.database, clock, log: createLog('silent'), holder, followers, works });
  await started.start();
  workers = started;
  return started;
}

function work(handle: (job: Job) => Promise<void>): Work {
  return { kind: 'try', concurrency: 3, handle, retryAfterMs: (attempts) => (attempts < 3 ? 60_000 : undefined) };
}

function finish(job: Job, again?: { runAtMs: number }): Promise<void> {
  return test.database.transaction((tx) => finishJob(tx, job, 1, again));
}

async function request(key: string, runAtMs = clock.now()): Promise<void> {
  await test.database.transaction((tx) => requestJobs(tx, [{ kind: 'try', key, runAtMs }]));
}

const turn = () => new Promise(setImmediate);

async function jobRows(): Promise<readonly object[]> {
  return test.database.query({ text: 'select key, attempts, is_parked, last_error, holder from job order by key' });
}

describe('workers', () => {
  it('run a due job once and forget it', async () => {
    const seen: string[] = [];
    const running = await startWorkers({ works: [work(async (job) => void (seen.push(job.key), await finish(job)))] });
    await request('a');
    expect(await running.settle(5000)).toBe(true);
    expect(seen).toEqual(['a']);
    expect(await jobRows()).toEqual([]);
  });

  it('leave a job alone until its time has come', async () => {
    const seen: number[] = [];
    const running = await startWorkers({
      works: [work(async (job) => void (seen.push(clock.now()), await finish(job)))],
    });
    const due = clock.now() + 3_600_000;
    await request('a', due);
    expect(await running.settle(5000)).toBe(true);
    expect(seen).toEqual([]);
    const keeper = createTimeKeeper({ db: test.database, clock, workers: running });
    expect(await keeper.moveTo(due + 999)).toEqual({ fired: 1 });
    expect(seen).toEqual([due]);
    expect(clock.now()).toBe(due + 999);
  });

  it('stop at each instant of a jump, in order, also at those that come up on the way', async () => {
    const seen: [string, number][] = [];
    const t0 = clock.now();
    const handle = async (job: Job): Promise<void> => {
      seen.push([job.key, clock.now() - t0]);
      const again = job.key === 'b' && seen.length < 3 ? { runAtMs: clock.now() + 10 } : undefined;
      await finish(job, again);
    };
    const running = await startWorkers({ works: [work(handle)] });
    await request('c', t0 + 300);
    await request('b', t0 + 100);
    const keeper = createTimeKeeper({ db: test.database, clock, workers: running });
    await keeper.moveTo(t0 + 500);
    expect(seen).toEqual([
      ['b', 100],
      ['b', 110],
      ['b', 120],
      ['c', 300],
    ]);
  });

  it('refuse to move a clock back, and keep its place', async () => {
    const running = await startWorkers({});
    const keeper = createTimeKeeper({ db: test.database, clock, workers: running });
    const now = clock.now() + 1000;
    await keeper.moveTo(now);
    await expect(keeper.moveTo(now - 1)).rejects.toMatchObject({ category: 'incorrect' });
    expect(await keptClock(test.database)).toBe(now);
  });

  it('run a job again when it was asked for while it ran', async () => {
    let runs = 0;
    const handle = async (job: Job): Promise<void> => {
      runs++;
      if (runs === 1) await request(job.key);
      await finish(job);
    };
    const running = await startWorkers({ works: [work(handle)] });
    await request('a');
    expect(await running.settle(5000)).toBe(true);
    expect(runs).toBe(2);
    expect(await jobRows()).toEqual([]);
  });

  it('try a failed job later and park it in the end, with a category and no text', async () => {
    const running = await startWorkers({ works: [work(() => Promise.reject(new Problem('unavailable', 'secret')))] });
    await request('a');
    expect(await running.settle(5000)).toBe(true);
    expect(await jobRows()).toEqual([
      { key: 'a', attempts: 1, is_parked: false, last_error: 'unavailable', holder: null },
    ]);
    await createTimeKeeper({ db: test.database, clock, workers: running }).moveTo(clock.now() + 120_000);
    expect(await jobRows()).toEqual([
      { key: 'a', attempts: 3, is_parked: true, last_error: 'unavailable', holder: null },
    ]);
  });

  it('take over the jobs of an instance that died, not those of one that lives', async () => {
    await request('dead');
    await request('live');
    await test.database.query({ text: "update job set holder = case key when 'dead' then 98 else 99 end" });
    const living = await test.database.dedicate(() => undefined);
    await announceHolder(living, 99);
    const seen: string[] = [];
    await startWorkers({ works: [work(async (job) => void (seen.push(job.key), await finish(job)))] });
    while ((await jobRows()).length > 1) await new Promise(setImmediate);
    expect(seen).toEqual(['dead']);
    expect(await jobRows()).toMatchObject([{ key: 'live', holder: 99 }]);
    await living.close();
  });

  it('take of each kind what there is room for, in one look, and fill a place when it is free', async () => {
    const running = { many: 0, few: 0 };
    const most = { many: 0, few: 0 };
    const open: (() => void)[] = [];
    const of = (kind: 'many' | 'few', concurrency: number): Work => ({
      kind,
      concurrency,
      retryAfterMs: () => undefined,
      async handle(job) {
        most[kind] = Math.max(most[kind], ++running[kind]);
        if (kind === 'few') await new Promise<void>((resolve) => open.push(resolve));
        await finish(job);
        running[kind]--;
      },
    });
    const requests = ['many', 'few'].flatMap((kind) =>
      Array.from({ length: 12 }, (_one, n) => ({ kind, key: `${n}`, runAtMs: clock.now() })),
    );
    await test.database.transaction((tx) => requestJobs(tx, requests));
    const workers = await startWorkers({ works: [of('many', 5), of('few', 2)] });
    // The kind whose places are taken for long holds back nobody.
    while (workers.jobsRun() < 12) await new Promise(setImmediate);
    expect([most, open.length]).toEqual([{ many: 5, few: 2 }, 2]);
    while (workers.jobsRun() < 24) {
      open.shift()?.();
      await new Promise(setImmediate);
    }
    expect(most.few).toBe(2);
    expect(await jobRows()).toEqual([]);
  });

  it('look again at what a clock that was ahead has put off, when it is set right (F-12)', async () => {
    let nowMs = start + 3_600_000;
    const real = { kind: 'real' as const, now: () => nowMs };
    const seen: string[] = [];
    const looking: Work = {
      ...{ kind: 'looking', concurrency: 1, retryAfterMs: () => undefined, looksAgain: true },
      handle: async (job) => void (seen.push(job.kind), await finish(job)),
    };
    const failing: Work = {
      ...{ kind: 'failing', concurrency: 1, retryAfterMs: () => 60_000 },
      async handle(job) {
        seen.push(job.kind);
        if (seen.length === 1) throw new Problem('unavailable', 'away');
        await finish(job);
      },
    };
    const fixed: Work = { ...looking, kind: 'fixed' };
    const { looksAgain: _left, ...deadline } = fixed;
    const soon = { kind: 'failing', key: 'a', runAtMs: nowMs };
    const later = ['looking', 'fixed'].map((kind) => ({ kind, key: 'a', runAtMs: nowMs + 600_000 }));
    await test.database.transaction((tx) => requestJobs(tx, [soon, ...later]));
    const started = createWorkers({
      ...{ db: test.database, clock: real, log: createLog('silent'), holder: 1 },
      ...{ followers: [], works: [looking, failing, deadline] },
    });
    await started.start();
    workers = started;
    // Upkeep must have seen the clock ahead, and the failure must be written.
    while ((await jobRows()).every((row) => !('last_error' in row) || row.last_error === null)) await turn();
    for (const until = performance.now() + 1_500; performance.now() < until; ) await turn();
    nowMs = start;
    while ((await jobRows()).length > 1) await turn();
    expect(seen.toSorted()).toEqual(['failing', 'failing', 'looking']);
    expect(await test.database.query({ text: 'select kind from job' })).toEqual([{ kind: 'fixed' }]);
  });

  it('undo the work of a holder that has lost its job to another', async () => {
    await request('a');
    const lost = test.database.transaction(async (tx) => {
      await requestJobs(tx, [{ kind: 'try', key: 'effect', runAtMs: start }]);
      await finishJob(tx, { kind: 'try', key: 'a', stamp: '0', attempts: 1, payload: null, runAtMs: start }, 1);
    });
    await expect(lost).rejects.toMatchObject({ category: 'conflict' });
    expect(await jobRows()).toMatchObject([{ key: 'a' }]);
  });
});

describe('followers', () => {
  async function leaveChange(id: string): Promise<void> {
    await test.database.query({ text: insertChange, values: [id] });
  }
  const insertChange = `insert into change (rid, type, id, version, method, at, patients)
                        values (1, 'Patient', $1, 1, 'PUT', now(), '{}')`;

  it('see each change once and in order, also those of a transaction that began early and commits late', async () => {
    const seen: string[] = [];
    const follower: Follower = {
      name: 'test',
      changesMax: 2,
      handle: async (_tx, changes: readonly Change[]) => void seen.push(...changes.map(({ id }) => id)),
    };
    const running = await startWorkers({ followers: [follower] });
    let release = (): void => undefined;
    const isReleased = new Promise<void>((resolve) => {
      release = resolve;
    });
    let hasWritten = (): void => undefined;
    const isWritten = new Promise<void>((resolve) => {
      hasWritten = resolve;
    });
    const late = test.database.transaction(async (tx) => {
      await tx.query({ text: insertChange, values: ['early-but-late'] });
      hasWritten();
      await isReleased;
    });
    await isWritten;
    for (let index = 0; index < 5; index++) await leaveChange(`c${index}`);
    running.wake();
    expect(await running.settle(50)).toBe(false);
    release();
    await late;
    expect(await running.settle(5000)).toBe(true);
    expect(seen.sort()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4', 'early-but-late']);
  });

  it('handle the same changes again when handling failed', async () => {
    let attempts = 0;
    const follower: Follower = {
      name: 'test',
      changesMax: 10,
      handle() {
        attempts++;
        return attempts === 1 ? Promise.reject(new Error('once')) : Promise.resolve();
      },
    };
    const running = await startWorkers({ followers: [follower] });
    await leaveChange('a');
    expect(await running.settle(5000)).toBe(true);
    expect(attempts).toBe(2);
  });
});
