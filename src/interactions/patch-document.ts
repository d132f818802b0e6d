/**
 * The document of a patch (https://hl7.org/fhir/R4/http.html#patch): a JSON Patch, or a FHIRPath Patch as Parameters. In a
 * Bundle a JSON Patch stands in a Binary.
 */
import { Problem } from '../base/index.ts';
import { applyFhirPathPatch, applyJsonPatch, parseJson, type Resource } from '../fhir/index.ts';
import type { Context, Request } from './context.ts';

export type ApplyPatch = (resource: Resource) => Resource;

const jsonPatchType = 'application/json-patch+json';

/** From the body of a PATCH. */
export function readPatch(context: Context, { content, body }: Pick<Request, 'content' | 'body'>): ApplyPatch {
  if (content?.type === jsonPatchType) return (resource) => applyJsonPatch(resource, body);
  return readFhirPathPatch(context, body);
}

/** From the resource of an entry. */
export function readEntryPatch(context: Context, resource: Resource | undefined): ApplyPatch {
  if (resource?.resourceType !== 'Binary') return readFhirPathPatch(context, resource);
  const { contentType = '', data = '' } = resource as { contentType?: string; data?: string };
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  if (type !== jsonPatchType) throw new Problem('media-type', `a Binary that patches has the type ${jsonPatchType}`);
  const document = parseJson(Buffer.from(data, 'base64'));
  return (target) => applyJsonPatch(target, document);
}

function readFhirPathPatch(context: Context, body: unknown): ApplyPatch {
  if ((body as Partial<Resource> | null | undefined)?.resourceType !== 'Parameters') {
    throw new Problem('incorrect', 'expected a JSON Patch or a FHIRPath Patch in a Parameters resource');
  }
  const moment = { nowMs: context.clock.now(), dates: context.search.readers.dates };
  return (resource) => applyFhirPathPatch(resource, body, { definitions: context.definitions, moment });
}
