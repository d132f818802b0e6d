/** Due instants, as in the table of design.md section 2. Run under several zones by time-zones.test.ts. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatLocal, localDay, readTimeSpan } from '../../src/fhir/index.ts';
import { addWorkingDays, type Calendar, canCount, type Delay, readDelay } from '../../src/rules/calendar.ts';
import { createPlace, dueAtMs, type HolidayRegion, isWorkingDay, regionOfZone } from '../../src/rules/index.ts';

function due(anchor: string, delay: string, calendar: Calendar, zone = 'Europe/Paris'): string | undefined {
  const place = createPlace(zone);
  const span = readTimeSpan(anchor, place.dates);
  const [value, unit] = delay.split(' ');
  const read = readDelay(Number(value), unit);
  if (span === undefined || read === undefined) return undefined;
  const instant = dueAtMs(span, read, calendar, place);
  return instant === undefined ? undefined : formatLocal(instant, zone);
}

describe('A due instant', () => {
  test.each<[string, string, string, Calendar, string]>([
    ['an afternoon', '2026-03-12T14:30:00+01:00', '0 d', 'end-of-day', '2026-03-13T00:00:00+01:00'],
    ['the last second of a day', '2026-03-12T23:59:59+01:00', '0 d', 'end-of-day', '2026-03-13T00:00:00+01:00'],
    ['the first instant of a day', '2026-03-12T00:00:00+01:00', '0 d', 'end-of-day', '2026-03-13T00:00:00+01:00'],
    [
      'an instant in UTC whose local day is the next',
      '2026-03-12T23:30:00Z',
      '0 d',
      'end-of-day',
      '2026-03-14T00:00:00+01:00',
    ],
    ['a day of 23 hours', '2026-03-29T01:30:00+01:00', '0 d', 'end-of-day', '2026-03-30T00:00:00+02:00'],
    ['a day of 25 hours', '2026-10-25T00:30:00+02:00', '0 d', 'end-of-day', '2026-10-26T00:00:00+01:00'],
    ['a local time that is there twice', '2026-10-25T02:30:00', '0 d', 'end-of-day', '2026-10-26T00:00:00+01:00'],
    ['a date', '2026-03-12', '0 d', 'end-of-day', '2026-03-13T00:00:00+01:00'],
    ['a leap day', '2028-02-28T10:00:00+01:00', '0 d', 'end-of-day', '2028-02-29T00:00:00+01:00'],
    ['seven days', '2026-03-02T16:20:00+01:00', '7 d', 'calendar-days', '2026-03-10T00:00:00+01:00'],
    [
      'seven days over the change of clocks',
      '2026-10-20T12:00:00+02:00',
      '7 d',
      'calendar-days',
      '2026-10-28T00:00:00+01:00',
    ],
    ['a year from a leap day', '2028-02-29', '1 a', 'calendar-days', '2029-03-01T00:00:00+01:00'],
    ['a month from the 31st', '2028-01-31', '1 mo', 'calendar-days', '2028-03-01T00:00:00+01:00'],
    ['two weeks', '2026-03-02', '2 wk', 'calendar-days', '2026-03-17T00:00:00+01:00'],
    ['24 hours', '2026-03-02T16:20:00+01:00', '24 h', 'hours', '2026-03-03T16:20:00+01:00'],
    ['24 hours over the change of clocks', '2026-03-28T16:20:00+01:00', '24 h', 'hours', '2026-03-29T17:20:00+02:00'],
    ['a day of hours', '2026-03-28T16:20:00+01:00', '1 d', 'hours', '2026-03-29T17:20:00+02:00'],
    ['hours from a date, which is over at its end', '2026-03-12', '2 h', 'hours', '2026-03-13T02:00:00+01:00'],
    [
      'working days over Easter Monday',
      '2026-04-03T17:00:00+02:00',
      '2 d',
      'working-days',
      '2026-04-09T00:00:00+02:00',
    ],
    [
      'working days over Ascension, the bridge being worked',
      '2026-05-13T09:00:00+02:00',
      '2 d',
      'working-days',
      '2026-05-19T00:00:00+02:00',
    ],
    [
      'a working day after Christmas Eve',
      '2026-12-24T10:00:00+01:00',
      '1 d',
      'working-days',
      '2026-12-29T00:00:00+01:00',
    ],
    [
      'working days over Easter and the change of clocks',
      '2027-03-26T10:00:00+01:00',
      '2 d',
      'working-days',
      '2027-04-01T00:00:00+02:00',
    ],
    ['a working day from a Saturday', '2026-03-07T10:00:00+01:00', '1 d', 'working-days', '2026-03-10T00:00:00+01:00'],
    [
      'a Saturday that is worked',
      '2026-03-06T10:00:00+01:00',
      '1 d',
      'monday-to-saturday',
      '2026-03-08T00:00:00+01:00',
    ],
    [
      'two such days over a Sunday and a holiday',
      '2026-04-04T10:00:00+02:00',
      '2 d',
      'monday-to-saturday',
      '2026-04-09T00:00:00+02:00',
    ],
    ['no working day at all', '2026-03-07T10:00:00+01:00', '0 d', 'working-days', '2026-03-08T00:00:00+01:00'],
  ])('of %s', (...[, anchor, delay, calendar, expected]) => {
    expect(due(anchor, delay, calendar)).toBe(expected);
  });

  test('falls at midnight of the place, not of Paris', () => {
    expect(due('2026-03-12T20:30:00Z', '0 d', 'end-of-day', 'Indian/Reunion')).toBe('2026-03-14T00:00:00+04:00');
    expect(due('2026-03-12T20:30:00Z', '0 d', 'end-of-day')).toBe('2026-03-13T00:00:00+01:00');
    expect(due('2026-03-13T02:30:00Z', '0 d', 'end-of-day', 'America/Martinique')).toBe('2026-03-13T00:00:00-04:00');
  });

  test.each<[HolidayRegion, string, string]>([
    ['metropolitan', '2026-12-24', '2026-12-28'],
    ['alsace-moselle', '2026-12-24', '2026-12-28'],
    ['metropolitan', '2026-04-02', '2026-04-03'],
    ['alsace-moselle', '2026-04-02', '2026-04-07'],
    ['alsace-moselle', '2025-12-24', '2025-12-29'],
    ['metropolitan', '2025-12-24', '2025-12-26'],
    ['martinique', '2026-05-21', '2026-05-26'],
    ['guadeloupe', '2026-05-26', '2026-05-28'],
    ['guyane', '2026-06-09', '2026-06-11'],
    ['reunion', '2027-12-17', '2027-12-21'],
    ['mayotte', '2026-04-24', '2026-04-28'],
    ['saint-barthelemy', '2026-10-08', '2026-10-12'],
  ])('in %s: the working day after %s is %s', (region, day, next) => {
    expect(addWorkingDays(day, 1, createPlace('Europe/Paris', region))).toBe(next);
  });

  test.each([
    ['Europe/Paris', 'metropolitan'],
    ['Indian/Reunion', 'reunion'],
    ['America/Cayenne', 'guyane'],
    ['Pacific/Noumea', 'nouvelle-caledonie'],
  ])('takes the holidays of %s from its zone', (zone, region) => {
    expect(regionOfZone(zone)).toBe(region);
  });

  test.each(['2026-03', '2026'])('cannot be reckoned from %s', (anchor) => {
    expect(due(anchor, '0 d', 'end-of-day')).toBeUndefined();
  });

  test.each<[number | undefined, string | undefined, Delay | undefined]>([
    [3, 'd', { value: 3, unit: 'd' }],
    [0, 'h', { value: 0, unit: 'h' }],
    [-1, 'd', undefined],
    [1.5, 'd', undefined],
    [undefined, 'd', undefined],
    [1, undefined, undefined],
    [1, 'constructor', undefined],
    [4000, 'd', undefined],
    [11, 'a', undefined],
  ])('reads the duration %s %s', (value, unit, expected) => {
    expect(readDelay(value, unit)).toEqual(expected);
  });

  test.each<[Calendar, Delay['unit'], boolean]>([
    ['working-days', 'd', true],
    ['working-days', 'h', false],
    ['working-days', 'wk', false],
    ['calendar-days', 'mo', true],
    ['calendar-days', 'h', false],
    ['hours', 'min', true],
    ['hours', 'a', false],
  ])('%s in %s: %s', (calendar, unit, expected) => {
    expect(canCount(calendar, unit)).toBe(expected);
  });

  const anchors = fc.integer({ min: Date.parse('2020-01-01T00:00:00Z'), max: Date.parse('2040-01-01T00:00:00Z') });

  test('is a midnight after the anchor, and grows with delay and anchor', () => {
    const place = createPlace('Europe/Paris');
    const at = (ms: number, value: number, calendar: Calendar): number =>
      dueAtMs({ precision: 'instant', fromMs: ms, toMs: ms + 1 }, { value, unit: 'd' }, calendar, place) ?? Number.NaN;
    fc.assert(
      fc.property(
        anchors,
        fc.nat(30),
        fc.constantFrom('calendar-days' as const, 'working-days' as const),
        (ms, days, calendar) => {
          const instant = at(ms, days, calendar);
          expect(instant).toBeGreaterThan(ms);
          expect(formatLocal(instant, 'Europe/Paris')).toMatch(/T00:00:00\+0[12]:00$/);
          expect(at(ms, days + 1, calendar)).toBeGreaterThan(instant);
          expect(at(ms + 86_400_000, days, calendar)).toBeGreaterThanOrEqual(instant);
          expect(at(ms, days, 'working-days')).toBeGreaterThanOrEqual(at(ms, days, 'calendar-days'));
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([
    'Europe/Paris',
    'America/Martinique',
    'Indian/Reunion',
    'America/Miquelon',
    'Pacific/Marquesas',
    'America/St_Johns',
    'UTC',
  ])('is written the same by the quick and by the thorough way in %s', (zone) => {
    const { dates } = createPlace(zone);
    fc.assert(
      fc.property(anchors, fc.integer({ min: 0, max: 999 }), (ms, fraction) => {
        expect(formatLocal(ms + fraction, dates)).toBe(formatLocal(ms + fraction, zone));
        expect(localDay(ms, dates)).toBe(formatLocal(ms, zone).slice(0, 10));
      }),
      { numRuns: 100 },
    );
  });

  test('the N-th working day is a working day, with N - 1 between', () => {
    const place = createPlace('Europe/Paris');
    fc.assert(
      fc.property(anchors, fc.integer({ min: 1, max: 20 }), (ms, count) => {
        const start = new Date(ms).toISOString().slice(0, 10);
        const end = addWorkingDays(start, count, place);
        expect(isWorkingDay(end, place)).toBe(true);
        if (count > 1) expect(addWorkingDays(addWorkingDays(start, count - 1, place), 1, place)).toBe(end);
      }),
      { numRuns: 100 },
    );
  });
});
