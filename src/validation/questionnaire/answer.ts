/** One answer: of the type that the question has, one of its options, within its limits. */
import {
  findPatternFault,
  isObject,
  matchedCharactersMax,
  type Members,
  shortCostMax,
  shortTextMax,
} from '../../fhir/index.ts';
import type { Item } from '../profiles/items.ts';
import { compare } from '../profiles/values.ts';
import { isEqual } from './enabled.ts';
import { limitsOf, type Limits, type Question } from './question.ts';
import type { Reading } from './response.ts';
import { questionTexts } from './texts.ts';
import type { Texts } from '../profiles/texts.ts';

/** Question -> types of the answer. */
const typesOf: Readonly<Record<string, readonly string[]>> = {
  boolean: ['boolean'],
  decimal: ['decimal', 'integer'],
  integer: ['integer'],
  date: ['date'],
  dateTime: ['dateTime'],
  time: ['time'],
  string: ['string'],
  text: ['string'],
  url: ['uri'],
  attachment: ['Attachment'],
  reference: ['Reference'],
  quantity: ['Quantity'],
  choice: ['Coding', 'integer', 'date', 'time', 'string', 'Reference'],
  'open-choice': ['Coding', 'integer', 'date', 'time', 'string', 'Reference'],
};

interface Given {
  readonly answer: Item;
  /** All answers to the question. */
  readonly answers: readonly Item[];
}

export function judgeAnswer(reading: Reading, question: Question, { answer, answers }: Given): void {
  const { access, report } = reading;
  const [value] = access.children(answer, 'value');
  if (value === undefined) return;
  const types = typesOf[question.type] ?? [];
  if (!types.includes(value.type)) {
    report(value, 'structure', questionTexts.type(question.type, types));
    return;
  }
  const faults = [
    optionFault(reading, question, { answer: value, answers }),
    ...limitFaults(value, limitsOf(question)),
    unitFault(reading, value, limitsOf(question)),
    unknownTypeFault(reading, value),
    question.type === 'url' && !isUrl(value.value) ? questionTexts.url : undefined,
  ];
  for (const fault of faults) if (fault !== undefined) report(value, 'value', fault);
}

function optionFault({ judge }: Reading, question: Question, { answer, answers }: Given): Texts | undefined {
  const { options, answerValueSet, type } = question;
  const isFree = type === 'open-choice' && answer.type === 'string';
  if (options.length > 0 && !isFree) {
    const chosen = options.find(({ value }) => isEqual(value, answer.value));
    if (chosen === undefined) return questionTexts.option;
    if (chosen.isExclusive && answers.length > 1) return questionTexts.exclusive;
  }
  if (answerValueSet === undefined || answer.type !== 'Coding' || !isObject(answer.value)) return undefined;
  return isOutside(judge, answerValueSet, answer.value) ? questionTexts.valueSet(answerValueSet) : undefined;
}

function isOutside(judge: Reading['judge'], valueSet: string, { system, code }: Members): boolean {
  return (
    typeof code === 'string' && judge.member(valueSet, typeof system === 'string' ? system : undefined, code) === 'out'
  );
}

function limitFaults({ value, type }: Item, limits: Limits): readonly (Texts | undefined)[] {
  if (typeof value === 'string' && type === 'string') return textFaults(value, limits);
  if (type === 'Attachment' && isObject(value)) return attachmentFaults(value, limits);
  if (type === 'Reference' && isObject(value)) return [referenceFault(value, limits)];
  return [...rangeFaults(value, limits), placesFault(value, limits)];
}

function textFaults(value: string, { minLength, maxLength, regex }: Limits): readonly (Texts | undefined)[] {
  const isShort = minLength !== undefined && value.length < minLength;
  const isLong = maxLength !== undefined && value.length > maxLength;
  return [
    isShort || isLong ? questionTexts.length(minLength ?? 0, maxLength) : undefined,
    regex !== undefined && !isOfForm(value, regex) ? questionTexts.regex : undefined,
  ];
}

/** A pattern of a loaded questionnaire; one that could take long on some text, or cannot be read, lets pass. */
function isOfForm(value: string, regex: string): boolean {
  const costMax = value.length <= shortTextMax ? shortCostMax : undefined;
  if (value.length > matchedCharactersMax || findPatternFault(regex, costMax) !== undefined) return true;
  return new RegExp(`^(?:${regex})$`, 'u').test(value);
}

function rangeFaults(value: unknown, { minValue, maxValue }: Limits): readonly (Texts | undefined)[] {
  const below = minValue === undefined ? 1 : compare(value, minValue);
  const above = maxValue === undefined ? -1 : compare(value, maxValue);
  const isUnclear = isObject(value) && value['code'] === undefined && (minValue ?? maxValue) !== undefined;
  if (below === undefined || above === undefined || isUnclear) return [questionTexts.incomparable];
  return [below < 0 || above > 0 ? questionTexts.range : undefined];
}

function placesFault(value: unknown, { decimalPlacesMax }: Limits): Texts | undefined {
  if (decimalPlacesMax === undefined) return undefined;
  const number = isObject(value) ? value['value'] : value;
  if (typeof number !== 'number') return undefined;
  const places = /\.(\d+)$/.exec(String(number))?.[1]?.length ?? 0;
  return places > decimalPlacesMax ? questionTexts.places(decimalPlacesMax) : undefined;
}

function attachmentFaults(value: object, { sizeMax, mimeTypes }: Limits): readonly (Texts | undefined)[] {
  const { size, contentType } = value as { readonly size?: unknown; readonly contentType?: unknown };
  return [
    sizeMax !== undefined && typeof size === 'number' && size > sizeMax ? questionTexts.size(sizeMax) : undefined,
    mimeTypes.length > 0 && !mimeTypes.includes(contentType) ? questionTexts.mimeType : undefined,
  ];
}

function unitFault({ judge }: Reading, { type, value }: Item, { units, unitValueSet }: Limits): Texts | undefined {
  if (type !== 'Quantity' || !isObject(value)) return undefined;
  if (units.length > 0 && !units.some((unit) => isEqual(unit, value))) return questionTexts.unit;
  if (unitValueSet === undefined) return undefined;
  const isOut = typeof value['code'] !== 'string' || isOutside(judge, unitValueSet, value);
  return isOut ? questionTexts.unit : undefined;
}

/** A form may be answered with a reference to what is stored elsewhere; its type is still one of R4. */
function unknownTypeFault({ access }: Reading, { type, value }: Item): Texts | undefined {
  const reference = type === 'Reference' && isObject(value) ? value['reference'] : undefined;
  const named =
    typeof reference === 'string' ? /\/([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}$/.exec(reference)?.[1] : undefined;
  return named === undefined || access.definitions.resourceTypes.has(named) ? undefined : questionTexts.resourceType;
}

function referenceFault(value: object, { resourceTypes }: Limits): Texts | undefined {
  const { reference } = value as { readonly reference?: unknown };
  const type = typeof reference === 'string' ? /(?:^|\/)([A-Z][A-Za-z]+)\/[^/]+$/.exec(reference)?.[1] : undefined;
  return resourceTypes.length === 0 || type === undefined || resourceTypes.includes(type)
    ? undefined
    : questionTexts.resourceType;
}

function isUrl(value: unknown): boolean {
  return typeof value !== 'string' || !value.startsWith('urn:uuid:') || uuid.test(value);
}

const uuid = /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
