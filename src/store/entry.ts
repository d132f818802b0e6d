/**
 * A resource made ready for store_commit(): its text in two halves around the version, and its index values.
 * Only the locked row knows which version comes next, so the text is completed in the database.
 */
import { Problem } from '../base/index.ts';
import { type Resource, serializeJson } from '../fhir/index.ts';
import type { IndexValues } from '../search/index.ts';

export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface WriteEntry {
  readonly method: WriteMethod;
  readonly type: string;
  readonly id: string;
  /** Absent for DELETE. Its `id` is `id` above; versionId and lastUpdated in its meta are replaced. */
  readonly resource?: Resource;
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

/** One element of the JSON array that store_commit() takes; 64-bit keys are written as text that PostgreSQL casts. */
export function entryJson(entry: WriteEntry, place: number, values: IndexValues | undefined): string {
  const { method, type, id, expectVersion, expectNew, resource } = entry;
  const fields: Record<string, unknown> = {
    place,
    method,
    type,
    id,
    expect_version: expectVersion,
    expect_new: expectNew,
  };
  if (resource === undefined || values === undefined) return JSON.stringify(fields);
  requireFewValues(values, entry);
  const { head, tail } = splitText(resource, id);
  const numbers = (rows: readonly { k: bigint; lo: number; hi: number }[]) =>
    rows.map(({ k, lo, hi }) => [String(k), lo, hi]);
  return JSON.stringify({
    ...fields,
    head,
    tail,
    ord: values.ord,
    patients: values.patients,
    keys: values.tokens.map(String),
    drivers: values.drivers.map(String),
    dates: numbers(values.dates),
    strings: values.strings.map(({ k, v }) => [String(k), v]),
    numbers: numbers(values.numbers),
  });
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
