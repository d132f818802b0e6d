/**
 * The model's own reckoning of French local time: two clock changes a year, eleven public holidays. It shares nothing with
 * the calendar of the rules, so that a mistake there shows as a difference.
 */
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** UTC instant of the last Sunday of the month, 01:00. */
function lastSunday(year: number, month: number): number {
  const last = Date.UTC(year, month, 0);
  return last - new Date(last).getUTCDay() * dayMs + hourMs;
}

function offsetMs(atMs: number): number {
  const year = new Date(atMs).getUTCFullYear();
  return atMs >= lastSunday(year, 3) && atMs < lastSunday(year, 10) ? 2 * hourMs : hourMs;
}

/** Days since 1970 in Paris. */
export function parisDay(atMs: number): number {
  return Math.floor((atMs + offsetMs(atMs)) / dayMs);
}

/** The clocks change at two or three in the morning: midnight is never in doubt. */
export function midnight(day: number): number {
  const guess = day * dayMs - hourMs;
  return day * dayMs - offsetMs(guess);
}

/** The instant of a local hour of a local day; not between two and three. */
export function atHour(day: number, hour: number): number {
  const start = midnight(day);
  const shift = offsetMs(start + 4 * hourMs) - offsetMs(start);
  return start + hour * hourMs - (hour >= 3 ? shift : 0);
}

export function text(atMs: number): string {
  const offset = offsetMs(atMs);
  const local = new Date(atMs + offset).toISOString().slice(0, 23);
  return `${local}+0${offset / hourMs}:00`;
}

function easterSunday(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30;
  const e = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - d - (c % 4)) % 7;
  const f = d + e - 7 * Math.floor((a + 11 * d + 22 * e) / 451) + 114;
  return Date.UTC(year, Math.floor(f / 31) - 1, (f % 31) + 1) / dayMs;
}

function isHoliday(day: number): boolean {
  const date = new Date(day * dayMs);
  const fixed = ['01-01', '05-01', '05-08', '07-14', '08-15', '11-01', '11-11', '12-25'];
  if (fixed.includes(date.toISOString().slice(5, 10))) return true;
  return [1, 39, 50].includes(day - easterSunday(date.getUTCFullYear()));
}

function isWorked(day: number): boolean {
  const weekday = new Date(day * dayMs).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !isHoliday(day);
}

/** When the `count`-th calendar day after that of the anchor is over. */
export const calendarDays = (count: number) => (anchorMs: number) => midnight(parisDay(anchorMs) + count + 1);

/** When the `count`-th working day after that of the anchor is over. */
export const workingDays = (count: number) => (anchorMs: number) => {
  let day = parisDay(anchorMs);
  for (let left = count; left > 0; ) {
    day++;
    if (isWorked(day)) left--;
  }
  return midnight(day + 1);
};

export const hours = (count: number) => (anchorMs: number) => anchorMs + count * hourMs;
