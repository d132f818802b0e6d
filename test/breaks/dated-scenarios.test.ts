/**
 * The dated scenarios, by their numbers, each with its verdict: RUP-20 (a letter by the end of the local day of discharge)
 * and RUP-23 (a visit within seven days) over a record in memory; where a scenario speaks of another calendar, a shipped rule
 * with that calendar. Scenarios 23 and 25 to 31 need a server: test/flows/dated-scenarios.test.ts. Run in processes of three
 * time zones by test/rules/time-zones.test.ts.
 */
import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { readBreak } from '../../src/breaks/resources.ts';
import { qualified, someLetter, somePatient, someStay, someTeam } from '../rules/support.ts';
import { startStory, type Retimed, type Story } from './support.ts';

const circle = [somePatient(qualified), someTeam()];

function dischargedAt(end: string, more: object = {}): Resource {
  return someStay({ period: { start: '2026-03-11T08:00:00+01:00', end }, ...more });
}

const usualEnd = '2026-03-12T14:30:00+01:00';

interface Discharge {
  readonly end: string;
  readonly start?: string;
  readonly more?: object;
  readonly change?: Retimed;
  readonly around?: readonly Resource[];
}

/** Pre-alerts, and those that ended as such, call nobody. */
const isUntold = (line: string): boolean => line.endsWith(' pre-alert') || line.endsWith(' moot met');

/** The stay is known an hour after its end, long before anything is due. */
async function discharge({ end, start, more = {}, change, around = circle }: Discharge): Promise<Story> {
  const story = startStory(change);
  const known = new Date(Date.parse(end) + 3_600_000).toISOString();
  const period = { start: start ?? new Date(Date.parse(end) - 86_400_000).toISOString(), end };
  await story.at(known, ...around, someStay({ period, ...more }));
  return story;
}

async function until(story: Story, instant: string, rule = 'RUP-20', zone?: string): Promise<readonly string[]> {
  await story.at(instant);
  return story.moves(rule, zone).filter((line) => !isUntold(line));
}

/** Broken at the instant, and not a millisecond before. */
async function expectDue(story: Story, instant: string, rule = 'RUP-20'): Promise<void> {
  const before = new Date(Date.parse(instant) - 1).toISOString();
  expect(await until(story, before, rule)).toEqual([]);
  await story.at(instant);
  expect(story.moves(rule).at(-1)).toMatch(/ open$/);
  expect(Date.parse(story.moves(rule).at(-1)?.split(' ')[0] ?? '')).toBe(Date.parse(instant));
}

const midnight13 = '2026-03-13T00:00:00+01:00';

