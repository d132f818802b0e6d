/**
 * METADATA.XML of an IHE XDM subset (ITI-32): documents and their submission set as an ebRIM 3.0 SubmitObjectsRequest, with the
 * classifications of IHE XDS metadata (ITI TF-3 section 4.2). Children stand in the order of the ebRIM schema: Slot, Name,
 * Description, Classification, ExternalIdentifier. Says nothing that it was not given.
 */
import { createHash } from 'node:crypto';
import { originSlot } from './xdm-entry.ts';
import { escapeXml, tag } from './xml-write.ts';

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

export interface XdmDocumentToWrite {
  readonly bytes: Uint8Array;
  readonly mimeType: string;
  /** `urn:uuid:...` */
  readonly entryUuid: string;
  /** OID, or `root^extension`. */
  readonly uniqueId: string;
  /** HL7 CX: `value^^^&OID&ISO^NH`. */
  readonly patientId: string;
  readonly sourcePatientId: string | undefined;
  /** `PID-5|...`, one text for each field. */
  readonly sourcePatientInfo: readonly string[];
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly languageCode: string | undefined;
  /** HL7 times in UTC, at most to the second. */
  readonly creationTime: string | undefined;
  readonly serviceStartTime: string | undefined;
  readonly serviceStopTime: string | undefined;
  readonly authors: readonly XdsAuthor[];
  readonly legalAuthenticator: string | undefined;
  readonly classCode: XdsCode | undefined;
  readonly typeCode: XdsCode | undefined;
  readonly formatCode: XdsCode | undefined;
  readonly facilityType: XdsCode | undefined;
  readonly practiceSetting: XdsCode | undefined;
  readonly events: readonly XdsCode[];
  readonly confidentiality: readonly XdsCode[];
  /** Entry UUIDs or unique ids of the documents that this one replaces. */
  readonly replaces: readonly string[];
  /** URL of the DocumentReference, by which this server knows it again. */
  readonly origin?: string | undefined;
}

export interface XdmSubmission {
  /** OIDs. */
  readonly uniqueId: string;
  readonly sourceId: string;
  /** HL7 time in UTC. */
  readonly submissionTime: string;
  readonly contentType: XdsCode | undefined;
  readonly author: XdsAuthor | undefined;
  /** HL7 `XON|XCN|XTN`. */
  readonly intendedRecipients: readonly string[];
}

const uuid = {
  stableDocument: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  submissionSet: 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd',
  author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
  classCode: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a',
  confidentiality: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
  event: 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
  formatCode: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
  facilityType: 'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
  practiceSetting: 'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead',
  typeCode: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
  patientId: 'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427',
  uniqueId: 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab',
  setAuthor: 'urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d',
  setContentType: 'urn:uuid:aa543740-bdda-424e-8c96-df4873be8500',
  setPatientId: 'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446',
  setSourceId: 'urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832',
  setUniqueId: 'urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8',
} as const;

const approved = 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved';
const objects = 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:';
const hasMember = 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember';
const replacement = 'urn:ihe:iti:2007:AssociationType:RPLC';

