/**
 * The members of a JSON object against the elements of its type, in one pass over the names that are there
 * (types have up to a hundred possible names, instances a handful): unknown names, missing elements, more than one
 * type of a choice, nulls without an element beside them, elements with nothing in them.
 * https://hl7.org/fhir/R4/json.html
 */

export interface MemberRules {
  /** `beside`: the element beside a primitive, which may consist of an id alone. */
  readonly kind: 'resource' | 'element' | 'beside';
  /** JSON name, and the group it belongs to or -1. */
  readonly names: readonly (readonly [name: string, group: number])[];
  /** The elements that are required or a choice; at most 31, one bit each. */
  readonly groups: readonly MemberGroup[];
  /** Names of repeating primitives: `given` has `_given` beside it. */
  readonly paired: readonly string[];
}

export interface MemberGroup {
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

export type Members = Readonly<Record<string, unknown>>;
export type CheckMembers = (data: Members) => readonly MemberFault[] | null;

/** Of one object; the whole answer has its own limit. */
const faultsMax = 51;

export function createMemberCheck(rules: MemberRules): CheckMembers {
  const slots = new Map(rules.names.map(([name, group]) => [name, makeSlot(rules, name, group)]));
  const required = rules.groups.reduce((bits, { isRequired }, group) => (isRequired ? bits | (1 << group) : bits), 0);
  if (rules.groups.length > 31) throw new RangeError('more required elements and choices than bits');
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
    return count > 1 ? faults : join(faults, findEmpty(rules, data));
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

function join(faults: readonly MemberFault[] | null, found: readonly MemberFault[] | null): readonly MemberFault[] | null {
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
function findEmpty(rules: MemberRules, data: Members): readonly MemberFault[] | null {
  const isBare = Object.values(data).every((value) => value === undefined) || (rules.kind === 'element' && 'id' in data);
  return isBare ? [{ kind: 'empty', path: '', names: [] }] : null;
}

function pointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
