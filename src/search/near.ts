/** `near` (https://hl7.org/fhir/R4/location.html#positional): a row of the number index holds latitude and longitude as its two bounds. */
import { splitEscaped, unescapeValue } from './escape.ts';
import { incorrect } from './fault.ts';
import type { Emitter, Place, Sink } from './collector.ts';
import type { UnitReader } from '../fhir/index.ts';

export interface Area {
  readonly latitude: number;
  readonly longitude: number;
  readonly km: number;
}

function emitPosition(
  { latitude, longitude }: { readonly latitude?: number; readonly longitude?: number },
  place: Place,
  out: Sink,
): void {
  out.probeKey(place.present);
  if (latitude !== undefined && longitude !== undefined) out.pair(place.row, latitude, longitude);
}

export const positionEmitters: Readonly<Record<string, Emitter>> = { 'Location.position': emitPosition };

/** The standard leaves the distance that is not said to the server. */
const kmDefault = 10;
/** Half of the equator: everywhere. */
const kmMax = 20_040;
const decimal = /^-?\d{1,3}(?:\.\d{1,20})?$/;

/** `latitude|longitude[|distance[|unit]]`, the unit in UCUM, km when it is not said. */
export function readArea(name: string, text: string, units: UnitReader): Area {
  const [latitude = '', longitude = '', distance = '', unit = '', ...more] = splitEscaped(text, '|').map(unescapeValue);
  const isPlace = decimal.test(latitude) && decimal.test(longitude);
  if (more.length > 0 || !isPlace || Math.abs(Number(latitude)) > 90 || Math.abs(Number(longitude)) > 180) {
    throw incorrect(name, 'expected latitude|longitude|distance|unit in decimal degrees, such as 48.85|2.35|5|km');
  }
  const km = distance === '' ? kmDefault : readKm(name, { distance, unit: unit === '' ? 'km' : unit }, units);
  return { latitude: Number(latitude), longitude: Number(longitude), km: Math.min(km, kmMax) };
}

function readKm(name: string, { distance, unit }: { distance: string; unit: string }, units: UnitReader): number {
  if (!/^\d{1,9}(?:\.\d{1,20})?$/.test(distance))
    throw incorrect(name, 'expected a distance that is a positive number');
  const length = units(unit);
  if (length?.base !== 'm1') throw incorrect(name, 'expected a UCUM unit of length, such as km, m or [mi_i]');
  return length.toBase(Number(distance)) / 1000;
}

export const earthRadiusKm = 6371.0088;
const radians = Math.PI / 180;

/** Degrees of latitude that the area reaches to both sides, a little wide: the exact distance is asked after. */
export function latitudeReach({ km }: Area): number {
  return km / (earthRadiusKm * radians) + 1e-6;
}

/** By the haversine on the mean radius. */
export function isInArea(
  { latitude, longitude, km }: Area,
  found: { readonly lo: number; readonly hi: number },
): boolean {
  const half = (a: number, b: number) => Math.sin(((b - a) * radians) / 2) ** 2;
  const across = Math.cos(latitude * radians) * Math.cos(found.lo * radians) * half(longitude, found.hi);
  return 2 * earthRadiusKm * Math.asin(Math.sqrt(Math.min(1, half(latitude, found.lo) + across))) <= km;
}
