/**
 * What expressions run instead of the library's own operators and functions, so that no result depends on the zone or
 * the clock of the process and nothing undecidable passes for false.
 *
 * Two dates compare as instants when both are, as days when both are. A day and an instant compare as in FHIR search
 * (https://hl7.org/fhir/R4/search.html#date): true when some moment of the day satisfies the comparison, so a letter
 * dated "12 March" counts as written after a discharge on that day. A month or year that contains the other side
 * decides nothing: that is an evaluation error, as is a date that does not exist.
 */
import fhirpath, { type UserInvocationTable } from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { Problem } from '../base/index.ts';
import type { DateReader } from './dates.ts';
import { matchedCharactersMax } from './fhirpath-pattern.ts';
import { formatLocal, localDay, readTimeSpan, shiftDate, type TimeSpan, type TimeUnit } from './fhirpath-time.ts';

/** When and where an evaluation takes place. */
export interface Moment {
  readonly nowMs: number;
  /** Of the zone in which days begin and end. */
  readonly dates: DateReader;
}

/** The variable that carries the moment; no expression can name it. */
export const momentVariable = '@moment';

/** The library's evaluation context, passed as `this`. */
interface Evaluation {
  readonly vars: { readonly [momentVariable]: Moment };
}

type Collection = readonly unknown[];

export const runtimeFunctions: UserInvocationTable = {
  _equal: comparison((order) => order.equal),
  _unequal: comparison((order) => !order.equal),
  _before: comparison((order) => order.less),
  _beforeOrAt: comparison((order) => order.less || order.equal),
  _after: comparison((order) => order.greater),
  _afterOrAt: comparison((order) => order.greater || order.equal),
  where: filter((kept) => kept),
  exists: filter((kept) => [kept.length > 0]),
  _later: shift(1),
  _earlier: shift(-1),
  min: extreme((candidate, best) => candidate < best),
  max: extreme((candidate, best) => candidate > best),
  matches: define(1, function (data, [pattern]) {
    const [subject] = data.map(plainValue);
    const [written] = (pattern ?? []).map(plainValue);
    if (data.length > 1) throw failure('one text was expected, several were found');
    if (typeof subject !== 'string' || typeof written !== 'string') return [];
    if (subject.length > matchedCharactersMax) {
      throw failure(`matches() found a text longer than ${matchedCharactersMax} characters`);
    }
    return [new RegExp(written, 'us').test(subject)];
  }),
  toDate: define(0, function (data) {
    const { dates } = this.vars[momentVariable];
    const text = dateText(data);
    const span = text === undefined ? undefined : readTimeSpan(text, dates);
    if (text === undefined || span === undefined) return [];
    return [makeDate(this, span.precision === 'instant' ? localDay(span.fromMs, dates.zone) : text)];
  }),
  toDateTime: define(0, function (data) {
    const text = dateText(data);
    const span = text === undefined ? undefined : readTimeSpan(text, this.vars[momentVariable].dates);
    return text === undefined || span === undefined ? [] : [makeDateTime(this, text)];
  }),
  now: define(0, function () {
    const { nowMs, dates } = this.vars[momentVariable];
    return [makeDateTime(this, formatLocal(nowMs, dates.zone))];
  }),
  today: define(0, function () {
    const { nowMs, dates } = this.vars[momentVariable];
    return [makeDate(this, localDay(nowMs, dates.zone))];
  }),
  timeOfDay: define(0, function () {
    const { nowMs, dates } = this.vars[momentVariable];
    return [new classes.time(this, formatLocal(nowMs, dates.zone).slice(11, 19))];
  }),
  referenceKey: define(0, (data) => data.flatMap((item) => referenceKey(plainValue(item)) ?? [])),
};

