/**
 * What the standard says in words, and no schema, binding or invariant of R4 tells: looked at in every item of a type,
 * whatever profile it claims.
 */
import type { Item } from '../profiles/items.ts';
import type { ProfileJudge } from '../profiles/judge.ts';
import type { Run } from '../profiles/run.ts';
import { judgeAttachment } from './attachment.ts';
import { judgeEntries } from './bundle-entries.ts';
import { judgeSystem } from './codings.ts';
import { judgeFrenchIdentifier, judgeIdentity } from './french/identifiers.ts';
import { judgeQuestionnaireItem } from './questionnaire-item.ts';

type OwnCheck = (judge: ProfileJudge, item: Item, run: Run) => void;

const ownChecks: Readonly<Record<string, readonly OwnCheck[]>> = {
  Attachment: [judgeAttachment],
  Bundle: [judgeEntries],
  Coding: [judgeSystem],
  Identifier: [judgeSystem, judgeFrenchIdentifier],
  Patient: [judgeIdentity],
  'Questionnaire.item': [judgeQuestionnaireItem],
};

export function ownChecksOf(judge: ProfileJudge, type: string): readonly ((item: Item, run: Run) => void)[] {
  const checks = Object.hasOwn(ownChecks, type) ? (ownChecks[type] ?? []) : [];
  return checks.map((check) => (item: Item, run: Run) => {
    check(judge, item, run);
  });
}
