/**
 * The parameters of store_commit() (migrations/0019). The index values of all entries are flat columns, each row with the place
 * of its entry from 1; arrays travel in their binary form (db/arrays.ts).
 */
import { bigintArray, booleanArray, doubleArray, integerArray, textArray, wholeNumberArray } from '../db/index.ts';
import type { IndexValues } from '../search/index.ts';
import { arrayLiteral, quoted, type ReadyEntry, type WriteEntry } from './entry.ts';

/** `isEach`: each entry for itself, see there. */
export function commitParameters(
  entries: readonly ReadyEntry[],
  { nowMs, isEach }: { readonly nowMs: number; readonly isEach: boolean },
): readonly unknown[] {
  const each = <T>(value: (of: WriteEntry) => T) => entries.map(({ entry }) => value(entry));
  const indexed = entries.map(({ values }) => values);
  const literals = (list: (of: IndexValues) => readonly unknown[]) =>
    textArray(indexed.map((values) => (values === undefined ? null : arrayLiteral(list(values)))));
  return [
    new Date(nowMs).toISOString(),
    isEach,
    textArray(each(({ method }) => method)),
    textArray(each(({ type }) => type)),
    textArray(each(({ id }) => id)),
    integerArray(each(({ expectVersion }) => expectVersion ?? null)),
    booleanArray(each(({ expectNew }) => expectNew ?? false)),
    textArray(entries.map(({ text }) => text?.head ?? null)),
    textArray(entries.map(({ text }) => text?.tail ?? null)),
    wholeNumberArray(indexed.map((values) => values?.ord ?? null)),
    literals(({ patients }) => patients.map(quoted)),
    literals(({ tokens }) => tokens),
    ...tokenColumns(indexed),
    ...rowColumns(indexed),
  ];
}

type Indexed = readonly (IndexValues | undefined)[];

function tokenColumns(indexed: Indexed): readonly Buffer[] {
  const { places, rows } = flatten(indexed, ({ drivers }) => drivers);
  return [integerArray(places), bigintArray(rows)];
}

/** Most writes have no numbers, many no strings: then nothing is sent. */
function rowColumns(indexed: Indexed): readonly (Buffer | null)[] {
  const dates = flatten(indexed, (values) => values.dates);
  const strings = flatten(indexed, (values) => values.strings);
  const numbers = flatten(indexed, (values) => values.numbers);
  const unlessEmpty = (
    { rows }: { readonly rows: readonly unknown[] },
    columns: () => readonly Buffer[],
    width: number,
  ) => (rows.length === 0 ? Array.from({ length: width }, () => null) : columns());
  return [
    ...unlessEmpty(
      dates,
      () => [
        integerArray(dates.places),
        bigintArray(dates.rows.map(({ k }) => k)),
        wholeNumberArray(dates.rows.map(({ lo }) => lo)),
        wholeNumberArray(dates.rows.map(({ hi }) => hi)),
      ],
      4,
    ),
    ...unlessEmpty(
      strings,
      () => [
        integerArray(strings.places),
        bigintArray(strings.rows.map(({ k }) => k)),
        textArray(strings.rows.map(({ v }) => v)),
      ],
      3,
    ),
    ...unlessEmpty(
      numbers,
      () => [
        integerArray(numbers.places),
        bigintArray(numbers.rows.map(({ k }) => k)),
        doubleArray(numbers.rows.map(({ lo }) => lo)),
        doubleArray(numbers.rows.map(({ hi }) => hi)),
      ],
      4,
    ),
  ]; // prettier-ignore
}

function flatten<Row>(
  indexed: Indexed,
  list: (of: IndexValues) => readonly Row[],
): { readonly places: readonly number[]; readonly rows: readonly Row[] } {
  const places: number[] = [];
  const rows: Row[] = [];
  for (const [index, values] of indexed.entries()) {
    if (values === undefined) continue;
    for (const row of list(values)) {
      places.push(index + 1);
      rows.push(row);
    }
  }
  return { places, rows };
}
