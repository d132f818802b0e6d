/** A composite parameter's definition on a type -> its bases (composite.ts). */
import type { SearchParameterDefinition } from '../fhir/index.ts';
import { type ComponentLeaf, type CompositeBase, rowsFault, tupleEmitter } from './composite.ts';
import { keyText } from './keys.ts';
import { type CompiledParameter, type Compiler, compileSimple, toLeaves, tryPaths } from './leaves.ts';
import type { IndexPath, SearchParameter } from './parameters.ts';
import type { Path } from './paths.ts';
import type { Leaf } from './trie.ts';

interface Component {
  readonly definition: SearchParameterDefinition;
  readonly leaves: readonly Leaf[];
  readonly isFromResource: boolean;
}

/** A text says why the parameter cannot be sought. */
export function compileComposite(
  compiler: Compiler,
  resourceType: string,
  definition: SearchParameterDefinition,
): CompiledParameter | string {
  const elements = tryPaths(compiler, definition.expression ?? '', resourceType);
  if (typeof elements === 'string') return elements;
  const found = componentsOf(compiler, resourceType, definition);
  if (typeof found === 'string') return found;
  const fault = rowsFault(found.map(({ type }) => type));
  if (fault !== undefined) return fault;
  const bases: CompositeBase[] = [];
  const leaves: Leaf[] = [];
  const typed: string[] = [];
  for (const base of elements) {
    const components = found.map((one, place) => {
      const expression = expressionAt(definition, place);
      return compileComponent(compiler, { resourceType, base, expression, definitions: [one, ...found] });
    });
    const failed = components.find((one) => typeof one === 'string');
    if (failed !== undefined) return failed;
    const compiled = components.filter((one) => typeof one !== 'string');
    const made = base.steps.length === 0 ? conjunction(compiler, resourceType, compiled) : undefined;
    typed.push(...(made?.typed ?? []));
    bases.push(made?.base ?? tuples(compiler, { base, resourceType, components: compiled }, leaves));
  }
  const { code, type } = definition;
  return { parameter: { code, type, paths: [], column: undefined, bases }, leaves, typed };
}

function expressionAt({ components }: SearchParameterDefinition, place: number): string {
  return components[place]?.expression ?? '';
}

function componentsOf(
  { defined }: Compiler,
  resourceType: string,
  { components }: SearchParameterDefinition,
): readonly SearchParameterDefinition[] | string {
  if (components.length < 2) return 'it has fewer than two components';
  const byUrl = new Map([...defined(resourceType).values()].map((one) => [one.url, one]));
  const found = components.map(({ definition }) => byUrl.get(definition.split('|', 1)[0] ?? ''));
  const missing = found.findIndex((one) => one === undefined);
  return missing < 0 ? found.filter((one) => one !== undefined) : `its component ${missing + 1} is not known here`;
}

interface ComponentInput {
  readonly resourceType: string;
  /** Its own one, then those of all components: R4 names the two of DocumentReference.relationship in the wrong order. */
  readonly definitions: readonly SearchParameterDefinition[];
  readonly base: Path;
  readonly expression: string;
}

function compileComponent(compiler: Compiler, input: ComponentInput): Component | string {
  const { resourceType, definitions, base, expression } = input;
  const paths = tryPaths(compiler, expression, resourceType, base);
  if (typeof paths === 'string') return paths;
  for (const definition of definitions) {
    const { type } = definition;
    const leaves = toLeaves(compiler, { definition, type, resourceType, paths, isOrd: false });
    if (leaves.length > 0) return { definition, leaves, isFromResource: expression.startsWith('%resource') };
  }
  return 'no value that a component points at can be sought';
}

/** The paths at which the components are indexed anyway; `undefined` when one of them is not. */
function conjunction(
  compiler: Compiler,
  resourceType: string,
  components: readonly Component[],
): { readonly base: CompositeBase; readonly typed: readonly string[] } | undefined {
  const typed: (readonly string[])[] = [];
  const present: (readonly string[])[] = [];
  const parameters: SearchParameter[] = [];
  for (const { definition, leaves } of components) {
    const { type } = definition;
    if (type === 'composite') return undefined;
    const compiled = compileSimple(compiler, { resourceType, definition, type, isOrd: false });
    if (typeof compiled === 'string') return undefined;
    const texts = new Set(leaves.map(({ at }) => at.text));
    const paths = compiled.parameter.paths.filter(({ text }) => texts.has(text));
    const sought = leaves.map(({ path }) => path.type);
    if (paths.length !== texts.size || !sought.every((type) => paths.some(({ types }) => types.includes(type)))) {
      return undefined;
    }
    const keys = paths.flatMap((path) => presenceTexts(path, sought));
    const isTyped = paths.some(({ types }) => !types.every((type) => sought.includes(type)));
    if (isTyped) typed.push(keys);
    present.push(keys);
    parameters.push({ ...compiled.parameter, paths });
  }
  const hashed = (lists: readonly (readonly string[])[]) => lists.map((texts) => texts.map(compiler.hash));
  return {
    base: {
      ...{ kind: 'conjunction', name: resourceType, components: parameters },
      ...{ present: hashed(present), typed: hashed(typed) },
    },
    typed: typed.flat(),
  };
}

/** The values of a path may be of more types than the component takes. */
function presenceTexts({ category, name, presence, types }: IndexPath, sought: readonly string[]): readonly string[] {
  if (types.every((type) => sought.includes(type))) return [keyText.present(category, presence)];
  return types.filter((type) => sought.includes(type)).map((type) => keyText.typed(name, type));
}

interface TuplesInput {
  readonly base: Path;
  readonly resourceType: string;
  readonly components: readonly Component[];
}

function tuples({ hash }: Compiler, { base, resourceType, components }: TuplesInput, leaves: Leaf[]): CompositeBase {
  const names = components.map((one) => one.leaves.map(({ path }) => `${path.text}:${path.type}`).join('+'));
  const name = [base.text, ...names].join('$');
  const parts: (readonly ComponentLeaf[])[] = components.map((one) =>
    one.leaves.map((leaf) => ({ ...leaf, isFromResource: one.isFromResource, path: withinBase(leaf.path, base, one) })),
  );
  const at: IndexPath = {
    ...{ category: 'composite', resourceType, name, text: base.text, types: [base.type], targets: [] },
    ...{ restriction: undefined, presence: name, row: keyText.numbers(name), systems: undefined },
    ...{ sources: [], isSingle: false, isOrd: false, isProbe: false },
  };
  leaves.push({ path: base, at, emitter: tupleEmitter(parts) });
  return {
    kind: 'tuples',
    name,
    components: components.map(({ definition, leaves: own }) => ({
      code: definition.code,
      type: definition.type,
      paths: [...new Set(own.map((leaf) => leaf.at))],
      column: undefined,
    })),
    present: [[hash(keyText.present('composite', name))]],
    typed: [],
  };
}

/** Paths of components begin at the resource; the emitter walks from the element. */
function withinBase(path: Path, base: Path, { isFromResource }: Component): Path {
  return isFromResource ? path : { ...path, steps: path.steps.slice(base.steps.length) };
}
