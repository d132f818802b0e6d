/** `_filter`: expression -> the criteria that other parameters are made of. */
import { incorrect, unsupported } from './fault.ts';
import { type Filter, type FilterOperator, type FilterStep, parseFilter } from './filter.ts';
import type { SearchParameter } from './parameters.ts';
import { parseMissing, parseValues } from './parse-parameter.ts';
import { type Input, readStrings } from './parse-values.ts';
import type { Scope } from './scope.ts';
import { seekParameter } from './sought.ts';
import type { Criterion, StringCriterion } from './tree.ts';

/** How parse.ts reads what a filter is made of. */
export interface FilterReader {
  parse(scope: Scope, input: Input, rest: string): Criterion;
  follow(
    scope: Scope,
    input: Input,
    step: { readonly parameter: SearchParameter; readonly modifier: undefined; readonly codes: readonly string[] },
  ): Scope;
}

export function filterCriterion(scope: Scope, text: string, reader: FilterReader): Criterion {
  return toCriterion(scope, parseFilter(text), reader);
}

function toCriterion(scope: Scope, filter: Filter, reader: FilterReader): Criterion {
  switch (filter.kind) {
    case 'and':
      return { kind: 'either', of: [filter.of.map((one) => toCriterion(scope, one, reader))] };
    case 'or':
      return { kind: 'either', of: filter.of.map((one) => [toCriterion(scope, one, reader)]) };
    case 'not':
      return { kind: 'not', of: [toCriterion(scope, filter.of, reader)] };
    case 'test':
      return toTest(scope, filter.path, { filter, reader });
  }
}

interface TestInput {
  readonly filter: Extract<Filter, { kind: 'test' }>;
  readonly reader: FilterReader;
}

/** a.b eq x -> a chain to b eq x;  a[f].b eq x -> a chain to (f and b eq x) */
function toTest(scope: Scope, [step, ...rest]: readonly FilterStep[], { filter, reader }: TestInput): Criterion {
  const { operator, value } = filter;
  if (step === undefined) throw incorrect('_filter', 'a condition names no parameter');
  const input = { name: step.name, value };
  const parameter = seekParameter(scope.context, scope.types, { name: step.name, code: step.name });
  if (rest.length === 0) {
    if (step.where !== undefined) throw incorrect(step.name, 'after brackets, expected a dot and a parameter');
    return operate(scope, { name: step.name, value: escapeValue(value) }, { parameter, operator });
  }
  const codes = [rest[0]?.name ?? '', ...firstNames(step.where)];
  const inner = reader.follow(scope, input, { parameter, modifier: undefined, codes });
  const tail = toTest(inner, rest, { filter, reader });
  const of: Criterion =
    step.where === undefined ? tail : { kind: 'either', of: [[toCriterion(inner, step.where, reader), tail]] };
  return { kind: 'chain', parameter, types: inner.types, of };
}

/** The parameters that the resources behind a reference must have. */
function firstNames(filter: Filter | undefined): readonly string[] {
  if (filter === undefined) return [];
  if (filter.kind === 'test') return [filter.path[0]?.name ?? ''];
  return filter.kind === 'not' ? firstNames(filter.of) : filter.of.flatMap(firstNames);
}

/** A value of a filter is one value: its commas are its own. */
function escapeValue(value: string): string {
  return value.replace(/[\\,]/g, '\\$&');
}

interface Operated {
  readonly parameter: SearchParameter;
  readonly operator: FilterOperator;
}

const ordered: ReadonlySet<string> = new Set(['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']);

function operate(scope: Scope, input: Input, { parameter, operator }: Operated): Criterion {
  if (operator === 'pr') return parseMissing({ ...input, value: input.value === 'true' ? 'false' : 'true' }, parameter);
  switch (parameter.type) {
    case 'string':
      return operateString(input, { parameter, operator });
    case 'date':
    case 'number':
    case 'quantity':
      if (parameter.type === 'date' && operator === 'po') return overlap(scope, input, parameter);
      if (!ordered.has(operator)) throw unsupportedOperator(input, operator);
      return parseValues(scope, { ...input, value: `${operator}${input.value}` }, { parameter, modifier: undefined });
    case 'token':
    case 'reference':
    case 'uri':
    case 'composite':
    case 'special':
      return operateKey(scope, input, { parameter, operator });
  }
}

const stringMatches: Partial<Record<FilterOperator, StringCriterion['match']>> = {
  eq: 'equals',
  co: 'contains',
  sw: 'prefix',
  ew: 'suffix',
};

function operateString(input: Input, { parameter, operator }: Operated): Criterion {
  const match = stringMatches[operator === 'ne' ? 'eq' : operator];
  if (match === undefined) throw unsupportedOperator(input, operator);
  const criterion: Criterion = { kind: 'string', parameter, match, values: readStrings(input, false) };
  return operator === 'ne' ? other(input, parameter, criterion) : criterion;
}

/** Operators that are a modifier of the parameter. */
const keyModifiers: Partial<Record<FilterOperator, Readonly<Record<string, string | undefined>>>> = {
  eq: { token: undefined, reference: undefined, uri: undefined, composite: undefined, special: undefined },
  ne: { token: undefined, reference: undefined, uri: undefined },
  re: { reference: undefined },
  in: { token: 'in' },
  ss: { token: 'above' },
  sb: { token: 'below' },
  sw: { uri: 'below' },
};

function operateKey(scope: Scope, input: Input, { parameter, operator }: Operated): Criterion {
  const modifiers = keyModifiers[operator];
  if (modifiers === undefined || !(parameter.type in modifiers)) throw unsupportedOperator(input, operator);
  const criterion = parseValues(scope, input, { parameter, modifier: modifiers[parameter.type] });
  return operator === 'ne' ? other(input, parameter, criterion) : criterion;
}

/** "An item in the set has an unequal value": where there is one item at most, it is there and not equal. */
function other(input: Input, parameter: SearchParameter, equal: Criterion): Criterion {
  if (parameter.paths.length !== 1 || parameter.paths[0]?.isSingle !== true) {
    throw unsupported(input.name, 'ne is not supported where there may be several values: expected not (... eq ...)');
  }
  return {
    kind: 'either',
    of: [
      [
        { kind: 'missing', parameter, isMissing: false },
        { kind: 'not', of: [equal] },
      ],
    ],
  };
}

/** The two periods have a moment in common. */
function overlap(scope: Scope, input: Input, parameter: SearchParameter): Criterion {
  const criterion = parseValues(scope, input, { parameter, modifier: undefined });
  if (criterion.kind !== 'date' && criterion.kind !== 'updated') throw unsupportedOperator(input, 'po');
  return { ...criterion, values: criterion.values.map((value) => ({ ...value, prefix: 'ap' as const })) };
}

function unsupportedOperator({ name }: Input, operator: FilterOperator) {
  return unsupported(name, `${operator} is not supported for this parameter in _filter`);
}
