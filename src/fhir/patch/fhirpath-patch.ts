/**
 * FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): operations in order on a copy, each seeing what those before
 * it did, all or nothing. A path must point at exactly one element (`delete`: at most one; `insert` and `move`: one
 * whole list). What loses its last element goes too: FHIR has no empty elements. Whether the result is a valid resource
 * is for the validator.
 */
import { exposeDigits, hideDigits } from '../digits.ts';
import type { Resource } from '../resource.ts';
import { type Members, presentType, readItems, type Slot, slotOf, writeItems } from './items.ts';
import { type Located, type LocateSetting, locate } from './locate.ts';
import { type PatchOperation, readOperations, refusal } from './operations.ts';
import { type Holder, isPlace, openHolder, type Place, removeItem, type Target } from './places.ts';
import { append, readValue, type TypedItem } from './value.ts';

export type { LocateSetting as PatchSetting } from './locate.ts';

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

function applyOperation(step: Step): void {
  switch (step.operation.type) {
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
  const { setting, operation } = step;
  const holder = openHolder(setting.definitions, one(step, find(step)));
  const slot = holder && slotOf(holder.members, holder.type, operation.name);
  if (holder === undefined || slot === undefined) return refuse(step, 'there is no element of the given name');
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
  const targets = find(step);
  if (targets.length > 0) removeItem(onePlace(step, targets));
}

function replace(step: Step): void {
  const { slot, index } = onePlace(step, find(step));
  const { type, item } = valueFor(step, slot);
  writeItems(slot, type, readItems(slot).with(index, item));
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

function find(step: Step): readonly Target[] {
  return followed(step, locate(step.setting, step.root, step.operation.path).targets);
}

function followed({ operation }: Step, located: Located): readonly Target[] {
  if (typeof located !== 'string') return located;
  throw refusal('incorrect', `${operation.label}: ${located}`, operation.expression);
}

function one(step: Step, targets: readonly Target[]): Target {
  const [target] = targets;
  if (target === undefined) return refuse(step, 'the path finds no element');
  return targets.length === 1 ? target : refuse(step, `the path finds ${targets.length} elements, expected one`);
}

function onePlace(step: Step, targets: readonly Target[]): Place {
  const target = one(step, targets);
  if (!isPlace(target)) return refuse(step, 'the path must find an element, not the whole resource');
  refuseIdentity(step, target.above, target.slot);
  return target;
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

/** The list that `insert` and `move` work on: all items of one element that repeats, or one that is still empty. */
function findList(step: Step): Slot {
  const { targets, before } = locate(step.setting, step.root, step.operation.path);
  const places = followed(step, targets).filter(isPlace);
  const slot = places[0]?.slot ?? emptyList(step, before);
  if (slot === undefined) return refuse(step, 'the path finds no list');
  const isWhole = places.every(
    (place, index) => place.slot.owner === slot.owner && place.slot.element === slot.element && place.index === index,
  );
  if (slot.element.max <= 1 || !isWhole || readItems(slot).length !== places.length) {
    return refuse(step, 'the path does not find one whole list');
  }
  return slot;
}

/** `Patient.contact[0].telecom` where there is no telecom yet. */
function emptyList(step: Step, before: ReturnType<typeof locate>['before']): Slot | undefined {
  const targets = before === undefined ? [] : followed(step, before.targets);
  if (before === undefined || targets.length === 0) return undefined;
  const holder = openHolder(step.setting.definitions, one(step, targets));
  return holder && slotOf(holder.members, holder.type, before.name);
}
