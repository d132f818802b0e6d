/** Quantities in one unit per kind (https://hl7.org/fhir/R4/search.html#quantity). */
import { describe, expect, test } from '@jest/globals';
import { createUnitReader } from '../../src/fhir/units.ts';

const units = createUnitReader();

describe('the same quantity', () => {
  test.each([
    [5.4, 'mg', 0.0054, 'g'],
    [120, 'mm[Hg]', 15.9986400001, 'kPa'],
    [90, 'min', 1.5, 'h'],
    [37, 'Cel', 98.6, '[degF]'],
    [1, 'mmol/L', 1000, 'umol/L'],
  ])('%d %s and %d %s', (left, leftUnit, right, rightUnit) => {
    const [one, other] = [units(leftUnit), units(rightUnit)];
    expect(one?.base).toBe(other?.base);
    const [a, b] = [one?.toBase(left) ?? 0, other?.toBase(right) ?? 1];
    expect(Math.abs(a - b) / a).toBeLessThan(1e-6);
  });

  test('has the same number to the last bit, so that equal is equal', () => {
    expect(units('mg')?.toBase(5.4)).toBe(units('g')?.toBase(0.0054));
    expect(units('h')?.toBase(0.1)).toBe(units('min')?.toBase(6));
  });
});

test.each(['[iU]/L', 'comprimé', '', '[pH]'])('%s is compared as written', (code) => {
  expect(units(code)).toBeUndefined();
});
