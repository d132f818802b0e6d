/**
 * Dates, dateTimes and instants (https://hl7.org/fhir/R4/datatypes.html#primitive) by their characters: what the
 * published patterns accept, and only days that exist. Most of the texts of a resource that must be looked at closely are
 * dates, and this is several times as fast as the patterns, which a test holds it against.
 */

/** YYYY, YYYY-MM or YYYY-MM-DD. */
export function isDate(text: string): boolean {
  const { length } = text;
  return (length === 4 || length === 7 || length === 10) && isCalendar(text, length);
}

export function isDateTime(text: string): boolean {
  return text.length <= 10 ? isDate(text) : isInstant(text);
}

/** To the second at least, with its offset. */
export function isInstant(text: string): boolean {
  return text.length >= 20 && isCalendar(text, 10) && text.charCodeAt(10) === letterT && isTimeWithOffset(text);
}

const [letterT, letterZ, hyphen, plus, colon, point] = [84, 90, 45, 43, 58, 46] as const;

/** The first characters of a text, up to year, month or day. */
function isCalendar(text: string, length: number): boolean {
  const year = pair(text, 0) * 100 + pair(text, 2);
  if (!(year >= 1)) return false;
  if (length === 4) return true;
  const month = pair(text, 5);
  if (text.charCodeAt(4) !== hyphen || !(month >= 1 && month <= 12)) return false;
  if (length === 7) return true;
  const day = pair(text, 8);
  return text.charCodeAt(7) === hyphen && day >= 1 && (day <= 28 || day <= daysOfMonth(year, month));
}

/** Not a number where the two are no digits: no comparison holds then. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function daysOfMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return isLeap ? 29 : 28;
}

/** From the eleventh character on. Second 60 is a leap second. */
function isTimeWithOffset(text: string): boolean {
  const isTime =
    pair(text, 11) <= 23 &&
    text.charCodeAt(13) === colon &&
    pair(text, 14) <= 59 &&
    text.charCodeAt(16) === colon &&
    pair(text, 17) <= 60;
  if (!isTime) return false;
  const at = text.charCodeAt(19) === point ? endOfFraction(text) : 19;
  return at > 0 && isOffset(text, at);
}

/** Zero when no digit follows the point. */
function endOfFraction(text: string): number {
  let at = 20;
  while (at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
  return at === 20 ? 0 : at;
}

function isOffset(text: string, at: number): boolean {
  const sign = text.charCodeAt(at);
  if (sign === letterZ) return text.length === at + 1;
  if ((sign !== plus && sign !== hyphen) || text.length !== at + 6 || text.charCodeAt(at + 3) !== colon) return false;
  const hours = pair(text, at + 1);
  const minutes = pair(text, at + 4);
  return (hours <= 13 && minutes <= 59) || (hours === 14 && minutes === 0);
}
