/** One entry of a batch or transaction, parsed: what it asks for and of whom (https://hl7.org/fhir/R4/bundle.html#bundle-unique). */
import { type Caller, requirePermitted } from '../access/index.ts';
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type Context, type Request, requireId, requireType } from './context.ts';
import type { Route } from './route.ts';

export interface BundleEntry {
  /** Index in Bundle.entry. */
  readonly place: number;
  readonly fullUrl: string | undefined;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Of the route table: `/:type/:id`. */
  readonly path: string;
  readonly type: string;
  readonly id: string | undefined;
  readonly versionId: string | undefined;
  /** What stands behind `?`. */
  readonly query: string | undefined;
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
  if (target.type !== '') requireType(context, target.type);
  const fault = faultOf(request.method, target, resource);
  if (fault !== undefined) throw entryFault(place, fault);
  return {
    place,
    fullUrl,
    method: request.method,
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
  if (method === 'PATCH') return resource === undefined ? 'resource is missing: it holds the patch' : undefined;
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

/** A fault of one entry of a transaction says which; its own expressions stay behind the entry's. */
export async function placed<T>(place: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw withPlace(error, place);
  }
}

export function placedNow<T>(place: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withPlace(error, place);
  }
}

function withPlace(error: unknown, place: number): unknown {
  if (!(error instanceof Problem)) return error;
  const entry = `Bundle.entry[${place}]`;
  const issues = error.issues.map((issue) => ({ ...issue, expression: expressionIn(entry, issue.expression) }));
  const { category, message, retryAfterMs, cause } = error;
  return new Problem(category, message, { issues, ...(retryAfterMs === undefined ? {} : { retryAfterMs }), cause });
}

/** `Patient.name` of a resource in an entry is `Bundle.entry[0].resource.name`. */
function expressionIn(entry: string, expression: string | undefined): string {
  if (expression?.startsWith('Bundle.entry[') === true) return expression;
  const rest = expression?.replace(/^[A-Z]\w*(?=\.|$)/, '');
  return rest === undefined || rest === expression ? entry : `${entry}.resource${rest}`;
}

type Target = Pick<BundleEntry, 'type' | 'id' | 'versionId' | 'query' | 'path'>;

/**
 * `Type`, `Type/id`, `Type/id/_history`, `Type/id/_history/2`, `Type/_history`, `_history`, each with a query; our base URL
 * before it is allowed.
 */
const urlForm = /^(?:([^/?]+)(?:\/(?!_history(?:[/?]|$))([^/?]+))?)??(?:\/?(_history)(?:\/([^/?]+))?)?(?:\?(.*))?$/s;

function readUrl(context: Context, url: string, place: number): Target {
  const relative = url.startsWith(`${context.baseUrl}/`)
    ? url.slice(context.baseUrl.length + 1)
    : url.replace(/^\//, '');
  const found = relative === '' ? null : urlForm.exec(relative);
  const [, type = '', id, history, versionId, query] = found ?? [];
  if (found === null || (versionId !== undefined && id === undefined)) {
    throw entryFault(place, 'request.url is not one of Type, Type/id, Type?criteria');
  }
  if (id !== undefined) requireId(id);
  return { type, id, versionId, query, path: pathOf({ type, id, history, versionId }) };
}

/** `{type: 'Patient', id: '1'}` -> `/:type/:id`. */
function pathOf(parts: Readonly<Record<string, string | undefined>>): string {
  const names = Object.entries(parts).filter(([, value]) => value !== undefined && value !== '');
  return names.map(([name]) => (name === 'history' ? '/_history' : `/:${name}`)).join('');
}

/** The row of the table that an entry asks for. */
export function findRoute(routes: readonly Route[], { method, path }: BundleEntry): Route {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = routes.find((route) => route.method === wanted && route.path === path);
  if (found === undefined || found.code === 'transaction' || found.code === 'capabilities') {
    throw new Problem('unsupported-interaction', `${method} is not supported on this URL`);
  }
  return found;
}

/** An entry is asked for as a request of its own: same policy, same refusal. */
export function requireEntryPermitted(caller: Caller, { method, path }: Route, entry: BundleEntry): void {
  requirePermitted(caller, { kind: 'fhir', key: `${method} ${path}` }, entry.type);
}

type Asked = Pick<Request, 'returnPreference' | 'provenance' | 'caller' | 'visible' | 'origin'>;

/** The entry as the request that it stands for, of the same caller. */
export function entryRequest(entry: BundleEntry, asked: Asked): Request {
  const { type, id, versionId, ifMatch, ifNoneExist, ifNoneMatch, ifModifiedSince, resource } = entry;
  const { provenance, caller, visible, origin } = asked;
  const isRead = entry.method === 'GET' || entry.method === 'HEAD';
  const returnPreference = isRead || asked.returnPreference === 'unstated' ? 'minimal' : asked.returnPreference;
  const optional = {
    id,
    versionId,
    ifMatch,
    ifNoneExist,
    ifNoneMatch,
    ifModifiedSince,
    provenance,
    origin,
    body: resource,
  };
  return {
    type,
    query: [...new URLSearchParams(entry.query ?? '')],
    returnPreference,
    accept: 'application/fhir+json',
    caller,
    visible,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<Request>),
  };
}
