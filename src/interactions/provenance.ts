/**
 * X-Provenance (https://hl7.org/fhir/R4/http.html#XProvenance, provenance.html#header): a Provenance without target in a
 * header is stored with the write, in its transaction, about the versions that were written.
 */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { WriteEntry, Written } from '../store/index.ts';
import type { Context } from './context.ts';
import { requireResource } from './valid.ts';

/** Throws `incorrect` before anything is written when the header holds no Provenance. */
export async function readProvenance(
  context: Context,
  header: unknown,
): Promise<(written: readonly Written[]) => WriteEntry> {
  const given = header as Partial<Resource> | null;
  if (given?.resourceType !== 'Provenance' || given['target'] !== undefined) {
    throw new Problem('incorrect', 'X-Provenance: expected a Provenance without target, in JSON');
  }
  const provenance = await requireResource(context, 'Provenance', { ...given, target: [{ reference: 'Basic/x' }] });
  return (written) => {
    const id = context.ids.next(context.clock.now());
    const target = written.map(({ type, id: of, version }) => ({ reference: `${type}/${of}/_history/${version}` }));
    return { method: 'POST', type: 'Provenance', id, expectNew: true, resource: { ...provenance, id, target } };
  };
}
