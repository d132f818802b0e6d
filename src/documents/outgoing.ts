/** A document that leaves: what is known of it, gathered by whoever reads the record; everything here is plain data. */
import type { DocumentReference, Identifier, Organization, Patient, Practitioner, PractitionerRole } from 'fhir/r4.js';
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { insAuthority } from '../letters/index.ts';

export interface OutgoingDocument {
  readonly reference: DocumentReference;
  readonly bytes: Uint8Array;
  /** What the reference refers to, and the people and places of its roles, by `Type/id`. */
  readonly resources: ReadonlyMap<string, Resource>;
}

/** The resource behind a reference: contained, or gathered. */
export function resolve<T>(document: OutgoingDocument, reference: string | undefined): T | undefined {
  if (reference === undefined) return undefined;
  if (!reference.startsWith('#')) return document.resources.get(reference) as T | undefined;
  const contained = document.reference.contained ?? [];
  return contained.find(({ id }) => `#${id}` === reference) as T | undefined;
}

/** The patient as the document saw him, else as the record has him. */
export function patientOf(document: OutgoingDocument): Patient | undefined {
  const { context, subject } = document.reference;
  return resolve(document, context?.sourcePatientInfo?.reference) ?? resolve(document, subject?.reference);
}

const oidSystem = /^urn:oid:([0-2](?:\.\d+)+)$/;

/** Identifiers whose authority is an OID, INS first: HL7 v2 and XDS know no other. */
export function patientIds(document: OutgoingDocument): readonly PatientId[] {
  const patient = patientOf(document);
  const ids = (patient?.identifier ?? []).flatMap(({ system, value }): PatientId[] => {
    const oid = oidSystem.exec(system ?? '')?.[1];
    if (oid === undefined || value === undefined) return [];
    const ins = insAuthority(system);
    return [{ value, oid, isIns: ins !== undefined, isQualified: ins?.kind === 'production' }];
  });
  return [...ids.filter(({ isIns }) => isIns), ...ids.filter(({ isIns }) => !isIns)];
}

export interface PatientId {
  readonly value: string;
  readonly oid: string;
  readonly isIns: boolean;
  readonly isQualified: boolean;
}

/** Throws `unprocessable` when the patient has no identifier that XDS can carry. */
export function requirePatientId(document: OutgoingDocument): PatientId {
  const [first] = patientIds(document);
  if (first !== undefined) return first;
  const text = 'the patient of the document has no identifier whose system is an OID (INS, IPP): it cannot be sent';
  throw new Problem('unprocessable', text, {
    issues: [{ severity: 'error', code: 'required', text, expression: 'DocumentReference.subject' }],
  });
}

export interface Professional {
  readonly practitioner: Practitioner | undefined;
  readonly organization: Organization | undefined;
  readonly role: PractitionerRole | undefined;
}

/** Whoever a reference to a person, role or structure means. */
export function professionalOf(document: OutgoingDocument, reference: string | undefined): Professional | undefined {
  const found = resolve<Resource>(document, reference);
  switch (found?.resourceType) {
    case 'PractitionerRole': {
      const role = found as unknown as PractitionerRole;
      const practitioner = resolve<Practitioner>(document, role.practitioner?.reference);
      return { role, practitioner, organization: resolve(document, role.organization?.reference) };
    }
    case 'Practitioner':
      return { practitioner: found as unknown as Practitioner, organization: undefined, role: undefined };
    case 'Organization':
      return { practitioner: undefined, organization: found as unknown as Organization, role: undefined };
    default:
      return undefined;
  }
}

/** The value of an identifier of this system. */
export function valueIn(
  identifiers: readonly Identifier[] | undefined,
  ...systems: readonly string[]
): string | undefined {
  return systems
    .map((system) => identifiers?.find((one) => one.system === system)?.value)
    .find((one) => one !== undefined);
}
