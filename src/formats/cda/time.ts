/**
 * HL7 v3 TS -> FHIR dateTime, precision kept: `2026` -> `2026`, `202603` -> `2026-03`, `20260302162000+0100` ->
 * `2026-03-02T16:20:00+01:00`. FHIR has no time without seconds or offset, so minutes and seconds that were not sent
 * are zero, and a time without offset is read on the clocks of the given zone (twice a year an hour happens twice or
 * never: then as the clocks before the change would have it). Both are told to the caller.
 */
import { Temporal } from 'temporal-polyfill';

export type DateTimeResult =
  | {
      readonly kind: 'dateTime';
      readonly value: string;
      readonly isOffsetAssumed: boolean;
      readonly isHourOnly: boolean;
    }
  | { readonly kind: 'invalid' };

const pattern =
  /^(?<year>[1-9]\d{3})(?:(?<month>\d\d)(?:(?<day>\d\d)(?:(?<hour>\d\d)(?:(?<minute>\d\d)(?:(?<second>\d\d)(?<fraction>\.\d{1,6})?)?)?)?)?)?(?<offset>[+-]\d\d(?:\d\d)?)?$/;

type Parts = Partial<Record<'month' | 'day' | 'hour' | 'minute' | 'second' | 'fraction' | 'offset', string>> & {
  readonly year: string;
};

export function readDateTime(ts: string, zone: string): DateTimeResult {
  const parts = pattern.exec(ts)?.groups as Parts | undefined;
  if (parts === undefined) return { kind: 'invalid' };
  const { year, month, day, hour, minute = '00', second = '00', fraction = '' } = parts;
  const date = [year, month, day].filter(Boolean).join('-');
  const said = parts.offset === undefined ? '' : readOffset(parts.offset);
  if (said === undefined || !isCalendarDate(date) || !isClockTime(parts)) return { kind: 'invalid' };
  if (hour === undefined) return { kind: 'dateTime', value: date, isOffsetAssumed: false, isHourOnly: false };
  const local = `${date}T${hour}:${minute}:${second}`;
  const value = `${local}${fraction}${said || offsetOf(local, zone)}`;
  return { kind: 'dateTime', value, isOffsetAssumed: said === '', isHourOnly: parts.minute === undefined };
}

function isClockTime({ hour = '00', minute = '00', second = '00' }: Parts): boolean {
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
}

function isCalendarDate(date: string): boolean {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= Temporal.PlainYearMonth.from({ year, month }).daysInMonth;
}

/** `+0100` or `+01` -> `+01:00`, within the ±14:00 that FHIR allows. */
function readOffset(offset: string): string | undefined {
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3) || 0);
  if (minutes > 59 || hours * 60 + minutes > 14 * 60) return undefined;
  return `${offset.slice(0, 3)}:${offset.slice(3).padStart(2, '0')}`;
}

function offsetOf(local: string, zone: string): string {
  return Temporal.PlainDateTime.from(local).toZonedDateTime(zone, { disambiguation: 'earlier' }).offset.slice(0, 6);
}
