/**
 * The bytes of a letter -> what to store (`LetterPlan`), or why a person must look at it. Pure: ids and times come in.
 */
import { createHash } from 'node:crypto';
import type { Binary, Encounter, Patient, Reference } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type ClinicalDocument, parseXml, readClinicalDocument } from '../formats/index.ts';
import { readDocumentReference } from './document-reference.ts';
import { isFrenchDocument, isKnownType } from './document-types.ts';
import { bodyFindings, headerFindings, legalFindings } from './findings.ts';
import { plainIdentifier, uriOf } from './identifiers.ts';
import { localDay } from './local-day.ts';
import { isRestricted, type Labels, readLabels } from './labels.ts';
import { isGeneralPractitioner, readPatientResource } from './patient.ts';
import { identifierSearch, type LetterFacts, type LetterResult, type MatchRule, type PlanEntry } from './plan.ts';
import { createProfessionals, type Professionals } from './professionals.ts';
import { readStay } from './stay.ts';

export interface LetterSettings {
  /** IANA zone of times without offset, and of the days by which stays are told apart. */
  readonly zone: string;
  /** Ids of the new resources; called in a fixed order. */
  readonly newId: () => string;
  /** Instant at which the letter came in. */
  readonly receivedAt: string;
  /** Visibility codes that the carrier gave beside the document (HL7 v2 flags, XDS metadata). */
  readonly visibility?: readonly string[];
}

/** Resources that one letter may bring; the largest official sample brings 27. */
const entriesMax = 200;
/** Findings kept on the DocumentReference. */
const findingsMax = 60;

export function readLetter(bytes: Uint8Array, settings: LetterSettings): LetterResult {
  const xml = parseXml(bytes);
  if (xml.kind === 'refused') return { kind: 'review', reasons: [xml.issue] };
  const result = readClinicalDocument(xml.root, settings.zone);
  if (result.kind === 'refused') {
    return { kind: 'review', reasons: result.issues.filter(({ severity }) => severity === 'error') };
  }
  const { document, issues } = result;
  const reasons = typeDoubts(document);
  if (reasons.length > 0) return { kind: 'review', reasons };
  const isStylesheet = xml.root.name !== 'ClinicalDocument';
  return planLetter(document, describeBytes(bytes, isStylesheet), { ...settings, issues });
}

function typeDoubts(document: ClinicalDocument): readonly Issue[] {
  const doubt = (code: string, text: string, expression: string): Issue[] => [
    { severity: 'error', code, text, expression },
  ];
  if (!isFrenchDocument(document)) {
    const text = 'le document ne se réclame pas du CI-SIS (templateId 1.2.250.1.213.1.1.1.1 attendu)';
    return doubt('not-supported', text, '/ClinicalDocument/templateId');
  }
  if (isKnownType(document.code)) return [];
  return doubt(
    'not-supported',
    'type de document inconnu du CI-SIS (jeu de valeurs JDV_J07)',
    '/ClinicalDocument/code/@code',
  );
}

export interface LetterBytes {
  readonly size: number;
  /** Base64, as Attachment.hash. */
  readonly sha1: string;
  /** Hex; also the id of the Binary. */
  readonly sha256: string;
  readonly base64: string;
  readonly contentType: string;
}

function describeBytes(bytes: Uint8Array, isStylesheet: boolean): LetterBytes {
  return {
    size: bytes.length,
    sha1: createHash('sha1').update(bytes).digest('base64'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    base64: Buffer.from(bytes).toString('base64'),
    // A CDA is text/xml in XDS; one that displays itself is a stylesheet.
    contentType: isStylesheet ? 'application/xslt+xml' : 'text/xml',
  };
}

interface PlanSettings extends LetterSettings {
  /** What reading the document found. */
  readonly issues: readonly Issue[];
}

function planLetter(document: ClinicalDocument, bytes: LetterBytes, settings: PlanSettings): LetterResult {
  const newFullUrl = () => `urn:uuid:${settings.newId()}`;
  const letterUrl = newFullUrl();
  const patientUrl = newFullUrl();
  const professionals = createProfessionals(newFullUrl);
  const patient: Reference = { reference: patientUrl };
  const labels = readLabels(document.confidentialityCodes, settings.visibility ?? []);
  const patientResource = readPatientResource(document, generalPractitioners(document, professionals));
  const stay = readStay(document, patient, professionals);
  const stayUrl = newFullUrl();
  const findings = [
    ...legalFindings(document),
    ...bodyFindings(document),
    ...labels.findings,
    ...(stay?.findings ?? []),
    ...headerFindings(settings.issues),
  ].slice(0, findingsMax);
  const letter = readDocumentReference(document, {
    bytes: { ...bytes, url: `Binary/${bytes.sha256}` },
    labels,
    findings,
    professionals,
    patient,
    encounter: stay && { reference: stayUrl },
    receivedAt: settings.receivedAt,
  });
  const mark = marker(document, labels);
  const entries: PlanEntry[] = [
    mark.all(newFullUrl(), readBinary(bytes, letterUrl), { kind: 'content' }),
    ...professionals.entries().map(({ fullUrl, resource, match }) => mark.source(fullUrl, resource, match)),
    mark.source(patientUrl, patientResource, patientRule(patientResource)),
    ...(stay ? [mark.all(stayUrl, stay.encounter, stayRule(stay.encounter, settings.zone))] : []),
    mark.source(letterUrl, letter, { kind: 'new' }),
  ];
  if (entries.length > entriesMax) {
    const text = `le document nomme plus de ${entriesMax} personnes et structures`;
    return {
      kind: 'review',
      reasons: [{ severity: 'error', code: 'too-costly', text, expression: '/ClinicalDocument' }],
    };
  }
  return { kind: 'letter', plan: { facts: factsOf(document, bytes), entries, findings } };
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

function readBinary({ sha256, base64, contentType }: LetterBytes, letterUrl: string): Binary {
  return { resourceType: 'Binary', id: sha256, contentType, securityContext: { reference: letterUrl }, data: base64 };
}

/** Says where each resource comes from, and on what the letter's confidentiality lies. */
function marker(document: ClinicalDocument, labels: Labels) {
  const source = uriOf(document.id);
  const security = isRestricted(labels.codings) ? { security: labels.codings } : {};
  const entry = (fullUrl: string, resource: object, match: MatchRule, meta: object): PlanEntry => {
    return { fullUrl, resource: { ...resource, meta } as unknown as Resource, match };
  };
  return {
    source: (fullUrl: string, resource: object, match: MatchRule) => entry(fullUrl, resource, match, { source }),
    all: (fullUrl: string, resource: object, match: MatchRule) =>
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
      ['date', `ge${day}`],
      ['date', `le${day}`],
      ['_include', 'Encounter:service-provider'],
    ];
    searches.push({ type: 'Encounter', parameters: [['patient', subject.reference], ...around] });
  }
  return { kind: 'encounter', searches };
}
