/**
 * FHIR values in the words of XDS metadata (IHE ITI TF-3 section 4.2.3.1): HL7 v2 CX, XCN and XON, times in UTC, codes with the
 * OID of their scheme. French forms of national identifiers as the volet "Partage de documents" has them.
 */
import type { CodeableConcept, Coding, HumanName, Patient } from 'fhir/r4.js';
import { escapeHl7, type XdsAuthor, type XdsCode } from '../formats/index.ts';
import { oidOf, persons, structures } from '../letters/index.ts';
import { type PatientId, type Professional, valueIn } from './outgoing.ts';

/** On one line, delimiters escaped. */
function hl7Text(text: string): string {
  return escapeHl7(text.replace(/\s+/g, ' '));
}

export function cx({ value, oid, isIns }: PatientId): string {
  return `${hl7Text(value)}^^^&${oid}&ISO^${isIns ? 'NH' : 'PI'}`;
}

/** dateTime or instant -> `YYYYMMDDhhmmss` in UTC; a date without time keeps its precision. */
export function hl7Time(dateTime: string | undefined): string | undefined {
  if (dateTime === undefined) return undefined;
  if (!dateTime.includes('T')) return dateTime.replaceAll('-', '');
  const instant = new Date(dateTime);
  return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString().slice(0, 19).replace(/[-T:]/g, '');
}

export function xdsCode(coding: Coding | undefined): XdsCode | undefined {
  const { code, system = '', display } = coding ?? {};
  if (code === undefined) return undefined;
  return { code, system: oidOf(system) ?? system, display };
}

export function conceptCode(concept: CodeableConcept | undefined): XdsCode | undefined {
  return xdsCode(concept?.coding?.find(({ code }) => code !== undefined));
}

export function xdsAuthor(professional: Professional): XdsAuthor {
  const { role } = professional;
  const specialty = conceptCode(role?.specialty?.[0]);
  return {
    person: xcn(professional),
    institutions: [xon(professional)].flatMap((one) => one ?? []),
    role: undefined,
    specialty:
      specialty === undefined
        ? undefined
        : [specialty.code, specialty.display ?? '', specialty.system].map(hl7Text).join('^'),
  };
}

/** `id^family^given^^^^^^&OID&ISO^D^^^IDNPS`; undefined for a structure alone. */
export function xcn({ practitioner }: Professional): string | undefined {
  if (practitioner === undefined) return undefined;
  const { family, given } = nameOf(practitioner.name);
  const rpps = valueIn(practitioner.identifier, 'https://rpps.esante.gouv.fr', 'http://rpps.fr');
  const national =
    valueIn(practitioner.identifier, `urn:oid:${persons}`) ?? (rpps === undefined ? undefined : `8${rpps}`);
  const authority = national === undefined ? '' : `&${persons}&ISO^D^^^IDNPS`;
  return `${hl7Text(national ?? '')}^${hl7Text(family)}^${hl7Text(given)}^^^^^^${authority}`.replace(/\^+$/, '');
}

/** `name^^^^^&OID&ISO^IDNST^^^id`. */
export function xon({ organization }: Professional): string | undefined {
  if (organization === undefined) return undefined;
  const finess = valueIn(organization.identifier, 'https://finess.esante.gouv.fr', 'http://finess.sante.gouv.fr');
  const national =
    valueIn(organization.identifier, `urn:oid:${structures}`) ?? (finess === undefined ? undefined : `1${finess}`);
  const name = hl7Text(organization.name ?? '');
  return national === undefined ? name || undefined : `${name}^^^^^&${structures}&ISO^IDNST^^^${hl7Text(national)}`;
}

/** PID-3, 5, 7 and 8 of sourcePatientInfo: all names, the one at birth as type L, the one in use as D. */
export function sourcePatientInfo(patient: Patient | undefined, ids: readonly PatientId[]): readonly string[] {
  if (patient === undefined) return [];
  const names = (patient.name ?? []).map((name) => {
    const { family, given } = nameOf([name]);
    return `PID-5|${hl7Text(family)}^${hl7Text(given)}^^^^^${name.use === 'usual' ? 'D' : 'L'}`;
  });
  const gender = { male: 'M', female: 'F', other: 'O', unknown: 'U' }[patient.gender ?? 'unknown'];
  const birth = patient.birthDate === undefined ? [] : [`PID-7|${patient.birthDate.replaceAll('-', '')}`];
  return [...ids.map((id) => `PID-3|${cx(id)}`), ...names, ...birth, `PID-8|${gender}`];
}

/** Family and given names of the official name, else of the first. */
export function nameOf(names: readonly HumanName[] | undefined): { readonly family: string; readonly given: string } {
  const name = names?.find(({ use }) => use === 'official') ?? names?.[0];
  return { family: name?.family ?? name?.text ?? '', given: name?.given?.join(' ') ?? '' };
}
