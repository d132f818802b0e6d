/** How old a standby is, found out by marks in the log alone (src/db/replica.ts). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Queryable, Statement } from '../../src/db/index.ts';
import { createLook, createMarks } from '../../src/db/replica.ts';

describe('The age of a standby', () => {
  it('is not known before a mark was replayed', () => {
    const marks = createMarks(10_000);
    expect(marks.ageMs(0)).toBeUndefined();
    marks.add(0, 100n);
    marks.reached(99n);
    expect(marks.ageMs(5)).toBeUndefined();
  });

  it('counts from the last mark that was replayed, and grows while nothing more is', () => {
    const marks = createMarks(10_000);
    marks.add(0, 100n);
    marks.add(250, 200n);
    marks.reached(150n);
    expect([marks.ageMs(300), marks.ageMs(9_000)]).toEqual([300, 9_000]);
    marks.reached(200n);
    expect(marks.ageMs(300)).toBe(50);
  });

  it('stays young while nothing is written', () => {
    const marks = createMarks(1_000);
    for (let atMs = 0; atMs <= 60_000; atMs += 250) {
      marks.add(atMs, 100n);
      marks.reached(100n);
    }
    expect(marks.ageMs(60_100)).toBe(100);
  });

  it('is not known once it is beyond the largest, or the standby was lost', () => {
    const marks = createMarks(1_000);
    marks.add(0, 1n);
    marks.reached(1n);
    expect([marks.ageMs(1_000), marks.ageMs(1_001)]).toEqual([1_000, undefined]);
    marks.lose();
    expect(marks.ageMs(10)).toBeUndefined();
  });

  it('counts nothing from before it was renewed, not even a mark that comes later', () => {
    const marks = createMarks(10_000);
    marks.add(0, 100n);
    marks.reached(100n);
    marks.renew(300);
    marks.add(250, 100n);
    marks.reached(100n);
    expect(marks.ageMs(400)).toBeUndefined();
    marks.add(500, 100n);
    marks.reached(100n);
    expect(marks.ageMs(600)).toBe(100);
  });

  it('is told to be lost to those who wait just then', () => {
    const marks = createMarks(1_000);
    const told: string[] = [];
    const forget = marks.watch(() => told.push('one'));
    marks.watch(() => told.push('other'));
    forget();
    marks.lose();
    expect(told).toEqual(['other']);
  });

  it('is taken back by a standby that has less than it had', () => {
    const marks = createMarks(10_000);
    marks.add(0, 100n);
    marks.add(250, 200n);
    marks.reached(200n);
    marks.reached(150n);
    expect(marks.ageMs(300)).toBeUndefined();
  });

  it('is never less than the time since the first write that the standby does not have', () => {
    const step = fc.record({ writes: fc.integer({ min: 0, max: 3 }), replays: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 300, max: 5_000 }), (steps, ageMaxMs) => {
        const marks = createMarks(ageMaxMs);
        /** When the write of each position was answered. */
        const answeredAtMs: number[] = [];
        let replayed = 0;
        for (const [turn, { writes, replays }] of steps.entries()) {
          const atMs = turn * 100;
          // Between the moment and the answer of the primary more is written: it stands in the mark, and is younger than it.
          for (let n = 0; n < writes; n++) answeredAtMs.push(atMs + 10);
          marks.add(atMs, BigInt(answeredAtMs.length));
          replayed = Math.min(answeredAtMs.length, replayed + replays);
          marks.reached(BigInt(replayed));
          const age = marks.ageMs(atMs + 50);
          const missedSinceMs = answeredAtMs[replayed];
          if (age === undefined || missedSinceMs === undefined) continue;
          expect(age).toBeGreaterThanOrEqual(atMs + 50 - missedSinceMs);
          expect(age).toBeLessThanOrEqual(ageMaxMs);
        }
      }),
    );
  });
});

describe('A look at both', () => {
  /** A database that answers each statement by this row, as PostgreSQL gives it. */
  const answering = (row: () => object): Queryable => ({
    query: <R extends object>() => new Promise<readonly R[]>((resolve) => resolve([row() as R])),
  });
  const away = answering(() => {
    throw new Error('away');
  });
  const primary = answering(() => ({ position: '100', cluster: '7001' }));

  it('knows the age of a standby of this primary', async () => {
    const marks = createMarks(60_000);
    await createLook(
      primary,
      answering(() => ({ replayed: '100', cluster: '7001' })),
      marks,
    )();
    expect(marks.ageMs(performance.now())).toBeLessThan(60_000);
  });

  it.each([
    ['a standby of another primary', { replayed: '100', cluster: '7002' }],
    ['what is no standby', { replayed: null, cluster: '7001' }],
  ])('refuses %s', async (_what, row) => {
    const marks = createMarks(60_000);
    await expect(
      createLook(
        primary,
        answering(() => row),
        marks,
      )(),
    ).rejects.toThrow('the replica is no');
    expect(marks.ageMs(performance.now())).toBeUndefined();
  });

  it.each<[string, () => Promise<never>]>([
    ['away', () => Promise.reject(new Error('away'))],
    ['silent', () => new Promise<never>(() => undefined)],
  ])('lets the standby answer on while the primary is %s, older and older', async (_what, gone) => {
    const marks = createMarks(60_000);
    let isAway = false;
    const mortal: Queryable = {
      query: <R extends object>(statement: Statement) => (isAway ? gone() : primary.query<R>(statement)),
    };
    const look = createLook(
      mortal,
      answering(() => ({ replayed: '100', cluster: '7001' })),
      marks,
    );
    await look();
    const sinceMs = performance.now();
    isAway = true;
    await look();
    expect(marks.ageMs(sinceMs + 30_000)).toBeGreaterThanOrEqual(30_000);
    expect(marks.ageMs(sinceMs + 60_001)).toBeUndefined();
  });

  it('fails where the standby is away', async () => {
    await expect(createLook(primary, away, createMarks(60_000))()).rejects.toThrow('away');
  });
});
