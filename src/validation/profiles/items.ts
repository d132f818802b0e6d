/**
 * The elements of an instance, with their types and the way up: what profiles look at. Names are those of the
 * definitions (`value`, not `valueQuantity`); of a primitive, `beside` is the element that stands beside it in JSON.
 */
import { type Definitions, isObject, type Members, type TypeDefinition } from '../../fhir/index.ts';
import { jsonName } from '../members.ts';

export interface Item {
  readonly value: unknown;
  /** Of a primitive: `{ id, extension }` from `_name`. */
  readonly beside: unknown;
  /** `Identifier`, `Patient.contact`, `string`; of a resource, its own. */
  readonly type: string;
  /** Without `[x]`. */
  readonly name: string;
  readonly parent: Item | undefined;
  /** JSON pointer of this item below its parent; of a root, from the outermost resource. */
  readonly step: string;
}

interface Member {
  /** In JSON. */
  readonly json: string;
  /** As a pointer. */
  readonly step: string;
  readonly type: string;
  readonly isPrimitive: boolean;
}

export interface Access {
  readonly definitions: Definitions;
  children(item: Item, name: string): readonly Item[];
}

export function createAccess(definitions: Definitions): Access {
  const known = new Map<string, ReadonlyMap<string, readonly Member[]>>();
  const membersOf = (type: string): ReadonlyMap<string, readonly Member[]> => {
    const found = known.get(type);
    if (found !== undefined) return found;
    const made = makeMembers(definitions, definitions.type(type));
    known.set(type, made);
    return made;
  };
  return {
    definitions,
    children: (item, name) => childrenOf(item, name, membersOf(item.type).get(name) ?? none),
  };
}

const none: readonly never[] = [];

function makeMembers(definitions: Definitions, type: TypeDefinition | undefined): Map<string, readonly Member[]> {
  const members = new Map<string, readonly Member[]>();
  for (const element of type?.elements.values() ?? [])
    members.set(
      element.name,
      element.types.map((reference) => ({
        json: jsonName(element, reference),
        step: `/${jsonName(element, reference)}`,
        type: reference.code,
        isPrimitive: definitions.type(reference.code)?.kind === 'primitive-type',
      })),
    );
  return members;
}

function childrenOf(item: Item, name: string, members: readonly Member[]): readonly Item[] {
  const object = objectOf(item);
  if (object === undefined) return none;
  let items: Item[] | undefined;
  for (const member of members) {
    const value = object[member.json];
    const beside = member.isPrimitive ? object[`_${member.json}`] : undefined;
    if (value === undefined && beside === undefined) continue;
    items ??= [];
    addItems(items, { item, name, member, value, beside });
  }
  return items ?? none;
}

interface Found {
  readonly item: Item;
  readonly name: string;
  readonly member: Member;
  readonly value: unknown;
  readonly beside: unknown;
}

function addItems(items: Item[], { item, name, member, value, beside }: Found): void {
  const { step } = member;
  if (!Array.isArray(value) && !Array.isArray(beside)) {
    items.push({ value, beside, type: itemType(member.type, value), name, parent: item, step });
    return;
  }
  const values: readonly unknown[] = Array.isArray(value) ? value : none;
  const besides: readonly unknown[] = Array.isArray(beside) ? beside : none;
  for (let index = 0; index < Math.max(values.length, besides.length); index++)
    items.push({
      value: values[index] ?? undefined,
      beside: besides[index] ?? undefined,
      type: itemType(member.type, values[index]),
      name,
      parent: item,
      step: indexStep(step, index),
    });
}

export function indexStep(step: string, index: number): string {
  return `${step}/${index}`;
}

/** Of an element that may be any resource, what it says it is. */
export function itemType(type: string, value: unknown): string {
  if (type !== 'Resource' || !isObject(value)) return type;
  const { resourceType } = value;
  return typeof resourceType === 'string' ? resourceType : type;
}

/** Where the children are: of a primitive, beside it. */
function objectOf({ value, beside }: Item): Members | undefined {
  if (isObject(value)) return value;
  return isObject(beside) ? beside : undefined;
}

/** JSON pointer from the outermost resource. */
export function pointerOf(item: Item): string {
  let pointer = item.step;
  for (let parent = item.parent; parent !== undefined; parent = parent.parent) pointer = parent.step + pointer;
  return pointer;
}

export function rootItem(resource: unknown, step: string): Item {
  const type = isObject(resource) && typeof resource['resourceType'] === 'string' ? resource['resourceType'] : '';
  return { value: resource, beside: undefined, type, name: type, parent: undefined, step };
}
