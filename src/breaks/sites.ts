/**
 * Where a focus belongs: the organisation that answers for it, and the zone and public holidays of its days. A site says
 * its zone by the standard extension `timezone`, else its postal code tells (overseas territories, Alsace-Moselle); else
 * that of the patient's home, else the zone of the server.
 */
import { referenceKey, type Resource } from '../fhir/index.ts';
import { createPlace, type HolidayRegion, type Place } from '../rules/index.ts';
import type { PatientRecord } from './record.ts';

export interface Places {
  /** Of the server. */
  readonly usual: Place;
  /** Of a focus; without one, of the patient. */
  of(record: PatientRecord, focus?: Resource): Place;
}

const zonesKeptMax = 100;

/** Places are costly to make and few: one for each zone and region. */
export function createPlaces(zone: string): Places {
  const usual = createPlace(zone);
  const kept = new Map<string, Place>();
  const placeOf = (where: Where): Place => {
    const key = `${where.zone ?? zone} ${where.region ?? ''}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (kept.size >= zonesKeptMax) kept.clear();
    const place = createPlace(where.zone ?? zone, where.region);
    kept.set(key, place);
    return place;
  };
  return {
    usual,
    of(record, focus) {
      const where = whereOf(record, focus);
      return where === undefined ? usual : placeOf(where);
    },
  };
}

interface Where {
  readonly zone?: string;
  readonly region?: HolidayRegion;
}

function whereOf(record: PatientRecord, focus: Resource | undefined): Where | undefined {
  const site = siteOf(record, focus);
  const organisation = record.professionals.find((one) => `${one.resourceType}/${one.id ?? ''}` === site);
  return (organisation && ownPlace(organisation)) ?? (record.patient && ownPlace(record.patient));
}

/** `Organization/id`: of the focus, of its stay, of the patient. */
export function siteOf(record: PatientRecord, focus: Resource | undefined): string | undefined {
  const stayKey = focus && referenceKey(stayOf(focus));
  const stay = record.byType.get('Encounter')?.find(({ id }) => stayKey === `Encounter/${id ?? ''}`);
  const references = [
    focus?.['serviceProvider'],
    ...listOf(focus?.['managingOrganization']),
    stay?.['serviceProvider'],
    focus?.['custodian'],
    record.patient?.['managingOrganization'],
  ];
  return references.map(referenceKey).find((key) => key?.startsWith('Organization/'));
}

/** Of a document the context, of a dispensation too; of most other types an element of its own. */
function stayOf(focus: Resource): unknown {
  const context = focus['context'] as Resource | undefined;
  const [stay] = listOf(focus['encounter'] ?? context?.['encounter'] ?? context);
  return stay;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

interface Address {
  readonly postalCode?: string;
  readonly country?: string;
}

const timezoneUrl = 'http://hl7.org/fhir/StructureDefinition/timezone';

function ownPlace(resource: Resource): Where | undefined {
  const extensions = (resource['extension'] ?? []) as readonly { url?: string; valueCode?: string }[];
  const zone = extensions.find(({ url }) => url === timezoneUrl)?.valueCode;
  const addresses = (resource['address'] ?? []) as readonly Address[];
  const french = addresses.filter(({ country = 'FR' }) => /^(fr|fra|france)$/i.test(country));
  const byCode = french.map(({ postalCode = '' }) => placeOfPostalCode(postalCode)).find((one) => one !== undefined);
  if (zone === undefined || !isZone(zone)) return byCode;
  return byCode?.zone === undefined && byCode?.region !== undefined ? { zone, region: byCode.region } : { zone };
}

function isZone(zone: string): boolean {
  return zone === 'UTC' || Intl.supportedValuesOf('timeZone').includes(zone);
}

/** Longest prefix first. */
const placesOfPrefixes: readonly (readonly [prefix: string, where: Where])[] = [
  ['97133', { zone: 'America/St_Barthelemy' }],
  ['97150', { zone: 'America/Marigot' }],
  ['971', { zone: 'America/Guadeloupe' }],
  ['972', { zone: 'America/Martinique' }],
  ['973', { zone: 'America/Cayenne' }],
  ['974', { zone: 'Indian/Reunion' }],
  ['975', { zone: 'America/Miquelon' }],
  ['976', { zone: 'Indian/Mayotte' }],
  ['986', { zone: 'Pacific/Wallis' }],
  ['987', { zone: 'Pacific/Tahiti' }],
  ['988', { zone: 'Pacific/Noumea' }],
  ['57', { region: 'alsace-moselle' }],
  ['67', { region: 'alsace-moselle' }],
  ['68', { region: 'alsace-moselle' }],
];

function placeOfPostalCode(postalCode: string): Where | undefined {
  if (!/^\d{5}$/.test(postalCode)) return undefined;
  return placesOfPrefixes.find(([prefix]) => postalCode.startsWith(prefix))?.[1];
}
