/**
 * Query text -> tree (https://hl7.org/fhir/R4/search.html). Strict: what is unknown or cannot be read stops the search,
 * because a filter that is dropped would widen the answer.
 */
import { Problem } from '../base/index.ts';
import { tooCostly, unsupported, incorrect } from './fault.ts';
import type { SearchContext } from './context.ts';
import { searchLimits } from './limits.ts';
import {
  type Input,
  readAlternatives,
  readDates,
  readNumbers,
  readReferences,
  readStrings,
  readToken,
  readTokens,
  readUris,
} from './parse-values.ts';
import { parseResult, resultNames } from './parse-result.ts';
import type { SearchParameter } from './parameters.ts';
import { seekParameter, targetTypes, typesWith } from './sought.ts';
import type { Criterion, Search } from './tree.ts';
import { unescapeValue } from './escape.ts';

export interface SearchOptions {
  /** For `ap` with dates. */
  readonly now: number;
  /** `Patient/id`: only what stands in this patient's compartment. */
  readonly compartment?: string;
}

/** `resourceType` is absent in a search of the whole system; `_type` then names the types, or it is every type. */
export function parseSearch(
  context: SearchContext,
  resourceType: string | undefined,
  parameters: readonly (readonly [string, string])[],
  options: SearchOptions,
): Search {
  const accepted = parameters.filter(([name]) => !ignored.has(name));
  if (accepted.length > searchLimits.parametersMax) {
    const text = `${accepted.length} parameters found, at most ${searchLimits.parametersMax} are allowed`;
    throw new Problem('too-costly', text);
  }
  const types = resourceType === undefined ? readTypes(context, accepted) : [resourceType];
  const scope: Scope = { context, types, now: options.now, depth: 0 };
  const criteria = accepted
    .filter(([name]) => !isResult(name) && (name !== '_type' || resourceType !== undefined))
    .map(([name, value]) => parseCriterion(scope, { name, value }, name));
  const compartment =
    options.compartment === undefined ? [] : [compartmentCriterion(context, types, options.compartment)];
  const result = parseResult(
    context,
    types,
    accepted.filter(([name]) => isResult(name)),
  );
  return { types, criteria: [...compartment, ...criteria], result, accepted };
}

function compartmentCriterion(context: SearchContext, types: readonly string[], patient: string): Criterion {
  if (types.some((type) => context.parameters(type).compartment.length > 0))
    return { kind: 'compartment', types, patient };
  throw new Problem('unsupported-parameter', 'resources of this type never stand in the compartment of a patient');
}

/** How the answer is written: not the business of the search. */
const ignored: ReadonlySet<string> = new Set(['_format', '_pretty']);

function isResult(name: string): boolean {
  return resultNames.has(name.split(':', 1)[0] ?? '');
}

function readTypes(context: SearchContext, parameters: readonly (readonly [string, string])[]): readonly string[] {
  const named = parameters
    .filter(([name]) => name === '_type')
    .flatMap(([name, value]) => readAlternatives({ name, value }));
  if (named.some((type) => !context.definitions.resourceTypes.has(type))) {
    throw incorrect('_type', 'a type is unknown to FHIR R4');
  }
  if (named.length > searchLimits.typesMax)
    throw tooCostly('_type', `at most ${searchLimits.typesMax} types are allowed`);
  return named.length === 0 ? [...context.definitions.resourceTypes] : [...new Set(named)];
}

interface Scope {
  readonly context: SearchContext;
  readonly types: readonly string[];
  readonly now: number;
  /** References followed so far. */
  readonly depth: number;
}

/** `rest` is the part of the name that is still to be read; `input.name` stays whole for messages. */
function parseCriterion(scope: Scope, input: Input, rest: string): Criterion {
  if (scope.depth > searchLimits.chainDepthMax) {
    throw tooCostly(input.name, `at most ${searchLimits.chainDepthMax} references can be followed`);
  }
  if (rest.startsWith('_has:')) return parseHas(scope, input, rest.slice('_has:'.length));
  const dot = rest.indexOf('.');
  const head = dot < 0 ? rest : rest.slice(0, dot);
  const [code = '', modifier, ...more] = head.split(':');
  if (more.length > 0) throw unsupported(input.name, 'it has more than one modifier');
  const parameter = seekParameter(scope.context, scope.types, { name: input.name, code });
  if (dot >= 0) return parseChain(scope, input, { parameter, modifier, rest: rest.slice(dot + 1) });
  if (modifier === 'missing') return parseMissing(input, parameter);
  return parseValues(scope, input, { parameter, modifier });
}

