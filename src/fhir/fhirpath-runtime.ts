/**
 * Our operators and functions for the library, in place of its own, so that no result depends on the zone or the clock
 * of the process and nothing undecidable passes for false.
 */
import fhirpath, { type UserInvocationTable } from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import type { DateReader } from './dates.ts';
import { formatLocal, localDay, readTimeSpan, type TimeSpan } from './fhirpath-time.ts';
import {
  type Comparison,
  comparisons,
  differentTypes,
  failure,
  matchText,
  type Moment,
  moveDate,
  noCriterion,
  oneDateAndNumberExpected,
  oneValueExpected,
  type Order,
  orderOf,
  orderOfDates,
  orderOfPlain,
  readDate,
  referenceKey,
  severalValues,
} from './fhirpath-values.ts';

export type { Moment } from './fhirpath-values.ts';

/** The variable that carries the moment; no expression can name it. */
export const momentVariable = '@moment';

/** The library's evaluation context, passed as `this`. */
interface Evaluation {
  readonly vars: { readonly [momentVariable]: Moment };
}

type Collection = readonly unknown[];

export const runtimeFunctions: UserInvocationTable = {
  ...Object.fromEntries(Object.entries(comparisons).map(([name, holds]) => [name, comparison(holds)])),
  where: filter((kept) => kept),
  exists: filter((kept) => [kept.length > 0]),
  _later: shift(1),
  _earlier: shift(-1),
  min: extreme((candidate, best) => candidate < best),
  max: extreme((candidate, best) => candidate > best),
  matches: define(1, (data, [pattern]) => {
    const [subject] = data.map(plainValue);
    const [written] = (pattern ?? []).map(plainValue);
    if (data.length > 1) throw failure(oneValueExpected);
    if (typeof subject !== 'string' || typeof written !== 'string') return [];
    return [matchText(subject, new RegExp(written, 'us'))];
  }),
  toDate: define(0, function (data) {
    const { dates } = this.vars[momentVariable];
    const text = dateText(data);
    const span = text === undefined ? undefined : readTimeSpan(text, dates);
    if (text === undefined || span === undefined) return [];
    return [toDateValue(span.precision === 'instant' ? localDay(span.fromMs, dates) : text)];
  }),
  toDateTime: define(0, function (data) {
    const text = dateText(data);
    const span = text === undefined ? undefined : readTimeSpan(text, this.vars[momentVariable].dates);
    return text === undefined || span === undefined ? [] : [new classes.dateTime(this, text)];
  }),
  now: define(0, function () {
    const { nowMs, dates } = this.vars[momentVariable];
    return [toDateValue(formatLocal(nowMs, dates))];
  }),
  today: define(0, function () {
    const { nowMs, dates } = this.vars[momentVariable];
    return [toDateValue(localDay(nowMs, dates))];
  }),
  timeOfDay: define(0, function () {
    const { nowMs, dates } = this.vars[momentVariable];
    return [new classes.time(this, formatLocal(nowMs, dates).slice(11, 19))];
  }),
  referenceKey: define(0, (data) => data.flatMap((item) => referenceKey(plainValue(item)) ?? [])),
  plusDays: define(1, function (data, [counts = []]) {
    if (data.length === 0 || counts.length === 0) return [];
    const count = plainValue(counts[0]);
    if (data.length > 1 || counts.length > 1 || typeof count !== 'number') throw failure(oneDateAndNumberExpected);
    return [toDateValue(moveDate(plainValue(data[0]), count, 'day', this.vars[momentVariable].dates))];
  }),
};

/** A date as the library's typed value: a plain text would not be a date to it. */
export function toDateValue(text: string): unknown {
  return text.length > dayLength ? new classes.dateTime(undefined, text) : new classes.date(undefined, text);
}

/** Texts, numbers, booleans and plain objects; dates and times as text, quantities as the library's. */
export function plainValue(item: unknown): unknown {
  const value: unknown = fhirpath.util.valDataConverted(item);
  if (value instanceof classes.dateTime || value instanceof classes.time) return asText(value);
  return value instanceof fhirpath.FP_Decimal ? value.toNumber() : value;
}

/** As `plainValue`; a quantity of the record as it stands there, a computed one as text. */
export function resultValue(item: unknown): unknown {
  const value = plainValue(item);
  if (!isQuantity(value)) return value;
  return (item as { readonly data?: unknown }).data ?? asText(value);
}

/** Values of the library print themselves. */
function asText(value: { toString(): string }): string {
  return value.toString();
}

/** The library's own takes any item as true, the value false of an element too: `where(active)` would keep everybody. */
function filter(result: (kept: Collection) => Collection): UserInvocationTable[string] {
  return {
    fn(this: { $index: number }, data: Collection, criterion?: (item: unknown) => Collection) {
      if (criterion === undefined) return result(data);
      const kept = data.filter((item, index) => {
        this.$index = index;
        return isTrue(criterion(item));
      });
      return result(kept);
    },
    arity: { 0: [], 1: ['Expr'] },
    internalStructures: true,
  };
}

