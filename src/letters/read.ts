/**
 * The bytes of a letter -> what to store (`LetterPlan`), or why a person must look at it. Pure: ids and times come in.
 */
import { createHash } from 'node:crypto';
import type { Issue } from '../base/index.ts';
import { type ClinicalDocument, parseXml, readClinicalDocument } from '../formats/index.ts';
import { buildPlan, type LetterBytes } from './build-plan.ts';
import { checkClaims } from './carrier.ts';
import { isDescribed, planDescribed } from './described.ts';
import { isFrenchDocument, isKnownType } from './document-types.ts';
import type { LetterPlan, LetterResult, LetterSettings } from './plan.ts';

/** People and structures that take part in one letter; the largest official sample has 14. */
const participantsMax = 200;

export function readLetter(bytes: Uint8Array, settings: LetterSettings): LetterResult {
  const result = understand(bytes, settings);
  if (result.kind === 'review') return result;
  const { facts, ...rest } = withContent(result.plan, bytes);
  const { origin, entryUuid } = settings.metadata?.entry ?? {};
  return {
    kind: 'letter',
    plan: { ...rest, facts: { ...facts, ...(origin && { origin }), ...(entryUuid && { entryUuid }) } },
  };
}

/** The bytes of the letter are what its Binary holds; as they came, for as base64 they would be there once more. */
function withContent(plan: LetterPlan, bytes: Uint8Array): LetterPlan {
  const entries = plan.entries.map((entry) => (entry.match.kind === 'content' ? { ...entry, content: bytes } : entry));
  return { ...plan, entries };
}

function understand(bytes: Uint8Array, settings: LetterSettings): LetterResult {
  if (settings.metadata !== undefined && isDescribed(settings.metadata))
    return planDescribed(settings.metadata, describeBytes(bytes, settings.metadata.entry.mimeType), settings);
  const xml = parseXml(bytes);
  if (xml.kind === 'refused') return { kind: 'review', reasons: [xml.issue] };
  const result = readClinicalDocument(xml.root, settings.zone);
  if (result.kind === 'refused') {
    return { kind: 'review', reasons: result.issues.filter(({ severity }) => severity === 'error') };
  }
  const { document, issues } = result;
  const reason = doubtOf(document);
  if (reason !== undefined) return { kind: 'review', reasons: [{ severity: 'error', ...reason }] };
  const contradicted = settings.claims === undefined ? [] : checkClaims(document, settings.claims);
  if (contradicted.length > 0) return { kind: 'review', reasons: contradicted };
  // A CDA is text/xml in XDS; one that displays itself is a stylesheet.
  const contentType = xml.root.name === 'ClinicalDocument' ? 'text/xml' : 'application/xslt+xml';
  const plan = buildPlan(document, describeBytes(bytes, contentType), { ...settings, issues });
  return { kind: 'letter', plan };
}

function doubtOf(document: ClinicalDocument): Pick<Issue, 'code' | 'text' | 'expression'> | undefined {
  if (!isFrenchDocument(document)) {
    const text = 'le document ne se réclame pas du CI-SIS (templateId 1.2.250.1.213.1.1.1.1 attendu)';
    return { code: 'not-supported', text, expression: '/ClinicalDocument/templateId' };
  }
  if (!isKnownType(document.code)) {
    const text = 'type de document inconnu du CI-SIS (jeu de valeurs JDV_J07)';
    return { code: 'not-supported', text, expression: '/ClinicalDocument/code/@code' };
  }
  const { authors, participants, authenticators, events, encounter } = document;
  const performers = events.flatMap((event) => event.performers);
  const all = [authors, participants, authenticators, performers, encounter?.participants ?? []].flat();
  if (all.length <= participantsMax) return undefined;
  const text = `${all.length} participants, ${participantsMax} au plus sont admis`;
  return { code: 'too-costly', text, expression: '/ClinicalDocument' };
}

function describeBytes(bytes: Uint8Array, contentType: string): LetterBytes {
  return {
    size: bytes.length,
    sha1: createHash('sha1').update(bytes).digest('base64'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    contentType,
  };
}
