/**
 * Items of a Questionnaire. que-12 says "more than one" in words and `count() > 2` in its expression: the words are meant
 * (https://hl7.org/fhir/R4/questionnaire.html#invs). A question is enabled by others, not by those below it.
 */
import { isObject, type Members } from '../../fhir/index.ts';
import type { Item } from '../profiles/items.ts';
import { addFault, type ProfileJudge } from '../profiles/judge.ts';
import type { Run } from '../profiles/run.ts';
import { ownTexts } from './texts.ts';

export function judgeQuestionnaireItem(_judge: ProfileJudge, item: Item, run: Run): void {
  if (!isObject(item.value)) return;
  const { enableWhen, enableBehavior } = item.value;
  if (!Array.isArray(enableWhen)) return;
  if (enableWhen.length > 1 && enableBehavior === undefined)
    addFault(run, item, { severity: 'error', code: 'invariant', ...ownTexts.enableBehavior });
  const inner = linkIdsBelow(item.value, 0);
  const isByInner = enableWhen.some((one: unknown) => isObject(one) && inner.includes(one['question']));
  if (isByInner) addFault(run, item, { severity: 'error', code: 'business-rule', ...ownTexts.enabledByInner });
}

const depthMax = 50;

function linkIdsBelow({ item }: Members, depth: number): readonly unknown[] {
  if (!Array.isArray(item) || depth > depthMax) return [];
  return item.filter(isObject).flatMap((one) => [one['linkId'], ...linkIdsBelow(one, depth + 1)]);
}
