/**
 * The synthetic territory of the benchmark: pathways of 30 resources for each patient, the same for the same seed and day.
 * Patient number n is drawn from its own chance, so any of them can be made again alone. All people and numbers are
 * invented; the INS are of the national test domain.
 */
import { createChance, type Chance } from '../../src/demo/random.ts';
import type { Person } from '../../src/demo/people.ts';
import type { Resource } from '../../src/fhir/resource.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const insSystem = 'urn:oid:1.2.250.1.213.1.4.10';
const localSystem = 'urn:oid:1.2.250.1.999.2';
const loinc = 'http://loinc.org';
const participation =
  'https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction';
const careRole = 'https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge';

const families = [
  'Abadie',
  'Bertholet',
  'Castaing',
  'Daubigny',
  'Escoffier',
  'Fontanel',
  'Garrigue',
  'Hérisson',
  'Izard',
  'Jalabert',
  'Kerouac',
  'Lamoureux',
  'Marchais',
  'Nivelle',
  'Ollivier',
  'Pradel',
  'Quentin',
  'Roussillon',
  'Sévigné',
  'Tournier',
  'Urvoy',
  'Vasseur',
  'Wagnon',
  'Xambeu',
  'Yvernault',
  'Zeller',
] as const; // prettier-ignore
const women = ['Adèle', 'Blanche', 'Clémence', 'Delphine', 'Estelle', 'Françoise', 'Gisèle', 'Hélène'] as const;
const men = ['Armand', 'Bastien', 'Cyrille', 'Damien', 'Étienne', 'Fernand', 'Gaston', 'Hugues'] as const;
const cities = ['Nantua', 'Oyonnax', 'Bellegarde', 'Gex', 'Belley', 'Ambérieu', 'Bourg', 'Trévoux'] as const;

/** Code, text, unit, lowest and highest value, category; the first are the commonest. */
const measures = [
  ['8867-4', 'Fréquence cardiaque', '/min', 50, 110, 'vital-signs'],
  ['8480-6', 'Pression artérielle systolique', 'mm[Hg]', 95, 180, 'vital-signs'],
  ['29463-7', 'Poids corporel', 'kg', 42, 110, 'vital-signs'],
  ['8310-5', 'Température', 'Cel', 36, 40, 'vital-signs'],
  ['718-7', 'Hémoglobine', 'g/dL', 7, 16, 'laboratory'],
  ['2160-0', 'Créatinine', 'umol/L', 45, 160, 'laboratory'],
  ['777-3', 'Plaquettes', '10*9/L', 60, 420, 'laboratory'],
  ['751-8', 'Neutrophiles', '10*9/L', 1, 9, 'laboratory'],
  ['1988-5', 'Protéine C réactive', 'mg/L', 1, 180, 'laboratory'],
  ['2857-1', 'PSA', 'ng/mL', 0, 30, 'laboratory'],
] as const;

export interface Territory {
  readonly people: readonly Person[];
  /** Organizations and practitioners. */
  readonly shared: readonly Resource[];
  /** Midnight (UTC) of the day of the run: pathways lie before it. */
  readonly todayMs: number;
  /** The 30 resources of patient number `n`; also of those beyond `people`, for writes. */
  pathway(n: number): readonly Resource[];
  person(n: number): Person;
  /** One more Observation of patient `n`; `variant` makes it another one. */
  observation(n: number, variant: number): Resource;
  createChance(salt: number): Chance;
}

export function createTerritory(count: number, seed: number, todayMs: number): Territory {
  const chanceOf = (salt: number) => createChance(seed * 7_919 + salt);
  const person = (n: number) => createPerson(n, chanceOf(n));
  return {
    people: Array.from({ length: count }, (_one, n) => person(n)),
    shared: sharedResources(),
    todayMs,
    person,
    pathway: (n) => tellPathway({ person: person(n), chance: chanceOf(n + 1_000_000), todayMs, n }),
    observation(n, variant) {
      const chance = chanceOf(n * 1_000 + variant);
      const draft = observation({ person: person(n), chance, todayMs, n }, variant);
      const { id: _id, ...resource } = draft;
      return resource;
    },
    createChance: chanceOf,
  };
}

