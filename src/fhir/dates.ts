/**
 * Partial dates as half-open ranges of instants: `2026-03` is everything from 1 March 00:00 to 1 April 00:00, `[lo, hi)`
 * in milliseconds since 1970 (https://hl7.org/fhir/R4/search.html#date, https://hl7.org/fhir/R4/datatypes.html#dateTime).
 *
 * A value with an offset is exact; one without is read in the zone that the reader was made for, so a day is 23 or 25
 * hours long when the clocks change.
 */
import { Temporal } from 'temporal-polyfill';

export interface DateRange {
  readonly lo: number;
  readonly hi: number;
}

/** Bounds of open periods: the first and last instants that a Date can hold. */
export const beginningOfTime = -8.64e15;
export const endOfTime = 8.64e15;

export interface DateReader {
  readonly zone: string;
  /** `undefined` when the text is no FHIR date, dateTime or instant, e.g. `2026-02-30`. */
  range(text: string): DateRange | undefined;
  /** A side that is missing is open; `undefined` when both are missing or one cannot be read. */
  period(period: { readonly start?: unknown; readonly end?: unknown }): DateRange | undefined;
  /** The outer limits of the events and of the bounds; `undefined` when it has neither. */
  timing(timing: { readonly event?: unknown; readonly repeat?: unknown }): DateRange | undefined;
  /** The first instant of the day in the zone. Months count from 1; days run over into the next month. */
  startOfDay(year: number, month: number, day: number): number;
}

const openRange: DateRange = { lo: beginningOfTime, hi: endOfTime };

const daysKeptMax = 50_000;

export function createDateReader(zone: string): DateReader {
  const days = new Map<number, number>();

  // A conversion through the zone's rules takes many microseconds, and resources share their days: keep them.
  function startOfDay(year: number, month: number, day: number): number {
    const utc = utcDay(year, month, day);
    const known = days.get(utc);
    if (known !== undefined) return known;
    const { year: y, month: m, day: d } = utcParts(utc);
    const start = new Temporal.PlainDate(y, m, d).toZonedDateTime(zone).epochMilliseconds;
    if (days.size >= daysKeptMax) days.clear();
    days.set(utc, start);
    return start;
  }

  function range(text: string): DateRange | undefined {
    const parts = readParts(text);
    if (parts === undefined) return undefined;
    const { year, month, day } = parts;
    if (month === undefined) return { lo: startOfDay(year, 1, 1), hi: startOfDay(year + 1, 1, 1) };
    if (day === undefined) return { lo: startOfDay(year, month, 1), hi: startOfDay(year, month + 1, 1) };
    if (parts.time === undefined) return { lo: startOfDay(year, month, day), hi: startOfDay(year, month, day + 1) };
    const { msOfDay, precisionMs, offsetMs } = parts.time;
    const lo =
      offsetMs === undefined
        ? localInstant(zone, { year, month, day }, msOfDay)
        : utcDay(year, month, day) + msOfDay - offsetMs;
    return { lo, hi: lo + precisionMs };
  }

  function period({ start, end }: { readonly start?: unknown; readonly end?: unknown }): DateRange | undefined {
    const first = start === undefined ? openRange : rangeOf(start);
    const last = end === undefined ? openRange : rangeOf(end);
    if (first === undefined || last === undefined || (first === openRange && last === openRange)) return undefined;
    return { lo: first.lo, hi: last.hi };
  }

  function rangeOf(value: unknown): DateRange | undefined {
    return typeof value === 'string' ? range(value) : undefined;
  }

  function timing({ event, repeat }: { readonly event?: unknown; readonly repeat?: unknown }): DateRange | undefined {
    const events = Array.isArray(event) ? event.map(rangeOf) : [];
    const bounds = (repeat as { boundsPeriod?: { start?: unknown; end?: unknown } } | undefined)?.boundsPeriod;
    const ranges = [...events, bounds === undefined ? undefined : period(bounds)].filter((one) => one !== undefined);
    if (ranges.length === 0) return undefined;
    return { lo: Math.min(...ranges.map(({ lo }) => lo)), hi: Math.max(...ranges.map(({ hi }) => hi)) };
  }

  return { zone, range, period, timing, startOfDay };
}

interface DateParts {
  readonly year: number;
  readonly month: number | undefined;
  readonly day: number | undefined;
  readonly time:
    | { readonly msOfDay: number; readonly precisionMs: number; readonly offsetMs: number | undefined }
    | undefined;
}

// Wider than FHIR in two places that searches need: a time may stop at its minutes, and may have no offset.
const dateForm = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;

function readParts(text: string): DateParts | undefined {
  const found = dateForm.exec(text);
  if (found === null) return undefined;
  const year = Number(found[1]);
  const month = found[2] === undefined ? undefined : Number(found[2]);
  const day = found[3] === undefined ? undefined : Number(found[3]);
  if (year === 0 || !isDay(year, month ?? 1, day ?? 1)) return undefined;
  if (found[4] === undefined) return { year, month, day, time: undefined };
  const time = readTime(found);
  return time === undefined ? undefined : { year, month, day, time };
}

function readTime(found: RegExpExecArray): DateParts['time'] {
  const [, , , , hour, minute, second, fraction, offset] = found;
  const offsetMs = offset === undefined ? undefined : readOffset(offset);
  // Second 60 is a leap second; it counts as the first of the next minute.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 60) return undefined;
  if (offset !== undefined && offsetMs === undefined) return undefined;
  const ofMinute = second === undefined ? 0 : Number(second) * 1000;
  const ofSecond = fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'));
  const msOfDay = (Number(hour) * 60 + Number(minute)) * 60_000 + ofMinute + ofSecond;
  return { msOfDay, precisionMs: precisionOf(second, fraction), offsetMs };
}

function precisionOf(second: string | undefined, fraction: string | undefined): number {
  if (second === undefined) return 60_000;
  if (fraction === undefined) return 1000;
  return 10 ** Math.max(0, 3 - fraction.length);
}

const offsetMinutesMax = 14 * 60;

function readOffset(text: string): number | undefined {
  if (text === 'Z') return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(4, 6));
  if (minutes > offsetMinutesMax || Number(text.slice(4, 6)) > 59) return undefined;
  return (text.startsWith('-') ? -minutes : minutes) * 60_000;
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= 28 || utcParts(utcDay(year, month, day)).month === month;
}

/** `Date.UTC` reads years below 100 as 1900 and later. */
function utcDay(year: number, month: number, day: number): number {
  return year >= 100 ? Date.UTC(year, month - 1, day) : new Date(0).setUTCFullYear(year, month - 1, day);
}

function utcParts(utc: number): { year: number; month: number; day: number } {
  const date = new Date(utc);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** A local time that the zone skips or has twice is read as the law reads it: later, or the first of the two. */
function localInstant(zone: string, day: { year: number; month: number; day: number }, msOfDay: number): number {
  const midnight = new Temporal.PlainDateTime(day.year, day.month, day.day);
  return midnight.add({ milliseconds: msOfDay }).toZonedDateTime(zone).epochMilliseconds;
}