/** `Type/id` of a reference, or of its text, whatever its base and version; undefined where it names no resource so. */
export function referenceKey(reference: unknown): string | undefined {
  if (typeof reference === 'string')
    return /(?:^|\/)([A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(reference)?.[1];
  if (typeof reference !== 'object' || reference === null || !('reference' in reference)) return undefined;
  return typeof reference.reference === 'string' ? referenceKey(reference.reference) : undefined;
}

/** A dateTime as the library's typed value: a plain text would not be a date to it. */
export function toDateValue(text: string): unknown {
  return text.length > dayLength ? makeDateTime(undefined, text) : makeDate(undefined, text);
}

export function failure(text: string): Problem {
  return new Problem('fault', text);
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
  if (condition.length > 1 || typeof value !== 'boolean') throw failure('a criterion is not true or false');
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

/** For a day beside an instant more than one may hold: "some moment of the day is ...". */
interface Order {
  readonly less: boolean;
  readonly equal: boolean;
  readonly greater: boolean;
}

function comparison(holds: (order: Order) => boolean): UserInvocationTable[string] {
  return define(2, function (_data, [left = [], right = []]) {
    if (left.length === 0 || right.length === 0) return [];
    if (left.length > 1 || right.length > 1) {
      throw failure('a comparison found several values on one side: use exists(), first() or in');
    }
    const order = compare(left[0], right[0], this.vars[momentVariable].dates);
    return order === undefined ? [] : [holds(order)];
  });
}

function compare(left: unknown, right: unknown, dates: DateReader): Order | undefined {
  const [leftSpan, rightSpan] = [readSpan(left, dates), readSpan(right, dates)];
  if (leftSpan !== undefined && rightSpan !== undefined) return compareSpans(leftSpan, rightSpan);
  const [a, b] = [plainValue(left), plainValue(right)];
  if (isQuantity(a) && isQuantity(b)) return compareQuantities(a, b);
  const isSameType = typeof a === typeof b && typeof a !== 'object';
  if (leftSpan !== undefined || rightSpan !== undefined || !isSameType) {
    throw failure('a comparison found values of different types');
  }
  return { less: (a as string) < (b as string), equal: a === b, greater: (a as string) > (b as string) };
}

function compareSpans(left: TimeSpan, right: TimeSpan): Order {
  const isApart = left.toMs <= right.fromMs || right.toMs <= left.fromMs;
  if (isApart || left.precision === right.precision) return order(left.fromMs - right.fromMs);
  if (!isFine(left) || !isFine(right)) throw failure('a comparison found a date too coarse to decide it');
  return { less: left.fromMs < right.toMs - 1, equal: true, greater: left.toMs - 1 > right.fromMs };
}

function isFine(span: TimeSpan): boolean {
  return span.precision === 'day' || span.precision === 'instant';
}

function order(difference: number): Order {
  return { less: difference < 0, equal: difference === 0, greater: difference > 0 };
}

/** Undefined when the item is no date at all; an error when it should be one and is not. */
function readSpan(item: unknown, dates: DateReader): TimeSpan | undefined {
  const text = isDateValue(item) ? String(plainValue(item)) : undefined;
  if (text === undefined) return undefined;
  const span = readTimeSpan(text, dates);
  if (span === undefined) throw failure('a date in the record does not exist');
  return span;
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
  if (data.length > 1) throw failure('one date was expected, several were found');
  const value = plainValue(data[0]);
  return typeof value === 'string' ? value : undefined;
}

interface QuantityValue {
  readonly value: { toNumber(): number };
  readonly unit: string;
  compare(other: QuantityValue): number | null;
  equals(other: QuantityValue): boolean | null | undefined;
}

function isQuantity(value: unknown): value is QuantityValue {
  return value instanceof classes.quantity;
}

function compareQuantities(left: QuantityValue, right: QuantityValue): Order | undefined {
  const difference = left.compare(right);
  return difference === null ? undefined : order(difference);
}

/** Moves a date by a quantity of time; `sign` is -1 for earlier. */
function shift(sign: number): UserInvocationTable[string] {
  return define(2, function (_data, [dates = [], quantities = []]) {
    if (dates.length === 0 || quantities.length === 0) return [];
    const [quantity] = quantities.map(plainValue);
    if (dates.length > 1 || quantities.length > 1 || !isDateValue(dates[0]) || !isQuantity(quantity)) {
      throw failure('one date and one duration were expected');
    }
    const unit = timeUnits[quantity.unit];
    const amount = sign * quantity.value.toNumber();
    const text = unit && shiftDate(String(plainValue(dates[0])), amount, unit, this.vars[momentVariable].dates);
    if (text === undefined) throw failure('a date cannot be moved by this duration');
    return [toDateValue(text)];
  });
}

const units: readonly TimeUnit[] = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'];
/** Calendar words and UCUM codes mean the same here: both are civil. */
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

/** The first of the least (or greatest) items, as the node it is, so that it still knows its resource. */
function extreme(
  isBetter: (candidate: string | number, best: string | number) => boolean,
): UserInvocationTable[string] {
  return define(0, function (data) {
    const { dates } = this.vars[momentVariable];
    let best: { readonly item: unknown; readonly rank: string | number } | undefined;
    for (const item of data) {
      const value = readSpan(item, dates)?.fromMs ?? plainValue(item);
      if (typeof value !== 'string' && typeof value !== 'number')
        throw failure('min() and max() need dates, numbers or texts');
      if (best === undefined || isBetter(value, best.rank)) best = { item, rank: value };
    }
    return best === undefined ? [] : [best.item];
  });
}

/** Texts, numbers, booleans and plain objects; dates and times as text, quantities as the library's. */
export function plainValue(item: unknown): unknown {
  const value: unknown = fhirpath.util.valDataConverted(item);
  if (value instanceof classes.dateTime || value instanceof classes.time) return String(value);
  return value instanceof fhirpath.FP_Decimal ? value.toNumber() : value;
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

function makeDate(evaluation: Evaluation | undefined, text: string): unknown {
  return new classes.date(evaluation, text);
}

function makeDateTime(evaluation: Evaluation | undefined, text: string): unknown {
  return new classes.dateTime(evaluation, text);
}
