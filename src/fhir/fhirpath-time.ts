/**
 * Dates as FHIR writes them (https://hl7.org/fhir/R4/datatypes.html#dateTime), read as half-open spans of time.
 *
 * `2026-03-12` is a whole local day, `2026-03` a whole month, `2026-03-12T14:30:00+01:00` one millisecond. Local means
 * the zone passed in, never the zone of the process. A local time that daylight saving skips or repeats is read as
 * Temporal's `compatible`: skipped times move forward, of two equal times the earlier instant counts.
 */
import { Temporal } from 'temporal-polyfill';

export type Precision = 'year' | 'month' | 'day' | 'instant';

export interface TimeSpan {
  readonly precision: Precision;
  /** Milliseconds since 1970, inclusive. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

/** Undefined for a text that names no moment of the calendar: `2026-02-30`, `T24:00`, `yesterday`. */
export function readTimeSpan(text: string, zone: string): TimeSpan | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  if (hour === undefined) return readDay(Number(year), month, day, zone);
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;
  const time: WallTime = {
    hour: Number(hour),
    minute: Number(minute),
    second: Math.min(Number(second ?? '0'), 59),
    millisecond: Number((fraction ?? '0').slice(0, 3).padEnd(3, '0')),
  };
  const fromMs =
    offset === undefined
      ? fromWallTime(text.slice(0, 10), time, zone)
      : Date.UTC(Number(year), Number(month) - 1, Number(day), time.hour, time.minute, time.second, time.millisecond) -
        readOffsetMs(offset);
  return { precision: 'instant', fromMs, toMs: fromMs + 1 };
}

/** The local day of an instant, `2026-03-12`. */
export function localDay(instantMs: number, zone: string): string {
  return zoned(instantMs, zone).toPlainDate().toString();
}

/** The first instant of a local day: midnight, or what daylight saving made of it. */
export function startOfDayMs(day: string, zone: string): number {
  return Temporal.PlainDate.from(day).toZonedDateTime(zone).epochMilliseconds;
}

/** The instant as a FHIR dateTime with the offset of the zone: `2026-03-03T00:00:00+01:00`. */
export function formatLocal(instantMs: number, zone: string): string {
  return zoned(instantMs, zone).toString({ timeZoneName: 'never' });
}

export type TimeUnit = 'year' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond';

/**
 * The date `amount` units later (earlier when negative). Days and longer units move the local calendar and keep the
 * time on the wall; hours and shorter ones count elapsed time. Undefined where the date is too coarse for the unit.
 */
export function shiftDate(text: string, amount: number, unit: TimeUnit, zone: string): string | undefined {
  const span = readTimeSpan(text, zone);
  if (span === undefined) return undefined;
  if (span.precision === 'instant') return formatLocal(shiftInstant(span.fromMs, amount, unit, zone), zone);
  if (span.precision !== 'day' || elapsedUnitsMs[unit] !== undefined) return undefined;
  return Temporal.PlainDate.from(text)
    .add({ [`${unit}s`]: Math.trunc(amount) })
    .toString();
}

export function shiftInstant(instantMs: number, amount: number, unit: TimeUnit, zone: string): number {
  const elapsedMs = elapsedUnitsMs[unit];
  if (elapsedMs !== undefined) return instantMs + Math.round(amount * elapsedMs);
  return zoned(instantMs, zone).add({ [`${unit}s`]: Math.trunc(amount) }).epochMilliseconds;
}

/** Whether the name is a time zone this machine knows. */
export function isZone(zone: string): boolean {
  try {
    zoned(0, zone);
    return true;
  } catch {
    return false;
  }
}

const pattern =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(?:\.(\d+))?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?)?)?$/;

const elapsedUnitsMs: Partial<Record<TimeUnit, number>> = {
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};

interface WallTime {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

function readDay(year: number, month: string | undefined, day: string | undefined, zone: string): TimeSpan | undefined {
  const precision = day !== undefined ? 'day' : month !== undefined ? 'month' : 'year';
  if (!isDay(year, Number(month ?? '1'), Number(day ?? '1'))) return undefined;
  const start = Temporal.PlainDate.from({ year, month: Number(month ?? '1'), day: Number(day ?? '1') });
  const end = start.add({ [`${precision}s`]: 1 });
  return { precision, fromMs: startOfDayMs(start.toString(), zone), toMs: startOfDayMs(end.toString(), zone) };
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < 100 || month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

function fromWallTime(day: string, time: WallTime, zone: string): number {
  return Temporal.PlainDate.from(day).toPlainDateTime(time).toZonedDateTime(zone).epochMilliseconds;
}

function readOffsetMs(offset: string): number {
  if (offset === 'Z') return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}

function zoned(instantMs: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instantMs).toZonedDateTimeISO(zone);
}
