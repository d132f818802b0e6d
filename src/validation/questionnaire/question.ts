/** What a Questionnaire asks, as far as answers are judged by it (https://hl7.org/fhir/R4/questionnaire.html). */
import { isObject } from '../../fhir/index.ts';

export interface Question {
  readonly linkId: string;
  readonly type: string;
  readonly required: boolean;
  readonly repeats: boolean;
  readonly maxLength: number | undefined;
  readonly answerValueSet: string | undefined;
  readonly options: readonly Option[];
  readonly enableWhen: readonly Condition[];
  readonly enablesAny: boolean;
  readonly extensions: readonly Data[];
  readonly items: readonly Question[];
}

export interface Option {
  readonly value: unknown;
  /** No other answer may stand beside it. */
  readonly isExclusive: boolean;
}

export interface Condition {
  readonly question: string;
  readonly operator: string;
  readonly answer: unknown;
}

export interface Asked {
  readonly roots: readonly Question[];
  /** Of all questions at any depth. */
  readonly linkIds: ReadonlySet<string>;
}

export type Data = Readonly<Record<string, unknown>>;

const depthMax = 50;

export function readQuestions(questionnaire: Data): Asked {
  const linkIds = new Set<string>();
  return { roots: readItems(questionnaire, linkIds, 0), linkIds };
}

function readItems(parent: Data, linkIds: Set<string>, depth: number): readonly Question[] {
  if (depth > depthMax) return [];
  return objectsIn(parent, 'item').map((item) => {
    const linkId = String(item['linkId']);
    linkIds.add(linkId);
    const { maxLength, answerValueSet } = item;
    return {
      linkId,
      type: String(item['type']),
      required: item['required'] === true,
      repeats: item['repeats'] === true,
      maxLength: typeof maxLength === 'number' ? maxLength : undefined,
      answerValueSet: typeof answerValueSet === 'string' ? answerValueSet : undefined,
      options: objectsIn(item, 'answerOption').map(readOption),
      enableWhen: objectsIn(item, 'enableWhen').map(readCondition),
      enablesAny: item['enableBehavior'] === 'any',
      extensions: objectsIn(item, 'extension'),
      items: readItems(item, linkIds, depth + 1),
    };
  });
}

function readOption(option: Data): Option {
  const isExclusive = objectsIn(option, 'extension').some(
    ({ url, valueBoolean }) => url === `${r4}questionnaire-optionExclusive` && valueBoolean === true,
  );
  return { value: choiceIn(option, 'value'), isExclusive };
}

function readCondition(condition: Data): Condition {
  return {
    question: String(condition['question']),
    operator: String(condition['operator']),
    answer: choiceIn(condition, 'answer'),
  };
}

export const r4 = 'http://hl7.org/fhir/StructureDefinition/';
const sdc = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';

export interface Limits {
  readonly minOccurs: number | undefined;
  readonly maxOccurs: number | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly minValue: unknown;
  readonly maxValue: unknown;
  readonly decimalPlacesMax: number | undefined;
  readonly regex: string | undefined;
  /** Bytes. */
  readonly sizeMax: number | undefined;
  readonly mimeTypes: readonly unknown[];
  readonly units: readonly unknown[];
  readonly unitValueSet: string | undefined;
  readonly resourceTypes: readonly unknown[];
}

/** By the extensions that R4 and Structured Data Capture define. */
export function limitsOf({ extensions, maxLength }: Question): Limits {
  const all = (url: string): readonly unknown[] =>
    extensions.filter((one) => one['url'] === url).map((one) => choiceIn(one, 'value'));
  const number = (url: string): number | undefined => {
    const [value] = all(url);
    return typeof value === 'number' ? value : undefined;
  };
  const [regex] = all(`${r4}regex`);
  const [unitValueSet] = all(`${r4}questionnaire-unitValueSet`);
  return {
    minOccurs: number(`${r4}questionnaire-minOccurs`),
    maxOccurs: number(`${r4}questionnaire-maxOccurs`),
    minLength: number(`${r4}minLength`),
    maxLength,
    minValue: all(`${r4}minValue`)[0] ?? all(`${sdc}minQuantity`)[0],
    maxValue: all(`${r4}maxValue`)[0] ?? all(`${sdc}maxQuantity`)[0],
    decimalPlacesMax: number(`${r4}maxDecimalPlaces`),
    regex: typeof regex === 'string' ? regex : undefined,
    sizeMax: number(`${r4}maxSize`),
    mimeTypes: all(`${r4}mimeType`),
    units: all(`${r4}questionnaire-unitOption`),
    unitValueSet: typeof unitValueSet === 'string' ? unitValueSet : undefined,
    resourceTypes: all(`${r4}questionnaire-referenceResource`),
  };
}

/** Of `value[x]`, whatever its type. */
export function choiceIn(data: Data, name: string): unknown {
  const member = Object.keys(data).find((one) => one.startsWith(name) && /^[A-Z]/.test(one.slice(name.length)));
  return member === undefined ? undefined : data[member];
}

function objectsIn(data: Data, name: string): readonly Data[] {
  const value = data[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}
