/** history of one resource, newest first (https://hl7.org/fhir/R4/http.html#history). */
import { Problem } from '../base/index.ts';
import type { StoredVersion } from '../store/index.ts';
import { bundleText } from './bundle-text.ts';
import { type Answer, type Context, isId, type Request, requireType } from './context.ts';

export async function historyInstance(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { type, id = '' } = request;
  const page = readPage(context, request.query);
  const versions = isId(id)
    ? await context.store.history(type, id, { ...page, limit: page.limit + 1 }, request.visible)
    : [];
  if (versions.length === 0 && page.belowVersion === undefined)
    throw new Problem('not-found', `no ${type} with this id`);
  const shown = versions.slice(0, page.limit);
  const url = `${context.baseUrl}/${type}/${id}/_history`;
  const last = shown.at(-1);
  const hasNext = versions.length > page.limit && last !== undefined;
  return {
    status: 200,
    body: bundleText({
      type: 'history',
      links: [
        ['self', `${url}?_count=${page.limit}`],
        ...(hasNext ? [['next', `${url}?_count=${page.limit}&_page=${last.version}`] as const] : []),
      ],
      entries: shown.map((version) => historyEntry(context, version)),
    }),
  };
}

function readPage(context: Context, query: Request['query']): { limit: number; belowVersion?: number } {
  let limit = context.limits.pageDefault;
  let belowVersion: number | undefined;
  for (const [name, value] of query) {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : undefined;
    if (name === '_count' && number !== undefined && number > 0) limit = Math.min(number, context.limits.pageMax);
    else if (name === '_page' && number !== undefined) belowVersion = number;
    else if (name !== '_format' && name !== '_pretty') {
      throw new Problem(
        'unsupported-parameter',
        `the history parameter ${name} is not supported or its value is not valid`,
      );
    }
  }
  return belowVersion === undefined ? { limit } : { limit, belowVersion };
}

function historyEntry(context: Context, stored: StoredVersion): string {
  const { type, id, version, method, lastUpdated, isDeleted, raw } = stored;
  const url = method === 'POST' ? type : `${type}/${id}`;
  const status = isDeleted ? '204' : version === 1 ? '201' : '200';
  const request = JSON.stringify({ method, url });
  const response = JSON.stringify({ status, etag: `W/"${version}"`, lastModified: lastUpdated.toISOString() });
  const resource = isDeleted ? '' : `"resource":${raw},`;
  return `{"fullUrl":${JSON.stringify(`${context.baseUrl}/${type}/${id}`)},${resource}"request":${request},"response":${response}}`;
}
