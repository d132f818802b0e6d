/**
 * A document of this record as a Provide Document Bundle (ITI-65) for another server: everything that the fiche names is contained,
 * because nothing of ours is known there; the patient is named by identifier (a conditional reference); what is ours alone is
 * left out. It claims the strictest profile that it meets.
 */
import type { DocumentReference, Reference } from 'fhir/r4.js';
import { type Issue, Problem } from '../../base/index.ts';
import type { Resource } from '../../fhir/index.ts';
import { entryUuidOf, oidOfUuid, uuidOf } from '../names.ts';
import { type OutgoingDocument, patientOf, requirePatientId, resolve } from '../outgoing.ts';
import { completed } from './content.ts';
import {
  designationExtension,
  type Flavour,
  flavours,
  listTypes,
  mhdProfiles,
  pdsmProfiles,
  sourceIdExtension,
} from './profiles.ts';
import { readSubmission } from './submission.ts';

export interface OutgoingSetting {
  readonly baseUrl: string;
  /** `urn:oid:` of this server. */
  readonly sourceId: string;
  /** Instant of the submission: the same when it is sent again. */
  readonly at: string;
}

/** Throws `unprocessable` where not even the least profile is met. */
export function outgoingSubmission(document: OutgoingDocument, setting: OutgoingSetting): Resource {
  let faults: readonly Issue[] = [];
  for (const flavour of flavours.toReversed()) {
    const bundle = bundleOf(document, setting, flavour);
    ({ faults } = readSubmission(bundle, flavour));
    if (faults.length === 0) return bundle;
  }
  const text = 'the document lacks what IHE MHD asks of every submission';
  throw new Problem('unprocessable', text, { issues: faults.length === 0 ? [] : faults });
}

const bundleProfiles: Readonly<Record<Flavour, string>> = {
  minimal: `${mhdProfiles}IHE.MHD.Minimal.ProvideBundle`,
  uncontained: `${mhdProfiles}IHE.MHD.UnContained.Comprehensive.ProvideBundle`,
  comprehensive: `${mhdProfiles}IHE.MHD.Comprehensive.ProvideBundle`,
  pdsm: `${pdsmProfiles}pdsm-comprehensive-provide-document-bundle`,
};

const partProfiles = (flavour: Flavour, part: 'DocumentReference' | 'SubmissionSet'): string => {
  const name = { minimal: 'Minimal', uncontained: 'UnContained.Comprehensive', comprehensive: 'Comprehensive' };
  if (flavour !== 'pdsm') return `${mhdProfiles}IHE.MHD.${name[flavour]}.${part}`;
  return `${pdsmProfiles}${part === 'SubmissionSet' ? 'pdsm-submissionset-comprehensive' : 'pdsm-comprehensive-document-reference'}`;
};

function bundleOf(document: OutgoingDocument, setting: OutgoingSetting, flavour: Flavour): Resource {
  const { reference, bytes } = document;
  const named = (part: string): string =>
    `urn:uuid:${uuidOf(`${part} of ${setting.baseUrl} ${reference.id} ${setting.at}`)}`;
  const [binaryUrl, ficheUrl, listUrl] = [named('document'), named('fiche'), named('submission')];
  const patient = patientReference(document);
  const fiche = ficheOf(document, { binaryUrl, patient, profile: partProfiles(flavour, 'DocumentReference') });
  const binary = {
    resourceType: 'Binary',
    contentType: reference.content[0]?.attachment.contentType,
    data: Buffer.from(bytes).toString('base64'),
  };
  const list = listOf(document, { fiche, ficheUrl, patient, setting, profile: partProfiles(flavour, 'SubmissionSet') });
  const entry = (fullUrl: string, resource: object & { resourceType: string }) => ({
    fullUrl,
    resource,
    request: { method: 'POST', url: resource.resourceType },
  });
  return {
    resourceType: 'Bundle',
    meta: { profile: [bundleProfiles[flavour]] },
    type: 'transaction',
    timestamp: setting.at,
    entry: [entry(listUrl, list), entry(ficheUrl, fiche), entry(binaryUrl, binary)],
  };
}

function patientReference(document: OutgoingDocument): Reference {
  const { oid, value } = requirePatientId(document);
  return { reference: `Patient?identifier=urn:oid:${oid}|${value}` };
}

const ours = 'https://suture.example/';

