/**
 * The search parameters of a type, compiled: for queries by code, with the paths whose keys are sought; for indexing as a
 * trie over the JSON, which visits each member once.
 *
 * Keys belong to paths, not to parameters. `subject` and `patient` share one key, `combo-code` is sought at the paths of
 * `code` and `component-code`, and a new parameter on a known path needs no new rows.
 */
import { Problem } from '../base/index.ts';
import type { Definitions, Resource, SearchParameterDefinition, SearchParameterType } from '../fhir/index.ts';
import type { Category, Emitter, Place } from './collector.ts';
import { restrictPath } from './collector.ts';
import { type Expression, ExpressionFault, parseExpression } from './expression.ts';
import { type KeyHash, keyText } from './keys.ts';
import { ordParameter } from './ord.ts';
import { compilePaths, type Path, type Step } from './paths.ts';
import { dateEmitters, numberEmitters, quantityEmitters } from './range.ts';
import { referenceEmitters, uriEmitters } from './reference.ts';
import { stringEmitters } from './text.ts';
import { tokenEmitters } from './token.ts';
import type { IndexValues } from './values.ts';

export interface SearchParameter {
  readonly code: string;
  readonly type: SearchParameterType;
  readonly paths: readonly IndexPath[];
  /** Kept in a column of its own. */
  readonly column: 'id' | 'lastUpdated' | undefined;
}

export interface IndexPath {
  readonly category: Category;
  readonly resourceType: string;
  /** The name in keys. */
  readonly name: string;
  readonly types: readonly string[];
  readonly targets: readonly string[];
  readonly restriction: string | undefined;
  /** The path of presence, which knows the restriction. */
  readonly presence: string;
  readonly systems: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  readonly isSingle: boolean;
  readonly isOrd: boolean;
  readonly isProbe: boolean;
}

/** A place of the JSON: what is emitted here, and which members lead on. */
export interface TrieNode {
  readonly emits: Emit[];
  readonly steps: Map<string, { readonly step: Step; readonly node: TrieNode }>;
}

export interface Emit {
  readonly emitter: Emitter;
  place: Place;
}

export interface TypeIndex {
  readonly parameters: ReadonlyMap<string, SearchParameter>;
  readonly trie: TrieNode;
  /** Parameters that are defined but cannot be sought, with the reason. */
  readonly unsupported: ReadonlyMap<string, string>;
  /** The paths of the references that put a resource in the compartment of a patient. */
  readonly compartment: readonly IndexPath[];
  /** Values of resources that predicates have been asked about; a resource is never changed in place. */
  readonly indexed: WeakMap<Resource, IndexValues>;
}

export type Parameters = (resourceType: string) => TypeIndex;

/** Types are compiled when they are first asked for. Throws `unsupported-type`. */
export function createParameters(definitions: Definitions, hash: KeyHash): Parameters {
  const compiler: Compiler = { definitions, hash, expressions: new Map() };
  const known = new Map<string, TypeIndex>();
  return (resourceType) => {
    const found = known.get(resourceType);
    if (found !== undefined) return found;
    if (!definitions.resourceTypes.has(resourceType)) {
      throw new Problem('unsupported-type', 'the resource type is unknown to FHIR R4');
    }
    const index = compileType(compiler, resourceType);
    known.set(resourceType, index);
    return index;
  };
}

interface Compiler {
  readonly definitions: Definitions;
  readonly hash: KeyHash;
  /** Many types share one expression: it is parsed once. */
  readonly expressions: Map<string, Expression>;
}

const emitters: Readonly<Record<Category, Readonly<Record<string, Emitter>>>> = {
  token: tokenEmitters,
  reference: referenceEmitters,
  date: dateEmitters,
  string: stringEmitters,
  number: numberEmitters,
  quantity: quantityEmitters,
  uri: uriEmitters,
};

const columns: Readonly<Record<string, 'id' | 'lastUpdated'>> = { _id: 'id', _lastUpdated: 'lastUpdated' };

/** On nearly every resource and hardly ever sought alone. */
const probeParameters: ReadonlySet<string> = new Set(['_profile', '_source']);

/**
 * R4's CompartmentDefinition leaves out types that speak of a patient all the same (Task.for, Device.patient,
 * GuidanceResponse.subject): where it names no link, `patient` is one.
 */
function compartmentCodes(definitions: Definitions, resourceType: string): ReadonlySet<string> {
  const codes = definitions.compartment(resourceType);
  return new Set(codes.length > 0 ? codes : ['patient']);
}

function compileType(compiler: Compiler, resourceType: string): TypeIndex {
  const { definitions, hash } = compiler;
  const defined = definitions.searchParameters(resourceType);
  const parameters = new Map<string, SearchParameter>();
  const unsupported = new Map<string, string>();
  const trie: TrieNode = { emits: [], steps: new Map() };
  const compartment: IndexPath[] = [];
  const marks = { ord: ordParameter(defined), compartment: compartmentCodes(definitions, resourceType) };
  for (const definition of defined.values()) {
    const compiled = compileParameter(compiler, resourceType, definition, marks.ord === definition.code);
    if (typeof compiled === 'string') {
      unsupported.set(definition.code, compiled);
      continue;
    }
    parameters.set(definition.code, compiled.parameter);
    const isCompartment = marks.compartment.has(definition.code);
    if (isCompartment) compartment.push(...compiled.parameter.paths);
    for (const leaf of compiled.leaves) addLeaf(trie, leaf, { isCompartment, hash });
  }
  return { parameters, trie, unsupported, compartment, indexed: new WeakMap() };
}