const doctorCount = 60;
export const patientId = (n: number): string => `b-${String(n).padStart(6, '0')}`;
const doctor = (n: number) => `Practitioner/b-doctor-${n % doctorCount}`;
const hospital = (n: number) => `Organization/b-hospital-${n % 5}`;
const coordinator = (n: number) => `Practitioner/b-nurse-${n % 10}`;

function createPerson(n: number, chance: Chance): Person {
  const gender = chance.pick<Person['gender']>(['female', 'male']);
  const [year, month] = [chance.whole(1932, 1999), chance.whole(1, 12)];
  // 13 digits: sex, year, month, place, order; then their key, 97 - n mod 97.
  const place = 10_000 + (Math.floor(n / 900) % 80_000);
  const digits = `${gender === 'female' ? 2 : 1}${pad(year % 100)}${pad(month)}${place}${100 + (n % 900)}`;
  return {
    id: patientId(n),
    family: chance.pick(families),
    given: chance.pick(gender === 'female' ? women : men),
    gender,
    birthDate: `${year}-${pad(month)}-${pad(chance.whole(1, 28))}`,
    ins: digits + pad(97 - Number(BigInt(digits) % 97n)),
    doctor: doctor(n),
  };
}

function sharedResources(): readonly Resource[] {
  const range = (length: number) => Array.from({ length }, (_one, n) => n);
  return [
    ...range(5).map((n) => ({
      resourceType: 'Organization',
      id: `b-hospital-${n}`,
      identifier: [{ system: 'https://finess.esante.gouv.fr', value: `01009980${n}` }],
      active: true,
      name: `Centre hospitalier ${cities[n] ?? ''}`,
      address: [{ city: cities[n] ?? '', postalCode: '01000', country: 'FRA' }],
    })),
    ...range(doctorCount).map((n) => practitioner(`b-doctor-${n}`, n, families[(n * 5) % families.length] ?? '')),
    ...range(10).map((n) => practitioner(`b-nurse-${n}`, 900 + n, families[(n * 3) % families.length] ?? '')),
  ];
}

function practitioner(id: string, n: number, family: string): Resource {
  return {
    resourceType: 'Practitioner',
    id,
    identifier: [{ system: 'https://rpps.esante.gouv.fr', value: String(10_100_200_000 + n) }],
    active: true,
    name: [{ family, given: ['Dominique'], prefix: ['Dr'] }],
    telecom: [{ system: 'email', value: `${id}@medecin.mssante.example` }],
  };
}

interface Scene {
  readonly person: Person;
  readonly chance: Chance;
  readonly todayMs: number;
  readonly n: number;
}

function tellPathway(scene: Scene): readonly Resource[] {
  const { person, chance, todayMs } = scene;
  const first = todayMs - chance.whole(30, 200) * dayMs + 9 * hourMs;
  const second = todayMs - chance.whole(2, 20) * dayMs + 10 * hourMs;
  const isOut = chance.next() < 0.8;
  const stays = [
    encounter(scene, 1, { from: first, to: first + chance.whole(2, 9) * dayMs, setting: 'IMP' }),
    encounter(scene, 2, { from: second, to: isOut ? second + 2 * dayMs - 4 * hourMs : undefined, setting: 'IMP' }),
    encounter(scene, 3, { from: first + 20 * dayMs, to: first + 20 * dayMs + hourMs, setting: 'AMB' }),
  ];
  return [
    patient(scene),
    careTeam(scene, first),
    carePlan(scene, first),
    ...stays,
    ...Array.from({ length: 13 }, (_one, variant) => ({
      ...observation(scene, variant),
      id: `${person.id}-obs-${variant}`,
      encounter: { reference: `Encounter/${person.id}-enc-${1 + (variant % 3)}` },
    })),
    condition(scene, 1, ['C50.9', 'Tumeur maligne du sein'], first),
    condition(scene, 2, ['I10', 'Hypertension essentielle'], first),
    medication(scene, 1, 'Létrozole 2,5 mg', first),
    medication(scene, 2, 'Ramipril 5 mg', first),
    serviceRequest(scene, first),
    appointment(scene, second),
    communication(scene, 1, first + 10 * dayMs),
    communication(scene, 2, second + dayMs),
    task(scene, 1, first, 'completed'),
    task(scene, 2, second, chance.pick(['requested', 'accepted', 'in-progress'])),
    documentReference(scene, first),
  ];
}

