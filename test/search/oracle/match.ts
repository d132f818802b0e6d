/**
 * The oracle: which resources of a list a search finds, from the words of https://hl7.org/fhir/R4/search.html alone. It knows nothing of
 * `src/search`, keeps no index, and looks at every resource for every question. Where the standard leaves a choice, the choice is named.
 */
import {
  type AnyResource,
  type Element,
  elementsOf,
  type Parameter,
  parameterByUrl,
  parametersOf,
  tuplesOf,
} from './elements.ts';
import { compare, dateRange, dateTarget, matchesQuantity, numberRange, splitPrefix } from './ranges.ts';

export interface World {
  readonly resources: readonly AnyResource[];
  readonly base: string;
  /** Members of a value set, as `system|code`. */
  readonly valueSets: Readonly<Record<string, readonly string[]>>;
  /** child -> parent, as `system|code`. */
  readonly isA: Readonly<Record<string, string>>;
}

/** Splits at a character that is not escaped. */
export function split(text: string, at: string): readonly string[] {
  const parts: string[] = [''];
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') {
      parts[parts.length - 1] += text.slice(index, index + 2);
      index += 1;
    } else if (text[index] === at) parts.push('');
    else parts[parts.length - 1] += text[index] ?? '';
  }
  return parts;
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, '$1');

/** Without accents and case; French writes `œ` and `oe` for the same. */
const folded = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replaceAll('œ', 'oe');

const strings = (value: AnyResource, names: readonly string[]): readonly string[] =>
  names.flatMap((name) => (value[name] === undefined ? [] : [value[name]].flat()));

function textsOf(element: Element): readonly string[] {
  if (element.type === 'HumanName') return strings(element.value, ['family', 'given', 'prefix', 'suffix', 'text']);
  if (element.type === 'Address')
    return strings(element.value, ['text', 'line', 'city', 'district', 'state', 'country', 'postalCode']);
  return typeof element.value === 'string' ? [element.value] : [];
}

function matchesString(text: string, modifier: string, element: Element): boolean {
  const sought = unescaped(text);
  return textsOf(element).some((found) => {
    if (modifier === 'exact') return found === sought;
    if (modifier === 'contains') return folded(found).includes(folded(sought));
    return folded(found).startsWith(folded(sought));
  });
}

interface Code {
  readonly system?: string | undefined;
  readonly code?: string | undefined;
}

/** The codes of an element; a `code` has a system that its binding implies, which the standard lets a client leave out. */
function codesOf(element: Element): readonly Code[] {
  const { type, value } = element;
  if (type === 'CodeableConcept') return value.coding ?? [];
  if (type === 'Coding') return [value];
  if (type === 'Identifier') return [{ system: value.system, code: value.value }];
  if (type === 'ContactPoint') return [{ code: value.value }];
  return [{ code: String(value) }];
}

function labelsOf({ type, value }: Element): readonly string[] {
  const displays = (value.coding ?? []).flatMap((coding: AnyResource) => coding.display ?? []);
  if (type === 'CodeableConcept') return [value.text ?? [], displays].flat();
  if (type === 'Coding') return [value.display ?? []].flat();
  if (type === 'Identifier') return [value.type?.text ?? []].flat();
  return [];
}

const codeIs = (text: string, { system, code }: Code): boolean => {
  const [first = '', second] = split(text, '|').map(unescaped);
  if (second === undefined) return code === first;
  if (first === '') return code === second && system === undefined;
  return system === first && (second === '' || code === second);
};

const ancestors = (world: World, key: string): readonly string[] => {
  const parent = world.isA[key];
  return parent === undefined ? [key] : [key, ...ancestors(world, parent)];
};

function hasType(text: string, element: Element): boolean {
  const [system, code, value] = split(text, '|').map(unescaped);
  const codings: readonly Code[] = element.value.type?.coding ?? [];
  return (
    element.type === 'Identifier' &&
    element.value.value === value &&
    codings.some((each) => each.system === system && each.code === code)
  );
}

