/**
 * The R4 definitions that the server needs: types with their elements, search parameters, the Patient compartment,
 * the codes of required bindings. Compiled by `npm run build` from the published definitions (`build/`) into one file
 * whose terse notation (`DefinitionsFile`) is read in milliseconds; a type is unfolded when it is first asked for.
 */
import { readFileSync } from 'node:fs';

export interface TypeReference {
  readonly code: string;
  /** Of a Reference: the resource types it may point at; `Resource` means any. */
  readonly targets?: readonly string[];
}

export interface ElementDefinition {
  /** Without `[x]`. */
  readonly name: string;
  readonly types: readonly TypeReference[];
  readonly min: number;
  /** `Infinity` for `*`. */
  readonly max: number;
  /** JSON names are then name + capitalised type code. */
  readonly isChoice: boolean;
  /** Part of the answer to `_summary=true`. */
  readonly isSummary: boolean;
  readonly binding?: { readonly strength: BindingStrength; readonly valueSet: string };
  /** What holds at this element beyond what its type says. */
  readonly constraints?: readonly ConstraintDefinition[];
}

/** An invariant, https://hl7.org/fhir/R4/conformance-rules.html#constraints. */
export interface ConstraintDefinition {
  readonly key: string;
  /** The type that states it: keys such as `inv-1` are used more than once. */
  readonly source: string;
  readonly severity: 'error' | 'warning';
  readonly human: string;
  /** FHIRPath. */
  readonly expression: string;
}

export type BindingStrength = 'required' | 'extensible' | 'preferred' | 'example';

export interface TypeDefinition {
  /** `Encounter`, `HumanName`, `dateTime`; a backbone element by its path, `Encounter.hospitalization`. */
  readonly name: string;
  readonly kind: 'resource' | 'complex-type' | 'primitive-type';
  readonly base: string | undefined;
  /** Own and inherited. A primitive has `id` and `extension`: its value is the JSON scalar itself. */
  readonly elements: ReadonlyMap<string, ElementDefinition>;
  /** Own and inherited. */
  readonly constraints: readonly ConstraintDefinition[];
}

export type SearchParameterType =
  | 'token'
  | 'reference'
  | 'date'
  | 'string'
  | 'number'
  | 'quantity'
  | 'uri'
  | 'composite'
  | 'special';

export interface SearchParameterDefinition {
  readonly code: string;
  readonly url: string;
  readonly type: SearchParameterType;
  readonly expression: string | undefined;
  readonly target: readonly string[];
  readonly components: readonly { readonly definition: string; readonly expression: string }[];
}

export interface Definitions {
  /** The concrete ones: not `Resource`, not `DomainResource`. */
  readonly resourceTypes: ReadonlySet<string>;
  type(name: string): TypeDefinition | undefined;
  /** By code, with those of Resource and DomainResource. */
  searchParameters(resourceType: string): ReadonlyMap<string, SearchParameterDefinition>;
  /**
   * Codes of the search parameters that put a resource in a compartment: of a patient, or of another type that has
   * compartments. `{def}` says that the resource itself is meant.
   */
  compartment(resourceType: string, of?: string): readonly string[];
  /** Codes of a value set that a required binding names; undefined where they cannot be listed. */
  codes(valueSet: string): ReadonlySet<string> | undefined;
  /** The same by system. */
  systems(valueSet: string): ReadonlyMap<string, ReadonlySet<string>> | undefined;
}

