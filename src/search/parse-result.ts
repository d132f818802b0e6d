/** Parameters that say how the result is given (https://hl7.org/fhir/R4/search.html#return). */
import { searchLimits } from '../base/index.ts';
import type { SearchContext } from './context.ts';
import { incorrect, tooCostly, unsupported } from './fault.ts';
import { type Input, readAlternatives } from './parse-values.ts';
import type { SearchParameter } from './parameters.ts';
import { isSortedByJson, unsortable } from './sort-json.ts';
import { seekParameter, targetTypes } from './sought.ts';
import type { Include, SearchResult, Sort } from './tree.ts';

/** `_cursor` is our own: it stands in page links only. */
export const resultNames: ReadonlySet<string> = new Set([
  '_count',
  '_sort',
  '_total',
  '_summary',
  '_elements',
  '_include',
  '_revinclude',
  '_cursor',
  '_contained',
  '_containedType',
]);

const totals = ['none', 'estimate', 'accurate'] as const;
const summaries = ['true', 'text', 'data', 'count', 'false'] as const;

export function parseResult(
  context: SearchContext,
  types: readonly string[],
  parameters: readonly (readonly [string, string])[],
): SearchResult {
  const single = (name: string): Input | undefined => readSingle(parameters, name);
  const [sort, count, total, summary] = ['_sort', '_count', '_total', '_summary'].map(single);
  const [elements, cursor] = ['_elements', '_cursor'].map(single);
  requireContainers(single('_contained'), single('_containedType'));
  const included = parameters
    .map(([name, value]) => ({ name, value }))
    .filter(({ name }) => /^_(?:rev)?include(?::|$)/.test(name));
  if (included.length > searchLimits.includesMax) {
    throw tooCostly('_include', `at most ${searchLimits.includesMax} are allowed`);
  }
  const includes = included.flatMap((input) => readInclude(context, types, input));
  return {
    sorts: sort === undefined ? [] : readSorts(context, types, sort),
    includes,
    count: count === undefined ? undefined : readCount(count),
    total: total === undefined ? undefined : readWord(total, totals),
    summary: summary === undefined ? undefined : readWord(summary, summaries),
    elements: elements === undefined ? undefined : readElements(elements),
    cursor: cursor === undefined ? undefined : readCursorText(cursor),
  };
}

/**
 * Contained resources are found by nothing but what contains them (https://hl7.org/fhir/R4/search.html#contained): the default may be
 * said, the others are refused.
 */
function requireContainers(contained: Input | undefined, containedType: Input | undefined): void {
  if (contained !== undefined && readWord(contained, ['true', 'false', 'both']) !== 'false') {
    throw unsupported('_contained', 'contained resources are not searched: expected false');
  }
  if (containedType !== undefined && readWord(containedType, ['container', 'contained']) !== 'container') {
    throw unsupported('_containedType', 'contained resources are not searched: expected container');
  }
}

function readSingle(parameters: readonly (readonly [string, string])[], name: string): Input | undefined {
  const found = parameters.filter(([one]) => one.split(':', 1)[0] === name);
  if (found.length > 1) throw incorrect(name, 'it is given more than once');
  const [given, value] = found[0] ?? [];
  if (given === undefined || value === undefined) return undefined;
  if (given !== name) throw unsupported(name, 'it takes no modifier');
  return { name, value };
}

function readSorts(context: SearchContext, types: readonly string[], input: Input): readonly Sort[] {
  const texts = readAlternatives(input);
  if (texts.length > searchLimits.sortsMax) throw tooCostly('_sort', `at most ${searchLimits.sortsMax} are allowed`);
  return texts.map((text) => {
    const isDescending = text.startsWith('-');
    const parameter = seekParameter(context, types, { name: '_sort', code: isDescending ? text.slice(1) : text });
    requireSortable(parameter);
    return { parameter, isDescending };
  });
}

const sortable: ReadonlySet<string> = new Set(['date', 'string', 'number', 'quantity', 'token', 'reference', 'uri']);

