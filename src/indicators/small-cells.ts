/**
 * Small cells of a published table: a figure about fewer than eleven patients could tell who they are, so it is left out.
 * Where a stratifier would have only one cell left out, the next smallest goes with it: the total would betray the one.
 */
import type { Figures } from './facts.sql.ts';

export const smallCellLimits = { patientsMin: 11 } as const;

export interface Cell extends Figures {
  readonly isMasked?: true;
}

/** In place of a count (https://hl7.org/fhir/R4/extension-data-absent-reason.html). */
export const masked = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }],
};

export function withoutSmallCells(figures: readonly Figures[]): readonly Cell[] {
  const hidden = new Set(figures.filter(({ patients }) => patients > 0 && patients < smallCellLimits.patientsMin));
  for (const by of new Set(figures.flatMap(({ stratum }) => stratum?.by ?? []))) {
    const cells = figures.filter(({ stratum }) => stratum?.by === by);
    const open = cells.filter((one) => !hidden.has(one)).sort((left, right) => left.patients - right.patients);
    const [next] = open;
    if (cells.length - open.length === 1 && next !== undefined) hidden.add(next);
  }
  return figures.map((one) => (hidden.has(one) ? { ...one, isMasked: true } : one));
}
