/**
 * The one reckoning of due instants (design.md section 2). Due instants are half-open: what happens at the instant
 * itself is late. Days are those of the place, whatever the zone of the process:
 *
 *     end-of-day, calendar-days   00:00 after the N-th day that follows the anchor's local day (N = 0: that day itself)
 *     working-days                00:00 after the N-th working day that follows it, Monday to Friday without holidays
 *     monday-to-saturday          the same with Saturdays worked (jours ouvrables)
 *     hours                       the anchor plus N exact hours
 *
 * An anchor that is a date counts as the whole local day; a month or a year is no anchor.
 */
import {
  createDateReader,
  type DateReader,
  localDay,
  shiftDay,
  shiftInstant,
  type TimeSpan,
  type TimeUnit,
} from '../fhir/index.ts';
import { createHolidayCalendar, type HolidayCalendar, type HolidayRegion, regionOfZone } from './holidays.ts';

export type Calendar = (typeof calendars)[number];
export const calendars = ['end-of-day', 'calendar-days', 'working-days', 'monday-to-saturday', 'hours'] as const;

export interface Delay {
  readonly value: number;
  readonly unit: DelayUnit;
}

/** UCUM codes. */
export type DelayUnit = keyof typeof timeUnits;

const timeUnits = { min: 'minute', h: 'hour', d: 'day', wk: 'week', mo: 'month', a: 'year' } as const satisfies Record<
  string,
  TimeUnit
>;

/** Ten years: a rule that waits longer is a mistake, and working days are counted one by one. */
const delayMax: Readonly<Record<DelayUnit, number>> = { min: 5_300_000, h: 88_000, d: 3660, wk: 523, mo: 120, a: 10 };

/** Where a delay runs: the zone of its days, and the region of its holidays. */
export interface Place {
  readonly dates: DateReader;
  readonly region: HolidayRegion;
  readonly holidays: HolidayCalendar;
}

/** Make one for each zone and keep it: it remembers days and holidays. */
export function createPlace(zone: string, region: HolidayRegion = regionOfZone(zone)): Place {
  return { dates: createDateReader(zone), region, holidays: createHolidayCalendar() };
}

/** Undefined for what is no delay of a rule: a negative or broken number, an unknown unit, more than ten years. */
export function readDelay(value: number | undefined, code = ''): Delay | undefined {
  const unit = Object.hasOwn(timeUnits, code) ? (code as DelayUnit) : undefined;
  if (unit === undefined || value === undefined || !Number.isInteger(value)) return undefined;
  return value >= 0 && value <= delayMax[unit] ? { value, unit } : undefined;
}

/** Undefined for a delay that is no whole number of days. */
export function daysOf({ value, unit }: Delay): number | undefined {
  return unit === 'd' ? value : unit === 'wk' ? value * 7 : undefined;
}

/** Whether the calendar can count in this unit: working days are days, days are no hours. */
export function canCount(calendar: Calendar, unit: DelayUnit): boolean {
  if (isOfWorkingDays(calendar)) return unit === 'd';
  const isElapsed = unit === 'min' || unit === 'h';
  return calendar === 'hours' ? isElapsed || unit === 'd' : !isElapsed;
}

/** The due instant; undefined when the anchor is coarser than a day. */
export function dueAtMs(anchor: TimeSpan, delay: Delay, calendar: Calendar, place: Place): number | undefined {
  if (anchor.precision !== 'instant' && anchor.precision !== 'day') return undefined;
  if (calendar === 'hours') {
    const unit = delay.unit === 'd' ? 'h' : delay.unit;
    const value = delay.unit === 'd' ? delay.value * 24 : delay.value;
    const fromMs = anchor.precision === 'day' ? anchor.toMs : anchor.fromMs;
    return shiftInstant(fromMs, value, timeUnits[unit], place.dates.zone);
  }
  const day = localDay(anchor.fromMs, place.dates);
  return startOfNextDayMs(lastDay(day, delay, calendar, place), place.dates);
}

/** The instant `delay` before a due instant, for a notice. */
export function beforeMs(instantMs: number, delay: Delay, place: Place): number {
  return shiftInstant(instantMs, -delay.value, timeUnits[delay.unit], place.dates.zone);
}

/** The instant `delay` after another, for an escalation or a reopening window. */
export function afterMs(instantMs: number, delay: Delay, place: Place): number {
  return shiftInstant(instantMs, delay.value, timeUnits[delay.unit], place.dates.zone);
}

/** The N-th working day after `day`. */
export function addWorkingDays(day: string, count: number, place: Place, isWorked = isWorkingDay): string {
  let reached = day;
  for (let left = count; left > 0; ) {
    reached = shiftDay(reached, 1, 'day');
    if (isWorked(reached, place)) left--;
  }
  return reached;
}

function isOfWorkingDays(calendar: Calendar): boolean {
  return calendar === 'working-days' || calendar === 'monday-to-saturday';
}

/** Monday to Friday, no public holiday of the region. Bridge days between a holiday and a weekend are worked. */
export function isWorkingDay(day: string, place: Place): boolean {
  return weekdayOf(day) !== saturday && isWorkedWithSaturdays(day, place);
}

function isWorkedWithSaturdays(day: string, place: Place): boolean {
  return weekdayOf(day) !== sunday && !place.holidays.isHoliday(day, place.region);
}

function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay();
}

const sunday = 0;
const saturday = 6;

function lastDay(day: string, delay: Delay, calendar: Calendar, place: Place): string {
  if (isOfWorkingDays(calendar)) {
    return addWorkingDays(day, delay.value, place, calendar === 'working-days' ? isWorkingDay : isWorkedWithSaturdays);
  }
  const unit = timeUnits[delay.unit];
  return unit === 'minute' || unit === 'hour' ? day : shiftDay(day, delay.value, unit);
}

function startOfNextDayMs(day: string, dates: DateReader): number {
  return dates.startOfDay(Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8, 10)) + 1);
}
