/** Whether a question is asked at all, by the answers to others (https://hl7.org/fhir/R4/questionnaire.html#enableWhen). */
import { isObject } from '../../fhir/index.ts';
import { type Item } from '../profiles/items.ts';
import { compare, isSame } from '../profiles/values.ts';
import { choiceIn, type Condition, type Data, type Question } from './question.ts';

/** Values by linkId, wherever the item stands. */
export type Answers = ReadonlyMap<string, readonly unknown[]>;

const depthMax = 100;

export function readAnswers({ value }: Item): Answers {
  const answers = new Map<string, unknown[]>();
  if (isObject(value)) collect(value, answers, 0);
  return answers;
}

function collect(parent: Data, answers: Map<string, unknown[]>, depth: number): void {
  const items = parent['item'];
  if (!Array.isArray(items) || depth > depthMax) return;
  for (const item of items.filter(isObject)) {
    const linkId = String(item['linkId']);
    const own = Array.isArray(item['answer']) ? item['answer'].filter(isObject) : [];
    answers.set(linkId, [...(answers.get(linkId) ?? []), ...own.map((answer) => choiceIn(answer, 'value'))]);
    collect(item, answers, depth + 1);
    for (const answer of own) collect(answer, answers, depth + 1);
  }
}

export function isEnabled({ enableWhen, enablesAny }: Question, answers: Answers): boolean {
  if (enableWhen.length === 0) return true;
  const holds = (condition: Condition): boolean => isMet(condition, answers.get(condition.question) ?? []);
  return enablesAny ? enableWhen.some(holds) : enableWhen.every(holds);
}

function isMet({ operator, answer }: Condition, values: readonly unknown[]): boolean {
  if (operator === 'exists') return values.length > 0 === answer;
  if (operator === '!=') return values.length > 0 && !values.some((value) => isEqual(value, answer));
  return values.some((value) => {
    if (operator === '=') return isEqual(value, answer);
    const order = compare(value, answer);
    if (order === undefined || Number.isNaN(order)) return false;
    if (operator === '>') return order > 0;
    if (operator === '<') return order < 0;
    return operator === '>=' ? order >= 0 : order <= 0;
  });
}

/** Codings by system and code: a display may be told otherwise. */
export function isEqual(left: unknown, right: unknown): boolean {
  if (!isObject(left) || !isObject(right)) return left === right;
  if (left['code'] !== undefined || right['code'] !== undefined)
    return left['code'] === right['code'] && left['system'] === right['system'];
  return left['reference'] === undefined ? isSame(left, right) : left['reference'] === right['reference'];
}
