/**
 * French public holidays (article L3133-1 of the Code du travail), with Good Friday and 26 December in Alsace-Moselle and
 * the abolition days overseas. The table of days is the `date-holidays` package; the names of regions are ours.
 */
import Holidays from 'date-holidays';

/** Where a day off is a day off. `metropolitan` is France without Alsace-Moselle and overseas. */
export type HolidayRegion = keyof typeof regions;

const regions = {
  metropolitan: ['FR'],
  'alsace-moselle': ['FR', '57'],
  guadeloupe: ['FR', 'GP'],
  martinique: ['FR', 'MQ'],
  guyane: ['FR', 'GF'],
  reunion: ['FR', 'RE'],
  mayotte: ['FR', 'YT'],
  'saint-barthelemy': ['FR', 'BL'],
  'saint-martin': ['FR', 'MF'],
  'saint-pierre-et-miquelon': ['PM'],
  'nouvelle-caledonie': ['NC'],
  'polynesie-francaise': ['PF'],
  'wallis-et-futuna': ['WF'],
} as const;

const regionsOfZones: Readonly<Record<string, HolidayRegion>> = {
  'America/Guadeloupe': 'guadeloupe',
  'America/Martinique': 'martinique',
  'America/Cayenne': 'guyane',
  'Indian/Reunion': 'reunion',
  'Indian/Mayotte': 'mayotte',
  'America/St_Barthelemy': 'saint-barthelemy',
  'America/Marigot': 'saint-martin',
  'America/Miquelon': 'saint-pierre-et-miquelon',
  'Pacific/Noumea': 'nouvelle-caledonie',
  'Pacific/Tahiti': 'polynesie-francaise',
  'Pacific/Wallis': 'wallis-et-futuna',
};

/** The region of a time zone; Alsace-Moselle shares its zone with Paris and must be named. */
export function regionOfZone(zone: string): HolidayRegion {
  return regionsOfZones[zone] ?? 'metropolitan';
}

export interface HolidayCalendar {
  /** `day` is `2026-04-06`. */
  isHoliday(day: string, region: HolidayRegion): boolean;
}

const yearsKeptMax = 500;

/** Keeps the years it was asked for: reckoning one takes milliseconds. */
export function createHolidayCalendar(): HolidayCalendar {
  const years = new Map<string, ReadonlySet<string>>();
  return {
    isHoliday(day, region) {
      const year = day.slice(0, 4);
      const key = `${region} ${year}`;
      const known = years.get(key);
      if (known !== undefined) return known.has(day);
      if (years.size >= yearsKeptMax) years.clear();
      const days = reckonYear(Number(year), region);
      years.set(key, days);
      return days.has(day);
    },
  };
}

function reckonYear(year: number, region: HolidayRegion): ReadonlySet<string> {
  const [country, state] = regions[region];
  const table = state === undefined ? new Holidays(country) : new Holidays(country, state);
  const holidays = table.getHolidays(year).filter((holiday) => holiday.type === 'public');
  return new Set(holidays.map((holiday) => holiday.date.slice(0, 'yyyy-mm-dd'.length)));
}
