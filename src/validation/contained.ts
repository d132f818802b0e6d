/**
 * Contained resources and the links to them (https://hl7.org/fhir/R4/references.html#contained; dom-2 to dom-5, ref-1):
 * `#id` points at a resource contained in the outermost one, `#` from a contained resource at that outermost one.
 */
import { isObject, type Members } from '../fhir/index.ts';
import type { Place } from './places.ts';
import { type Fault, faultsMax } from './runtime.ts';

/** A text that begins with `#`. */
interface Link {
  readonly path: string;
  readonly text: string;
  readonly isReference: boolean;
}

/** Deeper elements are not looked at; a parsed body is not that deep. */
const depthMax = 200;

export function judgeContained({ data, path, isContained }: Place): readonly Fault[] {
  const resource = data as Members;
  if (isContained === true) return judgeInner(resource, path);
  const links: Link[] = [];
  findLinks(resource, [path], links);
  const contained: readonly unknown[] = Array.isArray(resource['contained']) ? resource['contained'] : [];
  if (links.length === 0 && contained.length === 0) return none;
  const ids = new Set(contained.map((item) => (isObject(item) ? item['id'] : undefined)));
  const isBroken = ({ text, path: from }: Link): boolean =>
    text === '#' ? !from.startsWith(`${path}/contained/`) : !ids.has(text.slice(1));
  const broken = links.filter((link) => link.isReference && isBroken(link));
  return [
    ...broken.slice(0, faultsMax + 1).map((link) => fault(link.path, 'ref-1')),
    ...findUnused(contained, path, links).map((index) => fault(`${path}/contained/${index}`, 'dom-3')),
  ];
}

const none: readonly Fault[] = [];

/** Contained resources that nothing points at and that do not point at the resource that contains them. */
function findUnused(contained: readonly unknown[], path: string, links: readonly Link[]): number[] {
  const texts = new Set(links.map((link) => link.text));
  const outward = links.filter(({ text, path: from }) => text === '#' && from.startsWith(`${path}/contained/`));
  const pointing = new Set(outward.map((link) => Number.parseInt(link.path.slice(`${path}/contained/`.length), 10)));
  const isUnused = (item: unknown, index: number): boolean =>
    isObject(item) && !pointing.has(index) && !texts.has(`#${String(item['id'])}`);
  const unused = contained.flatMap((item, index) => (isUnused(item, index) ? [index] : []));
  return unused.slice(0, faultsMax + 1);
}

function judgeInner(resource: Members, path: string): Fault[] {
  const meta = isObject(resource['meta']) ? resource['meta'] : {};
  const places: [unknown, string, string][] = [
    [resource['contained'], '/contained', 'dom-2'],
    [meta['versionId'], '/meta/versionId', 'dom-4'],
    [meta['lastUpdated'], '/meta/lastUpdated', 'dom-4'],
    [meta['security'], '/meta/security', 'dom-5'],
  ];
  return places.filter(([value]) => value !== undefined).map(([, below, key]) => fault(path + below, key));
}

/** Paths are put together only where there is a link: most resources have none. */
function findLinks(value: Members | readonly unknown[], steps: (string | number)[], links: Link[]): void {
  if (steps.length > depthMax) return;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index];
      if (isParent(item)) follow(item, index, steps, links);
      else if (isLink(item)) links.push({ path: [...steps, index].join('/'), text: item, isReference: false });
    }
    return;
  }
  const members = value as Members;
  for (const name in members) {
    const member = members[name];
    if (isLink(member))
      links.push({ path: [...steps, name].join('/'), text: member, isReference: name === 'reference' });
    else if (isParent(member) && !isOutermost(name, member)) follow(member, name, steps, links);
    else if (name === 'div' && typeof member === 'string') findInNarrative(member, [...steps, name].join('/'), links);
  }
}

/** A narrative may show a contained image, or link to what is contained. */
function findInNarrative(text: string, path: string, links: Link[]): void {
  for (const [, id = ''] of text.matchAll(/["'](#[A-Za-z0-9.-]{1,64})["']/g))
    links.push({ path, text: id, isReference: false });
}

function follow(value: Members, step: string | number, steps: (string | number)[], links: Link[]): void {
  steps.push(step);
  findLinks(value, steps, links);
  steps.pop();
}

const hash = 35;

function isLink(value: unknown): value is string {
  return typeof value === 'string' && value.charCodeAt(0) === hash;
}

/** Resources in a Bundle or in Parameters are outermost themselves; contained ones stand in an array. */
function isOutermost(name: string, member: Members): boolean {
  return (name === 'resource' || name === 'outcome') && member['resourceType'] !== undefined;
}

function fault(instancePath: string, key: string): Fault {
  return { instancePath, keyword: 'invariants', params: { name: `DomainResource ${key}` } };
}

function isParent(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}
