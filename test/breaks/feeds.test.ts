/** The pattern of a feed: when it is silent for longer than usual (src/breaks/feeds.ts). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { feedLimits, hourOf, silenceOf } from '../../src/breaks/feeds.ts';

const hour = 3_600_000;
const day = 24 * hour;
const monday = Date.parse('2026-02-02T00:00:00Z');

/** Every hour from 8 to 18, Monday to Friday, for so many weeks. */
function officeHours(weeks: number): readonly number[] {
  return Array.from({ length: weeks * 7 }, (_unused, index) => index)
    .filter((index) => index % 7 < 5)
    .flatMap((index) => Array.from({ length: 10 }, (_unused, at) => monday + index * day + (8 + at) * hour));
}

const fridayEvening = monday + 4 * day + 18 * hour + 21 * day;

describe('A feed that sends in office hours', () => {
  const hours = officeHours(4);

  it.each([
    ['on Saturday', fridayEvening + 20 * hour, false],
    ['on Monday morning', fridayEvening + 62 * hour, false],
    ['on Tuesday after a holiday', fridayEvening + 86 * hour, false],
    ['on Friday of a week without anything', fridayEvening + 6 * day, true],
  ])('%s: silent %s', (_when, nowMs, isSilent) => {
    expect(silenceOf(hours, nowMs) !== undefined).toBe(isSilent);
  });

  it('says since when it is silent, and how long its pauses are', () => {
    expect(silenceOf(hours, fridayEvening + 10 * day)).toEqual({
      sinceMs: fridayEvening,
      usualPauseMs: 62 * hour,
      endsMs: fridayEvening + 14 * day,
    });
  });

  it('is not taken for a slower one because of one breakdown', () => {
    const broken = hours.filter((one) => one < monday + 8 * day || one >= monday + 14 * day);
    expect(silenceOf(broken, fridayEvening + 6 * day)).toBeDefined();
  });
});

describe('A feed', () => {
  it('that sends round the clock is silent after half a day', () => {
    const hours = Array.from({ length: 10 * 24 }, (_unused, index) => monday + index * hour);
    const end = monday + 240 * hour;
    expect(silenceOf(hours, end + feedLimits.silenceMinMs)).toBeUndefined();
    expect(silenceOf(hours, end + feedLimits.silenceMinMs + 1)).toEqual({
      sinceMs: end,
      usualPauseMs: 0,
      endsMs: end + 14 * day,
    });
  });

  it.each([
    ['nothing is known', []],
    ['few hours are known', officeHours(4).slice(-19)],
    ['few days are known', Array.from({ length: 6 * 24 }, (_unused, index) => monday + index * hour)],
  ])('is never silent while %s', (_what, hours) => {
    expect(silenceOf(hours, monday + 400 * day)).toBeUndefined();
  });

  it('is never silent just after something came, whatever came before and in whatever order', () => {
    const anyHours = fc.array(fc.integer({ min: 0, max: 28 * 24 }), { maxLength: 300 });
    fc.assert(
      fc.property(anyHours, (found) => {
        const hours = found.map((one) => monday + one * hour);
        const last = Math.max(monday, ...hours);
        expect(silenceOf([...hours, last], last + 13 * hour - 1)).toBeUndefined();
        expect(silenceOf([...hours].reverse(), last + 90 * day)).toEqual(silenceOf(hours, last + 90 * day));
      }),
    );
  });

  it('of a small site, where something comes every other day by chance, may pause for longer than three times the longest', () => {
    // Hours after the first: drawn once, twenty in four weeks; the longest three pauses are 3.5, 3.2 and 2.9 days.
    const hours = [0, 9, 31, 33, 80, 103, 181, 190, 214, 221, 291, 330, 342, 349, 425, 450, 509, 515, 560, 600];
    const known = hours.map((one) => monday + one * hour);
    const end = monday + 601 * hour;
    expect(silenceOf(known, end + 9 * day)).toBeUndefined();
    expect(silenceOf(known, end + 11 * day)).toBeDefined();
  });

  it('counts an hour once, whatever came in it', () => {
    expect(hourOf(monday + hour + 59 * 60_000)).toBe(monday + hour);
  });
});
