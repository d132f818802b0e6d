/**
 * The civil side of time: local days, wall clocks, dates moved by durations. Always in the zone of the reader passed
 * in, never in that of the process. A local time that daylight saving skips moves forward; of two equal ones the first counts.
 */
import { Temporal } from 'temporal-polyfill';
import type { DateReader } from './dates.ts';

export type Precision = 'year' | 'month' | 'day' | 'instant';

/** A written date as the half-open span of instants that it names; an instant is one millisecond. */
export interface TimeSpan {
  readonly precision: Precision;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Undefined for a text that names no moment of the calendar: `2026-02-30`, `T24:00`, `yesterday`. */
export function readTimeSpan(text: string, dates: DateReader): TimeSpan | undefined {
  const range = dates.range(text);
  if (range === undefined) return undefined;
  const precision = precisions[text.length] ?? 'instant';
  return { precision, fromMs: range.lo, toMs: precision === 'instant' ? range.lo + 1 : range.hi };
}

const precisions: Readonly<Record<number, Precision>> = { 4: 'year', 7: 'month', 10: 'day' };

/** The local day of an instant, `2026-03-12`: found by the starts of days, which the reader keeps. */
export function localDay(instantMs: number, dates: DateReader): string {
  const guess = new Date(instantMs);
  const [year, month, day] = [guess.getUTCFullYear(), guess.getUTCMonth() + 1, guess.getUTCDate()];
  const isBefore = dates.startOfDay(year, month, day) > instantMs;
  const isAfter = !isBefore && dates.startOfDay(year, month, day + 1) <= instantMs;
  return utcDay(year, month, isBefore ? day - 1 : isAfter ? day + 1 : day);
}

function utcDay(year: number, month: number, day: number): string {
  return new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 'yyyy-mm-dd'.length);
}

/** The instant as a FHIR dateTime with the offset of the zone: `2026-03-03T00:00:00+01:00`. A reader is quicker than a name. */
export function formatLocal(instantMs: number, zone: string | DateReader): string {
  const offsetMs = typeof zone === 'string' ? undefined : offsetOfDayMs(instantMs, zone);
  if (offsetMs === undefined) {
    const fractionalSecondDigits = instantMs % 1000 === 0 ? 0 : 3;
    const name = typeof zone === 'string' ? zone : zone.zone;
    return zoned(instantMs, name).toString({ timeZoneName: 'never', fractionalSecondDigits });
  }
  const wall = new Date(instantMs + offsetMs).toISOString().replace(/(?:\.000)?Z$/, '');
  const minutes = Math.abs(offsetMs) / 60_000;
  const [hour, minute] = [Math.trunc(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `${wall}${offsetMs < 0 ? '-' : '+'}${hour}:${minute}`;
}

/** The offset of the zone on a day of 24 hours; undefined on a day when the clocks change. */
function offsetOfDayMs(instantMs: number, dates: DateReader): number | undefined {
  const utc = Date.parse(`${localDay(instantMs, dates)}T00:00:00Z`);
  const day = new Date(utc);
  const [year, month, date] = [day.getUTCFullYear(), day.getUTCMonth() + 1, day.getUTCDate()];
  const start = dates.startOfDay(year, month, date);
  const isPlain = dates.startOfDay(year, month, date + 1) - start === dayMs && (utc - start) % 60_000 === 0;
  return isPlain ? utc - start : undefined;
}

const dayMs = 86_400_000;

export type TimeUnit = 'year' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond';

/**
 * The date `amount` units later (earlier when negative). Days and longer units move the local calendar and keep the
 * time on the wall; hours and shorter ones count elapsed time. Undefined where the date is too coarse for the unit.
 */
export function shiftDate(text: string, amount: number, unit: TimeUnit, dates: DateReader): string | undefined {
  const span = readTimeSpan(text, dates);
  if (span === undefined) return undefined;
  if (span.precision === 'instant') {
    return formatLocal(shiftInstant(span.fromMs, amount, unit, dates.zone), dates);
  }
  return span.precision === 'day' && isCivil(unit) ? shiftDay(text, amount, unit) : undefined;
}

/** Whole days and longer units only; the end of a shorter month is not passed: 31 January + 1 month = 28 February. */
export function shiftDay(day: string, amount: number, unit: CivilUnit): string {
  if (unit === 'day')
    return utcDay(Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8)) + Math.trunc(amount));
  return Temporal.PlainDate.from(day)
    .add({ [`${unit}s`]: Math.trunc(amount) })
    .toString();
}

export function shiftInstant(instantMs: number, amount: number, unit: TimeUnit, zone: string): number {
  if (!isCivil(unit)) return instantMs + Math.round(amount * elapsedMs[unit]);
  return zoned(instantMs, zone).add({ [`${unit}s`]: Math.trunc(amount) }).epochMilliseconds;
}

export type CivilUnit = Exclude<TimeUnit, keyof typeof elapsedMs>;

const elapsedMs = { hour: 3_600_000, minute: 60_000, second: 1000, millisecond: 1 };

function isCivil(unit: TimeUnit): unit is CivilUnit {
  return !(unit in elapsedMs);
}

function zoned(instantMs: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instantMs).toZonedDateTimeISO(zone);
}
