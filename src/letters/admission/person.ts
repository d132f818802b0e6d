/**
 * PID (and ROL) of an ADT message -> Patient in the shape of FR Core.
 *
 *   PID-3 -> identifier: INS, PI          PID-5 -> name (L official, D usual)        PID-7, 8 -> birthDate, gender
 *   PID-11 -> address; BDL -> birthPlace  PID-13, 14 -> telecom                     PID-29, 30 -> deceased
 *   PID-32 -> extension identity-reliability                     ROL ODRP -> generalPractitioner (médecin traitant)
 *
 * Emptied by `""`: address, telecom, death. The traits that tell who somebody is are corrected, never emptied.
 */
import type { Address, ContactPoint, Extension, HumanName, Identifier, Patient, Reference } from 'fhir/r4.js';
import {
  componentOf,
  isEmptied,
  type Hl7Message,
  type Hl7Segment,
  readDateTime,
  repetitionsOf,
  valueOf,
} from '../../formats/index.ts';
import { codeSystems } from '../codes.ts';
import { element } from '../element.ts';
import { insAuthority } from '../ins.ts';

const core = 'https://hl7.fr/ig/fhir/core';
export const reliabilityExtension = `${core}/StructureDefinition/fr-core-identity-reliability`;
const birthListExtension = `${core}/StructureDefinition/fr-core-patient-birth-list-given-name`;
const inseeExtension = `${core}/StructureDefinition/fr-core-address-insee-code`;
const birthPlaceExtension = 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace';
const reliabilitySystem = `${core}/CodeSystem/fr-core-cs-v2-0445`;
const reliabilityCodes =
  /^(?:VIDE|PROV|VALI|DOUB|DESA|DPOT|DOUA|COLP|COLV|FILI|CACH|ANOM|IDVER|RECD|IDRA|USUR|HOMD|HOMA|INVA|FICT|DOUT)$/;

export function readPerson(message: Hl7Message, generalPractitioner: Reference | undefined, zone: string): Patient {
  const pid = message.segments.find(({ name }) => name === 'PID');
  const repeated = (field: number) => repetitionsOf(message, pid, field);
  const birth = valueOf(message, pid, 7);
  return element<Patient>({
    resourceType: 'Patient',
    extension: [...reliability(repeated(32)), ...repeated(11).flatMap((xad) => birthPlace(message, xad))],
    identifier: readNumbers(message, pid, 3),
    name: repeated(5).flatMap((xpn) => readName(message, xpn)),
    telecom: [...repeated(13), ...repeated(14)].flatMap((xtn) => readTelecom(message, xtn)),
    gender: genders.get(valueOf(message, pid, 8)),
    birthDate: dayOf(birth, zone),
    address: repeated(11).flatMap((xad) => readAddress(message, xad)),
    generalPractitioner: generalPractitioner && [generalPractitioner],
    ...deceased(message, pid, zone),
  });
}

export type EmptiedTrait = 'address' | 'telecom' | 'deceased';

/** What the message says is not so any more. */
export function readEmptied(message: Hl7Message): readonly EmptiedTrait[] {
  const pid = message.segments.find(({ name }) => name === 'PID');
  const places: readonly (readonly [trait: EmptiedTrait, fields: readonly number[]])[] = [
    ['address', [11]],
    ['telecom', [13, 14]],
    ['deceased', [29, 30]],
  ];
  return places.flatMap(([trait, fields]) => (fields.some((field) => isEmptied(message, pid, field)) ? [trait] : []));
}

const genders: ReadonlyMap<string, Patient['gender']> = new Map([
  ['M', 'male'],
  ['F', 'female'],
  ['O', 'other'],
  ['A', 'other'],
  ['U', 'unknown'],
]);

/** A FHIR date of the precision that was sent; an unknown month or day is 00 in France. */
function dayOf(ts: string, zone: string): string | undefined {
  const known = ts.slice(0, 8).replace(/(?:00){1,2}$/, '');
  const read = readDateTime(known, zone);
  return read.kind === 'dateTime' ? read.value : undefined;
}

function deceased(message: Hl7Message, pid: Hl7Segment | undefined, zone: string): Pick<Patient, 'deceasedBoolean'> {
  const at = readDateTime(valueOf(message, pid, 29), zone);
  if (at.kind === 'dateTime') return { deceasedDateTime: at.value } as Pick<Patient, 'deceasedBoolean'>;
  return valueOf(message, pid, 30) === 'Y' ? { deceasedBoolean: true } : {};
}

