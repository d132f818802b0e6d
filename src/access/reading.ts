/** How facts are read from a resource: who is named, in which range of time, under which number. */
import { beginningOfTime, type DateReader, endOfTime, type ReferenceReader } from '../fhir/index.ts';

export interface Relation {
  readonly patient: string;
  readonly who: string;
  readonly ground: string;
  readonly lo: number;
  readonly hi: number;
}

export interface FactInput {
  readonly dates: DateReader;
  readonly references: ReferenceReader;
  /** The one form of an identifier that is written in several ways (RPPS, FINESS). */
  readonly canonical: (system: string, value: string) => { readonly system: string; readonly value: string };
}

/** https://hl7.org/fhir/R4/references.html#Reference */
export interface Named {
  readonly reference?: unknown;
  readonly identifier?: unknown;
}

export interface Range {
  readonly lo: number;
  readonly hi: number;
}

export interface Reading {
  /** `Patient/id` of a literal reference to a patient of this server. */
  patient(named: unknown): string | undefined;
  /** `Type/id` or `rpps|number` of a professional or an organisation; undefined for anybody else. */
  who(named: unknown): string | undefined;
  /** The part of the range that the period leaves; undefined when nothing is left, or it cannot be read. */
  within(range: Range, period: unknown): Range | undefined;
  numbers(identifiers: unknown): readonly string[];
  binary(url: unknown): string | undefined;
}

export const always: Range = { lo: beginningOfTime, hi: endOfTime };

const people: ReadonlySet<string> = new Set(['Practitioner', 'PractitionerRole', 'Organization']);
const numberSystems: ReadonlyMap<string, string> = new Map([
  ['https://rpps.esante.gouv.fr', 'rpps'],
  ['https://finess.esante.gouv.fr', 'finess'],
]);

export function createReading({ dates, references, canonical }: FactInput): Reading {
  const local = (text: unknown, types: ReadonlySet<string>): string | undefined => {
    const parsed = typeof text === 'string' ? references(text) : undefined;
    return parsed?.kind === 'local' && types.has(parsed.type) ? `${parsed.type}/${parsed.id}` : undefined;
  };
  const number = (identifier: unknown): string | undefined => {
    const { system, value } = (identifier ?? {}) as { system?: unknown; value?: unknown };
    if (typeof system !== 'string' || typeof value !== 'string') return undefined;
    const known = canonical(system, value);
    const kind = numberSystems.get(known.system);
    return kind === undefined ? undefined : `${kind}|${known.value}`;
  };
  return {
    patient: (named) => local((named as Named | undefined)?.reference, new Set(['Patient'])),
    who: (named) =>
      local((named as Named | undefined)?.reference, people) ?? number((named as Named | undefined)?.identifier),
    within(range, period) {
      if (period === undefined) return range;
      const read = dates.period(period as { start?: unknown; end?: unknown });
      if (read === undefined) return undefined;
      const both = { lo: Math.max(range.lo, read.lo), hi: Math.min(range.hi, read.hi) };
      return both.lo < both.hi ? both : undefined;
    },
    numbers: (identifiers) => listOf(identifiers).flatMap((one) => number(one) ?? []),
    binary: (url) => local(url, new Set(['Binary']))?.replace('Binary/', ''),
  };
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** `rpps|..` is a person, `finess|..` an organisation. */
export function isOrganisation(who: string): boolean {
  return who.startsWith('Organization/') || who.startsWith('finess|');
}

export function groundOf(ground: string, who: string): string {
  return isOrganisation(who) ? `${ground}-organisation` : ground;
}

export function isObjection(ground: string): boolean {
  return ground === 'objection' || ground === 'emergency-objection';
}
