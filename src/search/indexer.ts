/** Index values of a resource: one walk over the members that its type's parameters name. */
import type { Resource } from '../fhir/index.ts';
import { Collector, type Readers } from './collector.ts';
import type { SearchContext } from './context.ts';
import { keyText } from './keys.ts';
import type { IndexPath, Parameters } from './parameters.ts';
import { type Node, type Step, takeStep } from './paths.ts';
import type { TrieNode } from './trie.ts';
import type { IndexValues } from './values.ts';

export type Indexer = (resource: Resource) => IndexValues;

export function createIndexer({ parameters, readers }: SearchContext): Indexer {
  return (resource) => collect(parameters, readers, resource).finish(localReferences(resource, readers));
}

/** The token keys under which what stands in a compartment (`Patient/id`, `Encounter/id`) is found; a resource may have several. */
export function compartmentKeys(context: SearchContext, of: string, types: readonly string[]): readonly bigint[] {
  const [compartment = ''] = of.split('/', 1);
  const names = types.flatMap((type) => compartmentPaths(context, type, compartment).map(({ name }) => name));
  return [...new Set(names)].map((name) => context.readers.hash(keyText.referencePrefix(name) + of));
}

/** Where a resource of the type names its compartment. The patient's is known to the index; of the others, the definitions name the parameters. */
export function compartmentPaths(
  { definitions, parameters }: SearchContext,
  type: string,
  compartment: string,
): readonly IndexPath[] {
  const index = parameters(type);
  if (compartment === 'Patient') return index.compartment;
  return definitions.compartment(type, compartment).flatMap((code) => index.parameters.get(code)?.paths ?? []);
}

/** Parameters of a type that are defined but cannot be sought, with the reason. */
export function unsupportedParameters(
  { parameters }: SearchContext,
  resourceType: string,
): ReadonlyMap<string, string> {
  return parameters(resourceType).unsupported;
}

export function collect(parameters: Parameters, readers: Readers, resource: Resource): Collector {
  const out = new Collector(readers, resource);
  if (resource.resourceType === 'Patient' && resource.id !== undefined) out.patient(`Patient/${resource.id}`);
  visit(parameters(resource.resourceType).trie, resource, out);
  return out;
}

function visit(trie: TrieNode, value: unknown, out: Collector): void {
  for (const { emitter, place } of trie.emits) {
    emitter(value as never, place, out);
    if (place.typed !== undefined) out.probeKey(place.typed);
  }
  for (const { step, node } of trie.steps.values()) follow(step, node, { value, out });
}

function follow(
  step: Step,
  node: TrieNode,
  { value, out }: { readonly value: unknown; readonly out: Collector },
): void {
  if (step.kind !== 'member' || step.index !== undefined) {
    for (const one of takeStep(step, value)) visit(node, one, out);
    return;
  }
  const member = (value as Node)[step.property];
  if (member === undefined || member === null) return;
  if (!Array.isArray(member)) visit(node, member, out);
  else for (const one of member) if (one !== null) visit(node, one, out);
}

/** Deeper than any element of R4 without recursion of its own; what is deeper than the limit was refused on entry. */
const depthMax = 200;

/** Every `Reference.reference` in the resource, contained resources and extensions included. */
function localReferences(resource: Resource, readers: Readers): readonly string[] {
  const found = new Set<string>();
  gather(resource, 0, (text) => {
    const parsed = readers.references(text);
    if (parsed.kind === 'local') found.add(`${parsed.type}/${parsed.id}`);
  });
  return [...found];
}

function gather(value: unknown, depth: number, take: (text: string) => void): void {
  if (typeof value !== 'object' || value === null || depth > depthMax) return;
  if (Array.isArray(value)) {
    for (const one of value) gather(one, depth + 1, take);
    return;
  }
  for (const name in value) {
    const member = (value as Node)[name];
    if (typeof member === 'object') gather(member, depth + 1, take);
    else if (name === 'reference' && typeof member === 'string') take(member);
  }
}
