/**
 * A QuestionnaireResponse against its Questionnaire, where that is at hand: contained in it, or loaded with a package
 * (https://hl7.org/fhir/R4/questionnaireresponse.html#link). Items stand where the questionnaire has them, as often as it
 * allows, and have answers when they must and may. What is still being filled in may lack answers, not have wrong ones.
 */
import { isObject } from '../../fhir/index.ts';
import { type Access, type Item } from '../profiles/items.ts';
import type { ProfileJudge } from '../profiles/judge.ts';
import { profileFaultsMax, type Run } from '../profiles/run.ts';
import { judgeAnswer } from './answer.ts';
import { type Answers, isEnabled, readAnswers } from './enabled.ts';
import { type Asked, limitsOf, type Question, readQuestions } from './question.ts';
import { questionTexts, reporterFor } from './texts.ts';

export function judgeResponse(judge: ProfileJudge, item: Item, run: Run): void {
  const canonical = isObject(item.value) ? item.value['questionnaire'] : undefined;
  if (typeof canonical !== 'string') return;
  const questionnaire = canonical.startsWith('#')
    ? run.resolve(canonical, item)?.value
    : judge.library.find('Questionnaire', canonical);
  if (!isObject(questionnaire)) return;
  const asked = readQuestions(questionnaire);
  const isEnding = ['completed', 'amended'].includes((item.value as { status?: string }).status ?? '');
  judgeItems(
    {
      judge,
      access: judge.access,
      run,
      asked,
      isEnding,
      report: reporterFor(run, canonical),
      answers: readAnswers(item),
    },
    item,
    asked.roots,
  );
}

export interface Reading {
  readonly judge: ProfileJudge;
  readonly access: Access;
  readonly run: Run;
  readonly asked: Asked;
  /** Nothing more will be answered: what is required must be there. */
  readonly isEnding: boolean;
  readonly report: ReturnType<typeof reporterFor>;
  readonly answers: Answers;
}

const depthMax = 50;

/** The items below a response, an item or an answer, against the questions that may stand there. */
function judgeItems(reading: Reading, parent: Item, questions: readonly Question[], depth = 0): void {
  if (depth > depthMax || reading.run.faults.length >= profileFaultsMax) return;
  const found = new Map<Question, Item[]>();
  for (const item of reading.access.children(parent, 'item')) {
    const question = questionOf(reading, item, questions);
    if (question !== undefined) found.set(question, [...(found.get(question) ?? []), item]);
  }
  for (const question of questions)
    judgeQuestion(reading, { parent, question, items: found.get(question) ?? [], depth });
}

/** The question that an item answers; told where there is none here. */
function questionOf({ asked, report }: Reading, item: Item, questions: readonly Question[]): Question | undefined {
  const linkId = isObject(item.value) ? item.value['linkId'] : undefined;
  const question = questions.find((one) => one.linkId === linkId);
  if (question !== undefined) return question;
  if (typeof linkId === 'string' && asked.linkIds.has(linkId)) report(item, 'structure', questionTexts.misplaced);
  else report(item, 'not-found', questionTexts.unknown);
  return undefined;
}

interface Group {
  readonly parent: Item;
  readonly question: Question;
  readonly items: readonly Item[];
  readonly depth: number;
}

function judgeQuestion(reading: Reading, { parent, question, items, depth }: Group): void {
  const { access, report } = reading;
  const answers = items.flatMap((item) => access.children(item, 'answer'));
  if (!isEnabled(question, reading.answers)) {
    for (const item of items) report(item, 'business-rule', questionTexts.disabled);
    return;
  }
  judgeCount(reading, { parent, question, items, depth }, answers);
  for (const answer of answers) {
    if (question.type === 'group' || question.type === 'display') report(answer, 'structure', questionTexts.noAnswer);
    else judgeAnswer(reading, question, { answer, answers });
  }
  // Below a group its items; below a question those that its answer has.
  const holders = question.type === 'group' ? items : answers;
  for (const holder of holders) judgeItems(reading, holder, question.items, depth + 1);
  if (question.type !== 'group')
    for (const item of items)
      for (const inner of access.children(item, 'item')) report(inner, 'structure', questionTexts.misplaced);
}

function judgeCount(reading: Reading, { parent, question, items }: Group, answers: readonly Item[]): void {
  const { report, isEnding } = reading;
  const count = question.type === 'group' ? items.length : answers.length;
  const { min, max } = countsOf(question);
  if (count > max) report(items.at(-1) ?? parent, 'business-rule', questionTexts.tooMany(max));
  if (!isEnding || question.type === 'display') return;
  if (count < min || isHollow(reading, question, items))
    report(items[0] ?? parent, 'required', questionTexts.tooFew(question.linkId, Math.max(min, 1)));
}

function countsOf(question: Question): { readonly min: number; readonly max: number } {
  const { minOccurs = 0, maxOccurs } = limitsOf(question);
  return {
    min: Math.max(minOccurs, question.required ? 1 : 0),
    max: maxOccurs ?? (question.repeats ? Number.POSITIVE_INFINITY : 1),
  };
}

/** A required group that has nothing in it. */
function isHollow({ access }: Reading, { type, required }: Question, items: readonly Item[]): boolean {
  return type === 'group' && required && items.some((item) => access.children(item, 'item').length === 0);
}
