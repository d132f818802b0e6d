/** Compiles the published definitions, and the project's own search parameters, into `generated/definitions.json`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConstraintEntry, DefinitionsFile, ElementEntry, TypeEntry } from '../definitions.ts';
import { elementName, elementTypes, lastSegment, type RebuiltType, rebuildTypes } from './elements.ts';
import type { Source, SourceCompartment, SourceElement, SourceSearchParameter, SourceType } from './source.ts';
import { expandValueSet, withoutVersion } from './value-sets.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export function buildDefinitions(source: Source): void {
  const file = compileDefinitions(source, readOwnSearchParameters(join(root, 'profiles')));
  mkdirSync(join(root, 'generated'), { recursive: true });
  writeFileSync(join(root, 'generated/definitions.json'), JSON.stringify(file));
}

export function compileDefinitions(source: Source, own: readonly SourceSearchParameter[]): DefinitionsFile {
  const types = rebuildTypes(source);
  const names = new Set(types.map((type) => type.name));
  const resources = types.filter((type) => type.kind === 'resource' && !type.abstract);
  const entries = types.map((type) => [type.name, compileType(type, names)] as const);
  return {
    resourceTypes: resources.map((type) => type.name).sort(),
    types: Object.fromEntries(entries),
    searchParameters: [...source.searchParameters, ...own].map(compileSearchParameter),
    compartments: Object.fromEntries(
      [...source.compartments].map(([of, entries]) => [of, compileCompartment(entries)]),
    ),
    valueSets: compileValueSets(source, types),
  };
}

function compileCompartment(entries: SourceCompartment['resource']): DefinitionsFile['compartments'][string] {
  const members = entries.map((entry) => [entry.code, entry.param ?? []] as const);
  return Object.fromEntries(members.filter(([, parameters]) => parameters.length > 0));
}

function compileType(type: RebuiltType, names: ReadonlySet<string>): TypeEntry {
  // The value of a primitive is the JSON scalar itself.
  const isListed = (element: SourceElement): boolean =>
    type.kind !== 'primitive-type' || elementName(element) !== 'value';
  const elements = type.elements.filter(isListed).map((element) => compileElement(element, names));
  const constraints = [
    ...statedOn(type.root),
    ...type.elements.flatMap((element) => constraintsOfElement(element, names)),
  ];
  const summary = type.elements.filter((element) => element.isSummary === true).map(elementName);
  return {
    kind: type.kind,
    ...(type.base === undefined ? {} : { base: type.base }),
    elements,
    ...(summary.length === 0 ? {} : { summary }),
    ...(constraints.length === 0 ? {} : { constraints }),
  };
}

function statedOn(element: SourceElement, name?: string): ConstraintEntry[] {
  return (element.constraint ?? []).map(({ key, severity, human, expression }) => {
    if (expression === undefined) throw new Error(`${element.path}: ${key} has no expression`);
    return { ...(name === undefined ? {} : { element: name }), key, severity, human, expression };
  });
}

/** What is stated at an element; of a backbone element it belongs to its own type. */
function constraintsOfElement(element: SourceElement, names: ReadonlySet<string>): ConstraintEntry[] {
  if (names.has(element.path)) return [];
  // ele-1 holds for every element anyway; R4 repeats it on a few.
  const stated = statedOn(element, elementName(element)).filter((constraint) => constraint.key !== 'ele-1');
  const profiles = (element.type ?? []).flatMap((type) => type.profile ?? []).map(lastSegment);
  return profiles.includes('SimpleQuantity')
    ? [...stated, { ...simpleQuantity, element: elementName(element) }]
    : stated;
}

/** The only data type profile that base resources name: it forbids one element, which is said here as an invariant. */
const simpleQuantity = {
  key: 'sqt-1',
  severity: 'error',
  human: 'The comparator is not used on a SimpleQuantity',
  expression: 'comparator.empty()',
} as const;

function compileElement(element: SourceElement, names: ReadonlySet<string>): ElementEntry {
  const types = elementTypes(element, (path) => names.has(path)).map(printType);
  const name = element.path.slice(element.path.lastIndexOf('.') + 1);
  const cardinality = `${element.min ?? 0}..${element.max ?? '1'}`;
  const { strength, valueSet } = element.binding ?? {};
  if (strength === undefined || valueSet === undefined) return [name, cardinality, types.join(' ')];
  return [name, cardinality, types.join(' '), strength, withoutVersion(valueSet)];
}

function printType(type: SourceType): string {
  if (type.code !== 'Reference') return type.code;
  const targets = (type.targetProfile ?? []).map(lastSegment);
  return `Reference(${targets.length === 0 ? 'Resource' : targets.join('|')})`;
}

function compileSearchParameter(parameter: SourceSearchParameter): DefinitionsFile['searchParameters'][number] {
  const { code, url, type, base, expression, target, component } = parameter;
  return {
    code,
    url,
    type: type as DefinitionsFile['searchParameters'][number]['type'],
    base,
    ...(expression === undefined ? {} : { expression }),
    target: target ?? [],
    components: (component ?? []).map((part) => ({ definition: part.definition, expression: part.expression })),
  };
}

function compileValueSets(source: Source, types: readonly RebuiltType[]): DefinitionsFile['valueSets'] {
  const bindings = types.flatMap((type) => type.elements.map((element) => element.binding));
  const required = bindings
    .filter((binding) => binding?.strength === 'required')
    .map((binding) => binding?.valueSet ?? '');
  const expanded: Record<string, Record<string, string[]>> = {};
  for (const url of [...new Set(required.map(withoutVersion))].sort()) {
    const expansion = expandValueSet(source, url);
    if (expansion === undefined) continue;
    expanded[url] = Object.fromEntries([...expansion].map(([system, codes]) => [system, [...codes]]));
  }
  return expanded;
}

function readOwnSearchParameters(folder: string): SourceSearchParameter[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  const resources = files
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { resourceType: string });
  return resources.filter((resource): resource is SourceSearchParameter => resource.resourceType === 'SearchParameter');
}
