/** The search parameters of a type, compiled: for queries by code, for indexing as one trie. */
import type { Definitions, SearchParameterDefinition } from '../fhir/index.ts';
import { compileComposite } from './compile-composite.ts';
import { type CompiledParameter, type Compiler, compileSimple } from './leaves.ts';
import { ordParameter } from './ord.ts';
import type { TypeIndex } from './parameters.ts';
import { addLeaf, type TrieNode } from './trie.ts';

const columns: Readonly<Record<string, 'id' | 'lastUpdated'>> = { _id: 'id', _lastUpdated: 'lastUpdated' };

/**
 * R4's CompartmentDefinition leaves out types that speak of a patient all the same (Task.for, Device.patient,
 * GuidanceResponse.subject): where it names no link, `patient` is one.
 */
function compartmentCodes(definitions: Definitions, resourceType: string): ReadonlySet<string> {
  const codes = definitions.compartment(resourceType);
  return new Set(codes.length > 0 ? codes : ['patient']);
}

export function compileType(compiler: Compiler, resourceType: string, building: ReadonlySet<string>): TypeIndex {
  const { definitions, hash } = compiler;
  const defined = compiler.defined(resourceType);
  const unsupported = new Map<string, string>();
  const compiled: CompiledParameter[] = [];
  const ord = ordParameter(definitions.searchParameters(resourceType));
  for (const definition of defined.values()) {
    const one = compileParameter(compiler, resourceType, definition, ord === definition.code);
    if (typeof one === 'string') unsupported.set(definition.code, one);
    else compiled.push(one);
  }
  const codes = compartmentCodes(definitions, resourceType);
  const trie: TrieNode = { emits: [], steps: new Map() };
  const typed = new Set(compiled.flatMap((one) => one.typed));
  for (const { parameter, leaves } of compiled) {
    const isCompartment = codes.has(parameter.code);
    for (const leaf of leaves) addLeaf(trie, leaf, { isCompartment, hash, typed });
  }
  return {
    parameters: new Map(compiled.map(({ parameter }) => [parameter.code, parameter])),
    trie,
    unsupported,
    building,
    compartment: compiled.flatMap(({ parameter }) => (codes.has(parameter.code) ? parameter.paths : [])),
    indexed: new WeakMap(),
  };
}

/** A text says why the parameter cannot be sought. */
export function compileParameter(
  compiler: Compiler,
  resourceType: string,
  definition: SearchParameterDefinition,
  isOrd = false,
): CompiledParameter | string {
  const { code, type } = definition;
  const column = columns[code];
  if (column !== undefined) return { parameter: { code, type, paths: [], column }, leaves: [], typed: [] };
  if (code === 'phonetic') return 'matching by sound is not supported';
  if (type === 'composite') return compileComposite(compiler, resourceType, definition);
  return compileSimple(compiler, { resourceType, definition, type, isOrd });
}