/** `documents` with the name of their file in the subset. */
export function writeXdmMetadata(
  submission: XdmSubmission,
  documents: readonly (XdmDocumentToWrite & { readonly fileName: string })[],
): string {
  const associations = documents.flatMap(({ entryUuid, replaces }, at) => [
    association(`association-${at + 1}`, hasMember, { source: setId, target: entryUuid }, [
      slot('SubmissionSetStatus', ['Original']),
    ]),
    ...replaces.map((target, of) =>
      association(`replacement-${at + 1}-${of + 1}`, replacement, { source: entryUuid, target }, []),
    ),
  ]);
  const list = tag(
    'RegistryObjectList',
    {},
    ...documents.map(documentObject),
    submissionSet(submission, documents[0]?.patientId ?? ''),
    tag('Classification', {
      id: 'submission-set-class',
      classifiedObject: setId,
      classificationNode: uuid.submissionSet,
      objectType: `${objects}Classification`,
    }),
    ...associations,
  );
  const root = {
    'xmlns:lcm': 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0',
    xmlns: 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0',
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${tag('lcm:SubmitObjectsRequest', root, list)}\n`;
}

const setId = 'submission-set';

function association(
  id: string,
  associationType: string,
  { source, target }: { readonly source: string; readonly target: string },
  slots: readonly string[],
): string {
  const objectType = `${objects}Association`;
  return tag('Association', { id, associationType, objectType, sourceObject: source, targetObject: target }, ...slots);
}

function documentObject(document: XdmDocumentToWrite & { readonly fileName: string }): string {
  const { entryUuid: id, bytes } = document;
  const classify = classifier(id);
  return tag(
    'ExtrinsicObject',
    { id, mimeType: document.mimeType, objectType: uuid.stableDocument, status: approved },
    slot('creationTime', [document.creationTime]),
    slot('hash', [createHash('sha1').update(bytes).digest('hex')]),
    slot('languageCode', [document.languageCode]),
    slot('legalAuthenticator', [document.legalAuthenticator]),
    slot('serviceStartTime', [document.serviceStartTime]),
    slot('serviceStopTime', [document.serviceStopTime]),
    slot('size', [String(bytes.length)]),
    slot('sourcePatientId', [document.sourcePatientId]),
    slot('sourcePatientInfo', document.sourcePatientInfo),
    slot('URI', [document.fileName]),
    slot(originSlot, [document.origin]),
    text('Name', document.title),
    text('Description', document.description),
    ...document.authors.map((author) => classify(uuid.author, '', authorSlots(author))),
    ...codes(classify, uuid.classCode, [document.classCode]),
    ...codes(classify, uuid.confidentiality, document.confidentiality),
    ...codes(classify, uuid.event, document.events),
    ...codes(classify, uuid.formatCode, [document.formatCode]),
    ...codes(classify, uuid.facilityType, [document.facilityType]),
    ...codes(classify, uuid.practiceSetting, [document.practiceSetting]),
    ...codes(classify, uuid.typeCode, [document.typeCode]),
    externalId(id, uuid.patientId, 'XDSDocumentEntry.patientId', document.patientId),
    externalId(id, uuid.uniqueId, 'XDSDocumentEntry.uniqueId', document.uniqueId),
  );
}

function submissionSet(submission: XdmSubmission, patientId: string): string {
  const classify = classifier(setId);
  const { author } = submission;
  return tag(
    'RegistryPackage',
    { id: setId, objectType: `${objects}RegistryPackage`, status: approved },
    slot('intendedRecipient', submission.intendedRecipients),
    slot('submissionTime', [submission.submissionTime]),
    ...(author === undefined ? [] : [classify(uuid.setAuthor, '', authorSlots(author))]),
    ...codes(classify, uuid.setContentType, [submission.contentType]),
    externalId(setId, uuid.setPatientId, 'XDSSubmissionSet.patientId', patientId),
    externalId(setId, uuid.setSourceId, 'XDSSubmissionSet.sourceId', submission.sourceId),
    externalId(setId, uuid.setUniqueId, 'XDSSubmissionSet.uniqueId', submission.uniqueId),
  );
}

function authorSlots({ person, institutions, role, specialty }: XdsAuthor): readonly string[] {
  return [
    slot('authorPerson', [person]),
    slot('authorInstitution', institutions),
    slot('authorRole', [role]),
    slot('authorSpecialty', [specialty]),
  ];
}

type Classify = (scheme: string, code: string, content: readonly string[]) => string;

/** Classifications of one object, each with an id of its own. */
function classifier(classifiedObject: string): Classify {
  let count = 0;
  return (classificationScheme, nodeRepresentation, content) => {
    const id = `${classifiedObject.replace(/^urn:uuid:/, 'c-')}-${++count}`;
    const objectType = `${objects}Classification`;
    return tag(
      'Classification',
      { id, classificationScheme, classifiedObject, nodeRepresentation, objectType },
      ...content,
    );
  };
}

function codes(classify: Classify, scheme: string, values: readonly (XdsCode | undefined)[]): readonly string[] {
  return values.flatMap((value) => {
    if (value === undefined) return [];
    const { code, system, display } = value;
    return [classify(scheme, code, [slot('codingScheme', [system]), text('Name', display ?? code)])];
  });
}

function externalId(registryObject: string, identificationScheme: string, name: string, value: string): string {
  const id = `${registryObject.replace(/^urn:uuid:/, 'e-')}-${name.split('.')[1]}`;
  const objectType = `${objects}ExternalIdentifier`;
  return tag('ExternalIdentifier', { id, identificationScheme, objectType, registryObject, value }, text('Name', name));
}

function text(name: 'Name' | 'Description', value: string | undefined): string {
  return value === undefined ? '' : tag(name, {}, tag('LocalizedString', { value }));
}

/** Nothing for a slot without values. */
function slot(name: string, values: readonly (string | undefined)[]): string {
  const given = values.flatMap((value) =>
    value === undefined || value === '' ? [] : [tag('Value', {}, escapeXml(value))],
  );
  return given.length === 0 ? '' : tag('Slot', { name }, tag('ValueList', {}, ...given));
}
