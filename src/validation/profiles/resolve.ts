/**
 * What a literal reference means within one resource: contained resources by `#id`, entries of a Bundle by their fullUrl
 * (https://hl7.org/fhir/R4/bundle.html#references). What stands elsewhere is not looked for.
 */
import { isObject } from '../../fhir/index.ts';
import { type Access, type Item } from './items.ts';

/** The resource that an item stands in, and the one that contains it where it is a contained one. */
export function rootOf(access: Access, item: Item): { readonly resource: Item; readonly container: Item } {
  let resource = item;
  while (resource.parent !== undefined && !isResource(access, resource)) resource = resource.parent;
  let container = resource;
  while (container.name === 'contained' && container.parent !== undefined) container = container.parent;
  return { resource, container };
}

function isResource({ definitions }: Access, { type, value }: Item): boolean {
  return isObject(value) && 'resourceType' in value && definitions.type(type)?.kind === 'resource';
}

export function findTarget(access: Access, reference: string, from: Item): Item | undefined {
  const { container } = rootOf(access, from);
  if (reference.startsWith('#')) {
    if (reference === '#') return container;
    return access
      .children(container, 'contained')
      .find(({ value }) => isObject(value) && value['id'] === reference.slice(1));
  }
  const entry = container.parent;
  const bundle = entry?.name === 'entry' ? entry.parent : undefined;
  if (bundle?.type === 'Bundle') return findEntry(access, { bundle, from: entry, reference });
  return container.type === 'Bundle' ? findEntry(access, { bundle: container, from: undefined, reference }) : undefined;
}

interface Search {
  readonly bundle: Item;
  /** The entry in which the reference stands: relative references are relative to its fullUrl. */
  readonly from: Item | undefined;
  readonly reference: string;
}

function findEntry(access: Access, { bundle, from, reference }: Search): Item | undefined {
  const target = reference.replace(/\/_history\/[^/]+$/, '');
  const base = from === undefined ? undefined : /^(https?:\/\/.*\/)[A-Z][A-Za-z]+\/[^/]+$/.exec(urlOf(from))?.[1];
  const urls = new Set([target, ...(base === undefined ? [] : [base + target])]);
  const entries = access.children(bundle, 'entry');
  const found =
    entries.find((entry) => urls.has(urlOf(entry))) ??
    entries.find((entry) => /^[A-Z][A-Za-z]+\/[^/]+$/.test(target) && isNamed(access, entry, target));
  return found === undefined ? undefined : access.children(found, 'resource')[0];
}

function urlOf({ value }: Item): string {
  return isObject(value) && typeof value['fullUrl'] === 'string' ? value['fullUrl'] : '';
}

function isNamed(access: Access, entry: Item, target: string): boolean {
  const resource = access.children(entry, 'resource')[0];
  return (
    resource !== undefined && isObject(resource.value) && `${resource.type}/${String(resource.value['id'])}` === target
  );
}
