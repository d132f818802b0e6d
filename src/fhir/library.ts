/**
 * Definitions that are not compiled in: profiles, extensions, value sets, code systems, by canonical URL. Who reads them
 * is pure and synchronous; where they come from is not known here.
 *
 * `find` throws `NotAtHand` for what exists and has not been read yet. Nobody catches it but the library's owner, who
 * reads it and does the work again: so no half-made result is ever kept.
 */
import type { Resource } from './resource.ts';

export type ConformanceType = 'StructureDefinition' | 'ValueSet' | 'CodeSystem' | 'ConceptMap' | 'Questionnaire';

export interface ConformanceResource extends Resource {
  readonly url: string;
  readonly version?: string;
}

export interface Library {
  /** By `url` or `url|version`; without a version the newest one. Undefined: there is none. */
  find(type: ConformanceType, canonical: string): ConformanceResource | undefined;
}

export class NotAtHand extends Error {
  readonly type: ConformanceType;
  readonly canonical: string;

  constructor(type: ConformanceType, canonical: string) {
    super(`${type} ${canonical} has not been read yet`);
    this.type = type;
    this.canonical = canonical;
  }
}

/** Of resources that are all there: for tests, and for those of the project. */
export function createLibrary(resources: readonly ConformanceResource[]): Library {
  const shelves = new Map<string, ConformanceResource[]>();
  for (const resource of resources) {
    const key = `${resource.resourceType} ${resource.url}`;
    const shelf = shelves.get(key);
    if (shelf === undefined) shelves.set(key, [resource]);
    else shelf.push(resource);
  }
  for (const shelf of shelves.values()) shelf.sort((left, right) => compareVersions(right.version, left.version));
  return {
    find(type, canonical) {
      const { url, version } = readCanonical(canonical);
      const shelf = shelves.get(`${type} ${url}`) ?? [];
      return version === undefined ? shelf[0] : shelf.find((resource) => matchesVersion(resource.version, version));
    },
  };
}

/** The first library that knows it answers. */
export function joinLibraries(...libraries: readonly Library[]): Library {
  return {
    find(type, canonical) {
      for (const library of libraries) {
        const found = library.find(type, canonical);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

export interface Canonical {
  readonly url: string;
  readonly version?: string;
}

/** `http://x/y|2.1.0#part` -> url, version. */
export function readCanonical(text: string): Canonical {
  const [whole = ''] = text.split('#', 1);
  const bar = whole.indexOf('|');
  return bar < 0 ? { url: whole } : { url: whole.slice(0, bar), version: whole.slice(bar + 1) };
}

/** `4.0` stands for `4.0.1`: a version may be told in part. */
export function matchesVersion(version: string | undefined, asked: string): boolean {
  return version === asked || version?.startsWith(`${asked}.`) === true;
}

/** Semantic versions by their numbers, a pre-release before its release; other texts as texts. */
export function compareVersions(left = '', right = ''): number {
  const [a, b] = [readVersion(left), readVersion(right)];
  for (let place = 0; place < Math.max(a.numbers.length, b.numbers.length); place++) {
    const difference = (a.numbers[place] ?? 0) - (b.numbers[place] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.label === b.label) return 0;
  if (a.label === '' || b.label === '') return a.label === '' ? 1 : -1;
  return a.label < b.label ? -1 : 1;
}

function readVersion(text: string): { readonly numbers: readonly number[]; readonly label: string } {
  const [, digits = '', label = ''] = /^v?((?:\d{1,9}\.)*\d{1,9}|)[-.]?(.*)$/s.exec(text) ?? [];
  return { numbers: digits === '' ? [] : digits.split('.').map(Number), label };
}
