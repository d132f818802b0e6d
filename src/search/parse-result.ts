/** Parameters that say how the result is given (https://hl7.org/fhir/R4/search.html#return). */
import type { SearchContext } from './context.ts';
import { incorrect, tooCostly, unsupported } from './fault.ts';
import { searchLimits } from './limits.ts';
import { type Input, readAlternatives } from './parse-values.ts';
import { seekParameter } from './sought.ts';
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
  const includes = parameters
    .map(([name, value]) => ({ name, value }))
    .filter(({ name }) => /^_(?:rev)?include(?::|$)/.test(name))
    .map((input) => readInclude(context, input));
  if (includes.length > searchLimits.includesMax) {
    throw tooCostly('_include', `at most ${searchLimits.includesMax} are allowed`);
  }
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
    if (!sortable.has(parameter.type) && parameter.column === undefined) {
      throw unsupported('_sort', `sorting by a parameter of type ${parameter.type} is not supported`);
    }
    return { parameter, isDescending };
  });
}

const sortable: ReadonlySet<string> = new Set(['date', 'string', 'number', 'quantity']);

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

/** `_include=Encounter:subject:Patient`, `_include:iterate=...`. */
function readInclude(context: SearchContext, { name, value }: Input): Include {
  const [head, modifier] = name.split(':');
  if (modifier !== undefined && modifier !== 'iterate') throw unsupported(name, 'the only modifier is :iterate');
  const [type = '', code = '', target, ...more] = value.split(':');
  requireType(context, name, type);
  if (target !== undefined) requireType(context, name, target);
  if (code === '' || more.length > 0) throw incorrect(name, 'expected Type:parameter or Type:parameter:Target');
  const parameter = seekParameter(context, [type], { name, code });
  if (parameter.type !== 'reference') throw unsupported(name, 'only a parameter of type reference can be included');
  const kind = head === '_include' ? 'include' : 'revinclude';
  return { kind, isIterated: modifier === 'iterate', type, parameter, target };
}

function requireType({ definitions }: SearchContext, name: string, type: string): void {
  if (!definitions.resourceTypes.has(type)) throw incorrect(name, 'a type is unknown to FHIR R4');
}
