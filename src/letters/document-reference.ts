/**
 * The letter itself -> DocumentReference, by IHE MHD and PDSm.
 *
 *   id -> masterIdentifier                setId -> identifier            versionNumber -> extension (R5 element)
 *   code -> type, category by table       author -> author [0..*]       legalAuthenticator -> authenticator [0..1]
 *   custodian -> custodian                confidentialityCode and masks -> securityLabel
 *   relatedDocument -> relatesTo          serviceEvent -> context.event, period; its performer's setting -> practiceSetting
 *   healthCareFacility/code -> context.facilityType                     inFulfillmentOf/order/id -> context.related
 *   effectiveTime -> content.attachment.creation, and date where it is an instant (guides differ: both are filled)
 *   bytes -> content.attachment url, size, hash (SHA-1, as XDS has it)
 *
 * Findings are repeated extensions, not a contained OperationOutcome: a rule or a search reads them as plain elements,
 * and nothing must point at them to keep them valid (dom-3).
 */
import type {
  CodeableConcept,
  Device,
  DocumentReference,
  DocumentReferenceContext,
  DocumentReferenceRelatesTo,
  Extension,
  Period,
  Reference,
} from 'fhir/r4.js';
import type { ClinicalDocument, CodedValue, Participation, TimeInterval } from '../formats/index.ts';
import { concept } from './codes.ts';
import { classOf, formatOf } from './document-types.ts';
import { element } from './element.ts';
import { plainIdentifier } from './identifiers.ts';
import type { Labels } from './labels.ts';
import { readSourcePatient } from './patient.ts';
import type { Finding } from './plan.ts';
import type { Professionals } from './professionals.ts';

export const findingExtension = 'https://suture.example/fhir/StructureDefinition/letter-finding';
export const versionExtension = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.version';

/** What the DocumentReference says beyond the document: its bytes, and the resources it points at. */
export interface Surroundings {
  readonly bytes: { readonly size: number; readonly sha1: string; readonly url: string; readonly contentType: string };
  readonly labels: Labels;
  readonly findings: readonly Finding[];
  readonly professionals: Professionals;
  readonly patient: Reference;
  readonly encounter: Reference | undefined;
  /** Instant. */
  readonly receivedAt: string;
}

export function readDocumentReference(document: ClinicalDocument, around: Surroundings): DocumentReference {
  const { professionals } = around;
  const devices = document.authors.flatMap(readDevice);
  const category = classOf(document.code);
  return element<DocumentReference>({
    resourceType: 'DocumentReference',
    contained: [readSourcePatient(document.patient), ...devices],
    extension: [...versionOf(document), ...findingExtensions(around.findings)],
    masterIdentifier: plainIdentifier(document.id),
    identifier: document.setId && [{ type: { text: 'setId' }, ...plainIdentifier(document.setId) }],
    status: 'current',
    type: concept(document.code),
    category: category && [{ coding: [category] }],
    subject: around.patient,
    date: isInstant(document.effectiveTime) ? document.effectiveTime : around.receivedAt,
    author: document.authors
      .flatMap((author) => authorOf(author, document, around))
      .concat(devices.map(containedReference)),
    authenticator: document.legalAuthenticator && professionals.role(document.legalAuthenticator.party),
    custodian: professionals.organization(document.custodian),
    relatesTo: document.relatedDocuments.flatMap(readRelation),
    securityLabel: around.labels.codings.map((label) => ({ coding: [label] })),
    content: [{ attachment: readAttachment(document, around), format: formatOf(document) }],
    context: readContext(document, around),
  });
}

/** The version that a resource bears in that extension. */
export function versionIn(
  { extension = [] }: { readonly extension?: readonly Extension[] | undefined },
  url: string,
): number | undefined {
  const value = extension.find((one) => one.url === url)?.valueString;
  return value === undefined ? undefined : Number(value);
}

function versionOf({ versionNumber }: ClinicalDocument): Extension[] {
  return versionNumber === undefined ? [] : [{ url: versionExtension, valueString: String(versionNumber) }];
}

export function findingExtensions(findings: readonly Finding[]): Extension[] {
  return findings.map(({ code, severity, text, expression }) => {
    const parts: Extension[] = [
      { url: 'code', valueCode: code },
      { url: 'severity', valueCode: severity },
      { url: 'text', valueString: text },
    ];
    if (expression !== undefined) parts.push({ url: 'expression', valueString: expression });
    return { url: findingExtension, extension: parts };
  });
}

function isInstant(dateTime: string): boolean {
  return dateTime.includes('T');
}

/** A letter may be written by the patient; a device is contained, for nothing recognises it again. */
function authorOf({ party }: Participation, document: ClinicalDocument, around: Surroundings): Reference[] {
  if (party.device !== undefined) return [];
  const isPatient = party.ids.some((id) =>
    document.patient.ids.some(({ root, extension }) => root === id.root && extension === id.extension),
  );
  return isPatient ? [around.patient] : [around.professionals.role(party) ?? []].flat();
}

function readDevice({ party }: Participation, index: number): Device[] {
  const { model, software } = party.device ?? {};
  const name = software ?? model;
  if (party.device === undefined || name === undefined) return [];
  return [{ resourceType: 'Device', id: `device-${index + 1}`, deviceName: [{ name, type: 'model-name' }] }];
}

function containedReference({ id, deviceName }: Device): Reference {
  return element<Reference>({ reference: `#${id}`, display: deviceName?.[0]?.name });
}

const relations: ReadonlyMap<string, DocumentReferenceRelatesTo['code']> = new Map([
  ['RPLC', 'replaces'],
  ['XFRM', 'transforms'],
  ['APND', 'appends'],
]);

/** By identifier: whether the store knows the other document is for the one who stores to find out. */
function readRelation({ typeCode, ids }: ClinicalDocument['relatedDocuments'][number]): DocumentReferenceRelatesTo[] {
  const code = relations.get(typeCode ?? '');
  const id = ids[0];
  if (code === undefined || id === undefined) return [];
  return [{ code, target: { type: 'DocumentReference', identifier: plainIdentifier(id) } }];
}

function readAttachment(
  document: ClinicalDocument,
  { bytes }: Surroundings,
): DocumentReference['content'][0]['attachment'] {
  return element<DocumentReference['content'][0]['attachment']>({
    contentType: bytes.contentType,
    language: document.language,
    url: bytes.url,
    size: bytes.size,
    hash: bytes.sha1,
    title: document.title ?? document.code.display,
    creation: document.effectiveTime,
  });
}

function readContext(document: ClinicalDocument, around: Surroundings): DocumentReferenceContext {
  const { events, encounter, orders } = document;
  return element<DocumentReferenceContext>({
    encounter: around.encounter && [around.encounter],
    event: events.flatMap(({ code }): CodeableConcept[] => [concept(code) ?? []].flat()),
    period: readPeriod(events[0]?.time ?? encounter?.time),
    facilityType: concept(encounter?.facility?.code),
    practiceSetting: concept(settingOf(document)),
    sourcePatientInfo: { reference: '#source-patient' },
    related: orders.map((order) => ({ identifier: plainIdentifier(order) })),
  });
}

function readPeriod(time: TimeInterval | undefined): Period | undefined {
  return time && element<Period>({ start: time.start, end: time.end });
}

/** The setting of the first act's performer, as XDS has it; else of who answers for the document. */
function settingOf({ events, legalAuthenticator }: ClinicalDocument): CodedValue | undefined {
  const performer = events[0]?.performers[0]?.party;
  return performer?.organization?.industry ?? legalAuthenticator?.party.organization?.industry;
}
