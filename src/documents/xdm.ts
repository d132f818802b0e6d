/**
 * DocumentReference -> what an XDM archive says of its document (mapping of IHE MHD appendix and the French volet; the way back of
 * `letters/carrier.ts`):
 *
 *   masterIdentifier -> uniqueId        type, category, format -> typeCode, classCode, formatCode
 *   subject (INS) -> patientId          securityLabel -> confidentialityCode, masks with their own scheme
 *   attachment.creation -> creationTime context.period -> serviceStartTime, serviceStopTime
 *   author, authenticator -> author, legalAuthenticator     relatesTo replaces -> association RPLC
 *
 * Hash and size are of the bytes that go, whatever the DocumentReference says.
 */
import type { Address, DocumentReference, DocumentReferenceRelatesTo } from 'fhir/r4.js';
import { formatInstant } from '../base/index.ts';
import { parseXml, readClinicalDocument, type XdmDocumentToWrite, type XdmToWrite } from '../formats/index.ts';
import { entryUuidOf, oidOfUuid, uniqueIdOf, uuidOf } from './names.ts';
import { type OutgoingDocument, patientIds, patientOf, professionalOf, requirePatientId } from './outgoing.ts';
import { conceptCode, cx, hl7Time, sourcePatientInfo, xcn, xdsAuthor, xdsCode } from './xds-terms.ts';

export interface ArchiveSetting {
  /** Name and version. */
  readonly software: string;
  /** OID of this installation. */
  readonly sourceId: string;
  /** The FHIR base: makes the ids of submissions unique to this server. */
  readonly baseUrl: string;
  readonly nowMs: number;
}

/** Throws `unprocessable` when XDS cannot name the patient. */
export function describeArchive(documents: readonly OutgoingDocument[], setting: ArchiveSetting): XdmToWrite {
  const [first] = documents;
  const { sourceId, software, nowMs } = setting;
  const author = first === undefined ? undefined : professionalOf(first, first.reference.author?.[0]?.reference);
  const named = documents.map(({ reference }) => `${reference.id}/${reference.meta?.versionId ?? ''}`).join(' ');
  return {
    submission: {
      uniqueId: oidOfUuid(uuidOf(`${setting.baseUrl} submission of ${named} at ${formatInstant(nowMs)}`)),
      sourceId,
      submissionTime: hl7Time(formatInstant(nowMs)) ?? '',
      // 03: documents of a stay, 07: of care outside of one (JDV_J59).
      contentType: contentTypeOf(first),
      author: author === undefined ? undefined : xdsAuthor(author),
      intendedRecipients: [],
    },
    documents: documents.map((document) => ({
      ...describeDocument(document),
      origin: `${setting.baseUrl}/DocumentReference/${document.reference.id}`,
    })),
    sender: senderLines(first),
    software,
    writtenAtMs: nowMs,
  };
}

const contentTypes = '1.2.250.1.213.2.2';

function contentTypeOf(document: OutgoingDocument | undefined): XdmToWrite['submission']['contentType'] {
  const isStay = (document?.reference.context?.encounter ?? []).length > 0;
  return isStay
    ? { code: '03', system: contentTypes, display: 'Hospitalisation complète' }
    : { code: '07', system: contentTypes, display: 'Consultation' };
}

export function describeDocument(document: OutgoingDocument): XdmDocumentToWrite {
  const { reference, bytes } = document;
  return {
    bytes,
    entryUuid: entryUuidOf(reference),
    uniqueId:
      reference.masterIdentifier === undefined ? (ownId(document) ?? uniqueIdOf(reference)) : uniqueIdOf(reference),
    description: reference.description,
    ...describePatient(document),
    ...describeContent(document),
    ...describeContext(document),
    ...describePeople(document),
    classCode: conceptCode(reference.category?.[0]),
    typeCode: conceptCode(reference.type),
    confidentiality: (reference.securityLabel ?? []).flatMap((label) => conceptCode(label) ?? []),
    replaces: (reference.relatesTo ?? []).flatMap((relation) => replacedBy(document, relation)),
  };
}

/** The id that a CDA gives itself: whoever opens the archive holds the one against the other. */
function ownId({ reference, bytes }: OutgoingDocument): string | undefined {
  if (!/xml/.test(reference.content[0]?.attachment.contentType ?? '')) return undefined;
  const xml = parseXml(bytes);
  const read = xml.kind === 'tree' ? readClinicalDocument(xml.root, 'UTC') : undefined;
  if (read?.kind !== 'document') return undefined;
  const { root, extension } = read.document.id;
  return extension === undefined ? root : `${root}^${extension}`;
}

type Part<Name extends keyof XdmDocumentToWrite> = Pick<XdmDocumentToWrite, Name>;

function describePatient(document: OutgoingDocument): Part<'patientId' | 'sourcePatientId' | 'sourcePatientInfo'> {
  const ids = patientIds(document);
  const id = requirePatientId(document);
  return {
    patientId: cx(id),
    sourcePatientId: cx(ids.find(({ isIns }) => !isIns) ?? id),
    sourcePatientInfo: sourcePatientInfo(patientOf(document), ids),
  };
}

function describeContent({
  reference: { content, date },
}: OutgoingDocument): Part<'mimeType' | 'title' | 'languageCode' | 'creationTime' | 'formatCode'> {
  const { contentType, title, language, creation } = content[0]?.attachment ?? {};
  return {
    mimeType: contentType ?? 'application/octet-stream',
    title,
    languageCode: language,
    creationTime: hl7Time(creation ?? date),
    formatCode: xdsCode(content[0]?.format),
  };
}

function describePeople(document: OutgoingDocument): Part<'authors' | 'legalAuthenticator'> {
  const { author = [], authenticator } = document.reference;
  const signer = professionalOf(document, authenticator?.reference);
  return {
    authors: author.flatMap(({ reference }) => {
      const professional = professionalOf(document, reference);
      return professional === undefined ? [] : [xdsAuthor(professional)];
    }),
    legalAuthenticator: signer === undefined ? undefined : xcn(signer),
  };
}

function replacedBy(document: OutgoingDocument, { code, target }: DocumentReferenceRelatesTo): readonly string[] {
  if (code !== 'replaces') return [];
  const former = document.resources.get(target.reference ?? '');
  if (former !== undefined) return [entryUuidOf(former as unknown as DocumentReference)];
  return target.identifier?.value === undefined ? [] : [target.identifier.value];
}

type Context = Part<'serviceStartTime' | 'serviceStopTime' | 'facilityType' | 'practiceSetting' | 'events'>;

function describeContext({ reference: { context } }: OutgoingDocument): Context {
  return {
    serviceStartTime: hl7Time(context?.period?.start),
    serviceStopTime: hl7Time(context?.period?.end),
    facilityType: conceptCode(context?.facilityType),
    practiceSetting: conceptCode(context?.practiceSetting),
    events: (context?.event ?? []).flatMap((event) => conceptCode(event) ?? []),
  };
}

/** Name, address and telephone of whoever keeps the document. */
function senderLines(document: OutgoingDocument | undefined): readonly string[] {
  const { reference, display = 'Suture' } = document?.reference.custodian ?? {};
  const custodian = document && professionalOf(document, reference)?.organization;
  if (custodian === undefined) return [display];
  const { name = display, address, telecom = [] } = custodian;
  const numbers = telecom.flatMap(({ value }) => value ?? []);
  return [name, ...addressLines(address?.[0]), ...numbers].filter((one) => one !== '');
}

function addressLines({ line = [], postalCode = '', city = '' }: Address = {}): readonly string[] {
  return [...line, `${postalCode} ${city}`.trim()];
}
