/**
 * Dates, numbers and quantities as ranges, both sides (https://hl7.org/fhir/R4/search.html#prefix).
 *
 * The prefixes compare the range of the value sought with the range of the value found, by the words of the standard:
 * `ge2026-03-05` is "the range above 5 March is touched, or 5 March contains it all", so that a stay from 1 to 10 March
 * matches `ge`, `le` and `ne` of 5 March, but not `eq`.
 */
import { type DateRange, ucumSystem, type UnitReader } from '../fhir/index.ts';
import type { Emitter, Place, Sink } from './collector.ts';
import { keyText } from './keys.ts';

/** One comparison of a bound of the value found; a range is several of them that must all hold. */
export interface Bound {
  readonly side: 'lo' | 'hi';
  readonly operator: '<' | '<=' | '>' | '>=';
  readonly value: number;
}

export type Range = readonly Bound[];

export const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const;
export type Prefix = (typeof prefixes)[number];

/** Alternatives of which one must hold. Both the value sought and the value found are half-open. */
export function dateRanges(prefix: Prefix, { lo, hi }: DateRange): readonly Range[] {
  const within: Range = [bound('lo', '>=', lo), bound('hi', '<=', hi)];
  const above: Range = [bound('hi', '>', hi)];
  const below: Range = [bound('lo', '<', lo)];
  switch (prefix) {
    case 'eq':
      return [within];
    case 'ne':
      return [below, above];
    case 'gt':
      return [above];
    case 'lt':
      return [below];
    case 'ge':
      return [above, within];
    case 'le':
      return [below, within];
    case 'sa':
      return [[bound('lo', '>=', hi)]];
    case 'eb':
      return [[bound('hi', '<=', lo)]];
    case 'ap':
      return [[bound('lo', '<', hi), bound('hi', '>', lo)]];
  }
}

/** The number as written, and the half-open range that its digits leave: `5.40` is 5.395 to 5.405. */
export interface NumberRange extends DateRange {
  readonly value: number;
}

/** The values found are closed ranges, mostly points. Only `eq`, `ne` and `ap` look at the digits given. */
export function numberRanges(prefix: Prefix, { value, lo, hi }: NumberRange): readonly Range[] {
  switch (prefix) {
    case 'eq':
      return [[bound('lo', '>=', lo), bound('hi', '<', hi)]];
    case 'ne':
      return [[bound('lo', '<', lo)], [bound('hi', '>=', hi)]];
    case 'gt':
      return [[bound('hi', '>', value)]];
    case 'lt':
      return [[bound('lo', '<', value)]];
    case 'ge':
      return [[bound('hi', '>=', value)]];
    case 'le':
      return [[bound('lo', '<=', value)]];
    case 'sa':
      return [[bound('lo', '>', value)]];
    case 'eb':
      return [[bound('hi', '<', value)]];
    case 'ap': {
      const margin = Math.max(Math.abs(value) * approximation, (hi - lo) / 2);
      return [[bound('lo', '<=', value + margin), bound('hi', '>=', value - margin)]];
    }
  }
}

/** "The recommended value for the approximation is 10% of the stated value (or for a date, 10% of the gap between now and the date)". */
export const approximation = 0.1;

export function approximateDate({ lo, hi }: DateRange, now: number): DateRange {
  const gap = now < lo ? lo - now : now > hi ? now - hi : 0;
  return { lo: lo - Math.floor(gap * approximation), hi: hi + Math.ceil(gap * approximation) };
}

function bound(side: Bound['side'], operator: Bound['operator'], value: number): Bound {
  return { side, operator, value };
}

const numberForm = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** `undefined` when the text is no decimal. */
export function readNumber(text: string): NumberRange | undefined {
  const found = numberForm.exec(text);
  if (found === null) return undefined;
  const [, , , fraction = '', exponent] = found;
  const value = Number(text);
  // Half a unit of the last digit on each side: `100` is 99.5 to 100.5. The standard's example has `1e2` as 95 to 105,
  // one digit finer than its own rule; the example is followed.
  const finer = exponent !== undefined && fraction === '' ? 1 : 0;
  const unit = Number(`1e${Number(exponent ?? 0) - fraction.length - finer}`);
  return Number.isFinite(value) ? { value, lo: value - unit / 2, hi: value + unit / 2 } : undefined;
}

function emitDate(value: string, place: Place, out: Sink): void {
  emitDateRange(out.readers.dates.range(value), place, out);
}

function emitPeriod(value: { readonly start?: unknown; readonly end?: unknown }, place: Place, out: Sink): void {
  emitDateRange(out.readers.dates.period(value), place, out);
}

function emitTiming(value: { readonly event?: unknown; readonly repeat?: unknown }, place: Place, out: Sink): void {
  emitDateRange(out.readers.dates.timing(value), place, out);
}

function emitDateRange(range: DateRange | undefined, place: Place, out: Sink): void {
  out.probeKey(place.present);
  if (range !== undefined) out.date(place, range.lo, range.hi);
}

