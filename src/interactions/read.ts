/** read and vread (https://hl7.org/fhir/R4/http.html#read, #vread). */
import { Problem } from '../base/index.ts';
import type { StoredVersion } from '../store/index.ts';
import { type Answer, answerStored, type Context, isId, readEntityTag, type Request, requireType } from './context.ts';

export async function read(context: Context, request: Request): Promise<Answer> {
  const stored = await readStored(context, request);
  return isUnchanged(request, stored)
    ? { status: 304, version: stored.version, lastModified: stored.lastUpdated }
    : answerStored(200, stored);
}

export async function vread(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { id = '', versionId = '' } = request;
  const version = /^[1-9]\d{0,8}$/.test(versionId) ? Number(versionId) : 0;
  const stored = await context.store.readVersion(request.type, id, version, request.visible);
  if (stored === undefined) throw new Problem('not-found', 'no such version of the resource');
  if (stored.isDeleted) throw new Problem('gone', 'this version is the deletion of the resource');
  return answerStored(200, stored);
}

/** The current version; throws `not-found` or `gone`. */
export async function readStored(
  context: Context,
  request: Pick<Request, 'type' | 'id' | 'visible'>,
): Promise<StoredVersion> {
  requireType(context, request.type);
  const { id = '' } = request;
  const stored = isId(id) ? await context.store.read(request.type, id, request.visible) : undefined;
  if (stored === undefined) throw new Problem('not-found', `no ${request.type} with this id`);
  if (stored.isDeleted) throw new Problem('gone', `the ${request.type} was deleted`);
  return stored;
}

/** Conditional read: If-None-Match decides alone where both headers are there (RFC 9110 §13.2.2). */
function isUnchanged(request: Request, stored: StoredVersion): boolean {
  if (request.ifNoneMatch !== undefined) {
    return request.ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || readEntityTag(tag) === stored.version);
  }
  if (request.ifModifiedSince === undefined) return false;
  const since = Date.parse(request.ifModifiedSince);
  return Math.floor(stored.lastUpdated.getTime() / 1000) * 1000 <= since;
}
