/**
 * How IHE XDS describes a document (ITI TF-3 section 4.2): what METADATA.XML of an archive says and our own writer lets it say,
 * and the names of its classifications. Texts are as they travel (CX, XCN, XON, HL7 times); who reads them knows what they mean.
 */

/** A code in a scheme; `system` is an OID where it has one. */
export interface XdsCode {
  readonly code: string;
  readonly system: string;
  readonly display: string | undefined;
}

/** HL7 v2 texts: XCN, XON. */
export interface XdsAuthor {
  readonly person: string | undefined;
  readonly institutions: readonly string[];
  readonly role: string | undefined;
  readonly specialty: string | undefined;
}

export interface XdsDescription {
  readonly mimeType: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly languageCode: string | undefined;
  /** HL7 times in UTC, at most to the second. */
  readonly creationTime: string | undefined;
  readonly serviceStartTime: string | undefined;
  readonly serviceStopTime: string | undefined;
  readonly sourcePatientId: string | undefined;
  /** `PID-5|...`, one text for each field. */
  readonly sourcePatientInfo: readonly string[];
  readonly authors: readonly XdsAuthor[];
  readonly legalAuthenticator: string | undefined;
  readonly classCode: XdsCode | undefined;
  readonly typeCode: XdsCode | undefined;
  readonly formatCode: XdsCode | undefined;
  readonly facilityType: XdsCode | undefined;
  readonly practiceSetting: XdsCode | undefined;
  readonly events: readonly XdsCode[];
  readonly confidentiality: readonly XdsCode[];
  /** Targets of its RPLC associations: entry UUIDs or unique ids. */
  readonly replaces: readonly string[];
  /** URL of the DocumentReference, by which this server knows it again. */
  readonly origin?: string | undefined;
}

/** Schemes of a document's classifications and external identifiers, and the node that makes a package a submission set. */
export const xdsSchemes = {
  author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
  classCode: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a',
  confidentiality: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
  event: 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
  formatCode: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
  facilityType: 'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
  patientId: 'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427',
  practiceSetting: 'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead',
  submissionSet: 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd',
  typeCode: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
  uniqueId: 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab',
} as const;

/** A slot of our own, as XDS allows them (ITI TF-3 section 4.2.3.1.6). */
export const originSlot = 'urn:suture:document-reference';