function isTrue(condition: Collection): boolean {
  if (condition.length === 0) return false;
  const value = plainValue(condition[0]);
  if (condition.length > 1 || typeof value !== 'boolean') throw failure(noCriterion);
  return value;
}

type Body = (this: Evaluation, data: Collection, operands: readonly Collection[]) => Collection;

function define(arity: number, body: Body): UserInvocationTable[string] {
  return {
    fn(this: Evaluation, data: Collection, ...operands: Collection[]) {
      return body.call(this, data, operands);
    },
    arity: { [arity]: Array.from({ length: arity }, () => 'AnyAtRoot' as const) },
    internalStructures: true,
  };
}

function comparison(holds: Comparison): UserInvocationTable[string] {
  return define(2, function (_data, [left = [], right = []]) {
    if (left.length > 1 || right.length > 1) throw failure(severalValues);
    if (left.every(isEmpty) || right.every(isEmpty)) return [];
    const order = compare(left[0], right[0], this.vars[momentVariable].dates);
    return order === undefined ? [] : [holds(order)];
  });
}

/** An element that has extensions only. */
function isEmpty(item: unknown): boolean {
  return plainValue(item) === null;
}

function compare(left: unknown, right: unknown, dates: DateReader): Order | undefined {
  const [leftSpan, rightSpan] = [readSpan(left, dates), readSpan(right, dates)];
  if (leftSpan !== undefined && rightSpan !== undefined) return orderOfDates(leftSpan, rightSpan);
  if (leftSpan !== undefined || rightSpan !== undefined) throw failure(differentTypes);
  const [a, b] = [plainValue(left), plainValue(right)];
  if (!isQuantity(a) || !isQuantity(b)) return orderOfPlain(a, b);
  const difference = a.compare(b);
  return difference === null ? undefined : orderOf(difference);
}

/** Undefined when the item is no date at all; an error when it should be one and is not. */
function readSpan(item: unknown, dates: DateReader): TimeSpan | undefined {
  return isDateValue(item) ? readDate(plainValue(item), dates) : undefined;
}

function isDateValue(item: unknown): boolean {
  return fhirpath.util.valDataConverted(item) instanceof classes.dateTime || dateTypes.has(nodeType(item));
}

const dateTypes: ReadonlySet<string | undefined> = new Set(['date', 'dateTime', 'instant']);

function nodeType(item: unknown): string | undefined {
  return (item as { fhirNodeDataType?: string } | null)?.fhirNodeDataType;
}

/** The text of a date or of a text; several are an error, none or another type is undefined. */
function dateText(data: Collection): string | undefined {
  if (data.length > 1) throw failure(oneValueExpected);
  const value = plainValue(data[0]);
  return typeof value === 'string' ? value : undefined;
}

interface QuantityValue {
  readonly value: { toNumber(): number };
  readonly unit: string;
  compare(other: QuantityValue): number | null;
}

function isQuantity(value: unknown): value is QuantityValue {
  return value instanceof classes.quantity;
}

/** Moves a date by a quantity of time; `sign` is -1 for earlier. */
function shift(sign: number): UserInvocationTable[string] {
  return define(2, function (_data, [dates = [], quantities = []]) {
    if (dates.length === 0 || quantities.length === 0) return [];
    const [quantity] = quantities.map(plainValue);
    if (dates.length > 1 || quantities.length > 1 || !isDateValue(dates[0]) || !isQuantity(quantity)) {
      throw failure('one date and one duration were expected');
    }
    const amount = sign * quantity.value.toNumber();
    return [toDateValue(moveDate(plainValue(dates[0]), amount, quantity.unit, this.vars[momentVariable].dates))];
  });
}

/** The first of the least (or greatest) items, as the node it is, so that it still knows its resource. */
function extreme(
  isBetter: (candidate: string | number, best: string | number) => boolean,
): UserInvocationTable[string] {
  return define(0, function (data) {
    const { dates } = this.vars[momentVariable];
    let best: { readonly item: unknown; readonly rank: string | number } | undefined;
    for (const item of data) {
      const value = readSpan(item, dates)?.fromMs ?? plainValue(item);
      if (typeof value !== 'string' && typeof value !== 'number') throw failure(differentTypes);
      if (best === undefined || isBetter(value, best.rank)) best = { item, rank: value };
    }
    return best === undefined ? [] : [best.item];
  });
}

type LibraryClass = new (context: unknown, text: string) => object;

/** The library does not export its date classes, but its literals are instances of them. */
const classes = {
  date: classOf('@2026-03-20'),
  dateTime: classOf('@2026-03-20T08:00:00Z'),
  time: classOf('@T08:00:00'),
  quantity: classOf('1 day'),
};

function classOf(literal: string): LibraryClass {
  const [value] = fhirpath.evaluate({}, literal, {}, r4, { resolveInternalTypes: false }) as object[];
  return value?.constructor as LibraryClass;
}

const dayLength = '2026-03-20'.length;
