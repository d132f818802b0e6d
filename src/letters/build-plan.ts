/** ClinicalDocument and the facts of its bytes -> LetterPlan. */
import type { Binary, DocumentReference, Encounter, Patient, Reference } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { ClinicalDocument } from '../formats/index.ts';
import { type BodyResources, readBodyResources } from './body.ts';
import { readComposition } from './composition.ts';
import { readProvenance } from './derived.ts';
import { readDocumentReference } from './document-reference.ts';
import { isLiaisonLetter } from './document-types.ts';
import type { Around } from './extraction.ts';
import { bodyFindings, headerFindings, hintFindings, legalFindings } from './findings.ts';
import { plainIdentifier, uriOf } from './identifiers.ts';
import { isRestricted, type Labels, readLabels } from './labels.ts';
import { localDay } from './local-day.ts';
import { isGeneralPractitioner, readPatientResource } from './patient.ts';
import {
  type Finding,
  identifierSearch,
  type LetterFacts,
  type LetterPlan,
  type LetterSettings,
  type MatchRule,
  type PlanEntry,
} from './plan.ts';
import { createProfessionals, type Professionals } from './professionals.ts';
import { readStay } from './stay.ts';

export interface LetterBytes {
  readonly size: number;
  /** Base64, as Attachment.hash. */
  readonly sha1: string;
  /** Hex; also the id of the Binary. */
  readonly sha256: string;
  readonly contentType: string;
}

interface PlanSettings extends LetterSettings {
  /** What reading the document found. */
  readonly issues: readonly Issue[];
  /** Of a document of which only metadata speak: no stay, nothing that the law asks, and what XDS says in words of its own. */
  readonly described?: {
    readonly findings: readonly Finding[];
    readonly complete: (letter: DocumentReference) => DocumentReference;
  };
}

/** Findings kept on the DocumentReference. */
const findingsMax = 60;

export function buildPlan(document: ClinicalDocument, bytes: LetterBytes, settings: PlanSettings): LetterPlan {
  const newFullUrl = () => `urn:uuid:${settings.newId()}`;
  const letterUrl = newFullUrl();
  const patientUrl = newFullUrl();
  const professionals = createProfessionals(newFullUrl);
  const patient: Reference = { reference: patientUrl };
  const labels = readLabels(document.confidentialityCodes, settings.visibility ?? []);
  const patientResource = readPatientResource(document, generalPractitioners(document, professionals));
  const { described } = settings;
  const stay = described === undefined ? readStay(document, patient, professionals) : undefined;
  const stayUrl = newFullUrl();
  const authors = authorsOf(document, professionals);
  const around: Around = {
    subject: patient,
    encounter: stay && { reference: stayUrl },
    author: authors[0],
    asserter: authors.find(({ reference }) => professionals.isPerson(reference)),
    letter: { reference: letterUrl },
    zone: settings.zone,
    newFullUrl,
  };
  const body = readBody(document, around);
  const findings = findingsOf(document, [labels, stay, body], settings);
  const header = readDocumentReference(document, {
    bytes: { ...bytes, url: `Binary/${bytes.sha256}` },
    labels,
    findings,
    professionals,
    patient,
    encounter: stay && { reference: stayUrl },
    receivedAt: settings.receivedAt,
  });
  const letter = described === undefined ? header : described.complete(header);
  const mark = marker(document, labels);
  const entries: PlanEntry[] = [
    mark.all(newFullUrl(), readBinary(bytes, letterUrl), { kind: 'content' }),
    ...professionals.entries().map(({ fullUrl, resource, match }) => mark.source(fullUrl, resource, match)),
    mark.source(patientUrl, patientResource, patientRule(patientResource)),
    ...(stay ? [mark.all(stayUrl, stay.encounter, stayRule(stay.encounter, settings.zone))] : []),
    mark.all(letterUrl, letter, { kind: 'new' }),
    ...(body ? derivedEntries({ document, around, body, labels, letter, receivedAt: settings.receivedAt }, mark) : []),
  ];
  return { facts: factsOf(document, bytes), entries, findings };
}

/** `parts`: what labels, stay and body of the document were read into. */
function findingsOf(
  document: ClinicalDocument,
  parts: readonly ({ readonly findings: readonly Finding[] } | undefined)[],
  { described, issues, hints }: PlanSettings,
): readonly Finding[] {
  return [
    ...(described?.findings ?? [...legalFindings(document), ...bodyFindings(document)]),
    ...parts.flatMap((part) => part?.findings ?? []),
    ...headerFindings(issues),
    ...hintFindings(document, hints),
  ].slice(0, findingsMax);
}

