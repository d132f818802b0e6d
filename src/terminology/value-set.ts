/**
 * A ValueSet read for two questions: does it hold this code, and which codes does it hold. Both may be unknown: a code
 * system that is not loaded, or a filter that is not understood, makes the answer `unknown` for the codes it speaks of,
 * never a guess (https://hl7.org/fhir/R4/valueset.html#compositions).
 */
import type { CodeTable, Concept } from './code-system.ts';
import { grammarOf } from './grammars.ts';

export type Membership = 'in' | 'out' | 'unknown';

export interface Member {
  readonly system: string;
  readonly version?: string;
  readonly code: string;
  readonly display?: string;
  readonly isAbstract?: boolean;
  readonly isInactive?: boolean;
}

/** A set of codes, of a value set or of a part of it. */
export interface CodeSet {
  /** Without a system: the code of an element that has no place for one. */
  has(system: string | undefined, code: string): Membership;
  /** What keeps it from being listed, where something does. */
  list(): { readonly members: readonly Member[] } | { readonly unknown: string };
}

export interface Compose {
  readonly include?: readonly Include[];
  readonly exclude?: readonly Include[];
  readonly inactive?: boolean;
}

interface Include {
  readonly system?: string;
  readonly version?: string;
  readonly concept?: readonly { readonly code?: string; readonly display?: string }[];
  readonly filter?: readonly { readonly property?: string; readonly op?: string; readonly value?: string }[];
  readonly valueSet?: readonly string[];
}

interface Contained {
  readonly system?: string;
  readonly version?: string;
  readonly code?: string;
  readonly display?: string;
  readonly abstract?: boolean;
  readonly contains?: readonly Contained[];
}

/** Where the parts come from. */
export interface Shelf {
  codeSystem(canonical: string): CodeTable | undefined;
  /** Undefined: there is none, or it refers to itself. */
  valueSet(canonical: string): CodeSet | undefined;
}

export function readValueSet(
  shelf: Shelf,
  {
    compose,
    expansion,
  }: { readonly compose?: Compose; readonly expansion?: { readonly contains?: readonly Contained[] } },
): CodeSet {
  if (compose === undefined) return listed(flatten(expansion?.contains ?? []));
  const included = unite((compose.include ?? []).map((include) => readInclude(shelf, include)));
  const excluded = (compose.exclude ?? []).map((exclude) => readInclude(shelf, exclude));
  const all = excluded.length === 0 ? included : subtract(included, unite(excluded));
  return compose.inactive === false ? activeOnly(all) : all;
}

function flatten(contains: readonly Contained[]): Member[] {
  return contains.flatMap(({ system, version, code, display, abstract, contains: inner = [] }) => {
    const own =
      system === undefined || code === undefined
        ? []
        : [{ system, code, ...given({ version, display }), ...(abstract === true ? { isAbstract: true } : {}) }];
    return [...own, ...flatten(inner)];
  });
}

function given<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function readInclude(shelf: Shelf, include: Include): CodeSet {
  const imports = (include.valueSet ?? []).map(
    (canonical) => shelf.valueSet(canonical) ?? nothingKnown(`the value set ${canonical} is not loaded`),
  );
  const own = include.system === undefined ? [] : [readSystem(shelf, include.system, include)];
  return intersect([...own, ...imports]);
}

function readSystem(shelf: Shelf, system: string, { version, concept, filter = [] }: Include): CodeSet {
  const table = shelf.codeSystem(version === undefined ? system : `${system}|${version}`);
  if (concept !== undefined) {
    const members = concept.flatMap(({ code, display }) =>
      code === undefined ? [] : [toMember(system, code, { version, table, display })],
    );
    return listed(members);
  }
  if (table === undefined || table.concepts.size === 0) return readOutside(system, filter.length > 0);
  const unread = filter.find((one) => !isUnderstood(one));
  if (unread !== undefined)
    return unknownOf(system, `the filter ${unread.property ?? ''} ${unread.op ?? ''} on ${system} is not understood`);
  const kept = [...table.concepts.values()].filter((one) => filter.every((each) => passes(table, each, one)));
  const members = kept.map((one) => toMember(system, one.code, { version, table, display: undefined }));
  const all = listed(members);
  if (table.isComplete) return caseBlind(all, table, system);
  const reason = `the code system ${system} is not loaded as a whole`;
  return {
    has: (asked, code) => orUnknown(all.has(asked, code), asked === undefined || asked === system),
    list: () => ({ unknown: reason }),
  };
}

/** Systems that nobody loads: those whose codes follow a grammar are checked by it. */
function readOutside(system: string, isFiltered: boolean): CodeSet {
  const grammar = isFiltered ? undefined : grammarOf(system);
  if (grammar === undefined) return unknownOf(system, `the code system ${system} is not loaded`);
  return {
    has: (asked, code) => (asked !== undefined && asked !== system ? 'out' : grammar(code) ? 'in' : 'out'),
    list: () => ({ unknown: `the codes of ${system} cannot be listed` }),
  };
}

function caseBlind(all: CodeSet, table: CodeTable, system: string): CodeSet {
  return {
    ...all,
    has(asked, code) {
      const found = all.has(asked, code);
      const same = found === 'out' && (asked === undefined || asked === system) ? table.find(code) : undefined;
      return same === undefined ? found : all.has(asked, same.code);
    },
  };
}

interface Naming {
  readonly version: string | undefined;
  readonly table: CodeTable | undefined;
  readonly display: string | undefined;
}

function toMember(system: string, code: string, { version, table, display }: Naming): Member {
  const concept = table?.find(code);
  return {
    system,
    code,
    ...given({ version, display: display ?? concept?.display }),
    ...(concept?.isAbstract === true ? { isAbstract: true } : {}),
    ...(concept?.isInactive === true ? { isInactive: true } : {}),
  };
}

