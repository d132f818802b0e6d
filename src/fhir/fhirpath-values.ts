/**
 * What values mean to expressions, whichever way they are run.
 *
 * Two dates compare as instants when both are, as days when both are. A day and an instant compare as in FHIR search
 * (https://hl7.org/fhir/R4/search.html#date): true when some moment of the day satisfies the comparison, so a letter
 * dated "12 March" counts as written after a discharge on that day. A month or year that contains the other side
 * decides nothing: that is an evaluation error, as is a date that does not exist.
 */
import { Problem } from '../base/index.ts';
import type { DateReader } from './dates.ts';
import { matchedCharactersMax } from './fhirpath-pattern.ts';
import { readTimeSpan, shiftDate, type TimeSpan, type TimeUnit } from './fhirpath-time.ts';

/** When and where an evaluation takes place. */
export interface Moment {
  readonly nowMs: number;
  /** Of the zone in which days begin and end. */
  readonly dates: DateReader;
}

/** An evaluation error; its text has no data of the record in it. */
export function failure(text: string): Problem {
  return new Problem('fault', text);
}

export const severalValues = 'a comparison found several values on one side: use exists(), first() or in';
export const differentTypes = 'a comparison found values of different types';
export const noCriterion = 'a criterion is not true or false';
export const oneDateAndNumberExpected = 'one date and one number of days were expected';
export const oneValueExpected = 'one value was expected, several were found';

/** For a day beside an instant more than one may hold: "some moment of the day is ...". */
export interface Order {
  readonly less: boolean;
  readonly equal: boolean;
  readonly greater: boolean;
}

export type Comparison = (order: Order) => boolean;

/** By the names that take the place of the operators. */
export const comparisons = {
  _equal: (order) => order.equal,
  _unequal: (order) => !order.equal,
  _before: (order) => order.less,
  _beforeOrAt: (order) => order.less || order.equal,
  _after: (order) => order.greater,
  _afterOrAt: (order) => order.greater || order.equal,
} as const satisfies Record<string, Comparison>;

export const comparisonOperators: Readonly<Record<string, keyof typeof comparisons>> = {
  '=': '_equal',
  '!=': '_unequal',
  '<': '_before',
  '<=': '_beforeOrAt',
  '>': '_after',
  '>=': '_afterOrAt',
};

export function orderOf(difference: number): Order {
  return { less: difference < 0, equal: difference === 0, greater: difference > 0 };
}

/** Texts, numbers and booleans of one type. */
export function orderOfPlain(left: unknown, right: unknown): Order {
  if (typeof left !== typeof right || typeof left === 'object') throw failure(differentTypes);
  return {
    less: (left as string) < (right as string),
    equal: left === right,
    greater: (left as string) > (right as string),
  };
}

export function orderOfDates(left: TimeSpan, right: TimeSpan): Order {
  const isApart = left.toMs <= right.fromMs || right.toMs <= left.fromMs;
  if (isApart || left.precision === right.precision) return orderOf(left.fromMs - right.fromMs);
  if (!isFine(left) || !isFine(right)) throw failure('a comparison found a date too coarse to decide it');
  return { less: left.fromMs < right.toMs - 1, equal: true, greater: left.toMs - 1 > right.fromMs };
}

function isFine(span: TimeSpan): boolean {
  return span.precision === 'day' || span.precision === 'instant';
}

/** A text that should be a date. */
export function readDate(text: unknown, dates: DateReader): TimeSpan {
  const span = typeof text === 'string' ? readTimeSpan(text, dates) : undefined;
  if (span === undefined) throw failure('a date in the record does not exist');
  return span;
}

/** `unit` as FHIRPath writes it: a calendar word, or a UCUM code in quotes; both are civil here. */
export function moveDate(text: unknown, amount: number, unit: string, dates: DateReader): string {
  const known = timeUnits[unit];
  const moved = known === undefined || typeof text !== 'string' ? undefined : shiftDate(text, amount, known, dates);
  if (moved === undefined) throw failure('a date cannot be moved by this duration');
  return moved;
}

const units: readonly TimeUnit[] = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'];
const timeUnits: Readonly<Record<string, TimeUnit>> = {
  ...Object.fromEntries(
    units.flatMap((unit) => [
      [unit, unit],
      [`${unit}s`, unit],
    ]),
  ),
  "'a'": 'year',
  "'mo'": 'month',
  "'wk'": 'week',
  "'d'": 'day',
  "'h'": 'hour',
  "'min'": 'minute',
  "'s'": 'second',
  "'ms'": 'millisecond',
};

/** `pattern` has passed `findPatternFault`. */
export function matchText(subject: string, pattern: RegExp): boolean {
  if (subject.length > matchedCharactersMax) {
    throw failure(`matches() found a text longer than ${matchedCharactersMax} characters`);
  }
  return pattern.test(subject);
}

const keyForm = /(?:^|\/)([A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/;

/** `Type/id` of a reference, or of its text, whatever its base and version; undefined where it names no resource so. */
export function referenceKey(reference: unknown): string | undefined {
  if (typeof reference === 'string') return keyForm.exec(reference)?.[1];
  if (typeof reference !== 'object' || reference === null || !('reference' in reference)) return undefined;
  return typeof reference.reference === 'string' ? referenceKey(reference.reference) : undefined;
}