export const dateEmitters: Readonly<Record<string, Emitter>> = {
  date: emitDate,
  dateTime: emitDate,
  instant: emitDate,
  Period: emitPeriod,
  Timing: emitTiming,
};

interface Quantity {
  readonly value?: number;
  readonly comparator?: string;
  readonly unit?: string;
  readonly system?: string;
  readonly code?: string;
}

/** Bounds of what is open to one side; JSON, which carries rows to the database, has no infinity. */
const leastNumber = -Number.MAX_VALUE;
const greatestNumber = Number.MAX_VALUE;

function emitNumber(value: number, place: Place, out: Sink): void {
  out.probeKey(place.present);
  out.number(place.row, value, value);
}

function emitNumberRange(value: { low?: Quantity; high?: Quantity }, place: Place, out: Sink): void {
  out.probeKey(place.present);
  out.number(place.row, value.low?.value ?? leastNumber, value.high?.value ?? greatestNumber);
}

export const numberEmitters: Readonly<Record<string, Emitter>> = {
  integer: emitNumber,
  positiveInt: emitNumber,
  unsignedInt: emitNumber,
  decimal: emitNumber,
  Range: emitNumberRange,
};

function emitQuantity(value: Quantity, place: Place, out: Sink): void {
  out.probeKey(place.present);
  if (typeof value.value !== 'number') return;
  const isBelow = value.comparator?.startsWith('<') === true;
  const isAbove = value.comparator?.startsWith('>') === true;
  emitQuantityRange(
    { lo: isBelow ? leastNumber : value.value, hi: isAbove ? greatestNumber : value.value, unit: value },
    place,
    out,
  );
}

function emitQuantityLimits({ low, high }: { low?: Quantity; high?: Quantity }, place: Place, out: Sink): void {
  out.probeKey(place.present);
  emitQuantityRange(
    { lo: low?.value ?? leastNumber, hi: high?.value ?? greatestNumber, unit: low ?? high ?? {} },
    place,
    out,
  );
}

function emitMoney({ value, currency }: { value?: number; currency?: string }, place: Place, out: Sink): void {
  out.probeKey(place.present);
  if (typeof value !== 'number') return;
  const unit = currency === undefined ? {} : { system: 'urn:iso:std:iso:4217', code: currency };
  emitQuantityRange({ lo: value, hi: value, unit }, place, out);
}

interface SampledData {
  readonly origin?: Quantity;
  readonly factor?: number;
  readonly data?: string;
}

/** From the least to the greatest sample; `E`, `U` and `L` (error, above, below the limits) say no number. */
function emitSamples({ origin, factor = 1, data }: SampledData, place: Place, out: Sink): void {
  out.probeKey(place.present);
  let [lo, hi] = [Infinity, -Infinity];
  for (const sample of (data ?? '').split(' ')) {
    const value = sample === '' ? Number.NaN : Number(sample) * factor + (origin?.value ?? 0);
    if (Number.isNaN(value)) continue;
    lo = Math.min(lo, value);
    hi = Math.max(hi, value);
  }
  if (lo <= hi) emitQuantityRange({ lo, hi, unit: origin ?? {} }, place, out);
}

/** Three ways to ask: without unit, by system and code, by code or unit alone. */
function emitQuantityRange(
  { lo, hi, unit }: { readonly lo: number; readonly hi: number; readonly unit: Quantity },
  place: Place,
  out: Sink,
): void {
  out.number(place.row, lo, hi);
  if (unit.system !== undefined && unit.code !== undefined) {
    const { code, convert } = comparableUnit(out.readers.units, unit.system, unit.code);
    out.number(out.readers.hash(keyText.quantities(place.path, unit.system, code)), convert(lo), convert(hi));
  }
  for (const name of new Set([unit.code, unit.unit])) {
    if (name !== undefined) out.number(out.readers.hash(keyText.quantities(place.path, '', name)), lo, hi);
  }
}

/** Under which code quantities of a unit meet, and what makes their numbers comparable. */
export function comparableUnit(
  units: UnitReader,
  system: string,
  code: string,
): { readonly code: string; readonly convert: (value: number) => number } {
  const canonical = system === ucumSystem ? units(code) : undefined;
  if (canonical === undefined) return { code, convert: (value) => value };
  const convert = (value: number) => (Math.abs(value) === greatestNumber ? value : canonical.toBase(value));
  return { code: `=${canonical.base}`, convert };
}

const quantityTypes = ['Quantity', 'Age', 'Duration', 'Count', 'Distance'];

export const quantityEmitters: Readonly<Record<string, Emitter>> = {
  ...Object.fromEntries(quantityTypes.map((type) => [type, emitQuantity])),
  Range: emitQuantityLimits,
  Money: emitMoney,
  SampledData: emitSamples,
};

/** How far apart the ends of a value of these types can be; `undefined` when nothing bounds it. */
export function spanMsMax(types: readonly string[]): number | undefined {
  if (types.some((type) => type === 'Period' || type === 'Timing')) return undefined;
  return types.every((type) => type === 'instant') ? secondMs : yearMs;
}

const secondMs = 1000;
const yearMs = 367 * 86_400_000;
