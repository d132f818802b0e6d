/**
 * A search as a question to one resource in memory: for subscriptions and the inputs of rules. It reads the index values
 * that the store reads, so a resource that was just written is matched without indexing it again.
 */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Condition, RangesCondition, TextsCondition } from './condition.ts';
import { textOf } from './content.ts';
import type { SearchContext } from './context.ts';
import { wordsOf } from './fold.ts';
import { collect } from './indexer.ts';
import { isInArea } from './near.ts';
import type { Bound, Range } from './range.ts';
import { rewrite } from './rewrite.ts';
import type { Search } from './tree.ts';
import type { IndexValues } from './values.ts';

export type Predicate = (resource: Resource, values?: IndexValues) => boolean;

type Test = (values: IndexValues, resource: Resource) => boolean;

/** Throws `unsupported-parameter` for chains and `_has`: they ask about other resources. */
export function createPredicate(context: SearchContext, search: Search): Predicate {
  const tests = rewrite(context, search.criteria).map((condition) => toTest(context, condition));
  const types = new Set(search.types);
  return (resource, values) => {
    if (!types.has(resource.resourceType)) return false;
    if (tests.length === 0) return true;
    const known = values ?? indexOnce(context, resource);
    return tests.every((test) => test(known, resource));
  };
}

/** Many predicates are asked about one resource: it is indexed for the first of them. */
function indexOnce({ parameters, readers }: SearchContext, resource: Resource): IndexValues {
  const { indexed } = parameters(resource.resourceType);
  const known = indexed.get(resource) ?? collect(parameters, readers, resource).finish([]);
  indexed.set(resource, known);
  return known;
}

function toTest(context: SearchContext, condition: Condition): Test {
  switch (condition.kind) {
    case 'nothing':
      return () => false;
    case 'keys':
      return keysTest(condition.match, condition.keys);
    case 'ranges':
      return rangesTest(condition);
    case 'texts':
      return textsTest(condition);
    case 'ids': {
      const ids = new Set(condition.ids);
      return (_values, { id }) => id !== undefined && ids.has(id);
    }
    case 'updated':
      return updatedTest(context, condition.ranges);
    case 'near': {
      const keys = new Set(condition.keys);
      return ({ numbers }) =>
        numbers.some((row) => keys.has(row.k) && condition.areas.some((area) => isInArea(area, row)));
    }
    case 'either': {
      const lists = condition.of.map((list) => list.map((one) => toTest(context, one)));
      return (values, resource) => lists.some((tests) => tests.every((test) => test(values, resource)));
    }
    case 'not': {
      const tests = condition.of.map((one) => toTest(context, one));
      return (values, resource) => !tests.every((test) => test(values, resource));
    }
    case 'words':
      return wordsTest(condition);
    case 'chain':
    case 'has':
      throw new Problem('unsupported-parameter', 'a search that follows references cannot be decided on one resource');
  }
}

function keysTest(match: 'any' | 'none', keys: readonly bigint[]): Test {
  const isAny = match === 'any';
  return ({ tokens }) => keys.some((key) => holds(tokens, key)) === isAny;
}

/** Keys are sorted. */
function holds(sorted: readonly bigint[], key: bigint): boolean {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = sorted[middle];
    if (found === undefined || found === key) return found === key;
    if (found < key) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

function rangesTest({ table, alternatives }: RangesCondition): Test {
  const sought = alternatives.map(({ keys, ranges }) => ({ keys: new Set(keys), ranges }));
  return (values) => {
    const rows = table === 'date_index' ? values.dates : values.numbers;
    return rows.some((row) => sought.some(({ keys, ranges }) => keys.has(row.k) && liesInOne(ranges, row)));
  };
}

function liesInOne(ranges: readonly Range[], row: { readonly lo: number; readonly hi: number }): boolean {
  return ranges.some((range) => range.every((bound) => keepsBound(bound, row[bound.side])));
}

function keepsBound({ operator, value }: Bound, found: number): boolean {
  switch (operator) {
    case '<':
      return found < value;
    case '<=':
      return found <= value;
    case '>':
      return found > value;
    case '>=':
      return found >= value;
  }
}

function textsTest({ match, keys, texts }: TextsCondition): Test {
  const sought = new Set(keys);
  return ({ strings }) =>
    strings.some(({ k, v }) => sought.has(k) && texts.some((text) => matchesText(match, v, text)));
}

function matchesText(match: TextsCondition['match'], found: string, sought: string): boolean {
  switch (match) {
    case 'prefix':
      return found.startsWith(sought);
    case 'contains':
      return found.includes(sought);
    case 'equals':
      return found === sought;
    case 'suffix':
      return found.endsWith(sought);
  }
}

function wordsTest({ scope, values }: Extract<Condition, { kind: 'words' }>): Test {
  return (_values, resource) => {
    const found = new Set(wordsOf(textOf(resource, scope)));
    return values.some((words) => words.every((word) => found.has(word)));
  };
}

function updatedTest({ readers }: SearchContext, ranges: readonly Range[]): Test {
  return (_values, { meta }) => {
    const lo = meta?.lastUpdated === undefined ? undefined : readers.dates.range(meta.lastUpdated)?.lo;
    return lo !== undefined && liesInOne(ranges, { lo, hi: lo + 1 });
  };
}
