/**
 * What a summary says, apart from how it is shown: the same content becomes a FHIR document (document-bundle.ts) and a page to read
 * (pdf.ts). Texts are French: the general practitioner reads them.
 */
import type { CodeableConcept, Period, Reference } from 'fhir/r4.js';

export interface Paper {
  readonly title: string;
  /** Composition.type. */
  readonly type: CodeableConcept;
  readonly sections: readonly PaperSection[];
}

export interface PaperSection {
  readonly title: string;
  readonly lines: readonly string[];
  /** Resources that the section speaks of, `Type/id`. */
  readonly entries: readonly string[];
}

/** `2026-03-02T16:20:00+01:00` -> `02/03/2026`; a year or month alone keeps its precision. */
export function frenchDay(date: string | undefined): string | undefined {
  return date?.slice(0, 10).split('-').reverse().join('/');
}

export function frenchPeriod(period: Period | undefined): string | undefined {
  const [start, end] = [frenchDay(period?.start), frenchDay(period?.end)];
  if (start === undefined) return end === undefined ? undefined : `jusqu’au ${end}`;
  return end === undefined ? `depuis le ${start}` : `du ${start} au ${end}`;
}

export function conceptText(concept: CodeableConcept | undefined): string | undefined {
  const { text, coding = [] } = concept ?? {};
  return text ?? coding.find(({ display }) => display !== undefined)?.display ?? coding[0]?.code;
}

/** Literal references, for `entries`. */
export function referencesOf(references: readonly (Reference | undefined)[]): readonly string[] {
  const literal = references.flatMap((one) => one?.reference ?? []);
  return [...new Set(literal.filter((one) => /^[A-Z]\w+\/[A-Za-z0-9\-.]{1,64}$/.test(one)))];
}

/** Words between dots; nothing where all is unknown. */
export function line(...parts: readonly (string | undefined)[]): readonly string[] {
  const known = parts.filter((part): part is string => part !== undefined && part !== '');
  return known.length === 0 ? [] : [known.join(' · ')];
}
