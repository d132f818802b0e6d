/**
 * Query text -> tree (https://hl7.org/fhir/R4/search.html). Strict: what is unknown or cannot be read stops the search,
 * because a filter that is dropped would widen the answer.
 */
import { Problem, searchLimits } from '../base/index.ts';
import { tooCostly, unsupported, incorrect } from './fault.ts';
import type { SearchContext } from './context.ts';
import { filterCriterion } from './parse-filter.ts';
import { parseMissing, parseValues } from './parse-parameter.ts';
import { type Input, readAlternatives, readWords } from './parse-values.ts';
import { parseResult, resultNames } from './parse-result.ts';
import type { SearchParameter } from './parameters.ts';
import { seekParameter, targetTypes, typesWith } from './sought.ts';
import type { Scope } from './scope.ts';
import type { Criterion, Search } from './tree.ts';
import { unescapeValue } from './escape.ts';

export interface SearchOptions {
  /** For `ap` with dates. */
  readonly now: number;
  /** `Patient/id`, `Encounter/id`, ...: only what stands in this compartment. Without a type: of every type that can. */
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
  const types =
    resourceType === undefined ? typesWithin(context, readTypes(context, accepted), options) : [resourceType];
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

const compartmentForm = /^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/;

/** In a compartment, a search of all types is one of those that can stand in it. */
function typesWithin(
  context: SearchContext,
  types: readonly string[],
  { compartment }: SearchOptions,
): readonly string[] {
  if (compartment === undefined) return types;
  const found = types.filter((type) => hasCompartment(context, type, compartment));
  if (found.length > 0) return found;
  throw new Problem('unsupported-parameter', 'resources of these types never stand in that compartment');
}

function compartmentCriterion(context: SearchContext, types: readonly string[], of: string): Criterion {
  if (!compartmentForm.test(of)) throw new Problem('incorrect', 'the compartment is not named by a type and an id');
  if (types.some((type) => hasCompartment(context, type, of))) return { kind: 'compartment', types, of };
  throw new Problem('unsupported-parameter', 'resources of this type never stand in that compartment');
}

function hasCompartment(context: SearchContext, type: string, of: string): boolean {
  const [name = ''] = of.split('/');
  if (name === 'Patient') return context.parameters(type).compartment.length > 0;
  return context.definitions.compartment(type, name).length > 0;
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

/** `rest` is the part of the name that is still to be read; `input.name` stays whole for messages. */
function parseCriterion(scope: Scope, input: Input, rest: string): Criterion {
  if (scope.depth > searchLimits.chainDepthMax) throw tooDeep(input);
  if (rest.startsWith('_has:')) return parseHas(scope, input, rest.slice('_has:'.length));
  const special = specials[rest];
  if (special !== undefined) return special(scope, input);
  const dot = rest.indexOf('.');
  const head = dot < 0 ? rest : rest.slice(0, dot);
  const [code = '', modifier, ...more] = head.split(':');
  if (more.length > 0) throw unsupported(input.name, 'it has more than one modifier');
  const parameter = seekParameter(scope.context, scope.types, { name: input.name, code });
  if (dot >= 0) return parseChain(scope, input, { parameter, modifier, rest: rest.slice(dot + 1) });
  return modifier === 'missing' ? parseMissing(input, parameter) : parseValues(scope, input, { parameter, modifier });
}

/** Parameters that no expression defines. */
const specials: Readonly<Record<string, (scope: Scope, input: Input) => Criterion>> = {
  _text: (_scope, input) => ({ kind: 'words', scope: 'narrative', values: readWords(input) }),
  _content: (_scope, input) => ({ kind: 'words', scope: 'all', values: readWords(input) }),
  _list: parseList,
  _filter: (scope, { value }) => filterCriterion(scope, value, { parse: parseCriterion, follow }),
};

/** _list=42 -> _has:List:item:_id=42 */
function parseList({ context, types }: Scope, input: Input): Criterion {
  const ids = readAlternatives(input).map(unescapeValue);
  if (ids.some((id) => !/^[A-Za-z0-9.-]{1,64}$/.test(id))) {
    throw unsupported(input.name, 'expected the id of a List; functional lists ($current-...) are not kept here');
  }
  const parameter = seekParameter(context, ['List'], { name: input.name, code: 'item' });
  return { kind: 'has', parameter, type: 'List', targets: types, of: { kind: 'id', ids } };
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
  {
    rest,
    ...step
  }: { readonly parameter: SearchParameter; readonly modifier: string | undefined; readonly rest: string },
): Criterion {
  const code = rest.startsWith('_has:') ? '_id' : (rest.split(/[.:]/, 1)[0] ?? '');
  const inner = follow(scope, input, { ...step, codes: [code] });
  const of = parseCriterion(inner, input, rest);
  return { kind: 'chain', parameter: step.parameter, types: inner.types, of };
}

/** The scope behind a reference: the types that it may lead to and that know the parameters asked there. */
function follow(
  scope: Scope,
  input: Input,
  step: {
    readonly parameter: SearchParameter;
    readonly modifier: string | undefined;
    readonly codes: readonly string[];
  },
): Scope {
  const { parameter, modifier, codes } = step;
  if (scope.depth >= searchLimits.chainDepthMax) throw tooDeep(input);
  requireReference(input, parameter);
  const possible = targetTypes(scope.context, parameter);
  const wanted = modifier === undefined ? possible : possible.filter((type) => type === modifier);
  const types = codes.reduce(
    (left, code) => (specials[code] === undefined ? typesWith(scope.context, left, code) : left),
    wanted,
  );
  if (types.length === 0)
    throw unsupported(input.name, 'no type that the reference may lead to has the parameter chained');
  return { ...scope, types, depth: scope.depth + 1 };
}

function tooDeep({ name }: Input): Problem {
  return tooCostly(name, `at most ${searchLimits.chainDepthMax} references can be followed`);
}

function requireReference(input: Input, parameter: SearchParameter): void {
  if (parameter.type === 'reference') return;
  throw unsupported(input.name, 'only a parameter of type reference can be followed');
}