type Filter = NonNullable<Include['filter']>[number];

const hierarchyOps: ReadonlySet<string | undefined> = new Set(['is-a', 'descendent-of', 'is-not-a', 'generalizes']);
const valueOps: ReadonlySet<string | undefined> = new Set(['=', 'in', 'not-in', 'exists']);

function isUnderstood({ op, value }: Filter): boolean {
  return value !== undefined && (hierarchyOps.has(op) || valueOps.has(op));
}

function passes(table: CodeTable, { property = '', op, value = '' }: Filter, concept: Concept): boolean {
  switch (op) {
    case 'is-a':
      return concept.code === value || table.above(concept.code).has(value);
    case 'descendent-of':
      return table.above(concept.code).has(value);
    case 'is-not-a':
      return concept.code !== value && !table.above(concept.code).has(value);
    case 'generalizes':
      return concept.code === value || table.below(concept.code).has(value);
    case '=':
      return valuesOf(table, concept, property).includes(value);
    case 'in':
      return valuesOf(table, concept, property).some((one) => splitList(value).includes(one));
    case 'not-in':
      return !valuesOf(table, concept, property).some((one) => splitList(value).includes(one));
    default:
      return valuesOf(table, concept, property).length > 0 === (value === 'true');
  }
}

function splitList(value: string): string[] {
  return value.split(',').map((one) => one.trim());
}

function valuesOf(table: CodeTable, concept: Concept, property: string): readonly string[] {
  if (property === 'concept' || property === 'code') return [concept.code];
  if (property === 'display') return concept.display === undefined ? [] : [concept.display];
  if (property === 'parent') return [...table.above(concept.code)];
  return concept.properties.get(property) ?? [];
}

function listed(members: readonly Member[]): CodeSet {
  const bySystem = new Map<string, Set<string>>();
  for (const { system, code } of members) {
    const codes = bySystem.get(system);
    if (codes === undefined) bySystem.set(system, new Set([code]));
    else codes.add(code);
  }
  const sets = [...bySystem.values()];
  return {
    has(system, code) {
      const isIn = system === undefined ? sets.some((codes) => codes.has(code)) : bySystem.get(system)?.has(code);
      return isIn === true ? 'in' : 'out';
    },
    list: () => ({ members }),
  };
}

function unknownOf(system: string, reason: string): CodeSet {
  return {
    has: (asked) => (asked === undefined || asked === system ? 'unknown' : 'out'),
    list: () => ({ unknown: reason }),
  };
}

function nothingKnown(reason: string): CodeSet {
  return { has: () => 'unknown', list: () => ({ unknown: reason }) };
}

function orUnknown(found: Membership, isAsked: boolean): Membership {
  return found === 'out' && isAsked ? 'unknown' : found;
}

function unite(sets: readonly CodeSet[]): CodeSet {
  const [only] = sets;
  if (only !== undefined && sets.length === 1) return only;
  return {
    has(system, code) {
      let found: Membership = 'out';
      for (const set of sets) {
        const one = set.has(system, code);
        if (one === 'in') return 'in';
        if (one === 'unknown') found = one;
      }
      return found;
    },
    list() {
      const parts = sets.map((set) => set.list());
      const unknown = parts.find((part) => 'unknown' in part);
      if (unknown !== undefined) return unknown;
      return { members: distinct(parts.flatMap((part) => ('members' in part ? part.members : []))) };
    },
  };
}

function distinct(members: readonly Member[]): Member[] {
  const byKey = new Map<string, Member>();
  for (const member of members) {
    const key = `${member.system}|${member.code}`;
    if (!byKey.has(key)) byKey.set(key, member);
  }
  return [...byKey.values()];
}

function intersect(sets: readonly CodeSet[]): CodeSet {
  const [first, ...others] = sets;
  if (first === undefined) return listed([]);
  if (others.length === 0) return first;
  const has = (system: string | undefined, code: string): Membership => {
    const found = sets.map((set) => set.has(system, code));
    return found.includes('out') ? 'out' : found.includes('unknown') ? 'unknown' : 'in';
  };
  return { has, list: () => keepOf(sets, (member) => has(member.system, member.code)) };
}

/** One that can be listed is enough, where the others can tell of each of its codes. */
function keepOf(sets: readonly CodeSet[], test: (member: Member) => Membership): ReturnType<CodeSet['list']> {
  const lists = sets.map((set) => set.list());
  const list = lists.find((one) => 'members' in one);
  if (list === undefined || !('members' in list)) return lists[0] ?? { members: [] };
  const tested = list.members.map((member) => [member, test(member)] as const);
  if (tested.some(([, found]) => found === 'unknown')) return lists.find((one) => 'unknown' in one) ?? { unknown: '' };
  return { members: tested.filter(([, found]) => found === 'in').map(([member]) => member) };
}

function subtract(included: CodeSet, excluded: CodeSet): CodeSet {
  const has = (system: string | undefined, code: string): Membership => {
    const found = included.has(system, code);
    if (found === 'out') return 'out';
    const out = excluded.has(system, code);
    return out === 'in' ? 'out' : out === 'unknown' ? 'unknown' : found;
  };
  return {
    has,
    list() {
      const list = included.list();
      if ('unknown' in list) return list;
      const tested = list.members.map((member) => [member, excluded.has(member.system, member.code)] as const);
      if (tested.some(([, found]) => found === 'unknown')) return excluded.list();
      return { members: tested.filter(([, found]) => found === 'out').map(([member]) => member) };
    },
  };
}

function activeOnly(set: CodeSet): CodeSet {
  const list = set.list();
  return 'unknown' in list ? set : listed(list.members.filter(({ isInactive }) => isInactive !== true));
}
