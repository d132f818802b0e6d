/** Figures about few patients are left out of a published table (src/indicators/small-cells.ts). */
import { describe, expect, it } from '@jest/globals';
import type { Figures } from '../../src/indicators/facts.sql.ts';
import { withoutSmallCells } from '../../src/indicators/small-cells.ts';

const cell = (patients: number, site?: string): Figures => ({
  stratum: site === undefined ? undefined : { by: 'site', value: site },
  patients,
  population: patients,
  denominator: patients,
  numerator: 1,
  knownLate: 0,
  percentiles: undefined,
  average: undefined,
});

const masks = (...figures: readonly Figures[]): readonly boolean[] =>
  withoutSmallCells(figures).map(({ isMasked }) => isMasked === true);

describe('A published table', () => {
  it.each<[string, readonly Figures[], readonly boolean[]]>([
    ['shows what is about eleven patients', [cell(22), cell(11, 'a'), cell(11, 'b')], [false, false, false]],
    [
      'hides a small cell, and the next smallest: the total would betray it',
      [cell(60), cell(10, 'a'), cell(30, 'b'), cell(20, 'c')],
      [false, true, false, true],
    ],
    [
      'hides two small cells and no third',
      [cell(60), cell(1, 'a'), cell(9, 'b'), cell(50, 'c')],
      [false, true, true, false],
    ],
    ['hides a small total', [cell(4), cell(4, 'a')], [true, true]],
    ['shows that there is nothing', [cell(0)], [false]],
  ])('%s', (_what, figures, expected) => {
    expect(masks(...figures)).toEqual(expected);
  });
});