function patient({ person, chance, n }: Scene): Resource {
  return {
    resourceType: 'Patient',
    id: person.id,
    extension: [
      {
        url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
        extension: [
          {
            url: 'identityStatus',
            valueCoding: { system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445', code: 'VALI' },
          },
        ],
      },
    ],
    identifier: [
      {
        use: 'official',
        type: {
          coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identifier-type', code: 'INS-NIR' }],
        },
        system: insSystem,
        value: person.ins,
      },
      { use: 'usual', system: localSystem, value: `IPP${String(n).padStart(8, '0')}` },
    ],
    active: true,
    name: [{ use: 'official', family: person.family, given: [person.given] }],
    telecom: [
      { system: 'phone', value: phone(n, 0), use: 'mobile' },
      { system: 'email', value: `${person.id}@patient.mssante.example` },
    ],
    gender: person.gender,
    birthDate: person.birthDate,
    address: [{ use: 'home', line: [`${1 + (n % 90)} rue du Moulin`], city: chance.pick(cities), postalCode: '01200' }],
    generalPractitioner: [{ reference: person.doctor }],
    managingOrganization: { reference: hospital(n) },
  };
}

export function phone(n: number, variant: number): string {
  return `06${String((n * 31 + variant * 7_919) % 100_000_000).padStart(8, '0')}`;
}

function careTeam({ person, n }: Scene, startMs: number): Resource {
  return {
    resourceType: 'CareTeam',
    id: `${person.id}-team`,
    status: 'active',
    name: 'Cercle de soins',
    subject: subject(person),
    period: { start: instant(startMs) },
    participant: [
      { role: [{ coding: [{ system: participation, code: 'PCP' }] }], member: { reference: person.doctor } },
      { role: [{ coding: [{ system: careRole, code: '330' }] }], member: { reference: coordinator(n) } },
    ],
    managingOrganization: [{ reference: hospital(n) }],
  };
}

function carePlan({ person }: Scene, startMs: number): Resource {
  return {
    resourceType: 'CarePlan',
    id: `${person.id}-plan`,
    status: 'active',
    intent: 'plan',
    category: [{ text: 'Programme personnalisé de soins' }],
    title: 'Programme personnalisé de soins',
    subject: subject(person),
    period: { start: instant(startMs) },
    created: instant(startMs),
    author: { reference: person.doctor },
    careTeam: [{ reference: `CareTeam/${person.id}-team` }],
    activity: [
      { detail: { kind: 'ServiceRequest', status: 'scheduled', description: 'Bilan biologique avant chaque cure' } },
      { detail: { kind: 'Appointment', status: 'scheduled', description: "Consultation d'annonce" } },
    ],
  };
}

interface Stay {
  readonly from: number;
  readonly to: number | undefined;
  readonly setting: 'IMP' | 'AMB';
}

function encounter({ person, n }: Scene, number: number, { from, to, setting }: Stay): Resource {
  const id = `${person.id}-enc-${number}`;
  return {
    resourceType: 'Encounter',
    id,
    identifier: [{ system: localSystem, value: `SEJ${id}` }],
    status: to === undefined ? 'in-progress' : 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: setting },
    subject: subject(person),
    participant: [{ individual: { reference: doctor(n + number) } }],
    period: { start: instant(from), ...(to === undefined ? {} : { end: instant(to) }) },
    reasonCode: [{ text: setting === 'IMP' ? 'Chirurgie programmée' : 'Consultation de suivi' }],
    serviceProvider: { reference: hospital(n) },
  };
}

function observation({ person, chance, todayMs, n }: Scene, variant: number): Resource {
  // The square makes the first measures the commonest, as in a real record.
  const [code, text, unit, low, high, category] =
    measures[Math.floor(chance.next() ** 2 * measures.length)] ?? measures[0];
  const at = todayMs - chance.whole(1, 200) * dayMs + chance.whole(6, 20) * hourMs + variant * 60_000;
  return {
    resourceType: 'Observation',
    id: `${person.id}-obs-${variant}`,
    status: 'final',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: category }] }],
    code: { coding: [{ system: loinc, code, display: text }], text },
    subject: subject(person),
    effectiveDateTime: instant(at),
    issued: instant(at + hourMs),
    performer: [{ reference: doctor(n) }],
    valueQuantity: { value: chance.whole(low, high), unit, system: 'http://unitsofmeasure.org', code: unit },
  };
}