describe('Scenarios of the day and its end', () => {
  it('(1) no letter: pending, then broken once at midnight', async () => {
    const story = await discharge({ end: usualEnd });
    expect(await until(story, '2026-03-12T22:59:59.999Z')).toEqual([]);
    expect(await until(story, '2026-04-12T00:00:00Z')).toEqual([`${midnight13} open`]);
    expect(Date.parse(midnight13)).toBe(Date.parse('2026-03-12T23:00:00Z'));
    expect(readBreak(story.issues('RUP-20')[0] as Resource)?.known.dueAtMs).toBe(Date.parse(midnight13));
  });

  it.each([
    ['2026-03-12T23:59:59.999+01:00', []],
    [midnight13, [`${midnight13} open`, `${midnight13} auto-closed late`]],
  ])('(2) a letter of %s', async (creation, expected) => {
    const story = await discharge({ end: usualEnd });
    await story.at(creation, someLetter(creation));
    expect(await until(story, '2026-03-20T00:00:00Z')).toEqual(expected);
  });

  it('(3) a discharge written in UTC late in the evening is of the next local day', async () => {
    await expectDue(await discharge({ end: '2026-03-12T23:30:00Z' }), '2026-03-14T00:00:00+01:00');
  });

  it('(4) in La Réunion the day is over three hours earlier, and the discharge of another day', async () => {
    const site: Resource = {
      resourceType: 'Organization',
      id: 'chu',
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode: 'Indian/Reunion' }],
    };
    const more = { serviceProvider: { reference: 'Organization/chu' } };
    const there = { end: '2026-03-12T20:30:00Z', more, around: [...circle, site] };
    await expectDue(await discharge(there), '2026-03-13T20:00:00Z');
    await expectDue(await discharge({ end: '2026-03-12T20:30:00Z' }), '2026-03-12T23:00:00Z');
  });

  it('(5) a day of 23 hours', async () => {
    await expectDue(await discharge({ end: '2026-03-29T01:30:00+01:00' }), '2026-03-29T22:00:00Z');
  });

  it('(6) a day of 25 hours', async () => {
    await expectDue(await discharge({ end: '2026-10-25T00:30:00+02:00' }), '2026-10-25T23:00:00Z');
  });

  it('(7) seven civil days by the clock on the wall: the hour stays, the instant moves', async () => {
    const change = {
      rule: 'RUP-23',
      calendar: 'hours',
      delay: { value: 0, code: 'h' },
      anchor: 'period.end.plusDays(7)',
    };
    await expectDue(await discharge({ end: '2026-10-20T12:00:00+02:00', change }), '2026-10-27T11:00:00Z', 'RUP-23');
  });

  it('(8) a local time without offset, there twice, is read as the first; the day is the same', async () => {
    const story = startStory();
    const stay = someStay({ period: { start: '2026-10-24T08:00:00+02:00', end: '2026-10-25T02:30:00' } });
    await story.at('2026-10-25T06:00:00+01:00', ...circle, stay);
    await expectDue(story, '2026-10-25T23:00:00Z');
    const hours = startStory({ rule: 'RUP-20', calendar: 'hours', delay: { value: 24, code: 'h' } });
    await hours.at('2026-10-25T06:00:00+01:00', ...circle, stay);
    await expectDue(hours, '2026-10-26T00:30:00Z');
  });

  it('(9) the letter is after the discharge by instants, though before it on the wall', async () => {
    const end = '2026-10-25T02:30:00+02:00';
    const story = await discharge({ end, start: end });
    await story.at('2026-10-25T09:00:00+01:00', someLetter('2026-10-25T02:10:00+01:00'));
    expect(await until(story, '2026-11-01T00:00:00Z')).toEqual([]);
  });
});

describe('Scenarios of calendars', () => {
  const after = (calendar: string, value: number, code = 'd') => ({
    rule: 'RUP-23',
    calendar,
    delay: { value, code },
  });

  it.each([
    [
      '(10) a year from 29 February ends with 28 February',
      '2028-02-29T10:00:00+01:00',
      after('calendar-days', 1, 'a'),
      '2029-03-01T00:00:00+01:00',
    ],
    [
      '(10) a month from 31 January ends with 29 February',
      '2028-01-31T10:00:00+01:00',
      after('calendar-days', 1, 'mo'),
      '2028-03-01T00:00:00+01:00',
    ],
    [
      '(11) two working days over Easter Monday',
      '2026-04-03T17:00:00+02:00',
      after('working-days', 2),
      '2026-04-09T00:00:00+02:00',
    ],
    [
      '(12) two working days over Ascension, the bridge worked',
      '2026-05-13T10:00:00+02:00',
      after('working-days', 2),
      '2026-05-19T00:00:00+02:00',
    ],
    [
      '(13) one working day from Christmas Eve',
      '2026-12-24T10:00:00+01:00',
      after('working-days', 1),
      '2026-12-29T00:00:00+01:00',
    ],
    [
      '(13) one day of Monday to Saturday from Christmas Eve',
      '2026-12-24T10:00:00+01:00',
      after('monday-to-saturday', 1),
      '2026-12-27T00:00:00+01:00',
    ],
    [
      '(14) two working days over Easter and the change of clocks',
      '2027-03-26T10:00:00+01:00',
      after('working-days', 2),
      '2027-03-31T22:00:00Z',
    ],
  ])('%s', async (_title, end, change, due) => {
    await expectDue(await discharge({ end, change }), due, 'RUP-23');
  });

  it('(13) in Alsace-Moselle 26 December is a holiday', async () => {
    const site: Resource = { resourceType: 'Organization', id: 'chu', address: [{ postalCode: '67000' }] };
    const more = { serviceProvider: { reference: 'Organization/chu' } };
    const change = after('monday-to-saturday', 1);
    const story = await discharge({ end: '2026-12-24T10:00:00+01:00', more, change, around: [...circle, site] });
    await expectDue(story, '2026-12-29T00:00:00+01:00', 'RUP-23');
  });
});

