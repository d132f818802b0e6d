/**
 * A CodeSystem read for questions: is there such a code, what is above it, what below. The hierarchy comes from nesting
 * and from the properties `parent`, `child` and `subsumedBy` (https://hl7.org/fhir/R4/codesystem.html#hierarchy).
 */
import type { ConformanceResource } from '../fhir/index.ts';

export interface Concept {
  readonly code: string;
  readonly display?: string;
  readonly definition?: string;
  readonly designation?: readonly Designation[];
  /** Code of the property -> its values as texts. */
  readonly properties: ReadonlyMap<string, readonly string[]>;
  /** Only there to group others: cannot be chosen. */
  readonly isAbstract: boolean;
  readonly isInactive: boolean;
}

export interface Designation {
  readonly language?: string;
  readonly value: string;
}

export interface CodeTable {
  readonly url: string;
  readonly version: string | undefined;
  readonly name: string | undefined;
  /** Every code is here: one that is not does not exist. */
  readonly isComplete: boolean;
  /** In the order of the resource. */
  readonly concepts: ReadonlyMap<string, Concept>;
  find(code: string): Concept | undefined;
  /** The code itself is not among them. */
  below(code: string): ReadonlySet<string>;
  above(code: string): ReadonlySet<string>;
}

interface SourceConcept {
  readonly code?: string;
  readonly display?: string;
  readonly definition?: string;
  readonly designation?: readonly Designation[];
  readonly property?: readonly Readonly<Record<string, unknown>>[];
  readonly concept?: readonly SourceConcept[];
}

interface Links {
  readonly parents: Map<string, Set<string>>;
  readonly children: Map<string, Set<string>>;
}

export function readCodeSystem(resource: ConformanceResource): CodeTable {
  const concepts = new Map<string, Concept>();
  const links: Links = { parents: new Map(), children: new Map() };
  for (const { concept, parent } of walk((resource['concept'] ?? []) as readonly SourceConcept[])) {
    if (concept.code === undefined) continue;
    const read = readConcept(concept, concept.code);
    if (!concepts.has(read.code)) concepts.set(read.code, read);
    linkConcept(links, read, parent);
  }
  const folded = resource['caseSensitive'] === false ? foldCodes(concepts) : undefined;
  return {
    url: resource.url,
    version: resource.version,
    name: typeof resource['name'] === 'string' ? resource['name'] : undefined,
    isComplete: resource['content'] === 'complete',
    concepts,
    find: (code) => concepts.get(code) ?? folded?.get(code.toLowerCase()),
    below: (code) => reach(links.children, code),
    above: (code) => reach(links.parents, code),
  };
}

/** Before its children, in the order of the resource; nesting deeper than the limit is not looked at. */
function* walk(
  concepts: readonly SourceConcept[],
  parent?: string,
  depth = 0,
): Generator<{ readonly concept: SourceConcept; readonly parent: string | undefined }> {
  if (depth > depthMax) return;
  for (const concept of concepts) {
    yield { concept, parent };
    if (concept.concept !== undefined) yield* walk(concept.concept, concept.code, depth + 1);
  }
}

const depthMax = 60;

function readConcept({ display, definition, designation, property = [] }: SourceConcept, code: string): Concept {
  const properties = new Map<string, string[]>();
  for (const { code: name, ...values } of property) {
    const key = String(name);
    const [value] = Object.entries(values).filter(([member]) => member.startsWith('value'));
    if (value !== undefined) properties.set(key, [...(properties.get(key) ?? []), textOf(value[1])]);
  }
  const says = (name: string, value: string): boolean => properties.get(name)?.includes(value) === true;
  return {
    code,
    ...(display === undefined ? {} : { display }),
    ...(definition === undefined ? {} : { definition }),
    ...(designation === undefined ? {} : { designation }),
    properties,
    isAbstract: says('notSelectable', 'true') || says('abstract', 'true'),
    isInactive: says('inactive', 'true') || says('status', 'retired') || says('status', 'inactive'),
  };
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { code } = value as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}

function linkConcept(links: Links, { code, properties }: Concept, parent: string | undefined): void {
  const values = (name: string): readonly string[] => properties.get(name) ?? [];
  if (parent !== undefined) link(links, parent, code);
  for (const above of [...values('subsumedBy'), ...values('parent')]) link(links, above, code);
  for (const below of values('child')) link(links, code, below);
}

function link({ parents, children }: Links, above: string, below: string): void {
  for (const [from, to, map] of [
    [below, above, parents],
    [above, below, children],
  ] as const) {
    const known = map.get(from);
    if (known === undefined) map.set(from, new Set([to]));
    else known.add(to);
  }
}

function reach(links: ReadonlyMap<string, ReadonlySet<string>>, start: string): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = [...(links.get(start) ?? [])];
  for (let code = pending.pop(); code !== undefined; code = pending.pop()) {
    if (found.has(code)) continue;
    found.add(code);
    pending.push(...(links.get(code) ?? []));
  }
  return found;
}

function foldCodes(concepts: ReadonlyMap<string, Concept>): Map<string, Concept> {
  return new Map([...concepts.values()].map((concept) => [concept.code.toLowerCase(), concept]));
}
