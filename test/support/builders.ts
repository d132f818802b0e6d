/** Realistic minimal resources of one stay and the people around it. All invented. */
import { readFileSync } from 'node:fs';
import type { Resource } from '../../src/fhir/index.ts';
import { adaptLetter, type LetterChanges } from './letter.ts';

export const suture = 'https://suture.example/fhir';
export const ruleSystem = `${suture}/CodeSystem/break-rule`;

const identityReliability = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability';
const participationFunction =
  'https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction';
const careRole = 'https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge';
const mailKind = 'https://mos.esante.gouv.fr/NOS/TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie';

/** Who holds which function around a patient. */
export const functions = {
  gp: { system: participationFunction, code: 'PCP' },
  dischargePhysician: { system: participationFunction, code: 'DISPHYS' },
  coordinator: { system: careRole, code: '330' },
  secretary: { system: careRole, code: '331' },
} as const;

export interface Person {
  readonly id: string;
  readonly family: string;
  readonly given: string;
  readonly birthDate: string;
  readonly gender: 'female' | 'male';
  readonly ins: { readonly root: string; readonly value: string };
}

/** INS of the national register, not of its test domain. */
const insRegister = '1.2.250.1.213.1.4.8';

/** A woman born on 17 April 1951; `number` (below 1000) tells her from the others. */
export function person(id: string, number: number): Person {
  const digits = `2510499999${String(number).padStart(3, '0')}`;
  const key = String(97 - Number(BigInt(digits) % 97n)).padStart(2, '0');
  return {
    id,
    family: 'VAUQUELIN',
    given: 'MARGUERITE',
    birthDate: '1951-04-17',
    gender: 'female',
    ins: { root: insRegister, value: digits + key },
  };
}

export function patient({ id, family, given, birthDate, gender, ins }: Person, more: object = {}): Resource {
  const status = { system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445', code: 'VALI' };
  return {
    resourceType: 'Patient',
    id,
    extension: [{ url: identityReliability, extension: [{ url: 'identityStatus', valueCoding: status }] }],
    identifier: [
      {
        use: 'official',
        type: { coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code: 'INS-NIR' }] },
        system: `urn:oid:${ins.root}`,
        value: ins.value,
      },
    ],
    active: true,
    name: [{ use: 'official', family, given: [given] }],
    gender,
    birthDate,
    ...more,
  };
}

export const hospital = 'Organization/ch-arzon';
export const gp = 'Practitioner/dr-lescop';
export const nurse = 'Practitioner/idec-morvan';

/** The hospital of the letter fixture, the town doctor, the coordinating nurse. */
export function professionals(): readonly Resource[] {
  return [
    {
      resourceType: 'Organization',
      id: 'ch-arzon',
      identifier: [{ system: 'https://finess.esante.gouv.fr', value: '990000012' }],
      name: "Centre hospitalier du Val d'Arzon",
    },
    practitioner('dr-lescop', 'LESCOP', 'Yann', '10009900029'),
    practitioner('idec-morvan', 'MORVAN', 'Claire', '10009900037'),
  ];
}

export function practitioner(id: string, family: string, given: string, rpps: string): Resource {
  return {
    resourceType: 'Practitioner',
    id,
    identifier: [{ system: 'https://rpps.esante.gouv.fr', value: rpps }],
    name: [{ family, given: [given] }],
  };
}

type Members = Partial<Record<keyof typeof functions, string>>;

export function careTeam(id: string, members: Members = { gp, coordinator: nurse }): Resource {
  return {
    resourceType: 'CareTeam',
    id: `${id}-team`,
    status: 'active',
    subject: { reference: `Patient/${id}` },
    period: { start: '2026-02-20' },
    participant: Object.entries(members).map(([name, reference]) => ({
      role: [{ coding: [functions[name as keyof typeof functions]] }],
      member: { reference },
    })),
  };
}

export function carePlan(id: string): Resource {
  return {
    resourceType: 'CarePlan',
    id: `${id}-plan`,
    status: 'active',
    intent: 'plan',
    title: 'Programme personnalisé de soins',
    subject: { reference: `Patient/${id}` },
    period: { start: '2026-02-20' },
    // Written by the GP: nobody must send it there, nor ask for approval (RUP-14, RUP-15).
    author: { reference: gp },
    careTeam: [{ reference: `CareTeam/${id}-team` }],
  };
}

const staySystem = '1.2.250.1.999.7.2';
export const admission = '2026-02-23T07:45:00+01:00';

/** In progress until it has an end. */
export function stay(id: string, end?: string, more: object = {}): Resource {
  return {
    resourceType: 'Encounter',
    id: `${id}-stay`,
    identifier: [{ system: `urn:oid:${staySystem}`, value: `SEJ-${id}` }],
    status: end === undefined ? 'in-progress' : 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject: { reference: `Patient/${id}` },
    period: end === undefined ? { start: admission } : { start: admission, end },
    serviceProvider: { reference: hospital, display: "CH du Val d'Arzon" },
    ...more,
  };
}

/** Everything around a patient up to the open stay. */
export function episode(who: Person, members?: Members): readonly Resource[] {
  return [patient(who), careTeam(who.id, members), carePlan(who.id), stay(who.id)];
}

const fixture = readFileSync(new URL('../letters/fixtures/discharge.xml', import.meta.url), 'utf8');

/** The fixture made a letter about this person's stay, written at `effectiveTime`. */
export function dischargeLetter(who: Person, end: string, effectiveTime: string, base = fixture): Uint8Array {
  return adaptLetter(base, { ...letterAbout(who, end), document: letterIds(who, effectiveTime) });
}

export function letterAbout(who: Person, end: string): Omit<LetterChanges, 'document'> {
  const { family, given, birthDate, gender } = who;
  return {
    ins: who.ins,
    traits: { family, given, birthDate, gender },
    stay: { id: { root: staySystem, extension: `SEJ-${who.id}` }, start: admission, end },
  };
}

export function letterIds(who: Person, effectiveTime: string): NonNullable<LetterChanges['document']> {
  const setId = `1.2.250.1.999.7.3.${Number(who.ins.value.slice(10, 13)) + 1000}`;
  return { id: `${setId}.1`, setId, effectiveTime };
}

/** A letter that reached the GP by secure mail. */
export function transmission(id: string, letter: string, sent: string): Resource {
  return {
    resourceType: 'Communication',
    id: `${id}-sent`,
    status: 'completed',
    medium: [{ coding: [{ system: mailKind, code: 'MSSANTE' }] }],
    subject: { reference: `Patient/${id}` },
    about: [{ reference: letter }],
    sent,
    recipient: [{ reference: gp }],
    sender: { reference: hospital },
  };
}

export function restHook(id: string, criteria: string, endpoint: string, payload?: string): Resource {
  return {
    resourceType: 'Subscription',
    id,
    status: 'requested',
    reason: 'suivi des ruptures',
    criteria,
    channel: { type: 'rest-hook', endpoint, ...(payload === undefined ? {} : { payload }) },
  };
}
