/**
 * A resource made ready for store_commit(): its text in two halves around the version, and its index values.
 * Only the locked row knows which version comes next, so the text is completed in the database.
 */
import { formatInstant, Problem } from '../base/index.ts';
import { type Resource, serializeJson } from '../fhir/index.ts';
import type { IndexValues } from '../search/index.ts';
import { withInlineContent } from './content.ts';

export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface WriteEntry {
  readonly method: WriteMethod;
  readonly type: string;
  readonly id: string;
  /** Absent for DELETE. Its `id` is `id` above; versionId and lastUpdated in its meta are replaced. */
  readonly resource?: Resource;
  /** What becomes `data` of a Binary: bytes, because as a member of the resource they would be in memory once more. */
  readonly content?: Uint8Array;
  /** If-Match: the version that must be current. */
  readonly expectVersion?: number;
  /** The id must never have been used. */
  readonly expectNew?: boolean;
}

/** Values under which one resource is found. A write of many more would hold the database, and everybody, for seconds. */
const indexValuesMax = 50_000;

function requireFewValues({ tokens, dates, strings, numbers }: IndexValues, { type }: WriteEntry): void {
  const count = tokens.length + dates.length + strings.length + numbers.length;
  if (count <= indexValuesMax) return;
  const text = `the ${type} has ${count} values to be found by, at most ${indexValuesMax} are taken`;
  throw new Problem('content-too-costly', text);
}

/** An entry ready to be written: its text in two halves and its index values; neither for DELETE. */
export interface ReadyEntry {
  readonly entry: WriteEntry;
  readonly text: { readonly head: string; readonly tail: string } | undefined;
  readonly values: IndexValues | undefined;
}

export function readyEntry(entry: WriteEntry, index: (resource: Resource) => IndexValues): ReadyEntry {
  const { resource, id } = entry;
  if (resource === undefined) return { entry, text: undefined, values: undefined };
  const values = index(resource);
  requireFewValues(values, entry);
  return { entry, text: splitText(withInlineContent(entry, resource), id), values };
}

/** The parameters of store_reindex() (migrations/0014) after rids and versions. */
export function reindexParameters(values: readonly IndexValues[]): readonly unknown[] {
  return [
    literals(values, ({ tokens }) => tokens),
    literals(values, ({ drivers }) => drivers),
    ...rowParameters(values),
  ];
}

type Indexed = readonly (IndexValues | undefined)[];

function literals(indexed: Indexed, list: (of: IndexValues) => readonly unknown[]): readonly (string | null)[] {
  return indexed.map((values) => (values === undefined ? null : arrayLiteral(list(values))));
}

function rowParameters(indexed: Indexed): readonly unknown[] {
  /** Most writes have no numbers, many no strings: then nothing is sent. */
  const rowsOf = <K extends 'dates' | 'strings' | 'numbers'>(
    name: K,
    ...columns: readonly ((row: IndexValues[K][number]) => unknown)[]
  ) => {
    const isEmpty = indexed.every((values) => (values?.[name].length ?? 0) === 0);
    const column = (of: (row: IndexValues[K][number]) => unknown) =>
      literals(indexed, (values) => (values[name] as readonly IndexValues[K][number][]).map(of));
    return columns.map((of) => (isEmpty ? null : column(of)));
  };
  return [
    ...rowsOf(
      'dates',
      ({ k }) => k,
      ({ lo }) => lo,
      ({ hi }) => hi,
    ),
    ...rowsOf(
      'strings',
      ({ k }) => k,
      ({ v }) => quoted(v),
    ),
    ...rowsOf(
      'numbers',
      ({ k }) => k,
      ({ lo }) => lo,
      ({ hi }) => hi,
    ),
  ];
}

export function arrayLiteral(values: readonly unknown[]): string {
  return `{${values.join(',')}}`;
}

export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The exact text of a version, as store_text() in migrations/0002 completes it. */
export function completeText(
  { head, tail }: { readonly head: string; readonly tail: string },
  version: number,
  lastUpdated: Date,
): string {
  return `${head}"versionId":"${version}","lastUpdated":"${formatInstant(lastUpdated.getTime())}"${tail}`;
}

/** `{"resourceType":..,"id":..,"meta":{` and everything that follows versionId and lastUpdated. */
export function splitText(resource: Resource, id: string): { readonly head: string; readonly tail: string } {
  const { resourceType, id: _id, meta, ...members } = resource;
  const { versionId: _versionId, lastUpdated: _lastUpdated, ...metaRest } = meta ?? {};
  const metaText = serializeJson(metaRest);
  const memberText = serializeJson(members);
  return {
    head: `{"resourceType":${JSON.stringify(resourceType)},"id":${JSON.stringify(id)},"meta":{`,
    tail: `${metaText === '{}' ? '}' : `,${metaText.slice(1)}`}${memberText === '{}' ? '}' : `,${memberText.slice(1)}`}`,
  };
}
