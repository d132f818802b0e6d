/** What compiles an expression of search parameters into paths, and paths into leaves of the trie. */
import type { Definitions, SearchParameterDefinition, SearchParameterType } from '../fhir/index.ts';
import { type Emitter, restrictPath } from './collector.ts';
import { type Expression, ExpressionFault, parseExpression } from './expression.ts';
import { type KeyHash, keyText } from './keys.ts';
import { positionEmitters } from './near.ts';
import type { IndexPath, SearchParameter } from './parameters.ts';
import { compilePaths, type Path } from './paths.ts';
import { dateEmitters, numberEmitters, quantityEmitters } from './range.ts';
import { referenceEmitters, uriEmitters } from './reference.ts';
import { stringEmitters } from './text.ts';
import { tokenEmitters } from './token.ts';
import type { Leaf } from './trie.ts';

export interface Compiler {
  readonly definitions: Definitions;
  readonly hash: KeyHash;
  /** Many types share one expression: it is parsed once. */
  readonly expressions: Map<string, Expression>;
  defined(resourceType: string): ReadonlyMap<string, SearchParameterDefinition>;
}

export interface CompiledParameter {
  readonly parameter: SearchParameter;
  readonly leaves: readonly Leaf[];
  /** Texts of keys of presence by type that the parameter asks for. */
  readonly typed: readonly string[];
}

const emitters: Readonly<Record<SearchParameterType, Readonly<Record<string, Emitter>>>> = {
  token: tokenEmitters,
  reference: referenceEmitters,
  date: dateEmitters,
  string: stringEmitters,
  number: numberEmitters,
  quantity: quantityEmitters,
  uri: uriEmitters,
  special: positionEmitters,
  composite: {},
};

/** On nearly every resource and hardly ever sought alone. */
const probeParameters: ReadonlySet<string> = new Set(['_profile', '_source']);

export interface SimpleInput {
  readonly resourceType: string;
  readonly definition: SearchParameterDefinition;
  readonly type: SearchParameterType;
  readonly isOrd: boolean;
}

/** Of a parameter that is not composite. A text says why it cannot be sought. */
export function compileSimple(compiler: Compiler, input: SimpleInput): CompiledParameter | string {
  const { resourceType, definition, type } = input;
  if (definition.expression === undefined) return 'it has no expression';
  const paths = tryPaths(compiler, definition.expression, resourceType);
  if (typeof paths === 'string') return paths;
  const leaves = toLeaves(compiler, { ...input, paths });
  if (leaves.length === 0) return `no value that it points at can be sought as ${type}`;
  const at = [...new Set(leaves.map((leaf) => leaf.at))];
  return { parameter: { code: definition.code, type, paths: at, column: undefined }, leaves, typed: [] };
}

/** `base` is where a component of a composite begins. */
export function tryPaths(
  compiler: Compiler,
  text: string,
  resourceType: string,
  base?: Path,
): readonly Path[] | string {
  try {
    const expression = compiler.expressions.get(text) ?? parseExpression(text);
    compiler.expressions.set(text, expression);
    return compilePaths(expression, resourceType, compiler.definitions, base);
  } catch (error) {
    if (error instanceof ExpressionFault) return `its expression is not supported: ${error.message}`;
    throw error;
  }
}

export interface LeavesInput extends SimpleInput {
  readonly paths: readonly Path[];
}

export function toLeaves({ definitions }: Compiler, input: LeavesInput): readonly Leaf[] {
  const { type, paths } = input;
  return groupPaths(paths.filter((path) => emitters[type][path.type] !== undefined)).flatMap((group) => {
    const at = toIndexPath(definitions, group, input);
    return group.flatMap((path) => {
      const emitter = emitters[type][path.type];
      return emitter === undefined ? [] : [{ path, at, emitter }];
    });
  });
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

function toIndexPath(
  definitions: Definitions,
  group: readonly Path[],
  { definition, type, resourceType, isOrd }: LeavesInput,
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
    text: first.text,
    types,
    targets: first.restriction === undefined ? targets : [first.restriction],
    restriction: first.restriction,
    presence: restrictPath(name, first.restriction),
    row: rowText(type, name),
    systems: first.valueSet === undefined ? undefined : definitions.systems(first.valueSet),
    sources: group.map((path) => ({ type: path.type, steps: path.steps })),
    isSingle: group.every((path) => path.isSingle),
    isOrd,
    isProbe: probeParameters.has(definition.code),
  };
}

export function rowText(category: SearchParameterType, path: string): string {
  switch (category) {
    case 'date':
      return keyText.dates(path);
    case 'string':
      return keyText.strings(path);
    case 'token':
      return keyText.labels(path);
    case 'uri':
    case 'reference':
      return keyText.uris(path);
    case 'special':
      return keyText.positions(path);
    case 'number':
    case 'quantity':
    case 'composite':
      return keyText.numbers(path);
  }
}
