/**
 * What the standard says in words, and no schema, binding or invariant of R4 tells: looked at in every item of a type,
 * whatever profile it claims.
 */
import type { TypeDefinition } from '../../fhir/index.ts';
import type { Item } from '../profiles/items.ts';
import type { ProfileJudge } from '../profiles/judge.ts';
import type { Run } from '../profiles/run.ts';
import { judgeAttachment } from './attachment.ts';
import { judgeEntries } from './bundle-entries.ts';
import { judgeFilter, judgeInclude, judgeCodeSystem, judgeOwnUrl } from './canonicals.ts';
import { judgeCode, judgeSystem, judgeUriIdentifier } from './codings.ts';
import { judgeFrenchIdentifier, judgeIdentity } from './french/identifiers.ts';
import { judgeDifferential } from './definition-paths.ts';
import { judgeQuestionnaireItem } from './questionnaire-item.ts';
import { judgeContainedIds, judgeReference } from './references.ts';

type OwnCheck = (judge: ProfileJudge, item: Item, run: Run) => void;

const ownChecks: Readonly<Record<string, readonly OwnCheck[]>> = {
  Attachment: [judgeAttachment],
  Bundle: [judgeEntries],
  CodeSystem: [judgeCodeSystem],
  Coding: [judgeSystem, judgeCode],
  Identifier: [judgeSystem, judgeUriIdentifier, judgeFrenchIdentifier],
  Patient: [judgeIdentity],
  'Questionnaire.item': [judgeQuestionnaireItem],
  Reference: [judgeReference],
  StructureDefinition: [judgeDifferential],
  'ValueSet.compose.include': [judgeInclude],
  'ValueSet.compose.include.filter': [judgeFilter],
};

export function ownChecksOf(judge: ProfileJudge, type: string): readonly ((item: Item, run: Run) => void)[] {
  const { definitions } = judge.access;
  const named = Object.hasOwn(ownChecks, type) ? (ownChecks[type] ?? []) : [];
  const defined = definitions.type(type);
  const checks = [
    ...named,
    ...(hasCanonical(defined) ? [judgeOwnUrl] : []),
    ...(defined?.elements.has('contained') === true ? [judgeContainedIds] : []),
  ];
  return checks.map((check) => (item: Item, run: Run) => {
    check(judge, item, run);
  });
}

/** Definitions have a URL by which others name them, and somebody who publishes them. */
function hasCanonical(type: TypeDefinition | undefined): boolean {
  return type?.kind === 'resource' && type.elements.has('url') && type.elements.has('publisher');
}
