/** Bundles put together from stored texts, which are never parsed for it (https://hl7.org/fhir/R4/bundle.html). */
export interface BundleParts {
  readonly type: 'searchset' | 'history' | 'batch-response' | 'transaction-response';
  readonly links?: readonly (readonly [relation: string, url: string])[];
  readonly total?: number;
  /** JSON text of each entry. */
  readonly entries: readonly string[];
}

export function bundleText(parts: BundleParts): string {
  const total = parts.total === undefined ? '' : `,"total":${parts.total}`;
  const links = parts.links?.map(([relation, url]) => JSON.stringify({ relation, url })) ?? [];
  const linkText = links.length === 0 ? '' : `,"link":[${links.join(',')}]`;
  const entryText = parts.entries.length === 0 ? '' : `,"entry":[${parts.entries.join(',')}]`;
  return `{"resourceType":"Bundle","type":"${parts.type}"${total}${linkText}${entryText}}`;
}