/** Only the guides of the two letters are known well enough to read below the header. */
function readBody(document: ClinicalDocument, around: Around): BodyResources | undefined {
  const isRead = isLiaisonLetter(document) && document.body.kind === 'structured';
  return isRead ? readBodyResources(document, around) : undefined;
}

/** Authors who are resources of the plan: a device is contained in the DocumentReference and nowhere else. */
function authorsOf({ authors }: ClinicalDocument, professionals: Professionals): Reference[] {
  return authors
    .flatMap(({ party }) => (party.device === undefined ? (professionals.role(party) ?? []) : []))
    .filter(({ reference }) => reference !== undefined);
}

interface ReadBody {
  readonly document: ClinicalDocument;
  readonly around: Around;
  readonly body: BodyResources;
  readonly labels: Labels;
  readonly letter: DocumentReference;
  readonly receivedAt: string;
}

/** What the body says, its order, and where it comes from. */
function derivedEntries(read: ReadBody, mark: ReturnType<typeof marker>): PlanEntry[] {
  const { document, around, body, labels, letter } = read;
  const own = body.made.map(({ fullUrl, resource }) => mark.all(fullUrl, resource, { kind: 'derived' }));
  const authors = (letter.author ?? []).filter(({ reference }) => !reference?.startsWith('#'));
  const composition = readComposition(document, {
    subject: around.subject,
    encounter: around.encounter,
    authors,
    authenticator: letter.authenticator,
    custodian: letter.custodian,
    labels,
    bySection: body.bySection,
  });
  const compositionUrl = around.newFullUrl();
  const searches = [identifierSearch('Composition', composition.identifier ? [composition.identifier] : [])];
  const targets = [compositionUrl, ...body.made.map(({ fullUrl }) => fullUrl)].map((reference) => ({ reference }));
  const { receivedAt } = read;
  const provenance = readProvenance(document, { targets, letter: around.letter, agents: authors, receivedAt });
  return [
    ...own,
    mark.all(compositionUrl, composition, { kind: 'composition', searches }),
    mark.all(around.newFullUrl(), provenance, { kind: 'provenance' }),
  ];
}

function factsOf({ id, versionNumber, relatedDocuments }: ClinicalDocument, bytes: LetterBytes): LetterFacts {
  const { size, sha1, sha256 } = bytes;
  const replaced = relatedDocuments.filter(({ typeCode }) => typeCode === 'RPLC').flatMap(({ ids }) => ids);
  const replaces = replaced.map(plainIdentifier);
  return { masterIdentifier: plainIdentifier(id), versionNumber, replaces, size, sha1, sha256 };
}

function generalPractitioners({ participants }: ClinicalDocument, professionals: Professionals): Reference[] {
  return participants.filter(isGeneralPractitioner).flatMap(({ party }) => [professionals.role(party) ?? []].flat());
}

/** Without its data: whoever has the bytes adds them. */
function readBinary({ sha256, contentType }: LetterBytes, letterUrl: string): Binary {
  return { resourceType: 'Binary', id: sha256, contentType, securityContext: { reference: letterUrl } };
}

type Typed = Pick<Resource, 'resourceType'>;

/** Says where each resource comes from, and on what the letter's confidentiality lies. */
function marker(document: ClinicalDocument, labels: Labels) {
  const source = uriOf(document.id);
  const security = isRestricted(labels.codings) ? { security: labels.codings } : {};
  const entry = (fullUrl: string, { resourceType, ...members }: Typed, match: MatchRule, meta: object): PlanEntry => {
    return { fullUrl, resource: { resourceType, meta, ...members }, match };
  };
  return {
    source: (fullUrl: string, resource: Typed, match: MatchRule) => entry(fullUrl, resource, match, { source }),
    all: (fullUrl: string, resource: Typed, match: MatchRule) =>
      entry(fullUrl, resource, match, { source, ...security }),
  };
}

function patientRule({ identifier = [] }: Patient): MatchRule {
  return { kind: 'patient', searches: identifier.length > 0 ? [identifierSearch('Patient', identifier)] : [] };
}

/** By number; and by patient and day, for a stay that the store knows without that number. */
function stayRule({ identifier = [], subject, period }: Encounter, zone: string): MatchRule {
  const searches = [identifierSearch('Encounter', identifier)];
  const day = localDay(period?.start, zone);
  if (day !== undefined && subject?.reference !== undefined) {
    const around: [string, string][] = [
      // R4's ge and le ask where a period ends; these ask whether it touches the day.
      ['date', `gt${shiftDay(day, -1)}`],
      ['date', `lt${shiftDay(day, 1)}`],
      ['_include', 'Encounter:service-provider'],
    ];
    searches.push({ type: 'Encounter', parameters: [['patient', subject.reference], ...around] });
  }
  return { kind: 'encounter', searches };
}

function shiftDay(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}