/** What an authority of HL7 v2 is called: its OID, else a name of ours under its own number. */
export function authorityUri(message: Hl7Message, cx: string, component: number, kind: string): string | undefined {
  const [name, id, type] = [1, 2, 3].map((part) => componentOf(message, cx, component, part));
  if (type === 'ISO' && /^[0-2](?:\.\d+)+$/.test(id ?? '')) return `urn:oid:${id}`;
  const own = id || name;
  return own ? `https://suture.example/fhir/sid/hl7v2/${encodeURIComponent(own)}/${kind}` : undefined;
}

/** Identifiers of a person; a number whose authority nobody names could be anybody's and is left out. */
export function readNumbers(message: Hl7Message, segment: Hl7Segment | undefined, field: number): Identifier[] {
  return repetitionsOf(message, segment, field).flatMap((cx): Identifier[] => {
    const value = componentOf(message, cx, 1);
    const kind = componentOf(message, cx, 5) || 'PI';
    const system = authorityUri(message, cx, 4, kind);
    if (value === '' || system === undefined) return [];
    const ins = insAuthority(system);
    if (ins === undefined)
      return [{ use: 'usual', type: { coding: [{ system: codeSystems.identifierType, code: 'PI' }] }, system, value }];
    return [
      { use: 'official', type: { coding: [{ system: codeSystems.frIdentifierType, code: ins.type }] }, system, value },
    ];
  });
}

/** XPN: family, first given name at birth, all given names, ..., type. */
function readName(message: Hl7Message, xpn: string): HumanName[] {
  const at = (component: number) => componentOf(message, xpn, component);
  const family = componentOf(message, xpn, 1, 1);
  const [given, list] = [at(2), at(3)];
  if (family === '' && given === '') return [];
  const isLegal = at(7) === '' || at(7) === 'L';
  const isComplete = given === '' || list === given || list.startsWith(`${given} `);
  const extension: Extension[] =
    isLegal && list !== '' ? [{ url: birthListExtension, valueString: isComplete ? list : `${given} ${list}` }] : [];
  return [
    element<HumanName>({
      extension,
      use: isLegal ? 'official' : 'usual',
      family: family || undefined,
      given: given ? [given] : [],
    }),
  ];
}

/** XAD; what PAM France calls BDL is the place of birth, its ninth component the INSEE code. */
function readAddress(message: Hl7Message, xad: string): Address[] {
  const at = (component: number) => componentOf(message, xad, component) || undefined;
  if (at(7) === 'BDL' || at(7) === 'BR' || at(7) === 'N') return [];
  const line = [componentOf(message, xad, 1, 1), at(2) ?? ''].filter((text) => text !== '');
  const address = element<Address>({
    use: at(7) === 'H' ? 'home' : at(7) === 'O' || at(7) === 'B' ? 'work' : at(7) === 'C' ? 'temp' : undefined,
    line,
    city: at(3),
    state: at(4),
    postalCode: at(5),
    country: at(6),
  });
  return Object.keys(address).some((name) => name !== 'use') ? [address] : [];
}

function birthPlace(message: Hl7Message, xad: string): Extension[] {
  const at = (component: number) => componentOf(message, xad, component) || undefined;
  if (at(7) !== 'BDL') return [];
  const insee = at(9);
  const valueAddress = element<Address>({
    extension: insee ? [{ url: inseeExtension, valueCoding: { system: codeSystems.commune, code: insee } }] : [],
    city: at(3),
    country: at(6),
  });
  return Object.keys(valueAddress).length > 0 ? [{ url: birthPlaceExtension, valueAddress }] : [];
}

/** XTN: number or mail address, kind in the third component. */
function readTelecom(message: Hl7Message, xtn: string): ContactPoint[] {
  const at = (component: number) => componentOf(message, xtn, component);
  const mail = at(4);
  if (mail !== '') return [{ system: 'email', value: mail }];
  const value = at(12) || at(1);
  if (value === '') return [];
  const kind = at(3);
  const use = kind === 'CP' ? 'mobile' : at(2) === 'WPN' ? 'work' : 'home';
  return [{ system: kind === 'FX' ? 'fax' : 'phone', value, use }];
}

/** PID-32; the first code that FR Core knows. */
function reliability(codes: readonly string[]): Extension[] {
  const code = codes.find((one) => reliabilityCodes.test(one));
  if (code === undefined) return [];
  return [
    {
      url: reliabilityExtension,
      extension: [{ url: 'identityStatus', valueCoding: { system: reliabilitySystem, code } }],
    },
  ];
}
