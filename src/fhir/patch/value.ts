/**
 * The value that an operation brings, in the form of the element it is for: a typed value (`valueHumanName`), a
 * resource, or parts that name the elements of a type without a name
 * (https://hl7.org/fhir/R4/fhirpatch.html#anonymous). Its type must be the type of the element.
 */
import type { Definitions, ElementDefinition } from '../definitions.ts';
import { isA } from '../fhirpath-types.ts';
import { memberTypeName } from '../links.ts';
import {
  isEmptyItem,
  isMembers,
  type Item,
  type Members,
  presentType,
  readItems,
  type Slot,
  slotOf,
  writeItems,
} from './items.ts';
import { isPart, type Part } from './operations.ts';

export interface TypedItem {
  readonly type: string;
  readonly item: Item;
}

/** A text says what is wrong with the value. */
export function readValue(definitions: Definitions, part: Part, element: ElementDefinition): TypedItem | string {
  const unknown = Object.keys(part).find((name) => !/^(?:name|part|resource|_?value[A-Z]\w*)$/.test(name));
  if (unknown !== undefined) return 'it has a member that a patch cannot use';
  const values = new Set(Object.keys(part).flatMap((name) => /^_?(value.+)$/.exec(name)?.[1] ?? []));
  const forms = values.size + (part['part'] === undefined ? 0 : 1) + (part['resource'] === undefined ? 0 : 1);
  if (forms !== 1) return 'expected one value, one resource or parts';
  const [name] = values;
  if (name !== undefined) return readTyped(definitions, { part, name, element });
  return part['part'] === undefined ? readResource(part, element) : readParts(definitions, part, element);
}

function readTyped(
  definitions: Definitions,
  { part, name, element }: { readonly part: Part; readonly name: string; readonly element: ElementDefinition },
): TypedItem | string {
  const parameter = definitions.type('Parameters.parameter');
  const given = parameter && memberTypeName(parameter, name);
  if (given === undefined) return `${name} is not a type of value`;
  const type = element.types.find(({ code }) =>
    // Only a choice takes its name from the type; elsewhere a code is a string, and XHTML has no type of value.
    element.isChoice ? code === given : isA(definitions, given, code) || (code === 'xhtml' && given === 'string'),
  )?.code;
  if (type === undefined) return `found a value of type ${given}, expected ${describeTypes(element)}`;
  const companion = part[`_${name}`];
  const item = { value: part[name], companion: isMembers(companion) ? companion : undefined };
  return isEmptyItem(item) ? 'it is empty' : { type, item };
}

function describeTypes({ types }: ElementDefinition): string {
  const codes = types.map(({ code }) => code);
  return codes.length > 4 ? `one of ${codes.length} types` : codes.join(' or ');
}

function readResource(part: Part, element: ElementDefinition): TypedItem | string {
  const type = element.types[0]?.code;
  if (type !== 'Resource') return `found a resource, expected ${describeTypes(element)}`;
  return { type, item: { value: part['resource'], companion: undefined } };
}

function readParts(definitions: Definitions, part: Part, element: ElementDefinition): TypedItem | string {
  const parts = part['part'];
  const [reference, ...others] = element.types;
  const type = reference === undefined ? undefined : definitions.type(reference.code);
  if (others.length > 0 || type?.kind !== 'complex-type') return `found parts, expected ${describeTypes(element)}`;
  if (!Array.isArray(parts) || parts.length === 0) return 'expected at least one part';
  const members: Members = {};
  for (const child of parts as unknown[]) {
    const slot = isPart(child) ? slotOf(members, type, child['name']) : undefined;
    if (slot === undefined) return `a part is no element of ${type.name}`;
    const read = readValue(definitions, child as Part, slot.element);
    const fault = typeof read === 'string' ? read : append(slot, read);
    if (fault !== undefined) return `${slot.element.name}: ${fault}`;
  }
  return { type: type.name, item: { value: members, companion: undefined } };
}

/** Adds an item at the end of an element; a text says why that cannot be. */
export function append(slot: Slot, { type, item }: TypedItem): string | undefined {
  const items = readItems(slot);
  if (items.length > 0 && slot.element.max <= 1) return 'it is there already, and cannot repeat';
  if (items.length > 0 && presentType(slot) !== type) return 'it is there already with another type';
  writeItems(slot, type, [...items, item]);
  return undefined;
}