/** What the build writes. */
export interface DefinitionsFile {
  readonly resourceTypes: readonly string[];
  readonly types: Readonly<Record<string, TypeEntry>>;
  readonly searchParameters: readonly (Omit<SearchParameterDefinition, 'expression'> & {
    readonly base: readonly string[];
    readonly expression?: string;
  })[];
  /** Compartment -> type -> codes. */
  readonly compartments: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Value set -> system -> codes. */
  readonly valueSets: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface TypeEntry {
  readonly kind: TypeDefinition['kind'];
  readonly base?: string;
  /** Own elements: `['value[x]', '0..1', 'Quantity Reference(Patient|Group)', 'required', 'http://...']`; `0..0` takes an inherited one away. */
  readonly elements: readonly ElementEntry[];
  /** Names of those that belong to a summary. */
  readonly summary?: readonly string[];
  readonly constraints?: readonly ConstraintEntry[];
}

/** A constraint of the type, or of the element that it names. */
export type ConstraintEntry = Omit<ConstraintDefinition, 'source'> & { readonly element?: string };

export type ElementEntry =
  | readonly [name: string, cardinality: string, types: string]
  | readonly [name: string, cardinality: string, types: string, strength: BindingStrength, valueSet: string];

export function loadDefinitions(): Definitions {
  const path = new URL('../../generated/definitions.json', import.meta.url);
  return readDefinitions(JSON.parse(readFileSync(path, 'utf8')) as DefinitionsFile);
}

export function readDefinitions(file: DefinitionsFile): Definitions {
  const parametersByBase = groupParameters(file.searchParameters);
  const resourceTypes = new Set(file.resourceTypes);
  const compartments = new Map(Object.entries(file.compartments));
  const types = new Map(Object.entries(file.types));
  const valueSets = new Map(Object.entries(file.valueSets));
  const type = remember((name): TypeDefinition | undefined => {
    const entry = types.get(name);
    return entry === undefined
      ? undefined
      : readType(name, entry, entry.base === undefined ? undefined : type(entry.base));
  });
  return {
    resourceTypes,
    type,
    searchParameters: remember((resourceType) => {
      const known = [...basesOf(resourceType, types)].reverse().map((base) => parametersByBase.get(base) ?? []);
      return new Map(known.flat().map((parameter) => [parameter.code, parameter]));
    }),
    compartment: (resourceType, of = 'Patient') => compartments.get(of)?.[resourceType] ?? [],
    codes: remember((valueSet) => {
      const bySystem = valueSets.get(valueSet);
      return bySystem === undefined ? undefined : new Set(Object.values(bySystem).flat());
    }),
    systems: remember((valueSet) => {
      const bySystem = valueSets.get(valueSet);
      return bySystem === undefined
        ? undefined
        : new Map(Object.entries(bySystem).map(([system, codes]) => [system, new Set(codes)]));
    }),
  };
}

/** A function of a name, computed once for each name that yields something: names come from outside too. */
function remember<Value>(compute: (name: string) => Value): (name: string) => Value {
  const known = new Map<string, Value>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const value = compute(name);
    if (value !== undefined && known.size < namesMax) known.set(name, value);
    return value;
  };
}

const namesMax = 2000;

function readType(name: string, entry: TypeEntry, base: TypeDefinition | undefined): TypeDefinition {
  const elements = new Map(base?.elements);
  const stated = (entry.constraints ?? []).map((constraint) => ({ ...constraint, source: name }));
  for (const element of entry.elements) {
    const constraints = stated.filter((constraint) => constraint.element === elementName(element));
    const read = readElement(element, entry.summary?.includes(elementName(element)) ?? false);
    if (read.max > 0) elements.set(read.name, constraints.length > 0 ? { ...read, constraints } : read);
    else elements.delete(read.name);
  }
  const own = stated.filter((constraint) => constraint.element === undefined);
  return { name, kind: entry.kind, base: entry.base, elements, constraints: [...(base?.constraints ?? []), ...own] };
}

function elementName([name]: ElementEntry): string {
  return name.replace('[x]', '');
}

function readElement(entry: ElementEntry, isSummary: boolean): ElementDefinition {
  const [name, cardinality, types] = entry;
  const [min, max] = cardinality.split('..');
  return {
    name: elementName(entry),
    types: types.split(' ').map(readTypeReference),
    min: Number(min),
    max: max === '*' ? Infinity : Number(max),
    isChoice: name.endsWith('[x]'),
    isSummary,
    ...(entry.length === 3 ? {} : { binding: { strength: entry[3], valueSet: entry[4] } }),
  };
}

function readTypeReference(text: string): TypeReference {
  const open = text.indexOf('(');
  if (open < 0) return { code: text };
  return { code: text.slice(0, open), targets: text.slice(open + 1, -1).split('|') };
}

function groupParameters(entries: DefinitionsFile['searchParameters']): Map<string, SearchParameterDefinition[]> {
  const byBase = new Map<string, SearchParameterDefinition[]>();
  for (const { base: bases, expression, ...rest } of entries) {
    const parameter = { ...rest, expression };
    for (const base of bases) {
      const known = byBase.get(base);
      if (known === undefined) byBase.set(base, [parameter]);
      else known.push(parameter);
    }
  }
  return byBase;
}

function* basesOf(name: string, types: ReadonlyMap<string, TypeEntry>): Generator<string> {
  for (let next: string | undefined = name; next !== undefined; next = types.get(next)?.base) yield next;
}
