/** What indexing one resource gathers; the emitters of each parameter type write into it. */
import type { DateReader, ReferenceReader } from '../fhir/index.ts';
import { type KeyHash, keyText } from './keys.ts';
import type { IndexValues } from './values.ts';
import { noOrd } from './values.ts';

export interface Readers {
  readonly hash: KeyHash;
  readonly dates: DateReader;
  readonly references: ReferenceReader;
}

/** One kind of value at one place of a resource type: where the trie of a type ends. */
export interface Place {
  readonly category: Category;
  readonly path: string;
  /** Parameters that take only references to one type (`where(resolve() is Patient)`). */
  readonly restrictions: readonly string[];
  /** Its dates are the main clinical instant of the resource. */
  readonly isOrd: boolean;
  /** A patient referred to here has the resource in its compartment. */
  readonly isCompartment: boolean;
  /** Never sought alone: its keys get no row of their own. */
  readonly isProbe: boolean;
}

export type Category = 'token' | 'reference' | 'date' | 'string' | 'number' | 'quantity' | 'uri';

export type Emitter = (value: never, place: Place, out: Collector) => void;

export class Collector {
  readonly readers: Readers;
  readonly #drivers: bigint[] = [];
  readonly #probes: bigint[] = [];
  readonly #dates: { k: bigint; lo: number; hi: number }[] = [];
  readonly #strings: { k: bigint; v: string }[] = [];
  readonly #numbers: { k: bigint; lo: number; hi: number }[] = [];
  readonly #patients = new Set<string>();
  /** Each literal reference with the path that it stands at: what `_include` follows. */
  readonly links: { readonly path: string; readonly reference: string }[] = [];
  #ord = noOrd;

  constructor(readers: Readers) {
    this.readers = readers;
  }

  driver(text: string, place?: Place): void {
    (place?.isProbe === true ? this.#probes : this.#drivers).push(this.readers.hash(text));
  }

  probe(text: string): void {
    this.#probes.push(this.readers.hash(text));
  }

  present(place: Place, restriction?: string): void {
    this.probe(keyText.present(place.category, restrictPath(place.path, restriction)));
  }

  // The key of each row stands among the probes too: "no row under this key" is what sorts last.

  date(place: Place, lo: number, hi: number): void {
    this.#dates.push({ k: this.#rowKey(keyText.dates(place.path)), lo, hi });
    if (place.isOrd && lo > this.#ord) this.#ord = lo;
  }

  string(place: Place, v: string): void {
    this.#strings.push({ k: this.#rowKey(keyText.strings(place.path)), v });
  }

  number(text: string, lo: number, hi: number): void {
    this.#numbers.push({ k: this.#rowKey(text), lo, hi });
  }

  #rowKey(text: string): bigint {
    const key = this.readers.hash(text);
    this.#probes.push(key);
    return key;
  }

  patient(reference: string): void {
    this.#patients.add(reference);
  }

  finish(references: readonly string[]): IndexValues {
    const drivers = sortUnique(this.#drivers);
    return {
      tokens: sortUnique([...drivers, ...this.#probes]),
      drivers,
      ord: this.#ord,
      dates: unique(this.#dates, ({ k, lo, hi }) => `${k} ${lo} ${hi}`),
      strings: unique(this.#strings, ({ k, v }) => `${k} ${v}`),
      numbers: unique(this.#numbers, ({ k, lo, hi }) => `${k} ${lo} ${hi}`),
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
  const sorted = BigInt64Array.from(keys).sort();
  const result: bigint[] = [];
  for (const key of sorted) if (key !== result.at(-1)) result.push(key);
  return result;
}

function unique<Row>(rows: readonly Row[], name: (row: Row) => string): readonly Row[] {
  if (rows.length < 2) return rows;
  const seen = new Map<string, Row>();
  for (const row of rows) seen.set(name(row), row);
  return [...seen.values()];
}
