/**
 * Dated stories about time, corrections and late knowledge, told with the shipped rules. Each step is the record as it
 * then was. Run under several zones by time-zones.test.ts: the verdicts are the same.
 */
import { describe, expect, test } from '@jest/globals';
import { formatLocal, type Resource } from '../../src/fhir/index.ts';
import type { Judgment } from '../../src/rules/index.ts';
import { createPlace } from '../../src/rules/index.ts';
import { judgeScene, recorded, type Scene, someLetter, someStay } from './support.ts';

interface Step {
  readonly now: string;
  readonly stay?: Resource;
  readonly letter?: Resource;
  readonly expected: Readonly<Record<string, unknown>>;
}

function dischargedAt(end: string, changes: object = {}): Resource {
  return someStay({ period: { start: '2026-03-10T08:00:00+01:00', end }, ...changes });
}

function summary(scene: Scene): Readonly<Record<string, unknown>> {
  const result = judgeScene('RUP-20', scene);
  if (result.kind === 'error') return { kind: 'error', message: result.message };
  if (result.kind === 'none') return { kind: 'none', reason: result.reason };
  const { state, reason, timing, metAt } = result;
  const due = timing?.dueAtMs;
  return { state, reason, due: due === undefined ? undefined : formatLocal(due, 'Europe/Paris'), metAt };
}

const dueOn12 = '2026-03-13T00:00:00+01:00';
const dueOn14 = '2026-03-15T00:00:00+01:00';

const stories: Readonly<Record<string, readonly Step[]>> = {
  'a letter written in time and filed late': [
    { now: dueOn12, expected: { state: 'broken', due: dueOn12 } },
    {
      now: '2026-03-14T09:00:00+01:00',
      letter: someLetter('2026-03-12T18:00:00+01:00', { meta: recorded('1', '2026-03-14T08:59:00+01:00') }),
      expected: { state: 'met', reason: 'met-in-time-known-late', metAt: '2026-03-12T18:00:00+01:00' },
    },
  ],
  'a letter from before the stay': [
    { now: dueOn12, letter: someLetter('2026-03-09T18:00:00+01:00'), expected: { state: 'broken', due: dueOn12 } },
  ],
  'a letter withdrawn after it had satisfied': [
    { now: dueOn12, letter: someLetter('2026-03-12T18:00:00+01:00'), expected: { state: 'met', reason: 'met' } },
    {
      now: '2026-03-15T10:00:00+01:00',
      letter: someLetter('2026-03-12T18:00:00+01:00', { status: 'entered-in-error' }),
      expected: { state: 'broken', reason: 'overdue', due: dueOn12 },
    },
    { now: '2026-03-15T11:00:00+01:00', letter: someLetter('2026-03-12T18:00:00+01:00'), expected: { state: 'met' } },
  ],
  'a letter deleted and restored': [
    { now: '2026-03-15T10:00:00+01:00', expected: { state: 'broken', due: dueOn12 } },
    {
      now: '2026-03-15T11:00:00+01:00',
      letter: someLetter('2026-03-15T10:30:00+01:00'),
      expected: { state: 'repaired', reason: 'late' },
    },
  ],
  'a stay entered in error': [
    { now: dueOn12, expected: { state: 'broken' } },
    {
      now: '2026-03-13T08:00:00+01:00',
      stay: someStay({ status: 'entered-in-error' }),
      expected: { kind: 'none', reason: 'entered-in-error' },
    },
  ],
  'a discharge moved from the 12th to the 14th before the deadline': [
    { now: '2026-03-12T20:00:00+01:00', expected: { state: 'waiting', due: dueOn12 } },
    { now: dueOn12, stay: dischargedAt('2026-03-14T10:00:00+01:00'), expected: { state: 'waiting', due: dueOn14 } },
    { now: dueOn14, stay: dischargedAt('2026-03-14T10:00:00+01:00'), expected: { state: 'broken', due: dueOn14 } },
  ],
  'a discharge moved from the 12th to the 14th after the break': [
    { now: '2026-03-13T08:00:00+01:00', expected: { state: 'broken', due: dueOn12 } },
    {
      now: '2026-03-13T09:00:00+01:00',
      stay: dischargedAt('2026-03-14T10:00:00+01:00'),
      expected: { state: 'waiting', due: dueOn14 },
    },
  ],
  'a discharge moved back from the 14th to the 12th': [
    {
      now: '2026-03-12T20:00:00+01:00',
      stay: dischargedAt('2026-03-14T10:00:00+01:00'),
      expected: { state: 'waiting', due: dueOn14 },
    },
    { now: '2026-03-13T10:00:00+01:00', expected: { state: 'broken', due: dueOn12 } },
  ],
  'a discharge that was cancelled': [
    { now: '2026-03-12T20:00:00+01:00', expected: { state: 'waiting' } },
    {
      now: '2026-03-12T21:00:00+01:00',
      stay: someStay({ status: 'in-progress', period: { start: '2026-03-11T08:00:00+01:00' } }),
      expected: { kind: 'none', reason: 'premise-changed' },
    },
  ],
  'a discharge known to its day': [
    {
      now: '2026-03-12T23:59:59.999+01:00',
      stay: dischargedAt('2026-03-12'),
      expected: { state: 'waiting', due: dueOn12 },
    },
    { now: dueOn12, stay: dischargedAt('2026-03-12'), expected: { state: 'broken', due: dueOn12 } },
  ],
  'a discharge known to its month': [
    {
      now: dueOn12,
      stay: dischargedAt('2026-03'),
      expected: { kind: 'error', message: 'a date is known to the month only' },
    },
  ],
  'a discharge on a day that does not exist': [
    { now: dueOn12, stay: dischargedAt('2026-02-30'), expected: { kind: 'error', message: 'a date does not exist' } },
  ],
  'a letter known to its month': [
    {
      now: dueOn12,
      letter: someLetter('2026-03'),
      expected: { kind: 'error', message: 'a comparison found a date too coarse to decide it' },
    },
  ],
  'a death that makes an imprecise discharge pointless': [
    {
      now: dueOn12,
      stay: dischargedAt('2026-03', { hospitalization: { dischargeDisposition: { coding: [{ code: 'exp' }] } } }),
      expected: { state: 'cancelled', reason: 'premise-changed' },
    },
  ],
  'a discharge recorded in UTC whose local day is the next': [
    {
      now: '2026-03-13T00:00:00+01:00',
      stay: dischargedAt('2026-03-12T23:30:00Z'),
      expected: { state: 'waiting', due: '2026-03-14T00:00:00+01:00' },
    },
  ],
  'a letter after the discharge by instants, before it by the clock on the wall': [
    {
      now: '2026-10-26T08:00:00+01:00',
      stay: someStay({ period: { start: '2026-10-25T02:30:00+02:00', end: '2026-10-25T02:30:00+02:00' } }),
      letter: someLetter('2026-10-25T02:10:00+01:00'),
      expected: { state: 'met', due: '2026-10-26T00:00:00+01:00' },
    },
  ],
};

