/**
 * The members of a JSON object against the elements of its type, in one pass over the names that are there
 * (types have up to a hundred possible names, instances a handful): unknown names, missing elements, more than one
 * type of a choice, nulls without an element beside them, elements with nothing in them.
 * https://hl7.org/fhir/R4/json.html
 */
import type { Definitions, ElementDefinition, Members, TypeDefinition, TypeReference } from '../fhir/index.ts';

interface MemberRules {
  /** `beside`: the element beside a primitive, which may consist of an id alone. */
  readonly kind: 'resource' | 'element' | 'beside';
  /** JSON name, and the group it belongs to or -1. */
  readonly names: readonly (readonly [name: string, group: number])[];
  /** The elements that are required or a choice; at most 31, one bit each. */
  readonly groups: readonly MemberGroup[];
  /** Names of repeating primitives: `given` has `_given` beside it. */
  readonly paired: readonly string[];
}

interface MemberGroup {
  readonly name: string;
  readonly isChoice: boolean;
  readonly isRequired: boolean;
}

/** What is wrong, where below the object, and about which names (never values). */
export interface MemberFault {
  readonly kind: 'unknown' | 'missing' | 'choice' | 'null' | 'empty';
  /** JSON pointer below the object. */
  readonly path: string;
  readonly names: readonly string[];
}

export type CheckMembers = (data: Members) => readonly MemberFault[] | null;

/** Of one object; the whole answer has its own limit. */
const faultsMax = 51;

/** The check of one type, made when it is first needed. */
export function createMemberCheck(definitions: Definitions, typeName: string): CheckMembers {
  let check: CheckMembers | undefined;
  return (data) => {
    check ??= compileRules(makeRules(definitions, typeName));
    return check(data);
  };
}

function makeRules(definitions: Definitions, typeName: string): MemberRules {
  const type = definitions.type(typeName);
  if (type === undefined)
    throw new Error(`the generated validators name ${typeName}, which is not defined: build again`);
  const groups = [...type.elements.values()].filter((element) => element.isChoice || element.min > 0);
  const paired: string[] = [];
  const names: [string, number][] = type.kind === 'resource' ? [['resourceType', -1]] : [];
  for (const element of type.elements.values())
    for (const reference of element.types) {
      const name = jsonName(element, reference);
      names.push([name, groups.indexOf(element)]);
      if (!hasElementBeside(definitions, type, element, reference)) continue;
      names.push([`_${name}`, groups.indexOf(element)]);
      if (element.max > 1) paired.push(name);
    }
  const kind = typeName === 'Element' ? 'beside' : 'element';
  return { kind: type.kind === 'resource' ? 'resource' : kind, names, paired, groups: groups.map(makeGroup) };
}

function makeGroup({ name, isChoice, min }: ElementDefinition): MemberGroup {
  return { name, isChoice, isRequired: min > 0 };
}

/** The name in JSON: of a choice, with its type. */
export function jsonName(element: ElementDefinition, { code }: TypeReference): string {
  return element.isChoice ? element.name + code.charAt(0).toUpperCase() + code.slice(1) : element.name;
}

/**
 * Whether `_name` may stand beside it. `id` of anything, `url` of an extension and the narrative's xhtml are XML
 * attributes or text: they carry no extensions.
 */
export function hasElementBeside(
  definitions: Definitions,
  type: TypeDefinition,
  element: ElementDefinition,
  reference: TypeReference,
): boolean {
  if (definitions.type(reference.code)?.kind !== 'primitive-type' || reference.code === 'xhtml') return false;
  return element.name !== 'id' && !(type.name === 'Extension' && element.name === 'url');
}