function requireSortable(parameter: SearchParameter): void {
  if (parameter.column !== undefined) return;
  if (!sortable.has(parameter.type)) {
    throw unsupported('_sort', `sorting by a parameter of type ${parameter.type} is not supported`);
  }
  const reason = isSortedByJson(parameter) ? unsortable(parameter) : undefined;
  if (reason !== undefined) throw unsupported('_sort', reason);
}

function readCount({ name, value }: Input): number {
  if (!/^\d{1,9}$/.test(value)) throw incorrect(name, 'expected a whole number that is not negative');
  return Number(value);
}

function readWord<Word extends string>({ name, value }: Input, words: readonly Word[]): Word {
  const found = words.find((word) => word === value);
  if (found === undefined) throw incorrect(name, `expected one of ${words.join(', ')}`);
  return found;
}

function readElements(input: Input): readonly string[] {
  const elements = readAlternatives(input);
  if (elements.length > searchLimits.elementsMax) throw tooCostly('_elements', 'too many elements are named');
  if (elements.some((element) => !/^(?:[A-Z]\w*\.)?[a-z]\w*$/.test(element))) {
    throw incorrect('_elements', 'expected names of elements, such as status,subject');
  }
  return elements;
}

function readCursorText({ name, value }: Input): string {
  if (value.length > searchLimits.cursorCharactersMax) throw incorrect(name, 'it is no page link of this server');
  return value;
}

/** `_include=Encounter:subject:Patient`, `_include:iterate=...`; `*` stands for every reference. */
function readInclude(context: SearchContext, types: readonly string[], { name, value }: Input): readonly Include[] {
  const [head, modifier] = name.split(':');
  if (modifier !== undefined && modifier !== 'iterate') throw unsupported(name, 'the only modifier is :iterate');
  const kind = head === '_include' ? 'include' : 'revinclude';
  const made = { kind, isIterated: modifier === 'iterate' } as const;
  if (value === '*') return anyReference(context, types, made);
  const [type = '', code = '', target, ...more] = value.split(':');
  requireType(context, name, type);
  if (target !== undefined) requireType(context, name, target);
  if (code === '' || more.length > 0) throw incorrect(name, 'expected Type:parameter or Type:parameter:Target');
  if (code === '*') return referencesOf(context, type).map((parameter) => ({ ...made, type, parameter, target }));
  const parameter = seekParameter(context, [type], { name, code });
  if (parameter.type !== 'reference') throw unsupported(name, 'only a parameter of type reference can be included');
  return [{ ...made, type, parameter, target }];
}

/** Everything that the types searched refer to, or everything that may refer to them; with :iterate of any type. */
function anyReference(
  context: SearchContext,
  types: readonly string[],
  made: Pick<Include, 'kind' | 'isIterated'>,
): readonly Include[] {
  const all = [...context.definitions.resourceTypes];
  const from = made.kind === 'include' && !made.isIterated ? types : all;
  const found = from.flatMap((type) =>
    referencesOf(context, type).map((parameter) => ({ ...made, type, parameter, target: undefined })),
  );
  if (made.kind === 'include' || made.isIterated) return found;
  return found.filter(({ parameter }) => targetTypes(context, parameter).some((target) => types.includes(target)));
}

/** What `_include` and `_revinclude` take for each type, as the capability statement lists it. */
export function includeNames(
  context: SearchContext,
): ReadonlyMap<string, { readonly include: readonly string[]; readonly revInclude: readonly string[] }> {
  const types = [...context.definitions.resourceTypes];
  const found = new Map(types.map((type) => [type, { include: ['*'], revInclude: ['*'] }]));
  for (const type of types) {
    for (const parameter of referencesOf(context, type)) {
      const name = `${type}:${parameter.code}`;
      found.get(type)?.include.push(name);
      for (const target of targetTypes(context, parameter)) found.get(target)?.revInclude.push(name);
    }
  }
  return found;
}

function referencesOf({ parameters }: SearchContext, type: string): readonly SearchParameter[] {
  return [...parameters(type).parameters.values()].filter((parameter) => parameter.type === 'reference');
}

function requireType({ definitions }: SearchContext, name: string, type: string): void {
  if (!definitions.resourceTypes.has(type)) throw incorrect(name, 'a type is unknown to FHIR R4');
}