function ficheOf(
  document: OutgoingDocument,
  {
    binaryUrl,
    patient,
    profile,
  }: { readonly binaryUrl: string; readonly patient: Reference; readonly profile: string },
): DocumentReference {
  const { reference, bytes } = document;
  const {
    id: _id,
    meta: _meta,
    extension = [],
    contained: _contained,
    text: _text,
    docStatus: _docStatus,
    ...rest
  } = reference;
  const packed = createContainer(document);
  const { data: _data, ...attachment } = reference.content[0]?.attachment ?? {};
  const kept = extension.filter(({ url }) => !url.startsWith(ours));
  const source = patientOf(document);
  const { encounter: _encounter, ...context } = reference.context ?? {};
  const fiche = {
    ...rest,
    meta: { profile: [profile] },
    ...(kept.length === 0 ? {} : { extension: kept }),
    ...(reference.masterIdentifier && { masterIdentifier: { use: 'usual', ...reference.masterIdentifier } }),
    identifier: [{ use: 'official', system: 'urn:ietf:rfc:3986', value: entryUuidOf(reference) }],
    status: 'current',
    subject: patient,
    ...(reference.author && { author: reference.author.map(packed.add) }),
    ...(reference.authenticator && { authenticator: packed.add(reference.authenticator) }),
    ...(reference.custodian && { custodian: packed.add(reference.custodian) }),
    ...(reference.relatesTo && { relatesTo: reference.relatesTo.flatMap((one) => relationOf(document, one)) }),
    content: [{ ...reference.content[0], attachment: { ...completed(attachment, bytes), url: binaryUrl } }],
    context: { ...context, ...(source && { sourcePatientInfo: packed.keep(source as never, 'source-patient') }) },
  };
  return withoutEmpty({ ...fiche, contained: packed.all() }) as unknown as DocumentReference;
}

function withoutEmpty(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => !Array.isArray(one) || one.length > 0));
}

/** What is replaced is named by its document id: ours is not known there. */
function relationOf(
  document: OutgoingDocument,
  { code, target }: NonNullable<DocumentReference['relatesTo']>[number],
): NonNullable<DocumentReference['relatesTo']> {
  const former = resolve<DocumentReference>(document, target.reference);
  const identifier = target.identifier ?? former?.masterIdentifier;
  return identifier === undefined ? [] : [{ code, target: { identifier } }];
}

interface ListParts {
  readonly fiche: DocumentReference;
  readonly ficheUrl: string;
  readonly patient: Reference;
  readonly setting: OutgoingSetting;
  readonly profile: string;
}

function listOf(document: OutgoingDocument, { fiche, ficheUrl, patient, setting, profile }: ListParts) {
  const packed = createContainer(document);
  const author = document.reference.author?.[0];
  const source = author === undefined ? undefined : packed.add(author);
  const unique = oidOfUuid(uuidOf(`submission of ${setting.baseUrl} ${document.reference.id} ${setting.at}`));
  const kind = fiche.category?.[0] ?? fiche.type;
  return withoutEmpty({
    resourceType: 'List',
    meta: { profile: [profile] },
    contained: packed.all(),
    extension: [
      ...(kind === undefined ? [] : [{ url: designationExtension, valueCodeableConcept: kind }]),
      { url: sourceIdExtension, valueIdentifier: { system: 'urn:ietf:rfc:3986', value: setting.sourceId } },
    ],
    identifier: [{ use: 'usual', system: 'urn:ietf:rfc:3986', value: `urn:oid:${unique}` }],
    status: 'current',
    mode: 'working',
    code: { coding: [{ system: listTypes, code: 'submissionset' }] },
    subject: patient,
    date: setting.at,
    ...(source?.reference === undefined ? {} : { source }),
    entry: [{ item: { reference: ficheUrl } }],
  }) as { resourceType: 'List' };
}

/** Contained copies, each once; what is not at hand stays as the words that show it. */
function createContainer(document: OutgoingDocument) {
  const contained = new Map<string, Resource>();
  const keep = (resource: Resource, id: string): Reference => {
    const { meta: _meta, text: _text, ...rest } = resource;
    contained.set(id, { ...rest, id });
    return { reference: `#${id}` };
  };
  const add = ({ reference, display }: Reference): Reference => {
    const shown = display === undefined ? {} : { display };
    const found = resolve<Resource>(document, reference);
    if (found === undefined) return shown;
    const id = (reference ?? '').replace(/^#/, '').replace('/', '-').slice(0, 64);
    const copy = { ...found } as Record<string, unknown> & Resource;
    for (const name of ['practitioner', 'organization']) {
      const part = copy[name] as Reference | undefined;
      if (found.resourceType === 'PractitionerRole' && part !== undefined) copy[name] = add(part);
    }
    return { ...keep(copy, id), ...shown };
  };
  return { add, keep, all: (): readonly Resource[] => [...contained.values()] };
}