describe('Scenarios of late knowledge and corrections', () => {
  it('(15) a letter made in time and filed two days later: opened at midnight, closed as known late', async () => {
    const story = await discharge({ end: usualEnd });
    await story.at('2026-03-14T09:00:00+01:00', someLetter('2026-03-12T18:00:00+01:00'));
    expect(await until(story, '2026-03-20T00:00:00Z')).toEqual([
      `${midnight13} open`,
      '2026-03-14T09:00:00+01:00 auto-closed met-in-time-known-late',
    ]);
  });

  it('(16) a letter from before the stay is looked at and satisfies nothing', async () => {
    const story = await discharge({ end: usualEnd, start: '2026-03-11T08:00:00+01:00' });
    await story.at('2026-03-12T16:00:00+01:00', someLetter('2026-03-10T18:00:00+01:00'));
    expect(await until(story, '2026-03-20T00:00:00Z')).toEqual([`${midnight13} open`]);
    expect(JSON.stringify(story.issues('RUP-20')[0]?.['evidence'])).toContain('DocumentReference/letter-1/_history/1');
  });

  it('(17) a letter withdrawn after it had satisfied: broken since its due instant, learned now, told once', async () => {
    const story = await discharge({ end: usualEnd });
    const letter = someLetter('2026-03-12T18:00:00+01:00');
    await story.at('2026-03-12T18:01:00+01:00', letter);
    await story.at('2026-03-15T10:00:00+01:00', { ...letter, status: 'entered-in-error' });
    expect(await until(story, '2026-03-15T12:00:00+01:00')).toEqual(['2026-03-15T10:00:00+01:00 open']);
    expect(readBreak(story.issues('RUP-20')[0] as Resource)?.known.dueAtMs).toBe(Date.parse(midnight13));
    expect(story.calls('RUP-20')).toBe(1);
  });

  it('(18) a stay entered in error: the break is cancelled, not resolved, and nothing waits any more', async () => {
    const story = await discharge({ end: usualEnd });
    await story.at('2026-03-13T08:00:00+01:00', dischargedAt(usualEnd, { status: 'entered-in-error' }));
    expect(await until(story, '2026-05-20T00:00:00Z')).toEqual([
      `${midnight13} open`,
      '2026-03-13T08:00:00+01:00 moot entered-in-error',
    ]);
    expect(story.issues('RUP-20').map(({ status }) => status)).toEqual(['cancelled']);
    expect(story.moves('RUP-23')).toEqual([]);
  });

  it('(19) a discharge that moves two days on before the deadline: nothing on the 13th, due on the 15th', async () => {
    const story = await discharge({ end: usualEnd });
    await story.at('2026-03-12T20:00:00+01:00', dischargedAt('2026-03-14T14:30:00+01:00'));
    await expectDue(story, '2026-03-15T00:00:00+01:00');
  });

  it('(20) a discharge that moves after the break: closed as changed, then the same break again', async () => {
    const story = await discharge({ end: usualEnd });
    await story.at('2026-03-13T09:00:00+01:00', dischargedAt('2026-03-14T14:30:00+01:00'));
    expect(await until(story, '2026-03-20T00:00:00Z')).toEqual([
      `${midnight13} open`,
      '2026-03-13T09:00:00+01:00 moot premise-changed',
      '2026-03-15T00:00:00+01:00 open',
    ]);
    expect(story.issues('RUP-20')).toHaveLength(1);
  });

  it('(21) a discharge that turns out to be two days old breaks at once, told once, due when it was due', async () => {
    const story = startStory();
    await story.at('2026-03-12T15:00:00+01:00', ...circle, dischargedAt('2026-03-14T14:30:00+01:00'));
    await story.at('2026-03-13T10:00:00+01:00', dischargedAt(usualEnd));
    expect(await until(story, '2026-03-13T18:00:00+01:00')).toEqual(['2026-03-13T10:00:00+01:00 open']);
    const issue = story.issues('RUP-20')[0] as Resource;
    expect([issue['identifiedDateTime'], readBreak(issue)?.known.dueAtMs]).toEqual([
      '2026-03-13T10:00:00+01:00',
      Date.parse(midnight13),
    ]);
    expect(story.calls('RUP-20')).toBe(1);
  });

  it('(22) a discharge that is taken back: nothing is awaited', async () => {
    const story = await discharge({ end: usualEnd });
    const back = someStay({ status: 'in-progress', period: { start: '2026-03-11T08:00:00+01:00' } });
    await story.at('2026-03-12T20:00:00+01:00', back);
    expect(await until(story, '2026-05-20T00:00:00Z')).toEqual([]);
    expect(story.moves('RUP-23')).toEqual([]);
  });

  it('(24) a letter deleted, then restored: broken, then resolved; a deletion fails no judgment', async () => {
    const story = await discharge({ end: usualEnd });
    const letter = someLetter('2026-03-12T18:00:00+01:00');
    await story.at('2026-03-12T18:01:00+01:00', letter);
    await story.delete('2026-03-15T10:00:00+01:00', 'DocumentReference/letter-1');
    await story.at('2026-03-15T11:00:00+01:00', letter);
    expect(await until(story, '2026-03-20T00:00:00Z')).toEqual([
      '2026-03-15T10:00:00+01:00 open',
      '2026-03-15T11:00:00+01:00 auto-closed met-in-time-known-late',
    ]);
    for (const reference of ['Encounter/stay-1', 'Patient/p1', 'CareTeam/team-1'])
      await story.delete('2026-03-21T10:00:00+01:00', reference);
    expect(story.errors()).toEqual([]);
  });

  it('(25) everything delivered three times: one expectation, one break, one alert', async () => {
    const story = await discharge({ end: usualEnd });
    const all = [...circle, dischargedAt(usualEnd)];
    await story.at('2026-03-12T18:00:00+01:00', ...all, ...all);
    await story.at('2026-03-13T08:00:00+01:00', ...all);
    // At noon the ladder of the rule calls somebody else.
    expect(await until(story, '2026-03-13T11:00:00+01:00')).toEqual([`${midnight13} open`]);
    expect([story.issues('RUP-20').length, story.calls('RUP-20')]).toEqual([1, 1]);
  });
});

