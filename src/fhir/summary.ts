/**
 * Parts of a resource instead of the whole: `_summary` and `_elements`
 * (https://hl7.org/fhir/R4/search.html#summary, #elements). What is mandatory always stays, so that the part can still
 * be read as a resource; the tag SUBSETTED says that it must not be written back.
 */
import { Problem } from '../base/index.ts';
import type { Definitions, ElementDefinition, TypeDefinition } from './definitions.ts';
import type { Members, Resource } from './resource.ts';

/** `count` has no resources in its answer, `false` whole ones. */
export type SummaryMode = 'true' | 'text' | 'data';

export const subsettedTag = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
  display: 'subsetted',
};

export function summarize(resource: Resource, mode: SummaryMode, definitions: Definitions): Resource {
  switch (mode) {
    case 'true':
      return tag(keepSummary(definitions, resource, resource.resourceType) as Resource);
    case 'text':
      return selectElements(resource, new Set(['text']), definitions);
    case 'data':
      return tag(pick(resource, (name) => name !== 'text'));
  }
}

/** The resource with these elements of its root only, beside id, meta and what is mandatory. */
export function selectElements(resource: Resource, elements: ReadonlySet<string>, definitions: Definitions): Resource {
  const type = definitions.type(resource.resourceType);
  const isKept = (name: string): boolean => {
    const element = type && elementOf(type, name)?.element;
    return element === undefined || element.min > 0 || isIdentity(element) || elements.has(element.name);
  };
  return tag(pick(resource, isKept));
}

/** The names in `_elements`. Throws `incorrect` for one that none of the types has at its root. */
export function readElements(
  text: string,
  resourceTypes: Iterable<string>,
  definitions: Definitions,
): ReadonlySet<string> {
  const names = new Set(text.split(',').map((name) => name.trim()));
  const types = [...resourceTypes].map((name) => definitions.type(name));
  for (const name of names) {
    if (types.some((type) => type?.elements.has(name))) continue;
    throw new Problem('incorrect', `_elements: ${printName(name)} is no element at the root of a resource asked for`);
  }
  return names;
}

function printName(name: string): string {
  return /^\w{1,64}$/.test(name) ? `"${name}"` : 'one of the names';
}

/** The same object with fewer members; what hangs on it unseen (digits of decimals) stays. */
function pick<Value extends Members>(value: Value, isKept: (name: string) => boolean): Value {
  const copy: Record<string, unknown> = { ...value };
  for (const name of Object.keys(copy)) if (name !== 'resourceType' && !isKept(name)) delete copy[name];
  return copy as Value;
}

function tag(resource: Resource): Resource {
  const tags = resource.meta?.tag ?? [];
  const isTagged = tags.some(({ system, code }) => system === subsettedTag.system && code === subsettedTag.code);
  return isTagged ? resource : { ...resource, meta: { ...resource.meta, tag: [...tags, subsettedTag] } };
}

function isIdentity({ name }: ElementDefinition): boolean {
  return name === 'id' || name === 'meta';
}

/** The element of a JSON member and the type of its value: `valueQuantity` -> value, Quantity. */
function elementOf(type: TypeDefinition, member: string): { element: ElementDefinition; code: string } | undefined {
  const name = member.replace(/^_/, '');
  for (const element of type.elements.values()) {
    const reference = element.types.find(({ code }) => name === memberName(element, code));
    if (reference !== undefined) return { element, code: reference.code };
  }
  return undefined;
}

function memberName({ name, isChoice }: ElementDefinition, code: string): string {
  return isChoice ? name + code.charAt(0).toUpperCase() + code.slice(1) : name;
}

/**
 * Keeps the elements marked for summaries, at each level: an Attachment goes without its data. Extensions go at the
 * root only; below it they belong to the value that is kept. Undefined where nothing is left: FHIR has no empty elements.
 * Depth is that of the resource, which its reader has bounded.
 */
function keepSummary(definitions: Definitions, value: unknown, typeName: string): unknown {
  const type = definitions.type(typeName);
  if (type === undefined || isWhole(type)) return value;
  if (!Array.isArray(value)) return keepMembers(definitions, type, value as Members);
  const items = value.map((item) => keepMembers(definitions, type, item as Members));
  const kept = items.filter((item) => item !== undefined);
  return kept.length > 0 ? kept : undefined;
}

/** Resources in a Bundle are whole, and extensions have no summary of their own. */
function isWhole({ name, kind }: TypeDefinition): boolean {
  return kind === 'primitive-type' || name === 'Resource' || name === 'Extension';
}

function keepMembers(definitions: Definitions, type: TypeDefinition, value: Members): Members | undefined {
  const kept: Record<string, unknown> = { ...value };
  for (const [name, member] of Object.entries(value)) {
    const found = elementOf(type, name);
    const isType = found === undefined && name === 'resourceType';
    if (found !== undefined && isInSummary(type, found.element)) {
      kept[name] = name.startsWith('_') ? member : keepSummary(definitions, member, found.code);
    } else if (!isType) delete kept[name];
    if (kept[name] === undefined) delete kept[name];
  }
  return Object.keys(kept).length > 0 ? kept : undefined;
}

function isInSummary(type: TypeDefinition, element: ElementDefinition): boolean {
  const isBelowRoot = type.kind !== 'resource' && (element.name === 'id' || element.name === 'extension');
  return element.isSummary || element.min > 0 || isBelowRoot;
}
