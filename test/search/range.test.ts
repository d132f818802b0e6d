/** The prefixes by the words of https://hl7.org/fhir/R4/search.html#prefix, held against sets of instants. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dateRanges, numberRanges, type Prefix, prefixes, type Range, readNumber } from '../../src/search/range.ts';

interface Interval {
  readonly lo: number;
  readonly hi: number;
}

const line = Array.from({ length: 12 }, (_, place) => place);
const within = ({ lo, hi }: Interval) => line.filter((at) => at >= lo && at < hi);
const contains = (outer: readonly number[], inner: readonly number[]) => inner.every((at) => outer.includes(at));
const overlaps = (a: readonly number[], b: readonly number[]) => a.some((at) => b.includes(at));

/** The standard's sentences, over points of a line. */
function byTheWords(prefix: Prefix, sought: Interval, found: Interval): boolean {
  const [value, target] = [within(sought), within(found)];
  const above = line.filter((at) => at >= sought.hi);
  const below = line.filter((at) => at < sought.lo);
  switch (prefix) {
    case 'eq':
      return contains(value, target);
    case 'ne':
      return !contains(value, target);
    case 'gt':
      return overlaps(above, target);
    case 'lt':
      return overlaps(below, target);
    case 'ge':
      return overlaps(above, target) || contains(value, target);
    case 'le':
      return overlaps(below, target) || contains(value, target);
    case 'sa':
      return !overlaps(value, target) && contains(above, target);
    case 'eb':
      return !overlaps(value, target) && contains(below, target);
    case 'ap':
      return overlaps(value, target);
  }
}

function holds(ranges: readonly Range[], found: Interval): boolean {
  const compare = { '<': (a: number, b: number) => a < b, '<=': (a: number, b: number) => a <= b };
  return ranges.some((range) =>
    range.every(({ side, operator, value }) => {
      const is = found[side];
      return operator.startsWith('<')
        ? compare[operator as '<'](is, value)
        : compare[operator.replace('>', '<') as '<'](value, is);
    }),
  );
}

const intervals = fc
  .tuple(fc.nat(10), fc.nat(10))
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => ({ lo: Math.min(a, b), hi: Math.max(a, b) }));

test('dates compare as the standard says', () => {
  fc.assert(
    fc.property(fc.constantFrom(...prefixes), intervals, intervals, (prefix, sought, found) => {
      expect(holds(dateRanges(prefix, sought), found)).toBe(byTheWords(prefix, sought, found));
    }),
    { numRuns: 1000 },
  );
});

describe('a number has the precision of its digits', () => {
  test.each([
    ['100', 99.5, 100.5],
    ['100.00', 99.995, 100.005],
    ['1e2', 95, 105],
    ['-5.4', -5.45, -5.35],
    ['0', -0.5, 0.5],
  ])('%s', (text, lo, hi) => {
    const number = readNumber(text);
    expect(number?.lo).toBeCloseTo(lo, 9);
    expect(number?.hi).toBeCloseTo(hi, 9);
  });

  test.each(['', '1.', '.5', '1e', 'NaN', 'Infinity', '0x10', '1,5', '1e9999', '--1'])('%j is none', (text) => {
    expect(readNumber(text)).toBeUndefined();
  });

  test('which only eq, ne and ap look at', () => {
    const number = readNumber('5') ?? { value: 0, lo: 0, hi: 0 };
    expect(holds(numberRanges('gt', number), { lo: 5.1, hi: 5.1 })).toBe(true);
    expect(holds(numberRanges('eq', number), { lo: 5.1, hi: 5.1 })).toBe(true);
    expect(holds(numberRanges('eq', number), { lo: 5.5, hi: 5.5 })).toBe(false);
  });
});
