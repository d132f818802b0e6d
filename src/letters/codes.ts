/** HL7 v3 codes -> FHIR codings. A code whose system has no FHIR name keeps its OID: source codes are never guessed at. */
import type { CodeableConcept, Coding } from 'fhir/r4.js';
import type { CodedValue } from '../formats/index.ts';
import { element } from './element.ts';

const nos = (table: string): string => `https://mos.esante.gouv.fr/NOS/${table}/FHIR/${table.replace('_', '-')}`;

export const codeSystems = {
  loinc: 'http://loinc.org',
  actCode: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  confidentiality: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  participationType: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  visibility: nos('TRE_A07-StatutVisibiliteDocument'),
  documentClass: nos('TRE_A03-ClasseDocument'),
  formatComplement: nos('TRE_A06-FormatCodeComplementaire'),
  formatIhe: nos('TRE_A11-IheFormatCode'),
  commune: nos('TRE_R13-CommuneOM'),
  contactRole: nos('TRE_R260-HL7RoleClass'),
  frIdentifierType: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203',
  frVisitNumberType: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identifier-type',
  identifierType: 'http://terminology.hl7.org/CodeSystem/v2-0203',
} as const;

/** OIDs of code systems in CDA. */
export const oids = {
  loinc: '2.16.840.1.113883.6.1',
  actCode: '2.16.840.1.113883.5.4',
  confidentiality: '2.16.840.1.113883.5.25',
  visibility: '1.2.250.1.213.1.1.4.13',
  documentTypeComplement: '1.2.250.1.213.1.1.4.12',
} as const;

const systemByOid: ReadonlyMap<string, string> = new Map([
  [oids.loinc, codeSystems.loinc],
  [oids.actCode, codeSystems.actCode],
  [oids.confidentiality, codeSystems.confidentiality],
  [oids.visibility, codeSystems.visibility],
  [oids.documentTypeComplement, nos('TRE_A05-TypeDocComplementaire')],
  ['2.16.840.1.113883.6.96', 'http://snomed.info/sct'],
  ['2.16.840.1.113883.6.3', 'http://hl7.org/fhir/sid/icd-10'],
  ['2.16.840.1.113883.6.73', 'http://www.whocc.no/atc'],
  ['2.16.840.1.113883.5.88', 'http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction'],
  ['2.16.840.1.113883.5.111', 'http://terminology.hl7.org/CodeSystem/v3-RoleCode'],
  ['1.2.250.1.213.1.1.4.1', codeSystems.documentClass],
  ['1.2.250.1.213.1.1.4.9', nos('TRE_A01-CadreExercice')],
  ['1.2.250.1.71.4.2.4', nos('TRE_R02-SecteurActivite')],
  ['2.16.840.1.113883.5.7', 'http://terminology.hl7.org/CodeSystem/v3-ActPriority'],
  ['1.2.250.1.213.1.1.4.322', 'https://smt.esante.gouv.fr/fhir/CodeSystem/terminologie-cisis'],
]);

const oidBySystem: ReadonlyMap<string, string> = new Map([...systemByOid].map(([oid, uri]) => [uri, oid]));

/** The OID of a FHIR code system, the way back of `coding`; undefined when it has none that we know. */
export function oidOf(system: string): string | undefined {
  return /^urn:oid:([0-2](?:\.\d+)+)$/.exec(system)?.[1] ?? oidBySystem.get(system);
}

export function coding({ code, system, display }: CodedValue): Coding[] {
  if (code === undefined) return [];
  // XDS names a scheme by its URI where it has no OID.
  const uri = system && (systemByOid.get(system) ?? (system.includes(':') ? system : `urn:oid:${system}`));
  return [element<Coding>({ system: uri, code, display })];
}

export function concept(value: CodedValue | undefined): CodeableConcept | undefined {
  if (value === undefined) return undefined;
  const codings = [value, ...value.translations].flatMap(coding);
  const text = value.originalText ?? (codings.length === 0 ? value.display : undefined);
  if (codings.length === 0 && text === undefined) return undefined;
  return element<CodeableConcept>({ coding: codings, text });
}
