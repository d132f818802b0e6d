/**
 * What codes mean, over the code systems and value sets of a library: membership, listing, look-up, subsumption. Pure;
 * each resource is read once. Everything may be unknown, and says so: see `value-set.ts`.
 */
import type { ConformanceResource, Library } from '../fhir/index.ts';
import { type CodeTable, type Concept, readCodeSystem } from './code-system.ts';
import { type CodeSet, type Compose, type Member, type Membership, readValueSet } from './value-set.ts';
import { grammarOf } from './grammars.ts';

export interface Terminology {
  /** Whether the value set holds the code; without a system where the element has no place for one. */
  member(valueSet: string, system: string | undefined, code: string): Membership;
  /** Whether the code is one of its system. */
  knows(system: string, code: string): Membership;
  /** All its codes; the reason where they cannot be listed; undefined where there is no such value set. */
  list(valueSet: string): Listing | undefined;
  /** The same of a value set that nobody has loaded. */
  listOf(valueSet: ConformanceResource): Listing;
  setOf(valueSet: ConformanceResource): CodeSet;
  hasValueSet(valueSet: string): boolean;
  codeSystem(canonical: string): CodeTable | undefined;
  lookup(system: string, code: string): Concept | undefined;
  /** Undefined where the system or a code is not known. */
  subsumes(system: string, codeA: string, codeB: string): Subsumption | undefined;
}

export type Listing = ReturnType<CodeSet['list']>;
export type Subsumption = 'equivalent' | 'subsumes' | 'subsumed-by' | 'not-subsumed';

/** What search needs of it: `:in`, `:below`, `:above`. Undefined: not known, so the search must be refused. */
export interface SearchTerms {
  codes(valueSet: string): readonly { readonly system: string; readonly code: string }[] | undefined;
  /** With the code itself. */
  below(system: string, code: string): readonly string[] | undefined;
  above(system: string, code: string): readonly string[] | undefined;
}

export function createTerminology(library: Library): Terminology {
  const tables = new WeakMap<ConformanceResource, CodeTable>();
  const sets = new WeakMap<ConformanceResource, CodeSet>();
  const reading = new Set<string>();
  const codeSystem = (canonical: string): CodeTable | undefined => {
    const resource = library.find('CodeSystem', canonical);
    if (resource === undefined) return undefined;
    const table = tables.get(resource) ?? readCodeSystem(resource);
    tables.set(resource, table);
    return table;
  };
  const valueSet = (canonical: string): CodeSet | undefined => {
    const resource = library.find('ValueSet', canonical);
    const known = resource === undefined ? undefined : sets.get(resource);
    if (resource === undefined || known !== undefined) return known;
    // A value set that imports itself holds what its other parts hold: the circle adds nothing that can be told.
    if (reading.has(canonical) || reading.size > importsMax) return undefined;
    reading.add(canonical);
    try {
      const set = setOf(resource);
      sets.set(resource, set);
      return set;
    } finally {
      reading.delete(canonical);
    }
  };
  const setOf = (resource: ConformanceResource): CodeSet =>
    readValueSet({ codeSystem, valueSet }, resource as { readonly compose?: Compose });
  return {
    member: (canonical, system, code) => valueSet(canonical)?.has(system, code) ?? 'unknown',
    knows: (system, code) => knows(codeSystem(system), system, code),
    list: (canonical) => valueSet(canonical)?.list(),
    listOf: (resource) => setOf(resource).list(),
    setOf,
    hasValueSet: (canonical) => valueSet(canonical) !== undefined,
    codeSystem,
    lookup: (system, code) => codeSystem(system)?.find(code),
    subsumes: (system, codeA, codeB) => subsumes(codeSystem(system), codeA, codeB),
  };
}

const importsMax = 20;

function knows(table: CodeTable | undefined, system: string, code: string): Membership {
  const grammar = grammarOf(system);
  if (grammar !== undefined) return grammar(code) ? 'in' : 'out';
  if (table?.find(code) !== undefined) return 'in';
  return table?.isComplete === true && table.concepts.size > 0 ? 'out' : 'unknown';
}

function subsumes(table: CodeTable | undefined, codeA: string, codeB: string): Subsumption | undefined {
  const [a, b] = [table?.find(codeA), table?.find(codeB)];
  if (table === undefined || a === undefined || b === undefined) return undefined;
  if (a.code === b.code) return 'equivalent';
  if (table.above(b.code).has(a.code)) return 'subsumes';
  return table.above(a.code).has(b.code) ? 'subsumed-by' : 'not-subsumed';
}

export function createSearchTerms(terminology: Terminology): SearchTerms {
  const near = (system: string, code: string, side: 'above' | 'below'): readonly string[] | undefined => {
    const table = terminology.codeSystem(system);
    return table?.find(code) === undefined ? undefined : [code, ...table[side](code)];
  };
  return {
    codes(valueSet) {
      const listing = terminology.list(valueSet);
      return listing === undefined || 'unknown' in listing ? undefined : listing.members;
    },
    below: (system, code) => near(system, code, 'below'),
    above: (system, code) => near(system, code, 'above'),
  };
}

export type { Member };
