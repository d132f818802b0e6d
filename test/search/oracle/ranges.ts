/**
 * Dates, numbers and quantities as half-open ranges, and what each prefix asks of two ranges.
 * https://hl7.org/fhir/R4/search.html#prefix, #date, #number, #quantity
 */
import type { AnyResource, Element } from './elements.ts';

/** [from, to). A point has `from === to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const;
export type Prefix = (typeof prefixes)[number];

export function splitPrefix(text: string): readonly [Prefix, string] {
  const found = prefixes.find((prefix) => text.startsWith(prefix));
  return found === undefined ? ['eq', text] : [found, text.slice(2)];
}

const isPoint = (range: Range): boolean => range.from === range.to;

/** Search contains target. */
function contains(search: Range, target: Range): boolean {
  if (isPoint(target))
    return isPoint(search) ? search.from === target.from : search.from <= target.from && target.from < search.to;
  return search.from <= target.from && target.to <= search.to;
}

/** The first instant above a range is its end; a point is not above itself. */
function isAbove(search: Range, target: Range): boolean {
  return isPoint(target) && !isPoint(search) ? target.from >= search.to : target.to > search.to;
}

const isBelow = (search: Range, target: Range): boolean => target.from < search.from;

/** The table of prefixes, word for word. */
export function compare(prefix: Prefix, search: Range, target: Range): boolean {
  switch (prefix) {
    case 'eq':
      return contains(search, target);
    case 'ne':
      return !contains(search, target);
    case 'gt':
      return isAbove(search, target);
    case 'lt':
      return isBelow(search, target);
    case 'ge':
      return isAbove(search, target) || contains(search, target);
    case 'le':
      return isBelow(search, target) || contains(search, target);
    case 'sa':
      return isPoint(search) ? target.from > search.to : target.from >= search.to;
    case 'eb':
      return isPoint(target) ? target.to < search.from : target.to <= search.from;
    case 'ap':
      return search.from <= target.to && target.from <= search.to;
  }
}

const dateParts = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;

/** A date at its precision; without zone in UTC, which the property runs the server in. */
export function dateRange(text: string): Range {
  const found = dateParts.exec(text);
  if (found === null) throw new Error('not a date');
  const [, year, month, day, hour, minute, second, fraction, zone] = found;
  const numbers = [year, month, day, hour, minute, second].map((part) =>
    part === undefined ? undefined : Number(part),
  );
  const precision = numbers.filter((part) => part !== undefined).length;
  const at = (...parts: number[]): number =>
    Date.UTC(parts[0] ?? 0, (parts[1] ?? 1) - 1, parts[2] ?? 1, parts[3] ?? 0, parts[4] ?? 0, parts[5] ?? 0);
  const start = numbers.filter((part): part is number => part !== undefined);
  const next = start.map((part, index) => (index === precision - 1 ? part + 1 : part));
  const sign = zone?.startsWith('-') === true ? 1 : -1;
  const shift =
    zone === undefined || zone === 'Z' ? 0 : sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * 60_000;
  if (fraction === undefined) return { from: at(...start) + shift, to: at(...next) + shift };
  const millis = Math.round(Number(fraction) * 1000);
  return { from: at(...start) + shift + millis, to: at(...start) + shift + millis + 1 };
}

function timingRange(timing: AnyResource): Range | undefined {
  const events: readonly Range[] = (timing.event ?? []).map(dateRange);
  const bounds = timing.repeat?.boundsPeriod;
  const all = bounds === undefined ? events : [...events, periodRange(bounds)];
  if (all.length === 0) return undefined;
  return { from: Math.min(...all.map((each) => each.from)), to: Math.max(...all.map((each) => each.to)) };
}

function periodRange(period: AnyResource): Range {
  return {
    from: period.start === undefined ? Number.NEGATIVE_INFINITY : dateRange(period.start).from,
    to: period.end === undefined ? Number.POSITIVE_INFINITY : dateRange(period.end).to,
  };
}

export function dateTarget(element: Element): Range | undefined {
  if (element.type === 'Period')
    return element.value.start === undefined && element.value.end === undefined
      ? undefined
      : periodRange(element.value);
  if (element.type === 'Timing') return timingRange(element.value);
  return dateRange(String(element.value));
}

const tidy = (value: number): number => Number(value.toPrecision(12));

/** `100` means [99.5, 100.5), `100.00` [99.995, 100.005); a comparison takes the number as exact. */
export function numberRange(text: string, prefix: Prefix): Range {
  const value = Number(text);
  if (!['ap', 'eq', 'ne'].includes(prefix)) return { from: value, to: value };
  const decimals = text.split('.')[1]?.length ?? 0;
  // Systems may choose what is approximate: a tenth, as recommended, and never less than what is equal.
  const half = Math.max(0.5 * 10 ** -decimals, prefix === 'ap' ? Math.abs(value) / 10 : 0);
  return { from: tidy(value - half), to: tidy(value + half) };
}

/** By hand, of UCUM: factor to the base unit of its kind. */
const units: Readonly<Record<string, readonly [base: string, factor: number]>> = {
  kg: ['g', 1000],
  g: ['g', 1],
  mg: ['g', 0.001],
  min: ['s', 60],
  h: ['s', 3600],
  d: ['s', 86_400],
  s: ['s', 1],
  m: ['m', 1],
  cm: ['m', 0.01],
};
const ucum = 'http://unitsofmeasure.org';

const scaled = (range: Range, factor: number): Range => ({
  from: tidy(range.from * factor),
  to: tidy(range.to * factor),
});

/** `[prefix]number|system|code`, `number||code`, `number`. */
export function matchesQuantity(text: string, element: Element): boolean {
  const [first = '', system, code] = text.split('|');
  const [prefix, number] = splitPrefix(first);
  const quantity = element.value;
  if (element.type === 'Range') return false;
  const target = quantity.value;
  if (typeof target !== 'number') return false;
  const range = numberRange(number, prefix);
  const point = { from: target, to: target };
  if (code === undefined || code === '') return compare(prefix, range, point);
  const targetSystem = element.type === 'Money' ? 'urn:iso:std:iso:4217' : quantity.system;
  const targetCode = element.type === 'Money' ? quantity.currency : quantity.code;
  if (system === '') return (targetCode === code || quantity.unit === code) && compare(prefix, range, point);
  if (targetSystem !== system) return false;
  if (system !== ucum) return targetCode === code && compare(prefix, range, point);
  const ours = units[code];
  const theirs = units[targetCode];
  if (ours === undefined || theirs === undefined) return targetCode === code && compare(prefix, range, point);
  return ours[0] === theirs[0] && compare(prefix, scaled(range, ours[1]), scaled(point, theirs[1]));
}
