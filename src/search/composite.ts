/**
 * Composite parameters (https://hl7.org/fhir/R4/search.html#composite): values that stand together in one element.
 *
 * At the resource itself (`Observation`: code and value) there is one such element, so the composite is the conjunction of its components,
 * and needs no rows of its own. At an element that repeats (`Observation.component`) each occurrence leaves *tuples*: the keys of its
 * components' values joined to one key. A component that is a range (quantity, date, number) or a text is the row under that key:
 *
 *     component-code-value-quantity  ->  number row, key = x(code key, unit key), lo, hi
 *     component-code-value-concept   ->  token row, key = x(code key, value key)
 *     variant: chromosome, start, end ->  number row, key = x(chromosome key, ...), lo = start, hi = end
 */
import type { Emitter, Place, Readers, Sink } from './collector.ts';
import { keyText } from './keys.ts';
import type { IndexPath, SearchParameter } from './parameters.ts';
import { type Path, valuesAt } from './paths.ts';
import type { Resource } from '../fhir/index.ts';

/** One element at which a composite's values can stand. */
export interface CompositeBase {
  readonly kind: 'conjunction' | 'tuples';
  /** Of tuples: the name in their keys. */
  readonly name: string;
  /** In the order of the search value; with the paths that their keys have. */
  readonly components: readonly SearchParameter[];
  /** Keys of presence: it is there when one of each list is. */
  readonly present: readonly (readonly bigint[])[];
  /** Of a conjunction: those of them that say more than its components' own conditions. */
  readonly typed: readonly (readonly bigint[])[];
}

export interface ComponentLeaf {
  readonly path: Path;
  readonly at: IndexPath;
  readonly emitter: Emitter;
  /** Found from the resource, not from the element. */
  readonly isFromResource: boolean;
}

/** What one component yields at one element; `table` is missing for keys. */
interface Part {
  readonly key: bigint;
  readonly table?: 'date' | 'number' | 'string';
  readonly lo?: number;
  readonly hi?: number;
  readonly v?: string;
}

/** More combinations in one element than these are never asked for. */
const tuplesMax = 1000;

export function tupleEmitter(components: readonly (readonly ComponentLeaf[])[]): Emitter {
  return (node: Readonly<Record<string, unknown>>, place: Place, out: Sink) => {
    const found = components.map((leaves) => componentOf(leaves, node, out));
    if (found.every(({ isThere }) => isThere)) out.probeKey(place.present);
    for (const tuple of product(found.map(({ parts }) => parts))) emitTuple(tuple, place, out);
  };
}

function componentOf(
  leaves: readonly ComponentLeaf[],
  node: Readonly<Record<string, unknown>>,
  { readers, resource }: Sink,
): { readonly isThere: boolean; readonly parts: readonly Part[] } {
  const sink = new PartSink(readers, resource);
  let isThere = false;
  for (const { path, at, emitter, isFromResource } of leaves) {
    const start = isFromResource ? (resource as unknown as Readonly<Record<string, unknown>>) : node;
    for (const value of valuesAt(path, start)) {
      emitter(value as never, componentPlace(at, readers), sink);
      isThere = true;
    }
  }
  return { isThere, parts: sink.parts };
}

function componentPlace({ category, name, row }: IndexPath, { hash }: Readers): Place {
  return {
    ...{ category, path: name, row: hash(row), present: 0n, presentTo: new Map(), typed: undefined },
    ...{ isOrd: false, isCompartment: false, isProbe: true },
  };
}

/** Takes the keys and rows that a search for the component asks for, and nothing else. */
class PartSink implements Sink {
  readonly readers: Readers;
  readonly resource: Resource;
  readonly parts: Part[] = [];

  constructor(readers: Readers, resource: Resource) {
    this.readers = readers;
    this.resource = resource;
  }

  driver(text: string): void {
    this.parts.push({ key: this.readers.hash(text) });
  }

  /** Codes without system, and versioned references: see keys.ts. */
  probe(text: string): void {
    if (text.startsWith('n') || text.startsWith('v')) this.driver(text);
  }

  date(place: Place, lo: number, hi: number): void {
    this.parts.push({ key: place.row, table: 'date', lo, hi });
  }

  string(key: bigint, v: string): void {
    this.parts.push({ key, table: 'string', v });
  }

  number(key: bigint, lo: number, hi: number): void {
    this.parts.push({ key, table: 'number', lo, hi });
  }

  probeKey(): void {}
  driverKey(): void {}
  label(): void {}
  pair(): void {}
  dateRow(): void {}
  patient(): void {}
  link(): void {}
}

function product(lists: readonly (readonly Part[])[]): readonly (readonly Part[])[] {
  return lists.reduce<readonly (readonly Part[])[]>(
    (tuples, list) => tuples.flatMap((tuple) => list.map((part) => [...tuple, part])).slice(0, tuplesMax),
    [[]],
  );
}

function emitTuple(tuple: readonly Part[], place: Place, out: Sink): void {
  const key = out.readers.hash(
    keyText.tuple(
      place.path,
      tuple.map((part) => part.key),
    ),
  );
  const [row, second] = tuple.filter(({ table }) => table !== undefined);
  if (row === undefined) out.driverKey(key);
  else if (row.table === 'string') out.label(key, row.v ?? '');
  else if (row.table === 'date') out.dateRow(key, row.lo ?? 0, row.hi ?? 0);
  // Two numbers are one row: the lower bound of the first, the upper bound of the second; both are points.
  else out.pair(key, row.lo ?? 0, second === undefined ? (row.hi ?? 0) : (second.hi ?? 0));
}

/** How many components may be rows: one, or two numbers. */
export function rowsFault(types: readonly string[]): string | undefined {
  const rows = types.filter((type) => type !== 'token' && type !== 'reference' && type !== 'uri');
  if (rows.some((type) => type === 'composite' || type === 'special'))
    return 'a component is itself composite or special';
  if (rows.length <= 1 || (rows.length === 2 && rows.every((type) => type === 'number'))) return undefined;
  return 'more than one component is a date, a string or a quantity';
}
