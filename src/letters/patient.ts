/**
 * recordTarget -> Patient in the shape of FR Core.
 *
 *   patientRole/id -> identifier: INS official, the rest PI [1..*]   patient/name -> name official, usual
 *   patientRole/addr, telecom -> address, telecom                    administrativeGenderCode, birthTime -> gender, birthDate
 *   birthplace/place/addr -> extension patient-birthPlace (county = INSEE code)
 *   guardian, informant (ECON, NOK) -> contact                     participant INF with function PCP -> generalPractitioner
 */
import type { Address, Extension, Patient, PatientContact, Reference } from 'fhir/r4.js';
import type { ClinicalDocument, CodedValue, Guardian, Participation, Party, PatientRole } from '../formats/index.ts';
import { codeSystems, concept } from './codes.ts';
import { element } from './element.ts';
import { patientIdentifiers } from './identifiers.ts';
import { contactPoint, patientNames, plainName, postalAddress } from './people.ts';

const birthPlaceExtension = 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace';
const inseeExtension = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code';

export function readPatientResource(document: ClinicalDocument, generalPractitioner: readonly Reference[]): Patient {
  const { patient, informants } = document;
  return element<Patient>({
    ...readIdentity(patient),
    contact: [...patient.guardians.flatMap(guardianContact), ...informants.flatMap(relativeContact)],
    generalPractitioner: [...generalPractitioner],
  });
}

/** The patient as the letter saw him: what DocumentReference.context.sourcePatientInfo keeps, and never changes again. */
export function readSourcePatient(patient: PatientRole): Patient {
  return { ...readIdentity(patient), id: 'source-patient' };
}

function readIdentity(patient: PatientRole): Patient {
  return element<Patient>({
    resourceType: 'Patient',
    extension: birthPlace(patient.birthplace),
    identifier: patientIdentifiers(patient.ids),
    name: patient.names.flatMap(patientNames),
    telecom: patient.telecoms.map(contactPoint),
    gender: genderOf(patient.gender),
    birthDate: patient.birthTime,
    address: patient.addresses.map(postalAddress),
  });
}

function genderOf(value: CodedValue | undefined): Patient['gender'] {
  const { code } = value ?? {};
  if (code === undefined) return undefined;
  return code === 'M' ? 'male' : code === 'F' ? 'female' : code === 'UN' ? 'other' : 'unknown';
}

function birthPlace(place: PatientRole['birthplace']): Extension[] {
  if (place === undefined) return [];
  const { district, ...rest } = place.address === undefined ? {} : postalAddress(place.address);
  const insee = district && { url: inseeExtension, valueCoding: { system: codeSystems.commune, code: district } };
  const valueAddress = element<Address>({
    ...rest,
    extension: insee ? [insee] : [],
    text: rest.text ?? (rest.city === undefined ? place.name : undefined),
  });
  return [{ url: birthPlaceExtension, valueAddress }];
}

/** Who stands around the patient (TRE_R260 HL7RoleClass); a professional who informs is no contact. */
const contactRoles: ReadonlyMap<string, string> = new Map([
  ['GUARD', 'Responsable légal'],
  ['ECON', 'Personne à prévenir en cas d’urgence'],
  ['NOK', 'Personne de confiance'],
  ['CAREGIVER', 'Aidant'],
]);

function guardianContact({ organization, ...who }: Guardian): PatientContact[] {
  return contact('GUARD', { ...who, code: undefined }, organization?.name);
}

function relativeContact({ party }: Participation): PatientContact[] {
  return contact(party.classCode ?? '', party);
}

type Relative = Pick<Party, 'name' | 'telecoms' | 'addresses' | 'code'>;

function contact(role: string, who: Relative, organization?: string): PatientContact[] {
  const display = contactRoles.get(role);
  if (display === undefined) return [];
  const kinship = concept(who.code);
  const known = element<PatientContact>({
    name: who.name && plainName(who.name),
    telecom: who.telecoms.map(contactPoint),
    address: who.addresses[0] && postalAddress(who.addresses[0]),
    organization: organization === undefined ? undefined : { display: organization },
  });
  if (Object.keys(known).length === 0) return []; // pat-1: a contact has at least one of these
  const coding = [{ system: codeSystems.contactRole, code: role, display }];
  return [{ relationship: [{ coding }, ...(kinship ? [kinship] : [])], ...known }];
}

/** The médecin traitant, if the letter names one. */
export function isGeneralPractitioner({ functionCode }: Participation): boolean {
  return functionCode?.code === 'PCP';
}
