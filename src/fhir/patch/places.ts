/** Places in a draft: items of elements, with the way up to the resource. */
import type { Definitions, TypeDefinition } from '../definitions.ts';
import {
  contentType,
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

/** An object that has elements: the resource, a complex element, or the companion of a primitive. */
export interface Holder {
  readonly type: TypeDefinition;
  readonly members: Members;
  /** How it stands in the holder above; undefined for the resource. */
  readonly place: Place | undefined;
}

/** One item of an element. */
export interface Place {
  readonly above: Holder;
  readonly slot: Slot;
  readonly index: number;
}

/** A place, or the resource itself. */
export type Target = Place | Holder;

export function isPlace(target: Target): target is Place {
  return 'slot' in target;
}

export function itemAt({ slot, index }: Place): Item {
  return readItems(slot)[index] ?? { value: undefined, companion: undefined };
}

/** The items of an element below a target; undefined where it can have no such element. */
export function placesBelow(definitions: Definitions, target: Target, name: string): Place[] {
  const holder = isPlace(target) ? readHolder(definitions, target) : target;
  const slot = holder && slotOf(holder.members, holder.type, name);
  if (holder === undefined || slot === undefined) return [];
  return readItems(slot).map((_item, index) => ({ above: holder, slot, index }));
}

/** The elements below an item; undefined for a primitive without any. */
function readHolder(definitions: Definitions, place: Place): Holder | undefined {
  const item = itemAt(place);
  const type = contentType(definitions, presentType(place.slot) ?? '', item);
  const members = type?.kind === 'primitive-type' ? item.companion : item.value;
  return type !== undefined && isMembers(members) ? { type, members, place } : undefined;
}

/** The same for writing: a primitive that has none yet gets a companion to hold them. */
export function openHolder(definitions: Definitions, target: Target): Holder | undefined {
  if (!isPlace(target)) return target;
  const holder = readHolder(definitions, target);
  if (holder !== undefined) return holder;
  const { slot, index } = target;
  const typeName = presentType(slot) ?? '';
  if (definitions.type(typeName)?.kind !== 'primitive-type') return undefined;
  writeItems(slot, typeName, readItems(slot).with(index, { ...itemAt(target), companion: {} }));
  return readHolder(definitions, target);
}

/** Takes one item away, and what is left empty above it. */
export function removeItem({ slot, index, above }: Place): void {
  writeItems(slot, presentType(slot) ?? '', readItems(slot).toSpliced(index, 1));
  const { place } = above;
  if (place === undefined || Object.keys(above.members).length > 0) return;
  const item = itemAt(place);
  const rest: Item = { value: item.value === above.members ? undefined : item.value, companion: undefined };
  if (isEmptyItem(rest)) removeItem(place);
  else writeItems(place.slot, presentType(place.slot) ?? '', readItems(place.slot).with(place.index, rest));
}
