/** https://hl7.org/fhir/R4/datatypes.html#dateTime, https://hl7.org/fhir/R4/search.html#date */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { beginningOfTime, createDateReader, endOfTime } from '../../src/fhir/dates.ts';

const paris = createDateReader('Europe/Paris');
const hourMs = 3_600_000;

function readable(text: string, zone = 'Europe/Paris'): string {
  const range = createDateReader(zone).range(text);
  return range === undefined ? 'none' : `${new Date(range.lo).toISOString()} ${new Date(range.hi).toISOString()}`;
}

describe('a partial date is a half-open range', () => {
  test.each([
    ['2026', '2025-12-31T23:00:00.000Z 2026-12-31T23:00:00.000Z'],
    ['2026-03', '2026-02-28T23:00:00.000Z 2026-03-31T22:00:00.000Z'],
    ['2026-03-02', '2026-03-01T23:00:00.000Z 2026-03-02T23:00:00.000Z'],
    ['2026-03-02T16:20', '2026-03-02T15:20:00.000Z 2026-03-02T15:21:00.000Z'],
    ['2026-03-02T16:20:00+01:00', '2026-03-02T15:20:00.000Z 2026-03-02T15:20:01.000Z'],
    ['2026-03-02T16:20:00Z', '2026-03-02T16:20:00.000Z 2026-03-02T16:20:01.000Z'],
    ['2026-03-02T16:20:00.5Z', '2026-03-02T16:20:00.500Z 2026-03-02T16:20:00.600Z'],
    ['2026-03-02T16:20:00.123456Z', '2026-03-02T16:20:00.123Z 2026-03-02T16:20:00.124Z'],
    ['2026-03-02T23:59:59.999-10:30', '2026-03-03T10:29:59.999Z 2026-03-03T10:30:00.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z 2017-01-01T00:00:01.000Z'],
    ['2024-02-29', '2024-02-28T23:00:00.000Z 2024-02-29T23:00:00.000Z'],
    ['9999-12-31', '9999-12-30T23:00:00.000Z 9999-12-31T23:00:00.000Z'],
  ])('%s', (text, expected) => expect(readable(text)).toBe(expected));

  test('a day in which the clocks change has 23 or 25 hours', () => {
    const spring = paris.range('2026-03-29');
    const autumn = paris.range('2026-10-25');
    expect(spring && (spring.hi - spring.lo) / hourMs).toBe(23);
    expect(autumn && (autumn.hi - autumn.lo) / hourMs).toBe(25);
  });

  test('a day begins at its first instant where midnight does not exist', () => {
    expect(readable('2018-11-04', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00.000Z 2018-11-05T02:00:00.000Z');
  });

  test('overseas territories have their own days', () => {
    expect(readable('2026-03-02', 'Indian/Reunion')).toBe('2026-03-01T20:00:00.000Z 2026-03-02T20:00:00.000Z');
    expect(readable('2026-03-02', 'America/Martinique')).toBe('2026-03-02T04:00:00.000Z 2026-03-03T04:00:00.000Z');
  });

  test('years before 100 are not those of the last century', () => {
    expect(new Date(paris.range('0026')?.lo ?? 0).getUTCFullYear()).toBe(25);
  });
});

describe('what is no date is not read', () => {
  test.each([
    ...['', '26', '0000', '2026-13', '2026-00', '2026-02-30', '2025-02-29', '2026-3-2', '02/03/2026', '2026-03-02T'],
    ...['2026-03-02T24:00:00Z', '2026-03-02T10:60:00Z', '2026-03-02T10:00:61Z', '2026-03-02T10:00:00+15:00'],
    ...['2026-03-02T10Z', '2026-03-02 10:00:00Z', ' 2026', '2026-03-02T10:00:00+01', '2026-03-02Z'],
  ])('%j', (text) => expect(paris.range(text)).toBeUndefined());
});

describe('a period', () => {
  test('reaches from the begin of its start to the end of its end', () => {
    expect(paris.period({ start: '2026-03', end: '2026-04-02' })).toEqual({
      lo: paris.range('2026-03-01')?.lo,
      hi: paris.range('2026-04-02')?.hi,
    });
  });

  test('is open on a side that is missing', () => {
    expect(paris.period({ start: '2026' })?.hi).toBe(endOfTime);
    expect(paris.period({ end: '2026' })?.lo).toBe(beginningOfTime);
  });

  test('says nothing when it is empty or cannot be read', () => {
    expect(paris.period({})).toBeUndefined();
    expect(paris.period({ start: 'soon', end: '2026' })).toBeUndefined();
  });
});

describe('a timing', () => {
  test('is its outer limits', () => {
    const timing = {
      event: ['2026-03-05', '2026-03-01'],
      repeat: { boundsPeriod: { start: '2026-03-02', end: '2026-04' } },
    };
    expect(paris.timing(timing)).toEqual({ lo: paris.range('2026-03-01')?.lo, hi: paris.range('2026-04')?.hi });
  });

  test('says nothing without events and bounds', () => {
    expect(paris.timing({ repeat: { frequency: 2 } })).toBeUndefined();
  });
});

describe('laws', () => {
  const zones = fc.constantFrom('Europe/Paris', 'UTC', 'Indian/Reunion', 'America/Martinique', 'Pacific/Noumea');
  const dates = fc.date({
    min: new Date('1901-01-02T00:00:00Z'),
    max: new Date('2199-12-30T00:00:00Z'),
    noInvalidDate: true,
  });

  test('the days of a month follow each other without gap or overlap', () => {
    fc.assert(
      fc.property(zones, dates, (zone, date) => {
        const reader = createDateReader(zone);
        const month = date.toISOString().slice(0, 7);
        const days = Array.from({ length: 31 }, (_, day) =>
          reader.range(`${month}-${String(day + 1).padStart(2, '0')}`),
        );
        const known = days.filter((day) => day !== undefined);
        expect(known[0]?.lo).toBe(reader.range(month)?.lo);
        expect(known.at(-1)?.hi).toBe(reader.range(month)?.hi);
        known.slice(1).forEach((day, place) => expect(day.lo).toBe(known[place]?.hi));
      }),
      { numRuns: 50 },
    );
  });

  test('a finer text lies within the coarser one', () => {
    fc.assert(
      fc.property(dates, (date) => {
        const instant = date.toISOString();
        const utc = createDateReader('UTC');
        const ranges = [4, 7, 10, 16].map((length) => utc.range(instant.slice(0, length)));
        ranges.push(utc.range(instant));
        ranges.slice(1).forEach((inner, place) => {
          const outer = ranges[place];
          expect(inner && outer && outer.lo <= inner.lo && inner.hi <= outer.hi).toBe(true);
        });
      }),
      { numRuns: 100 },
    );
  });
});