function compileRules(rules: MemberRules): CheckMembers {
  if (rules.groups.length > 31) throw new RangeError('more required elements and choices than bits');
  const slots = new Map(rules.names.map(([name, group]) => [name, makeSlot(rules, name, group)]));
  const required = rules.groups.reduce((bits, { isRequired }, group) => (isRequired ? bits | (1 << group) : bits), 0);
  return (data) => {
    let seen = 0;
    let repeated = 0;
    let count = 0;
    let faults: readonly MemberFault[] | null = null;
    for (const name in data) {
      if (data[name] === undefined) continue;
      count++;
      const slot = slots.get(name);
      if (slot === undefined) {
        faults = join(faults, [{ kind: 'unknown', path: pointer(name), names: [name] }]);
        continue;
      }
      repeated |= seen & slot.bit;
      seen |= slot.bit;
      if (slot.check !== undefined) faults = join(faults, slot.check(data));
    }
    if (repeated !== 0) faults = join(faults, findChoices(rules, repeated, data));
    if ((seen & required) !== required) faults = join(faults, findMissing(rules, seen));
    return count > 1 ? faults : join(faults, findEmpty(rules, count, data));
  };
}

interface Slot {
  readonly bit: number;
  readonly check?: CheckMembers;
}

function makeSlot(rules: MemberRules, name: string, group: number): Slot {
  const bit = group < 0 ? 0 : 1 << group;
  const isBeside = name.startsWith('_');
  const value = isBeside ? name.slice(1) : name;
  if (rules.paired.includes(value)) return { bit, check: (data) => findNulls(data, value, isBeside) };
  return isBeside ? { bit, check: (data) => findBareElement(data, value) } : { bit };
}

function join(
  faults: readonly MemberFault[] | null,
  found: readonly MemberFault[] | null,
): readonly MemberFault[] | null {
  if (faults === null || found === null) return faults ?? found;
  return faults.length >= faultsMax ? faults : [...faults, ...found];
}

/** A place in a pair of arrays where neither the value nor the element beside it is there. */
function findNulls(data: Members, name: string, isBeside: boolean): readonly MemberFault[] | null {
  const values = data[name] ?? [];
  const beside = data[`_${name}`] ?? [];
  // Both names are met when both are there: one of them is enough.
  if (isBeside !== (data[`_${name}`] !== undefined) || !Array.isArray(values) || !Array.isArray(beside)) return null;
  const length = Math.max(values.length, beside.length);
  const faults: MemberFault[] = [];
  for (let index = 0; index < length && faults.length < faultsMax; index++)
    if ((values[index] ?? null) === null && !hasExtension(beside[index]))
      faults.push({ kind: 'null', path: `/${name}/${index}`, names: [name] });
  return faults.length === 0 ? null : faults;
}

/** `_birthDate` without `birthDate` must say something: an id alone does not. */
function findBareElement(data: Members, name: string): readonly MemberFault[] | null {
  const beside = data[`_${name}`];
  if (data[name] !== undefined || hasExtension(beside) || typeof beside !== 'object') return null;
  return [{ kind: 'empty', path: pointer(`_${name}`), names: [] }];
}

function hasExtension(beside: unknown): boolean {
  return typeof beside === 'object' && beside !== null && 'extension' in beside;
}

function findChoices(rules: MemberRules, repeated: number, data: Members): readonly MemberFault[] | null {
  const faults = rules.groups.flatMap((group, index): MemberFault[] => {
    if (!group.isChoice || (repeated & (1 << index)) === 0) return [];
    const present = rules.names.filter(([name, of]) => of === index && data[name] !== undefined);
    const names = [...new Set(present.map(([name]) => name.replace(/^_/, '')))];
    return names.length > 1 ? [{ kind: 'choice', path: pointer(names[1] ?? ''), names }] : [];
  });
  return faults.length === 0 ? null : faults;
}

function findMissing(rules: MemberRules, seen: number): MemberFault[] {
  const missing = rules.groups.filter((group, index) => group.isRequired && (seen & (1 << index)) === 0);
  return missing.map(({ name }) => ({ kind: 'missing', path: pointer(name), names: [name] }));
}

/** Every element has a value or children (ele-1); an id is not enough. */
function findEmpty(rules: MemberRules, count: number, data: Members): readonly MemberFault[] | null {
  const isBare = count === 0 || (rules.kind === 'element' && data['id'] !== undefined);
  return isBare ? [{ kind: 'empty', path: '', names: [] }] : null;
}

function pointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