interface Leaf {
  readonly path: Path;
  readonly at: IndexPath;
}

interface CompiledParameter {
  readonly parameter: SearchParameter;
  readonly leaves: readonly Leaf[];
}

/** A text says why the parameter cannot be sought. */
function compileParameter(
  compiler: Compiler,
  resourceType: string,
  definition: SearchParameterDefinition,
  isOrd: boolean,
): CompiledParameter | string {
  const { code, type, expression } = definition;
  const column = columns[code];
  if (column !== undefined) return { parameter: { code, type, paths: [], column }, leaves: [] };
  if (type === 'composite' || type === 'special') return `parameters of type ${type} are not supported yet`;
  if (code === 'phonetic') return 'matching by sound is not supported yet';
  if (expression === undefined) return 'it has no expression';
  const paths = tryPaths(compiler, expression, resourceType);
  if (typeof paths === 'string') return paths;
  const leaves = groupPaths(paths.filter((path) => emitters[type][path.type] !== undefined)).flatMap((group) => {
    const at = toIndexPath(group, { definitions: compiler.definitions, definition, type, resourceType, isOrd });
    return group.map((path) => ({ path, at }));
  });
  if (leaves.length === 0) return `no value that it points at can be sought as ${type}`;
  return { parameter: { code, type, paths: [...new Set(leaves.map(({ at }) => at))], column: undefined }, leaves };
}

function tryPaths(compiler: Compiler, text: string, resourceType: string): readonly Path[] | string {
  try {
    const expression = compiler.expressions.get(text) ?? parseExpression(text);
    compiler.expressions.set(text, expression);
    return compilePaths(expression, resourceType, compiler.definitions);
  } catch (error) {
    if (error instanceof ExpressionFault) return `its expression is not supported: ${error.message}`;
    throw error;
  }
}

/** The types of a choice are one path, unless the expression takes only some of those that could be sought. */
function groupPaths(paths: readonly Path[]): readonly (readonly Path[])[] {
  const groups = new Map<string, Path[]>();
  for (const path of paths) {
    const name = restrictPath(path.text, path.restriction);
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    if (!group.some(({ type }) => type === path.type)) group.push(path);
  }
  return [...groups.values()];
}

interface PathContext {
  readonly definitions: Definitions;
  readonly definition: SearchParameterDefinition;
  readonly type: Category;
  readonly resourceType: string;
  readonly isOrd: boolean;
}

function toIndexPath(
  group: readonly Path[],
  { definitions, definition, type, resourceType, isOrd }: PathContext,
): IndexPath {
  const first = group[0];
  if (first === undefined) throw new Error('a group of paths is never empty');
  const types = group.map((path) => path.type).sort();
  const seekable = first.choices.filter((choice) => emitters[type][choice] !== undefined);
  const name = types.length < seekable.length ? `${first.text}:${types.join('+')}` : first.text;
  const targets = first.targets.includes('Resource') || first.targets.length === 0 ? definition.target : first.targets;
  return {
    category: type,
    resourceType,
    name,
    types,
    targets: first.restriction === undefined ? targets : [first.restriction],
    restriction: first.restriction,
    presence: restrictPath(name, first.restriction),
    systems: first.valueSet === undefined ? undefined : definitions.systems(first.valueSet),
    isSingle: group.every((path) => path.isSingle),
    isOrd,
    isProbe: probeParameters.has(definition.code),
  };
}

function addLeaf(
  trie: TrieNode,
  { path, at }: Leaf,
  { isCompartment, hash }: { readonly isCompartment: boolean; readonly hash: KeyHash },
): void {
  let node = trie;
  for (const step of path.steps) {
    const name = stepName(step);
    const next = node.steps.get(name) ?? { step, node: { emits: [], steps: new Map() } };
    node.steps.set(name, next);
    node = next.node;
  }
  const emitter = emitters[at.category][path.type];
  if (emitter === undefined) return;
  const { category, name, restriction, isOrd, isProbe } = at;
  const presentTo =
    restriction === undefined ? [] : ([[restriction, hash(keyText.present(category, at.presence))]] as const);
  const place: Place = {
    category,
    path: name,
    present: hash(keyText.present(category, name)),
    presentTo: new Map(presentTo),
    row: hash(rowText(category, name)),
    isOrd,
    isCompartment,
    isProbe,
  };
  const known = node.emits.find((emit) => emit.emitter === emitter && samePlace(emit.place, place));
  if (known === undefined) node.emits.push({ emitter, place });
  else known.place = mergePlaces(known.place, place);
}

function samePlace(a: Place, b: Place): boolean {
  return a.category === b.category && a.path === b.path;
}

function mergePlaces(a: Place, b: Place): Place {
  return {
    ...a,
    presentTo: new Map([...a.presentTo, ...b.presentTo]),
    isOrd: a.isOrd || b.isOrd,
    isCompartment: a.isCompartment || b.isCompartment,
    isProbe: a.isProbe && b.isProbe,
  };
}

function rowText(category: Category, path: string): string {
  switch (category) {
    case 'date':
      return keyText.dates(path);
    case 'string':
      return keyText.strings(path);
    default:
      return keyText.numbers(path);
  }
}

function stepName(step: Step): string {
  switch (step.kind) {
    case 'member':
      return `${step.property}[${step.index ?? ''}]`;
    case 'filter':
      return `(${step.property}=${step.value})`;
    case 'compute':
      return step.text;
  }
}
