/**
 * METADATA.XML of an IHE XDM subset (ITI-32): documents and their submission set as an ebRIM 3.0 SubmitObjectsRequest, with the
 * classifications of IHE XDS metadata (ITI TF-3 section 4.2). Children stand in the order of the ebRIM schema: Slot, Name,
 * Description, Classification, ExternalIdentifier. Says nothing that it was not given.
 */
import { createHash } from 'node:crypto';
import { originSlot, type XdsAuthor, type XdsCode, type XdsDescription, xdsSchemes } from './xds.ts';
import { escapeXml, tag } from './xml-write.ts';

export interface XdmDocumentToWrite extends XdsDescription {
  readonly bytes: Uint8Array;
  /** `urn:uuid:...` */
  readonly entryUuid: string;
  /** OID, or `root^extension`. */
  readonly uniqueId: string;
  /** HL7 CX: `value^^^&OID&ISO^NH`. */
  readonly patientId: string;
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
      classificationNode: xdsSchemes.submissionSet,
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
    ...document.authors.map((author) => classify(xdsSchemes.author, '', authorSlots(author))),
    ...codes(classify, xdsSchemes.classCode, [document.classCode]),
    ...codes(classify, xdsSchemes.confidentiality, document.confidentiality),
    ...codes(classify, xdsSchemes.event, document.events),
    ...codes(classify, xdsSchemes.formatCode, [document.formatCode]),
    ...codes(classify, xdsSchemes.facilityType, [document.facilityType]),
    ...codes(classify, xdsSchemes.practiceSetting, [document.practiceSetting]),
    ...codes(classify, xdsSchemes.typeCode, [document.typeCode]),
    externalId(id, xdsSchemes.patientId, 'XDSDocumentEntry.patientId', document.patientId),
    externalId(id, xdsSchemes.uniqueId, 'XDSDocumentEntry.uniqueId', document.uniqueId),
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
