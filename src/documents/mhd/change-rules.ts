/**
 * What may be changed of a fiche that was published by MHD or PDSm (PDSm "Mise à jour des métadonnées"): a patch sets status, security
 * labels and archiving, nothing else (405); `entered-in-error` is no status of a shared document; nothing is deleted physically.
 */
import { isDeepStrictEqual } from 'node:util';
import { Problem } from '../../base/index.ts';
import type { Resource } from '../../fhir/index.ts';
import { isArchivedExtension, isShared } from './profiles.ts';

export function requirePatchAllowed(before: Resource, after: Resource): void {
  if (before.resourceType !== 'DocumentReference' || !isShared(before)) return;
  if (isDeepStrictEqual(fixedPart(before), fixedPart(after))) return;
  const text =
    'a patch of a shared document changes its status, its security labels or whether it is archived, and nothing else';
  throw new Problem('unsupported-interaction', text);
}

interface Extended {
  readonly extension?: readonly { readonly url?: string }[];
}

function fixedPart({ meta: _meta, status: _status, securityLabel: _label, ...rest }: Resource): object {
  const { extension = [], ...others } = rest as Extended;
  return { ...others, extension: extension.filter(({ url }) => url !== isArchivedExtension) };
}

/** `after` undefined: a deletion. */
export function requireChangeAllowed(before: Resource | undefined, after: Resource | undefined): void {
  const resource = after ?? before;
  if (resource === undefined || !isShared(resource)) return;
  if (after === undefined) {
    const text = 'a shared document is not deleted: set its status to superseded';
    throw new Problem('unsupported-interaction', text);
  }
  if (after['status'] !== 'current' && after['status'] !== 'superseded') {
    const text = 'the status of a shared document is current or superseded';
    const issue = { severity: 'error', code: 'business-rule', text, expression: 'DocumentReference.status' } as const;
    throw new Problem('unprocessable', text, { issues: [issue] });
  }
}