function matchesToken(world: World, text: string, modifier: string, element: Element): boolean {
  const keys = codesOf(element).map(({ system, code }) => `${system ?? ''}|${code ?? ''}`);
  const members = (): readonly string[] => world.valueSets[unescaped(text)] ?? [];
  if (modifier === 'text') return labelsOf(element).some((label) => folded(label).startsWith(folded(unescaped(text))));
  if (modifier === 'of-type') return hasType(text, element);
  if (modifier === 'in' || modifier === 'not-in') return keys.some((key) => members().includes(key));
  if (modifier === 'below') return keys.some((key) => ancestors(world, key).includes(unescaped(text)));
  if (modifier === 'above') return keys.some((key) => ancestors(world, unescaped(text)).includes(key));
  return codesOf(element).some((code) => codeIs(text, code));
}

const withoutVersion = (reference: string): string => reference.replace(/\/_history\/.*$/, '');

/** `id`, `Type/id`, absolute; with the server's own base the same as relative. An unversioned question finds a versioned reference. */
function matchesReference(world: World, text: string, modifier: string, element: Element): boolean {
  const { value, type } = element;
  if (modifier === 'identifier')
    return (
      type === 'Reference' &&
      value.identifier !== undefined &&
      codeIs(text, { system: value.identifier.system, code: value.identifier.value })
    );
  const sought = unescaped(text).replace(`${world.base}/`, '');
  if (type !== 'Reference') return canonicalIs(sought, String(value));
  if (value.reference === undefined) return false;
  const stored = String(value.reference).replace(`${world.base}/`, '');
  const candidates = sought.includes('/_history/') ? [stored] : [withoutVersion(stored)];
  if (/^[A-Z]\w+\/|^\w+:/.test(sought)) return candidates.includes(sought);
  const wanted = /^[A-Z]/.test(modifier) ? `${modifier}/${sought}` : undefined;
  return candidates.some((each) =>
    wanted === undefined ? /^[A-Z]\w+\/[^/]+$/.test(each) && each.endsWith(`/${sought}`) : each === wanted,
  );
}

/** Without version, any version of a canonical is meant. */
const canonicalIs = (sought: string, stored: string): boolean =>
  stored === sought || (!sought.includes('|') && stored.split('|')[0] === sought);

function matchesUri(text: string, modifier: string, element: Element): boolean {
  const sought = unescaped(text);
  const found = String(element.value);
  if (modifier === 'below') return found.startsWith(sought);
  if (modifier === 'above') return sought.startsWith(found);
  return element.type === 'canonical' ? canonicalIs(sought, found) : found === sought;
}

function matchesValue(
  world: World,
  parameter: Parameter,
  [modifier, text]: readonly [string, string],
  element: Element,
): boolean {
  switch (parameter.type) {
    case 'string':
      return matchesString(text, modifier, element);
    case 'token':
      return matchesToken(world, text, modifier, element);
    case 'reference':
      return matchesReference(world, text, modifier, element);
    case 'uri':
      return matchesUri(text, modifier, element);
    case 'quantity':
      return matchesQuantity(text, element);
    case 'number': {
      const [prefix, number] = splitPrefix(text);
      return (
        typeof element.value === 'number' &&
        compare(prefix, numberRange(number, prefix), { from: element.value, to: element.value })
      );
    }
    case 'date': {
      const [prefix, date] = splitPrefix(text);
      const target = dateTarget(element);
      return target !== undefined && compare(prefix, dateRange(date), target);
    }
    default:
      throw new Error(`no oracle for ${parameter.type}`);
  }
}

function matchesComposite(world: World, parameter: Parameter, text: string, resource: AnyResource): boolean {
  const parts = split(text, '$');
  return tuplesOf(resource, parameter).some((tuple) =>
    parameter.components.every((component, index) =>
      (tuple[index] ?? []).some((element) =>
        matchesValue(world, parameterByUrl(component.definition), ['', parts[index] ?? ''], element),
      ),
    ),
  );
}