describe('Scenarios of dates that cannot be used', () => {
  it('(32) a day is a whole day', async () => {
    const story = startStory();
    await story.at('2026-03-12T15:00:00+01:00', ...circle, dischargedAt('2026-03-12'));
    await expectDue(story, midnight13);
  });

  it.each([
    ['2026-03', 'RUP-20 anchor: a date is known to the month only'],
    ['2026-02-30', 'RUP-20 anchor: a date does not exist'],
  ])('(32) a discharge on %s is an error that operators see, neither broken nor met', async (end, error) => {
    const story = startStory();
    await story.at('2026-03-12T15:00:00+01:00', ...circle, dischargedAt(end));
    expect(await until(story, '2026-05-20T00:00:00Z')).toEqual([]);
    expect(story.errors()).toContain(error);
    await story.at('2026-05-21T00:00:00Z', someLetter('2026-03-12T18:00:00+01:00'));
    expect(story.moves('RUP-20')).toEqual([]);
  });

  it('(32) a rule that throws says nothing about the stay, and does not stop the others', async () => {
    const change = { rule: 'RUP-20', anchor: "period.end.plusDays('x'.toInteger())" };
    const story = await discharge({ end: usualEnd, change });
    expect(await until(story, '2026-04-12T00:00:00Z')).toEqual([]);
    expect(story.errors().some((line) => line.startsWith('RUP-20 anchor'))).toBe(true);
    expect(story.moves('RUP-23')).toEqual(['2026-03-20T00:00:00+01:00 open']);
  });
});
