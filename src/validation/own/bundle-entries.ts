/**
 * Entries of a Bundle that holds resources as they are, not requests: each has an identity, an absolute URL that does not
 * disagree with the id of its resource (https://hl7.org/fhir/R4/bundle.html#bundle-unique, definition of
 * Bundle.entry.fullUrl). A Bundle inside another resource may leave it out: there it is what an operation is given. A document brings all that its Composition names (https://hl7.org/fhir/R4/documents.html#content).
 */
import { isObject } from '../../fhir/index.ts';
import { type Access, type Item } from '../profiles/items.ts';
import { addFault, type ProfileJudge } from '../profiles/judge.ts';
import type { Run } from '../profiles/run.ts';
import type { Texts } from '../profiles/texts.ts';
import { ownTexts } from './texts.ts';

const holding: ReadonlySet<unknown> = new Set(['document', 'message', 'searchset', 'history', 'collection']);

export function judgeEntries({ access }: ProfileJudge, bundle: Item, run: Run): void {
  const type = isObject(bundle.value) ? bundle.value['type'] : undefined;
  const entries = access.children(bundle, 'entry');
  const isInside = bundle.parent !== undefined || bundle.step !== '';
  for (const entry of entries) {
    const texts = judgeEntry(access, entry, { isHeld: holding.has(type), isInside });
    if (texts !== undefined) addFault(run, entry, { severity: 'error', code: 'value', ...texts });
  }
  judgeLinks(access, bundle, run);
  if (type === 'searchset') judgeFound(access, entries, run);
  const [first] = entries;
  if (type === 'document' && first !== undefined) judgeComposition(access, { first, entries }, run);
}

const relationsOnce: ReadonlySet<unknown> = new Set(['self', 'first', 'previous', 'prev', 'next', 'last']);

function judgeLinks(access: Access, bundle: Item, run: Run): void {
  const seen = new Set<unknown>();
  for (const link of access.children(bundle, 'link')) {
    const relation = isObject(link.value) ? link.value['relation'] : undefined;
    if (seen.has(relation) && relationsOnce.has(relation))
      addFault(run, link, { severity: 'error', code: 'business-rule', ...ownTexts.linkTwice });
    seen.add(relation);
  }
}

/** What a search found has an id; an OperationOutcome beside it need not (https://hl7.org/fhir/R4/http.html#search). */
function judgeFound(access: Access, entries: readonly Item[], run: Run): void {
  for (const entry of entries)
    for (const { value, type } of access.children(entry, 'resource'))
      if (type !== 'OperationOutcome' && isObject(value) && value['id'] === undefined)
        addFault(run, entry, { severity: 'error', code: 'required', ...ownTexts.searchId });
}

const isAbsolute = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const restful = /^https?:.*\/([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/;

interface Held {
  /** The entries are resources, not requests. */
  readonly isHeld: boolean;
  readonly isInside: boolean;
}

function judgeEntry({ definitions }: Access, entry: Item, { isHeld, isInside }: Held): Texts | undefined {
  const { fullUrl, resource } = entry.value as Readonly<Record<string, unknown>>;
  if (typeof fullUrl === 'string' && !isAbsolute.test(fullUrl)) return ownTexts.fullUrlRelative;
  if (!isHeld || !isObject(resource)) return undefined;
  const { resourceType, id: own } = resource;
  // What a search has to say beside what it found has no identity.
  if (fullUrl === undefined)
    return isInside || resourceType === 'OperationOutcome' ? undefined : ownTexts.fullUrlMissing;
  const named = namedBy(fullUrl);
  if (named === undefined || !definitions.resourceTypes.has(named.type)) return undefined;
  return resourceType === named.type && own === named.id ? undefined : ownTexts.fullUrlOther;
}

/** The type and id that a RESTful URL ends with. */
function namedBy(fullUrl: unknown): { readonly type: string; readonly id: string } | undefined {
  const [, type = '', id] = typeof fullUrl === 'string' ? (restful.exec(fullUrl) ?? []) : [];
  return id === undefined ? undefined : { type, id };
}

/** Elements of a Composition that name what the document is made of. */
const named = ['subject', 'encounter', 'author', 'custodian', 'attester.party', 'event.detail'] as const;
const inSections = ['author', 'focus', 'entry'] as const;
const sectionDepthMax = 20;

interface Document {
  readonly first: Item;
  readonly entries: readonly Item[];
}

function judgeComposition(access: Access, { first, entries }: Document, run: Run): void {
  const [composition] = access.children(first, 'resource');
  if (composition?.type !== 'Composition') return;
  const references = [
    ...named.flatMap((path) => follow(access, composition, path.split('.'))),
    ...access.children(composition, 'section').flatMap((section) => referencesIn(access, section, 0)),
  ];
  for (const reference of references) {
    const literal = isObject(reference.value) ? reference.value['reference'] : undefined;
    if (typeof literal !== 'string') continue;
    const count = literal.startsWith('#')
      ? Number(run.resolve(literal, reference) !== undefined)
      : countOf(access, entries, { literal, from: first });
    if (count === 0) addFault(run, reference, { severity: 'error', code: 'not-found', ...ownTexts.notInDocument });
    if (count > 1)
      addFault(run, reference, { severity: 'error', code: 'multiple-matches', ...ownTexts.twiceInDocument });
  }
}

interface Named {
  readonly literal: string;
  readonly from: Item;
}

/**
 * Entries that the reference means: by fullUrl alone, to which a relative one is completed where it stands in an entry with
 * a RESTful fullUrl, and by version where it names one (https://hl7.org/fhir/R4/bundle.html#references).
 */
function countOf(access: Access, entries: readonly Item[], { literal, from }: Named): number {
  const [, target = '', version] = /^(.*?)(?:\/_history\/([^/]+))?$/.exec(literal) ?? [];
  const own = fullUrlOf(from);
  const base = own === undefined ? undefined : /^(https?:\/\/.*\/)[A-Z][A-Za-z]+\/[^/]+$/.exec(own)?.[1];
  const url = isAbsolute.test(target) ? target : base === undefined ? undefined : base + target;
  return entries.filter((entry) => {
    const [resource] = access.children(entry, 'resource');
    if (url === undefined || fullUrlOf(entry) !== url) return false;
    const meta = isObject(resource?.value) ? resource.value['meta'] : undefined;
    return version === undefined || (isObject(meta) && meta['versionId'] === version);
  }).length;
}

function fullUrlOf({ value }: Item): string | undefined {
  const url = isObject(value) ? value['fullUrl'] : undefined;
  return typeof url === 'string' ? url : undefined;
}

function referencesIn(access: Access, section: Item, depth: number): readonly Item[] {
  if (depth > sectionDepthMax) return [];
  const own = inSections.flatMap((name) => access.children(section, name));
  return [...own, ...access.children(section, 'section').flatMap((inner) => referencesIn(access, inner, depth + 1))];
}

function follow(access: Access, item: Item, [name = '', ...more]: readonly string[]): readonly Item[] {
  const found = access.children(item, name);
  return more.length === 0 ? found : found.flatMap((one) => follow(access, one, more));
}