/** Haversine on the mean radius; `latitude|longitude|distance|unit`. */
function isNear(text: string, position: AnyResource): boolean {
  const [latitude = 0, longitude = 0, distance = 0] = text.split('|').slice(0, 3).map(Number);
  const unit = text.split('|')[3] ?? 'km';
  const km = unit === 'm' ? distance / 1000 : unit === '[mi_i]' ? distance * 1.609344 : distance;
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const half = (a: number, b: number): number => Math.sin(radians(b - a) / 2) ** 2;
  const h =
    half(latitude, position.latitude) +
    Math.cos(radians(latitude)) * Math.cos(radians(position.latitude)) * half(longitude, position.longitude);
  return 2 * 6371.0088 * Math.asin(Math.sqrt(h)) <= km;
}

/** A composite has a value where all of its components have one. */
function isMissing(resource: AnyResource, parameter: Parameter): boolean {
  if (parameter.type !== 'composite') return elementsOf(resource, parameter).length === 0;
  return !tuplesOf(resource, parameter).some((tuple) => tuple.every((elements) => elements.length > 0));
}

const negated = new Set(['not', 'not-in']);

/** Values in one parameter are alternatives; a negation says that the resource has none of them. */
function matchesParameter(
  world: World,
  parameter: Parameter,
  [modifier, value]: readonly [string, string],
  resource: AnyResource,
): boolean {
  if (modifier === 'missing') return isMissing(resource, parameter) === (value === 'true');
  const some = split(value, ',').some((text) => {
    if (parameter.type === 'composite') return matchesComposite(world, parameter, text, resource);
    const elements = elementsOf(resource, parameter);
    if (parameter.type === 'special') return elements.some((element) => isNear(text, element.value));
    return elements.some((element) => matchesValue(world, parameter, [modifier, text], element));
  });
  return negated.has(modifier) ? !some : some;
}

const keyOf = (resource: AnyResource): string => `${resource.resourceType}/${resource.id}`;

/** Resources of the record that the references of a parameter point at. */
function targets(world: World, resource: AnyResource, parameter: Parameter, type: string): readonly AnyResource[] {
  const references = elementsOf(resource, parameter).map(({ value }) =>
    withoutVersion(String(value.reference ?? '').replace(`${world.base}/`, '')),
  );
  return world.resources.filter(
    (each) => (type === '' || each.resourceType === type) && references.includes(keyOf(each)),
  );
}

function known(resourceType: string, code: string): Parameter | undefined {
  return parametersOf(resourceType).get(code);
}

function matchesHas(world: World, [name, value]: readonly [string, string], resource: AnyResource): boolean {
  const [, type = '', reference = '', ...rest] = name.split(':');
  const parameter = known(type, reference);
  if (parameter === undefined) throw new Error('unknown parameter');
  return world.resources.some(
    (each) =>
      each.resourceType === type &&
      targets(world, each, parameter, resource.resourceType).some((target) => keyOf(target) === keyOf(resource)) &&
      matchesQuery(world, [rest.join(':'), value], each),
  );
}

/** One `name=value` of a query, on one resource. */
export function matchesQuery(world: World, [name, value]: readonly [string, string], resource: AnyResource): boolean {
  if (name.startsWith('_has:')) return matchesHas(world, [name, value], resource);
  const [head = '', ...chain] = name.split('.');
  const [code = '', modifier = ''] = head.split(':');
  const parameter = known(resource.resourceType, code);
  if (parameter === undefined) return false;
  if (chain.length === 0) return matchesParameter(world, parameter, [modifier, value], resource);
  return targets(world, resource, parameter, modifier).some((target) =>
    matchesQuery(world, [chain.join('.'), value], target),
  );
}

/** Ids of the resources of a type that satisfy every `name=value`. */
export function oracle(
  world: World,
  resourceType: string,
  query: readonly (readonly [string, string])[],
): readonly string[] {
  return world.resources
    .filter((each) => each.resourceType === resourceType && query.every((pair) => matchesQuery(world, pair, each)))
    .map((each) => each.id);
}
