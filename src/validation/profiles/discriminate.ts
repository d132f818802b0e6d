/**
 * To which slice an item belongs (https://hl7.org/fhir/R4/profiling.html#discriminator): for each slice, one test per
 * discriminator, made of what the slice's definition says at the discriminator's path.
 */
import { isObject } from '../../fhir/index.ts';
import type { Discriminator, ProfileElement, ProfileType, Slicing } from './element.ts';
import { type Access, type Item } from './items.ts';
import type { Run } from './run.ts';
import type { ProfileTree } from './tree.ts';
import { isSame, matchesPattern } from './values.ts';

export type SliceTest = (item: Item, run: Run) => boolean;

export interface Surroundings {
  readonly access: Access;
  /** The tree of a profile; undefined when it is not loaded. */
  tree(canonical: string): ProfileTree | undefined;
  conforms(item: Item, canonical: string, run: Run): boolean;
  /** As `conforms`, with the faults. */
  judge(item: Item, canonical: string, run: Run): void;
  member(valueSet: string, system: string | undefined, code: string): 'in' | 'out' | 'unknown';
}

type Step =
  | { readonly kind: 'child'; readonly name: string }
  | { readonly kind: 'extension'; readonly url: string }
  | { readonly kind: 'resolve' }
  | { readonly kind: 'ofType'; readonly type: string };

/** Undefined: nothing that the definition says tells these items apart from others. */
export function makeSliceTest(near: Surroundings, slice: ProfileElement, slicing: Slicing): SliceTest | undefined {
  const tests = slicing.discriminators.flatMap((discriminator) => {
    const test = makeTest(near, slice, discriminator);
    return test === undefined ? [] : [test];
  });
  const [first] = tests;
  if (first === undefined) return undefined;
  return tests.length === 1 ? first : (item, run) => tests.every((test) => test(item, run));
}

function makeTest(near: Surroundings, slice: ProfileElement, { type, path }: Discriminator): SliceTest | undefined {
  const steps = readPath(path);
  if (steps === undefined) return undefined;
  const element = followDefinition(near, slice, steps);
  switch (type) {
    case 'value':
    case 'pattern':
      return makeValueTest(near, element, steps);
    case 'exists':
      return makeExistsTest(near, element, steps);
    case 'type':
      return makeTypeTest(near, element, steps);
    case 'profile':
      return makeProfileTest(near, element, steps);
  }
}

/** `$this`, `a.b`, `extension('url').value`, `a.resolve().b`, `value.ofType(Quantity).code`. */
export function readPath(path: string): readonly Step[] | undefined {
  const pattern =
    /\s*(?:extension\(\s*['"]([^'"]*)['"]\s*\)|resolve\(\)|ofType\(\s*([A-Za-z]+)\s*\)|(\$this)|([A-Za-z][A-Za-z0-9]*)(\[x\])?)\s*(?:\.|$)/y;
  const steps: Step[] = [];
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (match === null) return undefined;
    const [whole, url, type, self, name] = match;
    if (url !== undefined) steps.push({ kind: 'extension', url });
    else if (type !== undefined) steps.push({ kind: 'ofType', type });
    else if (name !== undefined) steps.push({ kind: 'child', name });
    else if (self === undefined && whole.includes('resolve')) steps.push({ kind: 'resolve' });
  }
  return steps;
}

function followDefinition(
  near: Surroundings,
  start: ProfileElement,
  steps: readonly Step[],
): ProfileElement | undefined {
  let element: ProfileElement | undefined = start;
  for (const step of steps) {
    if (element === undefined) return undefined;
    element = followStep(near, element, step);
  }
  return element;
}

function followStep(near: Surroundings, element: ProfileElement, step: Step): ProfileElement | undefined {
  switch (step.kind) {
    case 'child':
      return childOf(near, element, step.name);
    case 'extension':
      return childOf(near, element, 'extension')?.slices.find((slice) => extensionUrls(near, slice).includes(step.url));
    case 'resolve':
      return { ...element, types: targetTypes(near, element), fixed: undefined, pattern: undefined };
    case 'ofType':
      return element.slices.find((slice) => slice.types?.some(({ code }) => code === step.type) === true) ?? element;
  }
}

/** Its own, else that of a profile on its type; what a fixed value or a pattern of the whole says of it comes first. */
function childOf(near: Surroundings, element: ProfileElement, name: string): ProfileElement | undefined {
  const own = element.children.get(name);
  const [fixed, pattern] = [element.fixed, element.pattern].map((whole) => (isObject(whole) ? whole[name] : undefined));
  if (fixed !== undefined || pattern !== undefined)
    return { ...element, children: new Map(), slices: [], ...own, name, fixed, pattern };
  return own ?? profileChild(near, element, name);
}

function profileChild(near: Surroundings, { types = [] }: ProfileElement, name: string): ProfileElement | undefined {
  const canonicals = types.flatMap(({ profile = [] }) => profile);
  return canonicals
    .map((canonical) => near.tree(canonical)?.root.children.get(name))
    .find((child) => child !== undefined);
}

export function extensionUrls(near: Surroundings, slice: ProfileElement): readonly unknown[] {
  const url = slice.children.get('url');
  if (url?.fixed !== undefined) return [url.fixed];
  return (slice.types ?? []).flatMap(({ profile = [] }) =>
    profile.map((canonical) => near.tree(canonical)?.root.children.get('url')?.fixed ?? canonical.split('|')[0]),
  );
}