describe('Time and corrections', () => {
  test.each(Object.entries(stories))('%s', (_title, steps) => {
    for (const { now, stay = dischargedAt('2026-03-12T14:30:00+01:00'), letter, expected } of steps) {
      const letters = letter === undefined ? [] : [letter];
      expect(summary({ now, focus: stay, inputs: { letters } })).toMatchObject(expected);
    }
  });

  test('the day is over when it is over where the patient is', () => {
    const scene = { now: '2026-03-12T20:00:00Z', focus: dischargedAt('2026-03-12T19:30:00Z') };
    const there = judgeScene('RUP-20', { ...scene, place: createPlace('Indian/Reunion') }) as Judgment;
    const here = judgeScene('RUP-20', scene) as Judgment;
    expect([there.state, here.state]).toEqual(['broken', 'waiting']);
  });

  test('a duplicate of the letter changes nothing', () => {
    const letter = someLetter('2026-03-12T18:00:00+01:00');
    const twin = someLetter('2026-03-12T18:00:00+01:00', { id: 'letter-0' });
    const scene = { now: dueOn12, focus: someStay() };
    const [once, twice, other] = [[letter], [letter, twin], [twin, letter]].map(
      (letters) => judgeScene('RUP-20', { ...scene, inputs: { letters } }) as Judgment,
    );
    expect(twice).toMatchObject({ state: once?.state, metAt: once?.metAt });
    expect(twice).toEqual(other);
    expect(twice?.evidence.filter((item) => item.isDecisive)).toEqual([
      { reference: 'DocumentReference/letter-0', versionId: '1', role: 'letters', isDecisive: true },
    ]);
  });

  test('each judgment tells what it read and what each expression yielded', () => {
    const result = judgeScene('RUP-20', {
      now: dueOn12,
      focus: someStay(),
      inputs: { letters: [someLetter('2026-03-09T18:00:00+01:00')] },
    }) as Judgment;
    expect(result.trace.map(({ name, value }) => [name, value])).toEqual([
      ['starts', [true]],
      ['anchor', ['2026-03-12T14:30:00+01:00']],
      ['applies', [true]],
      ['met', [false]],
    ]);
    expect(result.evidence).toEqual([
      { reference: 'Encounter/stay-1', versionId: '2', role: 'focus', isDecisive: false },
      { reference: 'Patient/p1', versionId: '1', role: 'patient', isDecisive: false },
      { reference: 'DocumentReference/letter-1', versionId: '1', role: 'letters', isDecisive: false },
    ]);
  });
});
