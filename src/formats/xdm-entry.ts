/**
 * One document of METADATA.XML (an ExtrinsicObject of ebRIM 3.0) -> what it says of it in words of XDS (ITI TF-3 section 4.2): the
 * way back of `xdm-metadata.ts`. Texts stay as they came (CX, XCN, XON, HL7 times); who reads them knows what they mean.
 */
import type { XdsAuthor, XdsCode } from './xdm-metadata.ts';
import { attribute, child, children, textOf, type XmlElement } from './xml-tree.ts';

export interface XdmEntry {
  /** `urn:uuid:...`; another form is a name inside METADATA.XML and means nothing outside. */
  readonly entryUuid: string | undefined;
  /** In lower case, without parameters. */
  readonly mimeType: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly languageCode: string | undefined;
  readonly creationTime: string | undefined;
  readonly serviceStartTime: string | undefined;
  readonly serviceStopTime: string | undefined;
  readonly sourcePatientId: string | undefined;
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
  /** Targets of its RPLC associations. */
  readonly replaces: readonly string[];
  /** URL of the DocumentReference that our own writer described. */
  readonly origin: string | undefined;
}

export const schemes = {
  author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
  classCode: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a',
  confidentiality: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
  event: 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
  formatCode: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
  facilityType: 'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
  practiceSetting: 'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead',
  typeCode: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
} as const;

/** `replaces`: what the associations of the archive say of this object. */
export function readXdmEntry(object: XmlElement, replaces: readonly string[]): XdmEntry {
  const code = (scheme: string) => codesOf(object, scheme)[0];
  const id = attribute(object, 'id') ?? '';
  return {
    entryUuid: /^urn:uuid:[0-9a-f-]{36}$/i.test(id) ? id.toLowerCase() : undefined,
    mimeType: ((attribute(object, 'mimeType') ?? '').split(';')[0] ?? '').trim().toLowerCase(),
    title: localized(child(object, 'Name')),
    description: localized(child(object, 'Description')),
    languageCode: slot(object, 'languageCode'),
    creationTime: slot(object, 'creationTime'),
    serviceStartTime: slot(object, 'serviceStartTime'),
    serviceStopTime: slot(object, 'serviceStopTime'),
    sourcePatientId: slot(object, 'sourcePatientId'),
    sourcePatientInfo: slotValues(object, 'sourcePatientInfo'),
    authors: classified(object, schemes.author).map(authorOf),
    legalAuthenticator: slot(object, 'legalAuthenticator'),
    classCode: code(schemes.classCode),
    typeCode: code(schemes.typeCode),
    formatCode: code(schemes.formatCode),
    facilityType: code(schemes.facilityType),
    practiceSetting: code(schemes.practiceSetting),
    events: codesOf(object, schemes.event),
    confidentiality: codesOf(object, schemes.confidentiality),
    replaces,
    origin: slot(object, originSlot),
  };
}

/** A slot of our own, as XDS allows them (ITI TF-3 section 4.2.3.1.6). */
export const originSlot = 'urn:suture:document-reference';

export function slotValues(object: XmlElement, name: string): readonly string[] {
  const found = children(object, 'Slot').find((one) => attribute(one, 'name') === name);
  return valuesOf(found);
}

export function slot(object: XmlElement, name: string): string | undefined {
  return slotValues(object, name)[0];
}

/** The texts of a Slot. */
export function valuesOf(found: XmlElement | undefined): readonly string[] {
  return children(found, 'ValueList').flatMap((list) =>
    children(list, 'Value').flatMap((value) => textOf(value) ?? []),
  );
}

function classified(object: XmlElement, scheme: string): readonly XmlElement[] {
  return children(object, 'Classification').filter((one) => attribute(one, 'classificationScheme') === scheme);
}

export function codesOf(object: XmlElement, scheme: string): readonly XdsCode[] {
  return classified(object, scheme).flatMap((one) => {
    const code = attribute(one, 'nodeRepresentation');
    if (code === undefined || code === '') return [];
    const name = localized(child(one, 'Name'));
    // Writers without a name put the code there, which ebRIM wants to have one.
    return [{ code, system: slot(one, 'codingScheme') ?? '', display: name === code ? undefined : name }];
  });
}

function authorOf(one: XmlElement): XdsAuthor {
  return {
    person: slot(one, 'authorPerson'),
    institutions: slotValues(one, 'authorInstitution'),
    role: slot(one, 'authorRole'),
    specialty: slot(one, 'authorSpecialty'),
  };
}

function localized(name: XmlElement | undefined): string | undefined {
  return attribute(child(name, 'LocalizedString'), 'value') || undefined;
}
