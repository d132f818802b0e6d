/** One entry of a batch or transaction, parsed: what it asks for and of whom (https://hl7.org/fhir/R4/bundle.html#bundle-unique). */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type Context, requireId, requireType } from './context.ts';

export interface BundleEntry {
  /** Index in Bundle.entry. */
  readonly place: number;
  readonly fullUrl: string | undefined;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly type: string;
  readonly id: string | undefined;
  readonly versionId: string | undefined;
  /** What stands behind `?`. */
  readonly query: string | undefined;
  readonly isHistory: boolean;
  readonly resource: Resource | undefined;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifNoneExist: string | undefined;
}

interface RequestPart {
  readonly method?: BundleEntry['method'];
  readonly url?: string;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  readonly ifModifiedSince?: string;
  readonly ifNoneExist?: string;
}

/** As it stands in Bundle.entry, valid by schema. */
export interface EntryPart {
  readonly fullUrl?: string;
  readonly resource?: Resource;
  readonly request?: RequestPart;
}

/** The entries of a valid Bundle; throws `content-too-costly` above the limit. */
export function readEntries(context: Context, bundle: Resource): readonly EntryPart[] {
  const entries = (bundle['entry'] ?? []) as readonly EntryPart[];
  const { bundleEntriesMax } = context.limits;
  if (entries.length <= bundleEntriesMax) return entries;
  throw new Problem('content-too-costly', `a Bundle may have ${bundleEntriesMax} entries, found ${entries.length}`);
}

/** Throws `incorrect` with the place of the fault. */
export function readEntry(context: Context, { request, resource, fullUrl }: EntryPart, place: number): BundleEntry {
  if (request?.method === undefined || request.url === undefined) throw entryFault(place, 'request is missing');
  const target = readUrl(context, request.url, place);
  requireType(context, target.type);
  const fault = faultOf(request.method, target, resource);
  if (fault !== undefined) throw entryFault(place, fault);
  return {
    place,
    fullUrl,
    method: request.method,
    url: request.url,
    ...target,
    resource,
    ifMatch: request.ifMatch,
    ifNoneMatch: request.ifNoneMatch,
    ifModifiedSince: request.ifModifiedSince,
    ifNoneExist: request.ifNoneExist,
  };
}

/** What does not fit between method, URL and resource. */
function faultOf(
  method: BundleEntry['method'],
  { type, id }: Target,
  resource: Resource | undefined,
): string | undefined {
  if (method !== 'POST' && method !== 'PUT') return undefined;
  if (resource === undefined) return 'resource is missing';
  if (resource.resourceType !== type) return `resource must be of the type in request.url, ${type}`;
  if (method === 'POST') return id === undefined ? undefined : 'request.url of a POST has an id';
  return id === undefined || resource.id === id ? undefined : 'the id in the resource must be the id in request.url';
}

export function entryFault(place: number, text: string): Problem {
  const expression = `Bundle.entry[${place}]`;
  return new Problem('incorrect', text, { issues: [{ severity: 'error', code: 'invalid', text, expression }] });
}

type Target = Pick<BundleEntry, 'type' | 'id' | 'versionId' | 'query' | 'isHistory'>;

/** `Type`, `Type/id`, `Type/id/_history`, `Type/id/_history/2`, `Type?criteria`; our base URL before it is allowed. */
function readUrl(context: Context, url: string, place: number): Target {
  const relative = url.startsWith(`${context.baseUrl}/`)
    ? url.slice(context.baseUrl.length + 1)
    : url.replace(/^\//, '');
  const [path = '', query] = splitOnce(relative, '?');
  const [type = '', id, history, versionId, rest] = path.split('/');
  const isWrong =
    rest !== undefined || (history !== undefined && history !== '_history') || (id === '' && path !== type);
  if (type === '' || isWrong) throw entryFault(place, 'request.url is not one of Type, Type/id, Type?criteria');
  if (id !== undefined) requireId(id);
  return { type, id, versionId, query, isHistory: history !== undefined };
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