function parseHas(scope: Scope, input: Input, rest: string): Criterion {
  const [type = '', code = '', ...inner] = rest.split(':');
  if (!scope.context.definitions.resourceTypes.has(type) || inner.length === 0) {
    throw incorrect(input.name, 'expected _has:Type:reference:parameter with a type of FHIR R4');
  }
  const parameter = seekParameter(scope.context, [type], { name: input.name, code });
  requireReference(input, parameter);
  if (!targetTypes(scope.context, parameter).some((target) => scope.types.includes(target))) {
    throw incorrect(input.name, 'its reference never leads to the type searched');
  }
  const innerScope = { ...scope, types: [type], depth: scope.depth + 1 };
  const of = parseCriterion(innerScope, input, inner.join(':'));
  return { kind: 'has', parameter, type, targets: scope.types, of };
}

function parseChain(
  scope: Scope,
  input: Input,
  chain: { readonly parameter: SearchParameter; readonly modifier: string | undefined; readonly rest: string },
): Criterion {
  const { parameter, modifier, rest } = chain;
  requireReference(input, parameter);
  const possible = targetTypes(scope.context, parameter);
  const wanted = modifier === undefined ? possible : possible.filter((type) => type === modifier);
  const code = rest.startsWith('_has:') ? '_id' : (rest.split(/[.:]/, 1)[0] ?? '');
  const types = typesWith(scope.context, wanted, code);
  if (types.length === 0)
    throw unsupported(input.name, 'no type that the reference may lead to has the parameter chained');
  return {
    kind: 'chain',
    parameter,
    types,
    of: parseCriterion({ ...scope, types, depth: scope.depth + 1 }, input, rest),
  };
}

function requireReference(input: Input, parameter: SearchParameter): void {
  if (parameter.type === 'reference') return;
  throw unsupported(input.name, 'only a parameter of type reference can be followed');
}

function parseMissing(input: Input, parameter: SearchParameter): Criterion {
  if (parameter.column !== undefined) throw unsupported(input.name, 'it is never missing');
  if (input.value !== 'true' && input.value !== 'false') throw incorrect(input.name, 'expected true or false');
  return { kind: 'missing', parameter, isMissing: input.value === 'true' };
}

interface Sought {
  readonly parameter: SearchParameter;
  readonly modifier: string | undefined;
}

function parseValues(scope: Scope, input: Input, { parameter, modifier }: Sought): Criterion {
  const { context, now } = scope;
  switch (parameter.type) {
    case 'token':
      return parseToken(input, { parameter, modifier });
    case 'reference':
      return parseReference(context, input, { parameter, modifier });
    case 'string':
      return parseString(input, { parameter, modifier });
    case 'uri':
      requireNoModifier(input, modifier);
      return { kind: 'uri', parameter, values: readUris(input) };
    case 'date': {
      requireNoModifier(input, modifier);
      const values = readDates(context, input, now);
      return parameter.column === 'lastUpdated' ? { kind: 'updated', values } : { kind: 'date', parameter, values };
    }
    case 'number':
    case 'quantity':
      requireNoModifier(input, modifier);
      return { kind: 'number', parameter, values: readNumbers(input, parameter.type === 'quantity') };
    case 'composite':
    case 'special':
      throw unsupported(input.name, `parameters of type ${parameter.type} are not supported`);
  }
}

function parseToken(input: Input, { parameter, modifier }: Sought): Criterion {
  if (modifier !== 'not') requireNoModifier(input, modifier);
  if (parameter.column === undefined) {
    return { kind: 'token', parameter, isNot: modifier === 'not', values: readTokens(input, parameter) };
  }
  requireNoModifier(input, modifier);
  return { kind: 'id', ids: readAlternatives(input).map(unescapeValue) };
}

function parseReference(context: SearchContext, input: Input, { parameter, modifier }: Sought): Criterion {
  if (modifier === 'identifier') {
    const values = readAlternatives(input).map((text) => readToken(input.name, text));
    return { kind: 'identifier', parameter, values };
  }
  if (modifier !== undefined && !context.definitions.resourceTypes.has(modifier)) requireNoModifier(input, modifier);
  return { kind: 'reference', parameter, values: readReferences(context, input, modifier) };
}

function parseString(input: Input, { parameter, modifier }: Sought): Criterion {
  if (modifier !== 'exact' && modifier !== 'contains') requireNoModifier(input, modifier);
  const match = modifier === 'exact' || modifier === 'contains' ? modifier : 'prefix';
  return { kind: 'string', parameter, match, values: readStrings(input, match === 'exact') };
}

function requireNoModifier(input: Input, modifier: string | undefined): void {
  if (modifier !== undefined) throw unsupported(input.name, 'the modifier is not supported for this parameter');
}
