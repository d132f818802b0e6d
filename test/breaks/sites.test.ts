/** Where a focus belongs, and the zone and holidays of its days (src/breaks/sites.ts). */
import { describe, expect, it } from '@jest/globals';
import type { PatientRecord } from '../../src/breaks/record.ts';
import { createPlaces, siteOf } from '../../src/breaks/sites.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { isWorkingDay } from '../../src/rules/index.ts';

const places = createPlaces('Europe/Paris');
const organisation = (id: string, more: object = {}): Resource => ({ resourceType: 'Organization', id, ...more });
const at = (postalCode: string, more: object = {}) => ({ address: [{ postalCode, ...more }] });
const timezone = (valueCode: string) => ({
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode }],
});

function recordOf(
  patient: object,
  stays: readonly Resource[] = [],
  professionals: readonly Resource[] = [],
): PatientRecord {
  return {
    reference: 'Patient/p1',
    patient: { resourceType: 'Patient', id: 'p1', ...patient },
    byType: new Map([['Encounter', stays]]),
    professionals,
  };
}

const zoneOf = (patient: object): string => places.of(recordOf(patient)).dates.zone;

describe('The zone of a patient without a site', () => {
  it.each([
    ['75011', 'Europe/Paris'],
    ['97133', 'America/St_Barthelemy'],
    ['97150', 'America/Marigot'],
    ['97110', 'America/Guadeloupe'],
    ['97200', 'America/Martinique'],
    ['97300', 'America/Cayenne'],
    ['97400', 'Indian/Reunion'],
    ['97500', 'America/Miquelon'],
    ['97600', 'Indian/Mayotte'],
    ['98600', 'Pacific/Wallis'],
    ['98714', 'Pacific/Tahiti'],
    ['98800', 'Pacific/Noumea'],
    ['974', 'Europe/Paris'],
    ['', 'Europe/Paris'],
  ])('at %s is %s', (postalCode, zone) => {
    expect(zoneOf(at(postalCode))).toBe(zone);
  });

  it.each([
    ['of another country counts as nowhere', at('97400', { country: 'DE' }), 'Europe/Paris'],
    [
      'that is written out goes before the postal code',
      { ...at('97400'), ...timezone('Pacific/Tahiti') },
      'Pacific/Tahiti',
    ],
    ['that does not exist counts as not written', { ...at('97400'), ...timezone('Mars/Olympus') }, 'Indian/Reunion'],
    ['without an address is that of the server', {}, 'Europe/Paris'],
  ])('%s', (_what, patient, zone) => {
    expect(zoneOf(patient)).toBe(zone);
  });
});

describe('The days of a site', () => {
  it('are its own, wherever the patient lives', () => {
    const stay: Resource = { resourceType: 'Encounter', id: 'e1', serviceProvider: { reference: 'Organization/o1' } };
    const record = recordOf(at('75011'), [stay], [organisation('o1', at('97400'))]);
    expect(places.of(record, stay).dates.zone).toBe('Indian/Reunion');
    expect(places.of(record).dates.zone).toBe('Europe/Paris');
  });

  it.each([
    ['57000', false],
    ['67000', false],
    ['68100', false],
    ['75011', true],
  ])('count Saint Stephen as a holiday in Alsace-Moselle: %s', (postalCode, isWorked) => {
    // A Saturday in 2026: a Monday in 2022.
    const place = places.of(recordOf(at(postalCode)));
    expect(isWorkingDay('2022-12-26', place)).toBe(isWorked);
  });

  it('count the abolition of slavery as a holiday where it is one', () => {
    const worked = (postalCode: string, day: string): boolean => isWorkingDay(day, places.of(recordOf(at(postalCode))));
    // La Réunion 20 December 2022 (a Tuesday), Martinique 22 May 2023, Guadeloupe 27 May 2022, Mayotte 27 April 2022.
    expect([worked('97400', '2022-12-20'), worked('75011', '2022-12-20')]).toEqual([false, true]);
    expect([worked('97200', '2023-05-22'), worked('75011', '2023-05-22')]).toEqual([false, true]);
    expect([worked('97110', '2022-05-27'), worked('97600', '2022-04-27')]).toEqual([false, false]);
  });

  it('are made once for each zone and region', () => {
    expect(places.of(recordOf(at('67000')))).toBe(places.of(recordOf(at('68000'))));
    expect(places.of(recordOf({}))).toBe(places.usual);
  });
});

describe('The site of a resource', () => {
  const stay: Resource = { resourceType: 'Encounter', id: 'e1', serviceProvider: { reference: 'Organization/stay' } };
  const record = recordOf({ managingOrganization: { reference: 'Organization/home' } }, [stay]);

  it.each<[string, object, string | undefined]>([
    ['is that which answers for it', { serviceProvider: { reference: 'Organization/own' } }, 'Organization/own'],
    ['is that of its stay', { encounter: { reference: 'Encounter/e1' } }, 'Organization/stay'],
    [
      'is that of the stay of a document',
      { context: { encounter: [{ reference: 'Encounter/e1' }] } },
      'Organization/stay',
    ],
    ['is that of the stay of a dispensation', { context: { reference: 'Encounter/e1' } }, 'Organization/stay'],
    ['is that which keeps the document', { custodian: { reference: 'Organization/keeper' } }, 'Organization/keeper'],
    ['is that of the care team', { managingOrganization: [{ reference: 'Organization/team' }] }, 'Organization/team'],
    ['is that of the patient, where nothing else is known', {}, 'Organization/home'],
    ['is no practitioner', { managingOrganization: { reference: 'Practitioner/x' } }, 'Organization/home'],
  ])('%s', (_what, more, site) => {
    expect(siteOf(record, { resourceType: 'DocumentReference', id: 'd', ...more })).toBe(site);
  });
});
