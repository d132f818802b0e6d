/**
 * FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): operations in order on a copy, each seeing what those before
 * it did, all or nothing. A path must point at exactly one element (`delete`: at most one; `insert` and `move`: one
 * whole list). What loses its last element goes too: FHIR has no empty elements. Whether the result is a valid resource
 * is for the validator.
 */
import type { TypeDefinition } from '../definitions.ts';
import { exposeDigits, hideDigits } from '../digits.ts';
import type { Resource } from '../resource.ts';
import {
  contentType,
  isEmptyItem,
  type Item,
  type Members,
  presentType,
  readItems,
  type Slot,
  slotOf,
  writeItems,
} from './items.ts';
import { type Location, type LocateSetting, locate } from './locate.ts';
import { type PatchOperation, readOperations, refusal } from './operations.ts';
import { append, readValue, type TypedItem } from './value.ts';

/**
 * The resource as the patch makes it. Throws `incorrect` for what is no FHIRPath Patch, `unprocessable` for an operation
 * that cannot be applied; each names the operation, and its place in the Parameters as expression.
 */
export function applyFhirPathPatch(resource: Resource, parameters: unknown, setting: LocateSetting): Resource {
  const operations = readOperations(exposeDigits(parameters));
  const root = exposeDigits(resource) as Members;
  for (const operation of operations) applyOperation({ setting, root, operation });
  return hideDigits(root) as unknown as Resource;
}

interface Step {
  readonly setting: LocateSetting;
  readonly root: Members;
  readonly operation: PatchOperation;
}

/** An object that has elements: the resource, a complex element, or the companion of a primitive. */
interface Holder {
  readonly type: TypeDefinition;
  readonly members: Members;
  /** How it stands in the holder above; undefined for the resource. */
  readonly place: Place | undefined;
}

/** One item of an element. */
interface Place {
  readonly above: Holder;
  readonly slot: Slot;
  readonly index: number;
}

function applyOperation(step: Step): void {
  const { operation } = step;
  switch (operation.type) {
    case 'add':
      return add(step);
    case 'insert':
      return insert(step);
    case 'delete':
      return deleteElement(step);
    case 'replace':
      return replace(step);
    case 'move':
      return move(step);
  }
}

function refuse({ operation }: Step, text: string): never {
  throw refusal('unprocessable', `${operation.label}: ${text}`, operation.expression);
}

function add(step: Step): void {
  const { operation } = step;
  const locations = find(step, operation.path);
  const place = locations.length === 0 ? undefined : resolve(step, single(step, locations));
  if (locations.length === 0) refuse(step, 'the path finds no element');
  const holder = place === undefined ? rootHolder(step) : openHolder(step, place);
  const slot = slotOf(holder.members, holder.type, operation.name);
  if (slot === undefined) return refuse(step, `${holder.type.name} has no element of the given name`);
  refuseIdentity(step, holder, slot);
  const fault = append(slot, valueFor(step, slot));
  if (fault !== undefined) refuse(step, fault);
}

function insert(step: Step): void {
  const slot = findList(step);
  const items = readItems(slot);
  const { index } = step.operation;
  if (index > items.length) refuse(step, `the list has ${items.length} items, an index of at most that is expected`);
  const { type, item } = valueFor(step, slot);
  writeItems(slot, type, items.toSpliced(index, 0, item));
}

function deleteElement(step: Step): void {
  const locations = find(step, step.operation.path);
  if (locations.length === 0) return;
  const place = resolve(step, single(step, locations));
  if (place === undefined) return refuse(step, 'the resource itself cannot be deleted by a patch');
  refuseIdentity(step, place.above, place.slot);
  removeItem(place);
}

function replace(step: Step): void {
  const locations = find(step, step.operation.path);
  if (locations.length === 0) refuse(step, 'the path finds no element');
  const place = resolve(step, single(step, locations));
  if (place === undefined) return refuse(step, 'the resource itself cannot be replaced by a patch');
  refuseIdentity(step, place.above, place.slot);
  const { type, item } = valueFor(step, place.slot);
  writeItems(place.slot, type, readItems(place.slot).with(place.index, item));
}

function move(step: Step): void {
  const { source, destination } = step.operation;
  const slot = findList(step);
  const items = readItems(slot);
  const moved = items[source];
  if (moved === undefined || destination >= items.length) {
    return refuse(step, `the list has ${items.length} items, source and destination below that are expected`);
  }
  writeItems(slot, presentType(slot) ?? '', items.toSpliced(source, 1).toSpliced(destination, 0, moved));
}

