/**
 * A CDA R2 document (ISO/HL7 27932) as a plain value: the header of the French "Structuration minimale" completely,
 * the body as sections whose narrative and entries stay trees. Times are FHIR dateTimes already, with the precision
 * they came with; everything else is as written. `undefined` = absent or nullFlavor.
 */
import type { XmlElement } from '../xml-tree.ts';

/** HL7 II. `root` is an OID or a UUID. */
export interface InstanceIdentifier {
  readonly root: string;
  readonly extension: string | undefined;
}

/** HL7 CD and its restrictions. `system` is an OID. */
export interface CodedValue {
  readonly code: string | undefined;
  readonly system: string | undefined;
  readonly display: string | undefined;
  readonly originalText: string | undefined;
  readonly translations: readonly CodedValue[];
}

/** HL7 IVL_TS; a point in time has start = end. */
export interface TimeInterval {
  readonly start: string | undefined;
  readonly end: string | undefined;
}

export interface NamePart {
  readonly text: string;
  /** BR at birth, CL called, SP of the spouse; undefined = not said. */
  readonly qualifier: string | undefined;
}

/** HL7 PN; parts of one kind in document order, whatever their order among others. */
export interface PersonName {
  readonly families: readonly NamePart[];
  readonly givens: readonly NamePart[];
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
  /** The text of a name without parts. */
  readonly text: string | undefined;
}

/** HL7 TEL: `tel:0147150000`. */
export interface Telecom {
  readonly value: string;
  readonly use: string | undefined;
}

/** HL7 AD, its parts by CDA name in document order (`streetName`, `postalCode`, ...). */
export interface PostalAddress {
  readonly use: string | undefined;
  readonly parts: readonly { readonly name: string; readonly text: string }[];
}

export interface OrganizationParty {
  readonly ids: readonly InstanceIdentifier[];
  readonly name: string | undefined;
  readonly telecoms: readonly Telecom[];
  readonly addresses: readonly PostalAddress[];
  /** standardIndustryClassCode: in France the practice setting. */
  readonly industry: CodedValue | undefined;
  readonly partOf: OrganizationParty | undefined;
}

/** Whoever takes part, whatever CDA calls the role: person, device or organization in its own right. */
export interface Party {
  readonly classCode: string | undefined;
  readonly ids: readonly InstanceIdentifier[];
  readonly code: CodedValue | undefined;
  readonly telecoms: readonly Telecom[];
  readonly addresses: readonly PostalAddress[];
  readonly name: PersonName | undefined;
  readonly device: { readonly model: string | undefined; readonly software: string | undefined } | undefined;
  readonly organization: OrganizationParty | undefined;
}

export interface Participation {
  readonly typeCode: string | undefined;
  readonly functionCode: CodedValue | undefined;
  readonly time: TimeInterval | undefined;
  readonly party: Party;
}

export interface Guardian {
  readonly name: PersonName | undefined;
  readonly telecoms: readonly Telecom[];
  readonly addresses: readonly PostalAddress[];
  readonly organization: OrganizationParty | undefined;
}

export interface PatientRole {
  readonly ids: readonly InstanceIdentifier[];
  readonly addresses: readonly PostalAddress[];
  readonly telecoms: readonly Telecom[];
  readonly names: readonly PersonName[];
  readonly gender: CodedValue | undefined;
  /** FHIR date. */
  readonly birthTime: string | undefined;
  readonly birthplace: { readonly name: string | undefined; readonly address: PostalAddress | undefined } | undefined;
  readonly guardians: readonly Guardian[];
  readonly provider: OrganizationParty | undefined;
}

export interface RelatedDocument {
  /** RPLC, APND or XFRM. */
  readonly typeCode: string | undefined;
  readonly ids: readonly InstanceIdentifier[];
}

export interface ServiceEvent {
  readonly code: CodedValue | undefined;
  readonly time: TimeInterval | undefined;
  readonly performers: readonly Participation[];
}

export interface EncompassingEncounter {
  readonly ids: readonly InstanceIdentifier[];
  readonly code: CodedValue | undefined;
  readonly time: TimeInterval | undefined;
  readonly dischargeDisposition: CodedValue | undefined;
  readonly participants: readonly Participation[];
  readonly facility: Facility | undefined;
}

export interface Facility {
  readonly ids: readonly InstanceIdentifier[];
  readonly code: CodedValue | undefined;
  readonly name: string | undefined;
  readonly address: PostalAddress | undefined;
  readonly organization: OrganizationParty | undefined;
}

export interface Section {
  readonly ids: readonly InstanceIdentifier[];
  readonly templateIds: readonly string[];
  readonly code: CodedValue | undefined;
  readonly title: string | undefined;
  /** The narrative block. */
  readonly text: XmlElement | undefined;
  /** The clinical statements (`observation`, `substanceAdministration`, ...), one per entry. */
  readonly entries: readonly XmlElement[];
  readonly sections: readonly Section[];
}

export type Body =
  | { readonly kind: 'structured'; readonly sections: readonly Section[] }
  | {
      readonly kind: 'unstructured';
      readonly mediaType: string;
      /** The file, decoded when it is asked for: up to `bytesMax`, else whole. */
      readonly read: (bytesMax?: number) => Uint8Array;
    };

export interface ClinicalDocument {
  readonly templateIds: readonly InstanceIdentifier[];
  readonly id: InstanceIdentifier;
  readonly code: CodedValue;
  readonly title: string | undefined;
  readonly effectiveTime: string;
  /** As many as were sent; the schema allows one. */
  readonly confidentialityCodes: readonly CodedValue[];
  readonly language: string | undefined;
  readonly setId: InstanceIdentifier | undefined;
  readonly versionNumber: number | undefined;
  readonly patient: PatientRole;
  readonly authors: readonly Participation[];
  readonly dataEnterer: Participation | undefined;
  readonly informants: readonly Participation[];
  readonly custodian: OrganizationParty | undefined;
  readonly recipients: readonly Participation[];
  readonly legalAuthenticator: Participation | undefined;
  readonly authenticators: readonly Participation[];
  readonly participants: readonly Participation[];
  readonly orders: readonly InstanceIdentifier[];
  readonly events: readonly ServiceEvent[];
  readonly relatedDocuments: readonly RelatedDocument[];
  readonly encounter: EncompassingEncounter | undefined;
  readonly body: Body;
}