function condition(
  { person, n }: Scene,
  number: number,
  [code, text]: readonly [string, string],
  ms: number,
): Resource {
  const clinical = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
  return {
    resourceType: 'Condition',
    id: `${person.id}-cond-${number}`,
    clinicalStatus: { coding: [{ system: clinical, code: 'active' }] },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code, display: text }], text },
    subject: subject(person),
    encounter: { reference: `Encounter/${person.id}-enc-1` },
    onsetDateTime: instant(ms).slice(0, 10),
    recorder: { reference: doctor(n) },
  };
}

function medication({ person, n }: Scene, number: number, text: string, ms: number): Resource {
  return {
    resourceType: 'MedicationRequest',
    id: `${person.id}-med-${number}`,
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: { text },
    subject: subject(person),
    encounter: { reference: `Encounter/${person.id}-enc-1` },
    authoredOn: instant(ms),
    requester: { reference: doctor(n) },
    dosageInstruction: [
      { text: 'Un comprimé par jour', timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } } },
    ],
  };
}

function serviceRequest({ person, n }: Scene, ms: number): Resource {
  return {
    resourceType: 'ServiceRequest',
    id: `${person.id}-req`,
    status: 'active',
    intent: 'order',
    code: { text: "Demande d'appui à la coordination" },
    subject: subject(person),
    encounter: { reference: `Encounter/${person.id}-enc-1` },
    authoredOn: instant(ms),
    requester: { reference: person.doctor },
    performer: [{ reference: coordinator(n) }],
  };
}

function appointment({ person }: Scene, ms: number): Resource {
  const start = ms + 40 * dayMs;
  return {
    resourceType: 'Appointment',
    id: `${person.id}-app`,
    status: 'booked',
    description: 'Consultation de contrôle',
    start: instant(start),
    end: instant(start + hourMs / 2),
    participant: [
      { actor: { reference: `Patient/${person.id}` }, status: 'accepted' },
      { actor: { reference: person.doctor }, status: 'accepted' },
    ],
  };
}

function communication({ person, n }: Scene, number: number, ms: number): Resource {
  return {
    resourceType: 'Communication',
    id: `${person.id}-com-${number}`,
    status: 'completed',
    category: [{ text: 'Message de coordination' }],
    subject: subject(person),
    about: [{ reference: `CarePlan/${person.id}-plan` }],
    sent: instant(ms),
    received: instant(ms + hourMs),
    recipient: [{ reference: person.doctor }],
    sender: { reference: coordinator(n) },
    payload: [{ contentString: 'Le plan de soins a été mis à jour après la dernière consultation.' }],
  };
}

function task({ person, n }: Scene, number: number, ms: number, status: string): Resource {
  return {
    resourceType: 'Task',
    id: `${person.id}-task-${number}`,
    status,
    intent: 'order',
    description: 'Appeler le patient après sa sortie',
    focus: { reference: `Encounter/${person.id}-enc-${number}` },
    for: subject(person),
    authoredOn: instant(ms),
    lastModified: instant(ms + hourMs),
    requester: { reference: person.doctor },
    owner: { reference: coordinator(n) },
  };
}

function documentReference({ person, n }: Scene, ms: number): Resource {
  return {
    resourceType: 'DocumentReference',
    id: `${person.id}-doc`,
    status: 'current',
    type: { coding: [{ system: loinc, code: '11502-2', display: "CR d'examens biologiques" }] },
    subject: subject(person),
    date: instant(ms + dayMs),
    author: [{ reference: doctor(n) }],
    custodian: { reference: hospital(n) },
    content: [{ attachment: { contentType: 'application/pdf', url: `https://archive.example/${person.id}.pdf` } }],
    context: { encounter: [{ reference: `Encounter/${person.id}-enc-1` }] },
  };
}

function subject(person: Person) {
  return { reference: `Patient/${person.id}` };
}

function instant(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
