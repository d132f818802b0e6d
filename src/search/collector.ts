/** What indexing one resource gathers; the emitters of each parameter type write into it. */
import type { DateReader, ReferenceReader, Resource, SearchParameterType, UnitReader } from '../fhir/index.ts';
import type { KeyHash } from './keys.ts';
import type { IndexValues } from './values.ts';
import { noOrd } from './values.ts';

export interface Readers {
  readonly hash: KeyHash;
  readonly dates: DateReader;
  readonly references: ReferenceReader;
  readonly units: UnitReader;
}

/** One kind of value at one place of a resource type: where the trie of a type ends. */
export interface Place {
  readonly category: SearchParameterType;
  readonly path: string;
  /** The key that says that a value is present. */
  readonly present: bigint;
  /** The same for parameters that take only references to one type (`where(resolve() is Patient)`), by that type. */
  readonly presentTo: ReadonlyMap<string, bigint>;
  /** The key of its rows in the date, string or number index; of a token, of its texts. */
  readonly row: bigint;
  /** The key that says that a value of this type is present, where somebody asks. */
  readonly typed: bigint | undefined;
  /** Its dates are the main clinical instant of the resource. */
  readonly isOrd: boolean;
  /** A patient referred to here has the resource in its compartment. */
  readonly isCompartment: boolean;
  /** Never sought alone: its keys get no row of their own. */
  readonly isProbe: boolean;
}

export type Emitter = (value: never, place: Place, out: Sink) => void;

/** What emitters write into. */
export interface Sink {
  readonly readers: Readers;
  /** The resource that is indexed. */
  readonly resource: Resource;
  /** A key that a search may start from, unless the place says otherwise. */
  driver(text: string, place?: Place): void;
  probe(text: string): void;
  probeKey(key: bigint): void;
  /** The key of a tuple, see composite.ts. */
  driverKey(key: bigint): void;
  date(place: Place, lo: number, hi: number): void;
  string(key: bigint, v: string): void;
  /** A text by which nothing is sorted. */
  label(key: bigint, v: string): void;
  number(key: bigint, lo: number, hi: number): void;
  /** A pair of numbers by which nothing is sorted: a position, a tuple. */
  pair(key: bigint, lo: number, hi: number): void;
  dateRow(key: bigint, lo: number, hi: number): void;
  patient(reference: string): void;
  /** A literal reference at a path: what `_include` follows. */
  link(path: string, reference: string): void;
}

export class Collector implements Sink {
  readonly readers: Readers;
  readonly resource: Resource;
  readonly #drivers: bigint[] = [];
  readonly #probes: bigint[] = [];
  readonly #dates: { k: bigint; lo: number; hi: number }[] = [];
  readonly #strings: { k: bigint; v: string }[] = [];
  readonly #numbers: { k: bigint; lo: number; hi: number }[] = [];
  readonly #patients = new Set<string>();
  readonly links: { readonly path: string; readonly reference: string }[] = [];
  #ord = noOrd;

  constructor(readers: Readers, resource: Resource) {
    this.readers = readers;
    this.resource = resource;
  }

  driver(text: string, place?: Place): void {
    (place?.isProbe === true ? this.#probes : this.#drivers).push(this.readers.hash(text));
  }

  probe(text: string): void {
    this.#probes.push(this.readers.hash(text));
  }

  probeKey(key: bigint): void {
    this.#probes.push(key);
  }

  driverKey(key: bigint): void {
    this.#drivers.push(key);
  }

  // The key of each row stands among the probes too: "no row under this key" is what sorts last.

  date(place: Place, lo: number, hi: number): void {
    this.#dates.push({ k: place.row, lo, hi });
    this.#probes.push(place.row);
    if (place.isOrd && lo > this.#ord) this.#ord = lo;
  }

  string(key: bigint, v: string): void {
    this.#strings.push({ k: key, v });
    this.#probes.push(key);
  }

  label(key: bigint, v: string): void {
    this.#strings.push({ k: key, v });
  }

  number(key: bigint, lo: number, hi: number): void {
    this.#numbers.push({ k: key, lo, hi });
    this.#probes.push(key);
  }

  pair(key: bigint, lo: number, hi: number): void {
    this.#numbers.push({ k: key, lo, hi });
  }

  dateRow(key: bigint, lo: number, hi: number): void {
    this.#dates.push({ k: key, lo, hi });
  }

  patient(reference: string): void {
    this.#patients.add(reference);
  }

  link(path: string, reference: string): void {
    this.links.push({ path, reference });
  }

  finish(references: readonly string[]): IndexValues {
    return {
      tokens: sortUnique([...this.#drivers, ...this.#probes]),
      drivers: [...new Set(this.#drivers)],
      ord: this.#ord,
      dates: uniqueRows(this.#dates, ({ lo, hi }) => `${lo} ${hi}`),
      strings: uniqueRows(this.#strings, ({ v }) => v),
      numbers: uniqueRows(this.#numbers, ({ lo, hi }) => `${lo} ${hi}`),
      patients: [...this.#patients],
      references,
    };
  }
}

/** The name of a path with only its references to one type. */
export function restrictPath(path: string, restriction: string | undefined): string {
  return restriction === undefined ? path : `${path} is ${restriction}`;
}

function sortUnique(keys: readonly bigint[]): bigint[] {
  const sorted = new BigInt64Array(keys.length);
  for (let at = 0; at < sorted.length; at++) sorted[at] = keys[at] ?? 0n;
  sorted.sort();
  const result: bigint[] = [];
  let last: bigint | undefined;
  for (const key of sorted) {
    if (key !== last) result.push(key);
    last = key;
  }
  return result;
}

function uniqueRows<Row extends { readonly k: bigint }>(
  rows: readonly Row[],
  name: (row: Row) => string,
): readonly Row[] {
  if (rows.length < 2) return rows;
  const seen = new Map<bigint, Set<string>>();
  return rows.filter((row) => {
    const names = seen.get(row.k) ?? new Set();
    seen.set(row.k, names);
    return names.size !== names.add(name(row)).size;
  });
}
