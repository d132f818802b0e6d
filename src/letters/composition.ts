/**
 * The letter's body as its author has ordered it -> Composition: each section with its narrative, and what was read from
 * its entries. One Composition for all versions of a letter (identifier = setId): the next version updates it.
 */
import type { Composition, CompositionAttester, CompositionSection, Narrative, Reference } from 'fhir/r4.js';
import type { ClinicalDocument, Section } from '../formats/index.ts';
import { codeSystems, concept } from './codes.ts';
import { element } from './element.ts';
import { plainIdentifier } from './identifiers.ts';
import type { Labels } from './labels.ts';
import { narrativeOf } from './narrative.ts';
import { entryCodes, entryValue, findSection, sectionCodes } from './sections.ts';

export const compositionVersionExtension = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Composition.version';

export interface CompositionParts {
  readonly subject: Reference;
  readonly encounter: Reference | undefined;
  readonly authors: readonly Reference[];
  readonly authenticator: Reference | undefined;
  readonly custodian: Reference | undefined;
  readonly labels: Labels;
  readonly bySection: ReadonlyMap<Section, readonly Reference[]>;
}

export function readComposition(document: ClinicalDocument, parts: CompositionParts): Composition {
  const { setId, id, versionNumber, body } = document;
  const level = parts.labels.codings.find(({ system }) => system === codeSystems.confidentiality)?.code;
  const sections = body.kind === 'structured' ? body.sections : [];
  return element<Composition>({
    resourceType: 'Composition',
    extension:
      versionNumber === undefined ? [] : [{ url: compositionVersionExtension, valueString: String(versionNumber) }],
    identifier: plainIdentifier(setId ?? id),
    status: statusOf(document),
    type: concept(document.code) ?? { text: document.title ?? 'document' },
    subject: parts.subject,
    encounter: parts.encounter,
    date: document.effectiveTime,
    author: parts.authors.length > 0 ? [...parts.authors] : [{ display: 'auteur non dit' }],
    title: document.title ?? document.code.display ?? 'Lettre de liaison',
    confidentiality: level as Composition['confidentiality'],
    attester: attesters(document, parts),
    custodian: parts.custodian,
    relatesTo: document.relatedDocuments.flatMap(({ typeCode, ids }) => {
      const [former] = ids;
      return typeCode === 'RPLC' && former
        ? [{ code: 'replaces' as const, targetIdentifier: plainIdentifier(former) }]
        : [];
    }),
    event: document.events.flatMap(({ time }) =>
      time === undefined
        ? []
        : [{ period: element<{ start?: string; end?: string }>({ start: time.start, end: time.end }) }],
    ),
    section: sections.map((section) => readSection(section, parts)),
  });
}

function attesters(
  { legalAuthenticator }: ClinicalDocument,
  { authenticator }: CompositionParts,
): CompositionAttester[] {
  if (authenticator === undefined) return [];
  return [element<CompositionAttester>({ mode: 'legal', time: legalAuthenticator?.time?.start, party: authenticator })];
}

/** GEN-065; "en cours" in both generations of the guide. */
const unfinished: ReadonlySet<string> = new Set(['385651009', 'GEN-066']);

function statusOf({ body }: ClinicalDocument): Composition['status'] {
  const status = entryValue(findSection(body, sectionCodes.status), entryCodes.documentStatus)?.code;
  return unfinished.has(status ?? '') ? 'preliminary' : 'final';
}

function readSection(section: Section, parts: CompositionParts): CompositionSection {
  const text = narrativeOf(section.text);
  const entry = parts.bySection.get(section) ?? [];
  const inner = section.sections.map((one) => readSection(one, parts));
  const isEmpty = text === undefined && entry.length === 0 && inner.length === 0;
  return element<CompositionSection>({
    title: section.title,
    code: concept(section.code),
    text: isEmpty ? emptyNarrative : text,
    entry: [...entry],
    section: inner,
  });
}

/** cmp-1: a section has something in it. */
const emptyNarrative: Narrative = {
  status: 'empty',
  div: '<div xmlns="http://www.w3.org/1999/xhtml">Section vide dans le document.</div>',
};