function targetTypes(near: Surroundings, { types = [] }: ProfileElement): readonly ProfileType[] {
  return types.flatMap(({ targetProfile = [] }) =>
    targetProfile.map((canonical) => ({
      code: near.tree(canonical)?.type ?? canonical.slice(canonical.lastIndexOf('/') + 1),
      profile: [canonical],
    })),
  );
}

/** The items at the path. Of a reference that cannot be resolved, what it tells of its target: its type. */
function follow(near: Surroundings, item: Item, steps: readonly Step[], run: Run): readonly Item[] {
  let items: readonly Item[] = [item];
  for (const step of steps) items = items.flatMap((one) => followItem(near, one, step, run));
  return items;
}

function followItem(near: Surroundings, item: Item, step: Step, run: Run): readonly Item[] {
  switch (step.kind) {
    case 'child':
      return near.access.children(item, step.name);
    case 'extension':
      return near.access
        .children(item, 'extension')
        .filter(({ value }) => isObject(value) && value['url'] === step.url);
    case 'resolve':
      return resolveItem(item, run);
    case 'ofType':
      return item.type === step.type ? [item] : [];
  }
}

const literal = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

function resolveItem(item: Item, run: Run): readonly Item[] {
  const reference = isObject(item.value) ? item.value['reference'] : item.value;
  const target = typeof reference === 'string' ? run.resolve(reference, item) : undefined;
  if (target !== undefined) return [target];
  const stated = isObject(item.value) ? item.value['type'] : undefined;
  const type =
    typeof stated === 'string' ? stated : typeof reference === 'string' ? literal.exec(reference)?.[1] : undefined;
  return type === undefined ? [] : [{ ...item, value: undefined, type }];
}

function makeValueTest(
  near: Surroundings,
  element: ProfileElement | undefined,
  steps: readonly Step[],
): SliceTest | undefined {
  const test = element === undefined ? undefined : makeContentTest(near, element);
  if (test === undefined) return undefined;
  return (item, run) => follow(near, item, steps, run).some(test);
}

const contentDepthMax = 8;

/** What fixed, pattern, a required binding and the children say, as far as they tell values apart. */
function makeContentTest(
  near: Surroundings,
  element: ProfileElement,
  depth = 0,
): ((item: Item) => boolean) | undefined {
  const { fixed, pattern, binding } = element;
  if (fixed !== undefined) return ({ value }) => isSame(value, fixed);
  if (pattern !== undefined) return ({ value }) => matchesPattern(value, pattern);
  const inner =
    depth > contentDepthMax
      ? []
      : [...element.children.values()].flatMap((child) => {
          const test = makeContentTest(near, child, depth + 1);
          return test === undefined ? [] : [(item: Item) => near.access.children(item, child.name).some(test)];
        });
  const urls = element.name === 'extension' && depth === 0 ? extensionUrls(near, element) : [];
  if (urls.length > 0) return ({ value }) => isObject(value) && urls.includes(value['url']);
  if (inner.length > 0) return (item) => inner.every((test) => test(item));
  if (binding?.strength !== 'required') return undefined;
  return (item) => isBound(near, item, binding.valueSet);
}

function isBound(near: Surroundings, { value, type }: Item, valueSet: string): boolean {
  const holds = (coding: unknown): boolean =>
    isObject(coding) &&
    typeof coding['code'] === 'string' &&
    near.member(valueSet, coding['system'] as string | undefined, coding['code']) === 'in';
  if (typeof value === 'string') return near.member(valueSet, undefined, value) === 'in';
  if (type !== 'CodeableConcept') return holds(value);
  return isObject(value) && Array.isArray(value['coding']) && value['coding'].some(holds);
}

function makeExistsTest(
  near: Surroundings,
  element: ProfileElement | undefined,
  steps: readonly Step[],
): SliceTest | undefined {
  const isThere = element?.max === 0 ? false : (element?.min ?? 0) > 0 ? true : undefined;
  if (isThere === undefined) return undefined;
  return (item, run) => follow(near, item, steps, run).length > 0 === isThere;
}

function makeTypeTest(
  near: Surroundings,
  element: ProfileElement | undefined,
  steps: readonly Step[],
): SliceTest | undefined {
  const codes = new Set((element?.types ?? []).map(({ code }) => code));
  if (codes.size === 0) return undefined;
  return (item, run) => {
    const found = follow(near, item, steps, run);
    return found.length > 0 && found.every(({ type }) => codes.has(type) || codes.has('Resource'));
  };
}

function makeProfileTest(
  near: Surroundings,
  element: ProfileElement | undefined,
  steps: readonly Step[],
): SliceTest | undefined {
  const last = steps.at(-1);
  const profiles = (element?.types ?? []).flatMap(({ profile = [], targetProfile = [] }) =>
    last?.kind === 'resolve' || targetProfile.length === 0 ? profile : targetProfile,
  );
  const bases = (element?.types ?? []).filter(
    ({ profile = [], targetProfile = [] }) => profile.length + targetProfile.length === 0,
  );
  if (profiles.length === 0 && bases.length === 0) return undefined;
  return (item, run) => {
    const found = follow(near, item, targetsReferences(item, steps) ? [...steps, { kind: 'resolve' }] : steps, run);
    const holds = (one: Item): boolean =>
      bases.some(({ code }) => code === one.type) || profiles.some((canonical) => near.conforms(one, canonical, run));
    return found.length > 0 && found.every(holds);
  };
}

/** Guides write `target` and mean what it refers to. */
function targetsReferences(item: Item, steps: readonly Step[]): boolean {
  return steps.length === 0 && item.type === 'Reference';
}
