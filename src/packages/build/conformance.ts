/**
 * The definitions that R4 itself publishes and that are read at run time: value sets, code systems, extensions, profiles.
 * One line each in `generated/conformance.ndjson`, type and canonical before the JSON, so that a start reads none of it.
 * Profiles keep their differentials only: their snapshots were edited by the vendor (`fhir/build/source.ts`).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { slim } from '../slim.ts';

type Data = Readonly<Record<string, unknown>>;

/** Of the published package. */
export const conformanceFiles = [
  'valuesets',
  'v3-codesystems',
  'v2-tables',
  'extension-definitions',
  'profiles-others',
] as const;
const types: readonly unknown[] = ['ValueSet', 'CodeSystem', 'StructureDefinition'];

export function buildConformance(published: readonly Data[]): void {
  const folder = new URL('../../../generated/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL('conformance.ndjson', folder), conformanceLines(published).join(''));
}

export function conformanceLines(published: readonly Data[]): readonly string[] {
  const kept = new Map<string, string>();
  for (const resource of published) {
    const { resourceType, url } = resource as { readonly resourceType?: string; readonly url?: string };
    if (!types.includes(resourceType) || typeof url !== 'string' || /\s/.test(url)) continue;
    const key = `${resourceType ?? ''} ${url}`;
    if (!kept.has(key)) kept.set(key, JSON.stringify(withoutProse(slim(resource))));
  }
  return [...kept].map(([key, json]) => `${key} ${json}\n`);
}

function withoutProse(resource: Data): Data {
  if (resource['resourceType'] === 'StructureDefinition') {
    const { snapshot: _edited, ...rest } = resource;
    return rest;
  }
  return resource;
}
