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
import { formatInstant } from '../base/index.ts';
import type { XdmDocumentToWrite, XdmToWrite } from '../formats/index.ts';
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
    documents: documents.map(describeDocument),
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
  const attachment = reference.content[0]?.attachment;
  const ids = patientIds(document);
  const id = requirePatientId(document);
  const authenticator = professionalOf(document, reference.authenticator?.reference);
  return {
    bytes,
    mimeType: attachment?.contentType ?? 'application/octet-stream',
    entryUuid: entryUuidOf(reference),
    uniqueId: uniqueIdOf(reference),
    patientId: cx(id),
    sourcePatientId: cx(ids.find(({ isIns }) => !isIns) ?? id),
    sourcePatientInfo: sourcePatientInfo(patientOf(document), ids),
    title: attachment?.title,
    description: reference.description,
    languageCode: attachment?.language,
    creationTime: hl7Time(attachment?.creation ?? reference.date),
    ...describeContext(document),
    authors: (reference.author ?? []).flatMap((one) => {
      const professional = professionalOf(document, one.reference);
      return professional === undefined ? [] : [xdsAuthor(professional)];
    }),
    legalAuthenticator: authenticator === undefined ? undefined : xcn(authenticator),
    classCode: conceptCode(reference.category?.[0]),
    typeCode: conceptCode(reference.type),
    formatCode: xdsCode(reference.content[0]?.format),
    confidentiality: (reference.securityLabel ?? []).flatMap((label) => conceptCode(label) ?? []),
    replaces: (reference.relatesTo ?? []).flatMap(({ code, target }) => {
      const former = document.resources.get(target.reference ?? '');
      const named = target.identifier?.value;
      if (code !== 'replaces') return [];
      return former === undefined ? (named ?? []) : [entryUuidOf(former as never)];
    }),
  };
}

type Context = Pick<
  XdmDocumentToWrite,
  'serviceStartTime' | 'serviceStopTime' | 'facilityType' | 'practiceSetting' | 'events'
>;

function describeContext({ reference: { context } }: OutgoingDocument): Context {
  return {
    serviceStartTime: hl7Time(context?.period?.start),
    serviceStopTime: hl7Time(context?.period?.end),
    facilityType: conceptCode(context?.facilityType),
    practiceSetting: conceptCode(context?.practiceSetting),
    events: (context?.event ?? []).flatMap((event) => conceptCode(event) ?? []),
  };
}

function senderLines(document: OutgoingDocument | undefined): readonly string[] {
  const custodian = document && professionalOf(document, document.reference.custodian?.reference)?.organization;
  if (custodian === undefined) return [document?.reference.custodian?.display ?? 'Suture'];
  const { name, address = [], telecom = [] } = custodian;
  const place = address[0];
  return [
    name ?? '',
    ...(place?.line ?? []),
    [place?.postalCode, place?.city].filter((part) => part !== undefined).join(' '),
    ...telecom.flatMap(({ value }) => value ?? []),
  ].filter((line) => line !== '');
}
