/**
 * Dates by their characters against the patterns that R4 publishes (https://hl7.org/fhir/R4/datatypes.html#primitive),
 * with the days of the months added.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDate, isDateTime, isInstant } from '../../src/validation/calendar.ts';

const year = '([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)';
const time = 'T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?(Z|(\\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))';
const day = '-(0[1-9]|1[0-2])-(0[1-9]|[1-2][0-9]|3[0-1])';
const published = {
  date: new RegExp(`^${year}(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1]))?)?$`),
  dateTime: new RegExp(`^${year}(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1])(${time})?)?)?$`),
  instant: new RegExp(`^${year}${day}${time}$`),
};

/** The day of the text exists: JavaScript turns 30 February into a day of March. */
function exists(text: string): boolean {
  const [, month, date] = /^\d{4}-(\d\d)-(\d\d)/.exec(text) ?? [];
  if (month === undefined) return true;
  const read = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return (
    !Number.isNaN(read.getTime()) && read.getUTCMonth() + 1 === Number(month) && read.getUTCDate() === Number(date)
  );
}

const number = (width: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max }).map((value) => String(value).padStart(width, '0'));
/** Near what is right: the parts of a dateTime, some out of range, cut somewhere, with a character changed now and then. */
const nearDate = fc
  .tuple(
    fc.oneof(number(4, 2100), fc.constantFrom('0000', '1900', '2000', '2024')),
    number(2, 13),
    fc.oneof(number(2, 33), fc.constantFrom('29', '30', '31')),
    fc.tuple(number(2, 25), number(2, 61), number(2, 62)),
    fc.constantFrom('', '.', '.1', '.123456789'),
    fc.constantFrom('', 'Z', '+01:00', '-13:59', '+14:00', '+14:01', '-15:00', 'Z ', '+1:00'),
    fc.constantFrom(4, 7, 10, 99, 99, 99, 16, 19),
    fc.tuple(fc.nat(30), fc.constantFrom('', '', '', 'x', ' ', '-', '1', 'é')),
  )
  .map(([y, m, d, clock, fraction, zone, length, [at, changed]]) => {
    const text = `${y}-${m}-${d}T${clock.join(':')}${fraction}${zone}`.slice(0, length);
    return changed === '' ? text : text.slice(0, at) + changed + text.slice(at + 1);
  });

describe('dates by their characters', () => {
  it.each([
    ['date', isDate, published.date],
    ['dateTime', isDateTime, published.dateTime],
    ['instant', isInstant, published.instant],
  ] as const)('accept the same texts as the published pattern of %s, on days that exist', (_name, check, pattern) => {
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: nearDate }, fc.string({ maxLength: 30 })), (text) => {
        expect([text, check(text)]).toEqual([text, pattern.test(text) && exists(text)]);
      }),
      { numRuns: 5000 },
    );
  });
});
