/** The people and places of the synthetic territory. All invented; the INS are of the national test domain. */
import type { Resource } from '../fhir/index.ts';
import type { Chance } from './random.ts';

export const hospital = 'Organization/ch-valserine';
export const coordinator = 'Practitioner/idec-lacroix';

const testInsDomain = 'urn:oid:1.2.250.1.213.1.4.10';
const identityReliability = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability';
const identityStatusSystem = 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445';
const insTypeSystem = 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identifier-type';
export const participationFunction =
  'https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction';
export const careRole = 'https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge';

const families = [
  'Aubrac',
  'Bellecombe',
  'Cazaux',
  'Delorme',
  'Estienne',
  'Fabrègue',
  'Gaillac',
  'Hautecœur',
  'Isnard',
  'Jouvence',
] as const;
const women = ['Agathe', 'Bérénice', 'Colette', 'Denise', 'Éliane'] as const;
const men = ['Anselme', 'Barnabé', 'Célestin', 'Désiré', 'Edmond'] as const;
const doctors = ['Rivoire', 'Sabatier', 'Thévenet', 'Ussel', 'Valadier', 'Wimereux'] as const;

export interface Person {
  readonly id: string;
  readonly family: string;
  readonly given: string;
  readonly gender: 'female' | 'male';
  readonly birthDate: string;
  readonly ins: string;
  /** `Practitioner/...` of the GP. */
  readonly doctor: string;
}

export function createPerson(number: number, chance: Chance): Person {
  const gender = chance.pick<Person['gender']>(['female', 'male']);
  const year = chance.whole(1938, 1985);
  const month = chance.whole(1, 12);
  const id = `demo-${String(number).padStart(2, '0')}`;
  return {
    id,
    family: families[number % families.length] ?? 'Aubrac',
    given: (gender === 'female' ? women : men)[Math.floor(number / families.length) % 5] ?? 'Agathe',
    gender,
    birthDate: `${year}-${pad(month)}-${pad(chance.whole(1, 28))}`,
    ins: insOf({ gender, year, month, order: 100 + number }),
    doctor: `Practitioner/${doctorId(doctors[number % doctors.length] ?? doctors[0])}`,
  };
}

/** Ids have no accents. */
function doctorId(family: string): string {
  return `gp-${family
    .toLowerCase()
    .normalize('NFD')
    .replace(/[^a-z]/g, '')}`;
}

/** 13 digits and their key, 97 - n mod 97. */
function insOf(of: { gender: string; year: number; month: number; order: number }): string {
  const digits = `${of.gender === 'female' ? 2 : 1}${pad(of.year % 100)}${pad(of.month)}99100${of.order}`;
  return digits + pad(97 - Number(BigInt(digits) % 97n));
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}

/** The hospital, the coordinating nurse, the town doctors. */
export function territory(): readonly Resource[] {
  const doctorResources = doctors.map((family, index) => practitioner(doctorId(family), family, `1010000010${index}`));
  return [
    {
      resourceType: 'Organization',
      id: 'ch-valserine',
      identifier: [{ system: 'https://finess.esante.gouv.fr', value: '010099901' }],
      name: 'Centre hospitalier de la Valserine',
    },
    practitioner('idec-lacroix', 'Lacroix', '10100000200'),
    ...doctorResources,
  ];
}

function practitioner(id: string, family: string, rpps: string): Resource {
  return {
    resourceType: 'Practitioner',
    id,
    identifier: [{ system: 'https://rpps.esante.gouv.fr', value: rpps }],
    name: [{ family, given: ['Dominique'] }],
  };
}

export function patient(person: Person, isQualified: boolean): Resource {
  const status = { system: identityStatusSystem, code: isQualified ? 'VALI' : 'PROV' };
  return {
    resourceType: 'Patient',
    id: person.id,
    extension: [{ url: identityReliability, extension: [{ url: 'identityStatus', valueCoding: status }] }],
    identifier: [
      {
        use: 'official',
        type: { coding: [{ system: insTypeSystem, code: 'INS-NIR' }] },
        system: testInsDomain,
        value: person.ins,
      },
    ],
    active: true,
    name: [{ use: 'official', family: person.family, given: [person.given] }],
    gender: person.gender,
    birthDate: person.birthDate,
  };
}

export function careTeam(person: Person, start: string, hasDoctor: boolean): Resource {
  const doctorPart = {
    role: [{ coding: [{ system: participationFunction, code: 'PCP' }] }],
    member: { reference: person.doctor },
  };
  return {
    resourceType: 'CareTeam',
    id: `${person.id}-team`,
    status: 'active',
    subject: { reference: `Patient/${person.id}` },
    period: { start },
    participant: [
      ...(hasDoctor ? [doctorPart] : []),
      { role: [{ coding: [{ system: careRole, code: '330' }] }], member: { reference: coordinator } },
    ],
  };
}