function find({ setting, root, operation }: Step, path: string): Location[] {
  // FHIRPath needs plain numbers: it sees a copy of the draft.
  const resource = JSON.parse(JSON.stringify(root)) as Resource;
  const found = locate(setting, resource, path);
  if (typeof found !== 'string') return found;
  throw refusal('incorrect', `${operation.label}: ${found}`, operation.expression);
}

function single(step: Step, locations: readonly Location[]): Location {
  const [location] = locations;
  if (location === undefined || locations.length > 1) {
    return refuse(step, `the path finds ${locations.length} elements, expected one`);
  }
  return location;
}

function rootHolder({ setting, root }: Step): Holder {
  const type = setting.definitions.type(String(root['resourceType']));
  if (type === undefined) throw refusal('unprocessable', 'the type of the resource is not known');
  return { type, members: root, place: undefined };
}

/** Follows a location in the draft; undefined for the resource itself. */
function resolve(step: Step, location: Location): Place | undefined {
  let place: Place | undefined;
  for (const { name, index } of location) {
    const above = place === undefined ? rootHolder(step) : openHolder(step, place);
    const slot = slotOf(above.members, above.type, name);
    if (slot === undefined) return refuse(step, 'the path leaves the elements of the resource');
    place = { above, slot, index };
  }
  return place;
}

/** The elements below an item. A primitive that has none yet gets a companion to hold them. */
function openHolder(step: Step, place: Place): Holder {
  const { slot, index } = place;
  const typeName = presentType(slot) ?? '';
  const items = readItems(slot);
  const item = items[index];
  const type = item && contentType(step.setting.definitions, typeName, item);
  if (item === undefined || type === undefined) return refuse(step, 'the path leaves the elements of the resource');
  if (type.kind !== 'primitive-type') return { type, members: item.value as Members, place };
  const members = item.companion ?? {};
  if (item.companion === undefined) writeItems(slot, typeName, items.with(index, { ...item, companion: members }));
  return { type, members, place };
}

/** A patch does not change which resource this is. */
function refuseIdentity(step: Step, holder: Holder, { element }: Slot): void {
  if (holder.place === undefined && element.name === 'id')
    refuse(step, 'a patch does not change the id of the resource');
}

function valueFor(step: Step, { element }: Slot): TypedItem {
  const { setting, operation } = step;
  const read = readValue(setting.definitions, operation.value, element);
  return typeof read === 'string' ? refuse(step, `value: ${read}`) : read;
}

/** Takes one item away, and what is left empty above it. */
function removeItem({ slot, index, above }: Place): void {
  writeItems(slot, presentType(slot) ?? '', readItems(slot).toSpliced(index, 1));
  const { place } = above;
  if (place === undefined || Object.keys(above.members).length > 0) return;
  const items = readItems(place.slot);
  const item = items[place.index];
  if (item === undefined) return;
  const rest: Item = { value: item.value === above.members ? undefined : item.value, companion: undefined };
  if (isEmptyItem(rest)) removeItem(place);
  else writeItems(place.slot, presentType(place.slot) ?? '', items.with(place.index, rest));
}

/** The list that `insert` and `move` work on: all items of one element that repeats, or one that is still empty. */
function findList(step: Step): Slot {
  const { path } = step.operation;
  const locations = find(step, path);
  const places = locations.map((location) => resolve(step, location));
  const slot = places.length === 0 ? findEmptyList(step, path) : places[0]?.slot;
  if (slot === undefined) return refuse(step, 'the path finds no list');
  const isWhole = places.every(
    (place, index) => place?.slot.owner === slot.owner && place.slot.element === slot.element && place.index === index,
  );
  if (slot.element.max <= 1 || !isWhole || readItems(slot).length !== places.length) {
    return refuse(step, 'the path does not find one whole list');
  }
  return slot;
}

/** `Patient.contact[0].telecom` without a telecom: the element before the last name, then the name. */
function findEmptyList(step: Step, path: string): Slot | undefined {
  const [, before, name] = /^(.+)\.([A-Za-z]+)$/s.exec(path.trim()) ?? [];
  if (before === undefined || name === undefined || !isPlainPath(before)) return undefined;
  const locations = find(step, before);
  if (locations.length === 0) return undefined;
  const place = resolve(step, single(step, locations));
  const holder = place === undefined ? rootHolder(step) : openHolder(step, place);
  return slotOf(holder.members, holder.type, name);
}

/** Whether the last name belongs to everything before it: no operator outside brackets and texts. */
function isPlainPath(path: string): boolean {
  let rest = path.replace(/'(?:\\.|[^'\\])*'/g, '');
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replace(/\([^()[\]]*\)|\[[^()[\]]*\]/g, '');
  }
  return /^[A-Za-z.]+$/.test(rest);
}
