import { Temporal } from 'temporal-polyfill';

/** Day of a FHIR dateTime on the clocks of a zone; `undefined` when it is no more precise than a month. */
export function localDay(dateTime: string | undefined, zone: string): string | undefined {
  if (dateTime === undefined || dateTime.length < 10) return undefined;
  if (!dateTime.includes('T')) return dateTime;
  return Temporal.Instant.from(dateTime).toZonedDateTimeISO(zone).toPlainDate().toString();
}
