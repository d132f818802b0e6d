/** From an HTTP request to what an interaction takes: headers, query, body. Refuses what is not FHIR JSON. */
import type { FastifyRequest } from 'fastify';
import { Problem } from '../base/index.ts';
import { parseJson } from '../fhir/index.ts';
import type { Request } from '../interactions/index.ts';
import { everything } from '../store/index.ts';

interface PathParameters {
  readonly type?: string;
  readonly id?: string;
  readonly versionId?: string;
}

const jsonTypes: ReadonlySet<string> = new Set(['application/fhir+json', 'application/json', 'text/json', 'json']);

/** `isRaw`: the content is not a FHIR resource, so its bytes are handed on as they are. */
export function readRequest(request: FastifyRequest, isRaw = false): Request {
  const { type = '', id, versionId } = request.params as PathParameters;
  const query = readQuery(request.raw.url ?? '');
  const accept = header(request, 'accept');
  if (!isRaw) requireJsonAnswer(accept, query);
  return {
    type,
    query,
    returnPreference: readReturnPreference(header(request, 'prefer')),
    visible: everything,
    ...defined({
      id,
      versionId,
      accept,
      ifMatch: header(request, 'if-match'),
      ifNoneMatch: header(request, 'if-none-match'),
      ifModifiedSince: header(request, 'if-modified-since'),
      ifNoneExist: header(request, 'if-none-exist'),
    }),
    ...readContent(request, isRaw),
  };
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

function readContent(request: FastifyRequest, isRaw: boolean): Pick<Request, 'body' | 'content'> {
  const bytes = request.body;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return {};
  const contentType = header(request, 'content-type') ?? '';
  const type = mediaType(contentType);
  if (isRaw && !jsonTypes.has(type)) return { content: { type: contentType, bytes } };
  if (type === 'application/x-www-form-urlencoded') return {};
  if (!jsonTypes.has(type) || !hasReadableParameters(contentType)) {
    throw new Problem('media-type', 'expected Content-Type application/fhir+json, in UTF-8 and of FHIR version 4.0');
  }
  return { body: parseJson(bytes) };
}

/** JSON in UTF-8 is read, of R4 (https://hl7.org/fhir/R4/versioning.html#mt-version); parameters that say nothing of that may stand. */
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
export function readForm(request: FastifyRequest): readonly (readonly [string, string])[] {
  const type = mediaType(header(request, 'content-type') ?? 'application/x-www-form-urlencoded');
  if (type !== 'application/x-www-form-urlencoded') {
    throw new Problem('media-type', 'expected Content-Type application/x-www-form-urlencoded');
  }
  return request.body instanceof Uint8Array ? [...new URLSearchParams(Buffer.from(request.body).toString('utf8'))] : [];
}

function mediaType(value: string): string {
  return (value.split(';')[0] ?? '').trim().toLowerCase();
}

/** `_format` decides over Accept (https://hl7.org/fhir/R4/http.html#parameters). */
function requireJsonAnswer(accept: string | undefined, query: Request['query']): void {
  const format = query.find(([name]) => name === '_format')?.[1];
  if (format !== undefined) {
    if (jsonTypes.has(mediaType(format.replace(' ', '+')))) return;
    throw new Problem('not-acceptable', '_format names a format that is not served: expected json');
  }
  if (accept === undefined || accept === '') return;
  const ranges = accept.split(',').map(mediaType);
  if (ranges.some((range) => jsonTypes.has(range) || range === '*/*' || range === 'application/*')) return;
  throw new Problem('not-acceptable', 'Accept names no format that is served: expected application/fhir+json');
}

function readReturnPreference(prefer: string | undefined): Request['returnPreference'] {
  const found = /(?:^|[,;\s])return\s*=\s*"?(minimal|representation|OperationOutcome)"?/.exec(prefer ?? '')?.[1];
  return (found as Request['returnPreference'] | undefined) ?? 'unstated';
}
