/**
 * What validation and terminology read of a definition, without the prose around it: a StructureDefinition of 300 kB
 * becomes one of 30 kB. Members are kept by name, so that what nobody reads is never held in memory.
 */
import type { ConformanceResource } from '../fhir/index.ts';

type Data = Readonly<Record<string, unknown>>;

const resourceMembers: readonly string[] = [
  'resourceType url version name title status kind abstract type baseDefinition derivation fhirVersion',
  'context contextInvariant snapshot differential',
  'item',
  'caseSensitive hierarchyMeaning content supplements concept property compose expansion group',
].flatMap((line) => line.split(' '));

const elementMembers: readonly string[] = [
  'id path sliceName sliceIsConstraining min max type slicing contentReference constraint mustSupport isModifier binding',
  'maxLength label short',
].flatMap((line) => line.split(' '));
/** `fixedUri`, `patternCoding`, `minValueDate`, `maxValueInteger`. */
const elementValue = /^(?:fixed|pattern|minValue|maxValue)[A-Z]/;

export function slim(resource: Data): ConformanceResource {
  const kept = pick(resource, (name) => resourceMembers.includes(name));
  for (const view of ['snapshot', 'differential']) {
    const { element } = (kept[view] ?? {}) as { readonly element?: unknown };
    if (Array.isArray(element)) kept[view] = { element: (element as readonly Data[]).map(slimElement) };
  }
  return kept as unknown as ConformanceResource;
}

function slimElement(element: Data): Data {
  const kept = pick(element, (name) => elementMembers.includes(name) || elementValue.test(name));
  const { type, constraint } = kept as { readonly type?: readonly Data[]; readonly constraint?: readonly Data[] };
  if (Array.isArray(type)) kept['type'] = type.map((one: Data) => pick(one, (name) => name !== 'extension'));
  if (Array.isArray(constraint))
    kept['constraint'] = constraint.map((one: Data) => pick(one, (name) => constraintMembers.includes(name)));
  return kept;
}

const constraintMembers: readonly string[] = ['key', 'severity', 'human', 'expression', 'source'];

function pick(data: Data, isKept: (name: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([name]) => isKept(name)));
}
