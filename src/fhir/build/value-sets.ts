/**
 * Which codes a value set holds, by system: only where that can be computed from what R4 publishes.
 * Lists, whole code systems, `is-a` and `descendent-of` over their hierarchies, imports and exclusions are computed;
 * anything else (SNOMED CT, LOINC, UCUM, MIME types, other filters) makes the whole value set unknown, never a guess.
 */
import type { Source, SourceCodeSystem, SourceConcept, SourceInclude } from './source.ts';

/** System -> codes. */
export type Expansion = ReadonlyMap<string, ReadonlySet<string>>;

const importsMax = 10;

export function expandValueSet(source: Source, canonical: string, depth = 0): Expansion | undefined {
  const compose = source.valueSets.get(withoutVersion(canonical))?.compose;
  if (compose === undefined || depth > importsMax) return undefined;
  const included = compose.include.map((include) => expandInclude(source, include, depth)).reduce(unite);
  const excluded = (compose.exclude ?? []).map((exclude) => expandInclude(source, exclude, depth));
  return excluded.reduce(subtract, included);
}

function unite(left: Expansion | undefined, right: Expansion | undefined): Expansion | undefined {
  if (left === undefined || right === undefined) return undefined;
  const systems = new Set([...left.keys(), ...right.keys()]);
  return new Map(
    [...systems].map((system) => [system, new Set([...(left.get(system) ?? []), ...(right.get(system) ?? [])])]),
  );
}

function subtract(left: Expansion | undefined, right: Expansion | undefined): Expansion | undefined {
  if (left === undefined || right === undefined) return undefined;
  const keep = (system: string, codes: ReadonlySet<string>): Set<string> =>
    new Set([...codes].filter((code) => right.get(system)?.has(code) !== true));
  return new Map([...left].map(([system, codes]) => [system, keep(system, codes)]));
}

export function withoutVersion(canonical: string): string {
  return canonical.split('|', 1)[0] ?? canonical;
}

function expandInclude(source: Source, include: SourceInclude, depth: number): Expansion | undefined {
  const parts = (include.valueSet ?? []).map((canonical) => expandValueSet(source, canonical, depth + 1));
  if (include.system !== undefined) parts.push(expandSystem(source, include.system, include));
  return parts.length === 0 ? undefined : parts.reduce(intersect);
}

function intersect(left: Expansion | undefined, right: Expansion | undefined): Expansion | undefined {
  if (left === undefined || right === undefined) return undefined;
  const both = [...left].map(([system, codes]) => {
    const others = right.get(system) ?? new Set<string>();
    return [system, new Set([...codes].filter((code) => others.has(code)))] as const;
  });
  return new Map(both);
}

function expandSystem(source: Source, system: string, include: SourceInclude): Expansion | undefined {
  if (include.concept !== undefined)
    return new Map([[system, new Set(include.concept.map((concept) => concept.code))]]);
  const codeSystem = source.codeSystems.get(system);
  if (codeSystem?.content !== 'complete' || codeSystem.concept === undefined) return undefined;
  const parents = readHierarchy(codeSystem);
  let codes = [...parents.keys()];
  for (const filter of include.filter ?? []) {
    if (filter.property !== 'concept' || (filter.op !== 'is-a' && filter.op !== 'descendent-of')) return undefined;
    codes = codes.filter(
      (code) => isBelow(code, filter.value, parents) || (filter.op === 'is-a' && code === filter.value),
    );
  }
  return new Map([[system, new Set(codes)]]);
}

/** Code -> its parents, from nesting and from the `subsumedBy` property that the v3 code systems use. */
function readHierarchy(codeSystem: SourceCodeSystem): Map<string, Set<string>> {
  const parents = new Map<string, Set<string>>();
  const pending: { concept: SourceConcept; parent: string | undefined }[] = [];
  for (const concept of codeSystem.concept ?? []) pending.push({ concept, parent: undefined });
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const known = parents.get(next.concept.code) ?? new Set<string>();
    parents.set(next.concept.code, known);
    if (next.parent !== undefined) known.add(next.parent);
    for (const property of next.concept.property ?? [])
      if (property.code === 'subsumedBy' && property.valueCode !== undefined) known.add(property.valueCode);
    for (const child of next.concept.concept ?? []) pending.push({ concept: child, parent: next.concept.code });
  }
  return parents;
}

function isBelow(code: string, ancestor: string, parents: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const seen = new Set<string>();
  const pending = [...(parents.get(code) ?? [])];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    if (parent === ancestor) return true;
    if (seen.has(parent)) continue;
    seen.add(parent);
    pending.push(...(parents.get(parent) ?? []));
  }
  return false;
}
