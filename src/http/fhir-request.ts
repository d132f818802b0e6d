/** From an HTTP request to what an interaction takes: headers, query, body in JSON or XML. Refuses what is not FHIR. */
import type { FastifyRequest } from 'fastify';
import { httpLimits, Problem } from '../base/index.ts';
import { type Access, mayOn } from '../access/index.ts';
import { type Definitions, parseJson, readFhirXml } from '../fhir/index.ts';
import type { Content, Request } from '../interactions/index.ts';
import { callerOfRequest } from './caller.ts';
import { formatOf, mediaType } from './formats.ts';

export interface PathParameters {
  readonly type?: string;
  readonly id?: string;
  readonly versionId?: string;
  /** Behind the id: an operation, or the type sought in a compartment. */
  readonly part?: string;
}

export function readRequest(
  request: FastifyRequest,
  content: Content,
  { definitions, access }: { readonly definitions: Definitions; readonly access: Access },
): Request {
  const { type = '', id, versionId, part } = request.params as PathParameters;
  const { headers } = request;
  const query = readQuery(request.raw.url ?? '');
  const body = readContent(request, content, definitions);
  const caller = callerOfRequest(request);
  return {
    type,
    query: content === 'form' ? [...query, ...readSearchForm(request)] : query,
    caller,
    origin: { requestId: request.id, address: request.ip },
    visible: access.visibleTo(caller),
    ...readPreferences(header(request, 'prefer')),
    ...readStaleness(header(request, 'cache-control')),
    // What a caller writes without seeing it is not shown to him by the answer.
    ...(mayOn(caller, 'r', type) ? {} : { returnPreference: 'minimal' as const }),
    ...defined({ id, versionId, part, accept: acceptOf(headers.accept, query) }),
    ...readConditions(request),
    ...body,
  };
}

function readConditions(request: FastifyRequest): Partial<Request> {
  const provenance = header(request, 'x-provenance');
  return defined({
    ifMatch: header(request, 'if-match'),
    ifNoneMatch: header(request, 'if-none-match'),
    ifModifiedSince: header(request, 'if-modified-since'),
    ifNoneExist: header(request, 'if-none-exist'),
    provenance: provenance === undefined ? undefined : readProvenanceHeader(provenance),
  });
}

/** Node reads headers byte by byte; JSON is UTF-8. */
function readProvenanceHeader(text: string): unknown {
  try {
    return parseJson(Buffer.from(text, 'latin1'));
  } catch (error) {
    throw new Problem('incorrect', 'the header X-Provenance is not valid JSON', { cause: error });
  }
}

/** `_format` overrides the header. */
function acceptOf(accept: string | undefined, query: Request['query']): string | undefined {
  const format = query.find(([name]) => name === '_format')?.[1];
  if (format === undefined) return accept;
  const found = formatOf(format.replace(' ', '+'));
  return found === undefined ? format : `application/fhir+${found}`;
}

/** Leaves out what is undefined (exactOptionalPropertyTypes). */
export function defined<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

export function readQuery(url: string): readonly (readonly [string, string])[] {
  const at = url.indexOf('?');
  return at < 0 ? [] : [...new URLSearchParams(url.slice(at + 1))];
}

function readContent(
  request: FastifyRequest,
  content: Content,
  definitions: Definitions,
): Pick<Request, 'body' | 'content'> {
  const bytes = content === 'none' || content === 'form' ? undefined : request.body;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return {};
  const type = header(request, 'content-type') ?? '';
  if (content === 'bytes' && !saysFhir.test(type)) return { content: { type, bytes } };
  if (content === 'patch' && mediaType(type) === jsonPatch) {
    return { content: { type: jsonPatch, bytes }, body: parseJson(bytes) };
  }
  return { body: readResource({ type, bytes }, content, definitions) };
}

function readResource(
  { type, bytes }: { readonly type: string; readonly bytes: Uint8Array },
  content: Content,
  definitions: Definitions,
): unknown {
  const format = formatOf(type);
  if (format === undefined || !hasReadableParameters(type)) throw mediaProblem(content);
  return format === 'xml' ? readFhirXml(bytes, definitions) : parseJson(bytes);
}

const jsonPatch = 'application/json-patch+json';

/** Where bytes of any type are taken, plain XML is content; JSON is a resource. */
const saysFhir = /^\s*(?:application\/fhir\+(?:json|xml)|(?:application|text)\/json)\s*(?:;|$)/i;

function mediaProblem(content: Content): Problem {
  const also = content === 'patch' ? 'application/json-patch+json, or a FHIRPath Patch in ' : '';
  return new Problem(
    'media-type',
    `expected Content-Type ${also}application/fhir+json or +xml, in UTF-8 and of FHIR version 4.0`,
  );
}

/** UTF-8 is read, of R4 (https://hl7.org/fhir/R4/versioning.html#mt-version); parameters that say nothing of that may stand. */
function hasReadableParameters(contentType: string): boolean {
  return contentType
    .split(';')
    .slice(1)
    .every((parameter) => {
      const [name = '', value = ''] = parameter
        .toLowerCase()
        .split('=', 2)
        .map((part) => part.trim().replaceAll('"', ''));
      if (name === 'charset') return value === 'utf-8' || value === 'utf8';
      return name !== 'fhirversion' || value === '4.0' || value === '4.0.1';
    });
}

/** Parameters in the body of POST [type]/_search (https://hl7.org/fhir/R4/http.html#search). */
const { formBytesMax } = httpLimits;

function readSearchForm(request: FastifyRequest): readonly (readonly [string, string])[] {
  const type = mediaType(header(request, 'content-type') ?? 'application/x-www-form-urlencoded');
  if (type !== 'application/x-www-form-urlencoded') {
    throw new Problem('media-type', 'expected Content-Type application/x-www-form-urlencoded');
  }
  const { body } = request;
  if (!(body instanceof Uint8Array)) return [];
  if (body.length > formBytesMax) throw new Problem('body-too-long', `a form may have ${formBytesMax} bytes`);
  return [...new URLSearchParams(Buffer.from(body).toString('utf8'))];
}

/** Seconds behind `max-stale`, or none for any age (RFC 9111 §5.2.1.2); whoever wants it fresh as well, gets it fresh. */
function readStaleness(control: string | undefined): Pick<Request, 'staleMs'> {
  if (control === undefined || /(?:^|[,\s])no-cache(?:$|[,\s])/i.test(control)) return {};
  const found = /(?:^|[,\s])max-stale(?:\s*=\s*"?(\d{1,9})"?)?(?=$|[,\s])/i.exec(control);
  if (found === null) return {};
  return { staleMs: found[1] === undefined ? Number.POSITIVE_INFINITY : Number(found[1]) * 1000 };
}

/** https://hl7.org/fhir/R4/http.html#return, #handling; RFC 7240. */
function readPreferences(prefer: string | undefined): Pick<Request, 'returnPreference' | 'isLenient' | 'isAsync'> {
  if (prefer === undefined) return { returnPreference: 'unstated' };
  const found = /(?:^|[,;\s])return\s*=\s*"?(minimal|representation|OperationOutcome)"?/.exec(prefer)?.[1];
  return {
    returnPreference: (found as Request['returnPreference'] | undefined) ?? 'unstated',
    isLenient: /(?:^|[,;\s])handling\s*=\s*"?lenient"?/.test(prefer),
    isAsync: /(?:^|[,;\s])respond-async(?:$|[,;\s])/.test(prefer),
  };
}
