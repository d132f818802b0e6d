/**
 * An element of a resource as a list of items, whatever its form in JSON: one value or many, plain or with the second
 * member (`_given`) that carries ids and extensions of primitives. Every edit reads the items, changes the list and
 * writes it back, so both halves stay side by side and nothing empty is left.
 */
import type { Definitions, ElementDefinition, TypeDefinition } from '../definitions.ts';
import { ExactNumber } from '../digits.ts';

export type Members = Record<string, unknown>;

export interface Item {
  /** Undefined for a primitive that has extensions only. */
  readonly value: unknown;
  readonly companion: Members | undefined;
}

/** An element that an owner has or may have. */
export interface Slot {
  /** The object that holds it; of a child of a primitive, the companion of that primitive. */
  readonly owner: Members;
  readonly element: ElementDefinition;
}

export function slotOf(owner: Members, type: TypeDefinition, name: unknown): Slot | undefined {
  const element = typeof name === 'string' ? type.elements.get(name) : undefined;
  return element === undefined ? undefined : { owner, element };
}

export function memberName(element: ElementDefinition, typeCode: string): string {
  return element.isChoice ? element.name + typeCode.charAt(0).toUpperCase() + typeCode.slice(1) : element.name;
}

/** The type that the element has now: of a choice, the one whose member is there. */
export function presentType({ owner, element }: Slot): string | undefined {
  return element.types.find(({ code }) => {
    const name = memberName(element, code);
    return Object.hasOwn(owner, name) || Object.hasOwn(owner, `_${name}`);
  })?.code;
}

export function readItems(slot: Slot): Item[] {
  const { owner, element } = slot;
  const type = presentType(slot);
  if (type === undefined) return [];
  const name = memberName(element, type);
  const [values, companions] = [asList(owner[name]), asList(owner[`_${name}`])];
  return Array.from({ length: Math.max(values.length, companions.length) }, (_none, index) => ({
    value: values[index] ?? undefined,
    companion: (companions[index] ?? undefined) as Members | undefined,
  }));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/** Replaces the element by these items, all of one type; none: the element goes. */
export function writeItems(slot: Slot, type: string, items: readonly Item[]): void {
  const { owner, element } = slot;
  const before = presentType(slot);
  if (before !== undefined) {
    delete owner[memberName(element, before)];
    delete owner[`_${memberName(element, before)}`];
  }
  const name = memberName(element, type);
  writeHalf(
    owner,
    { name, isMany: element.max > 1 },
    items.map((item) => item.value),
  );
  writeHalf(
    owner,
    { name: `_${name}`, isMany: element.max > 1 },
    items.map((item) => item.companion),
  );
}

function writeHalf(
  owner: Members,
  { name, isMany }: { readonly name: string; readonly isMany: boolean },
  values: readonly unknown[],
): void {
  if (values.every((value) => value === undefined)) return;
  owner[name] = isMany ? values.map((value) => value ?? null) : values[0];
}

/** The type whose elements the children of an item are. */
export function contentType(definitions: Definitions, type: string, item: Item): TypeDefinition | undefined {
  return definitions.type(type === 'Resource' ? String((item.value as Members | undefined)?.['resourceType']) : type);
}

/** An item without anything left in it: what a removal below may leave. */
export function isEmptyItem(item: Item): boolean {
  const isEmpty = (value: unknown): boolean =>
    value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return isEmpty(item.value) && isEmpty(item.companion);
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}
