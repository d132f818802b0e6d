/**
 * Simplified publish (ITI-105) and generated metadata (ITI-106) as the submissions that they stand for: document, fiche and
 * submission set in one transaction (pure).
 */
import type { Composition, DocumentReference } from 'fhir/r4.js';
import { type Issue, Problem } from '../../base/index.ts';
import type { Resource } from '../../fhir/index.ts';
import { uuidOf } from '../names.ts';
import { completed, contentFaults } from './content.ts';
import { designationExtension, listTypes, mhdProfiles, sourceIdExtension } from './profiles.ts';
import { fault } from './requirements.ts';

export interface MadeSetting {
  /** Of this server, for what it makes itself. */
  readonly sourceId: string;
  /** Instant. */
  readonly at: string;
}

const minimalBundle = `${mhdProfiles}IHE.MHD.Minimal.ProvideBundle`;
const minimalFiche = `${mhdProfiles}IHE.MHD.Minimal.DocumentReference`;
const documentUrl = 'urn:uuid:00000000-0000-4000-8000-000000000001';
const ficheUrl = 'urn:uuid:00000000-0000-4000-8000-000000000002';

/** A DocumentReference with its data inside -> the submission. Throws `unprocessable` with every fault. */
export function submissionOf(resource: Resource, flavour: 'mhd' | 'pdsm', setting: MadeSetting): Resource {
  const fiche = resource as unknown as DocumentReference;
  const attachment = fiche.content?.[0]?.attachment ?? {};
  const { data = '', ...described } = attachment;
  const bytes = Buffer.from(data, 'base64');
  const faults = [
    ...simplifiedFaults(fiche, flavour),
    ...contentFaults(attachment, bytes, 'DocumentReference.content[0].attachment'),
  ];
  const [first] = faults;
  if (first !== undefined) throw new Problem('unprocessable', first.text, { issues: faults });
  const contentType = attachment.contentType ?? '';
  const binary = { resourceType: 'Binary', contentType, data } as Resource;
  const content = [{ ...fiche.content[0], attachment: { ...completed(described, bytes), url: documentUrl } }];
  return bundleOf(binary, { ...fiche, content }, setting);
}

/** `identifier` of the fiche is not for the sender to give, nor a URL; the document and its type are. */
function simplifiedFaults(fiche: DocumentReference, flavour: 'mhd' | 'pdsm'): readonly Issue[] {
  const { attachment } = fiche.content?.[0] ?? {};
  const required: readonly (readonly [string, unknown])[] = [
    ['masterIdentifier', fiche.masterIdentifier?.value],
    ['subject', fiche.subject],
    ['content[0].attachment.contentType', attachment?.contentType],
    ['content[0].attachment.data', attachment?.data],
    ...(flavour === 'mhd' ? [] : pdsmRequired(fiche)),
  ];
  const forbidden: readonly (readonly [string, unknown])[] = [
    ['identifier', fiche.identifier],
    ['docStatus', fiche.docStatus],
    ['modifierExtension', fiche.modifierExtension],
    ['content[0].attachment.url', attachment?.url],
    ['content[1]', fiche.content?.[1]],
  ];
  const lacking = required.filter(([, value]) => value === undefined).map(([path]) => path);
  const tooMany = forbidden.filter(([, value]) => value !== undefined).map(([path]) => path);
  const at = (path: string): string => `DocumentReference.${path}`;
  return [
    ...lacking.map((path) =>
      fault(at(path), 'the profile that the submission claims asks for this element', 'required'),
    ),
    ...tooMany.map((path) => fault(at(path), 'the profile that the submission claims forbids this element')),
    ...(fiche.status === 'current'
      ? []
      : [fault(at('status'), 'the status of a document that is published is current')]),
  ];
}

function pdsmRequired({
  date,
  author,
  custodian,
  content,
}: DocumentReference): readonly (readonly [string, unknown])[] {
  return [
    ['date', date],
    ['author', author],
    ['custodian', custodian],
    ['content[0].attachment.title', content?.[0]?.attachment.title],
  ];
}

/** A FHIR document -> the submission; what its Composition says becomes the metadata. */
export function submissionOfDocument(document: Resource, setting: MadeSetting): Resource {
  const { composition, subject, identifier } = requireDocument(document);
  const { type, category, date, title, confidentiality, custodian, event } = composition;
  const label = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: confidentiality ?? 'V' }],
  };
  const period = event?.[0]?.period;
  const fiche = {
    resourceType: 'DocumentReference',
    masterIdentifier: { use: 'usual', ...identifier },
    status: 'current',
    type,
    ...(category?.[0] === undefined ? {} : { category: [category[0]] }),
    subject,
    date: date.includes('T') ? date : setting.at,
    securityLabel: [label],
    ...(custodian === undefined ? {} : { custodian }),
    content: [{ attachment: { contentType: 'application/fhir+json', url: documentUrl, title, creation: date } }],
    ...(period === undefined ? {} : { context: { period } }),
  } as DocumentReference;
  return bundleOf(document, fiche, setting);
}

interface Described {
  readonly composition: Composition;
  readonly subject: NonNullable<Composition['subject']>;
  readonly identifier: NonNullable<DocumentReference['masterIdentifier']>;
}

function requireDocument(document: Resource): Described {
  const { entry = [], identifier } = document as {
    entry?: readonly { resource?: Resource }[];
    identifier?: DocumentReference['masterIdentifier'];
  };
  const composition = entry[0]?.resource as unknown as Composition | undefined;
  const subject = composition?.subject;
  if (composition?.resourceType !== 'Composition' || identifier?.value === undefined || subject === undefined) {
    const text = 'metadata need a document with an identifier whose first entry is a Composition with a subject';
    throw new Problem('unprocessable', text);
  }
  return { composition, subject, identifier };
}

function bundleOf(document: Resource, fiche: DocumentReference, { sourceId, at }: MadeSetting): Resource {
  const { id: _id, meta, ...described } = fiche;
  const claims = (meta?.profile ?? []).filter((claim) => !/SimplifiedPublish|simplified-publish/.test(claim));
  const unique = `urn:oid:2.25.${BigInt(`0x${uuidOf(`submission of ${fiche.masterIdentifier?.value}`).replaceAll('-', '')}`)}`;
  const list = {
    resourceType: 'List',
    extension: [
      ...(fiche.category?.[0] === undefined
        ? []
        : [{ url: designationExtension, valueCodeableConcept: fiche.category[0] }]),
      { url: sourceIdExtension, valueIdentifier: { system: 'urn:ietf:rfc:3986', value: sourceId } },
    ],
    identifier: [{ use: 'usual', system: 'urn:ietf:rfc:3986', value: unique }],
    status: 'current',
    mode: 'working',
    code: { coding: [{ system: listTypes, code: 'submissionset' }] },
    subject: fiche.subject,
    date: at,
    entry: [{ item: { reference: ficheUrl } }],
  };
  const post = (url: string) => ({ method: 'POST', url });
  return {
    resourceType: 'Bundle',
    meta: { profile: [minimalBundle] },
    type: 'transaction',
    entry: [
      {
        fullUrl: ficheUrl,
        resource: { ...described, meta: { ...meta, profile: [...claims, minimalFiche] } },
        request: post('DocumentReference'),
      },
      { fullUrl: documentUrl, resource: document, request: post(document.resourceType) },
      { fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000003', resource: list, request: post('List') },
    ],
  };
}
