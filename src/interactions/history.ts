/** history of a resource, a type, everything, newest first (https://hl7.org/fhir/R4/http.html#history). */
import { callerKey } from '../access/index.ts';
import { Problem } from '../base/index.ts';
import { decodeCursor, encodeCursor } from '../search/index.ts';
import type { HistoryPosition, HistoryRequest, HistoryVersion } from '../store/index.ts';
import { bundleText } from './bundle-text.ts';
import { type Answer, type Context, isId, type Request, requireType } from './context.ts';

export async function historyInstance(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { type, id = '', visible } = request;
  const stored = isId(id) ? await context.store.read(type, id, visible) : undefined;
  if (stored === undefined) throw new Problem('not-found', `no ${type} with this id`);
  return history(context, request, { of: { type, id }, path: `${type}/${id}/_history` });
}

export function historyType(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  return history(context, request, { of: { types: [request.type] }, path: `${request.type}/_history` });
}

export function historySystem(context: Context, request: Request): Promise<Answer> {
  return history(context, request, { of: { types: [...context.definitions.resourceTypes] }, path: '_history' });
}

interface Asked {
  readonly of: HistoryRequest['of'];
  /** Below the base, for links. */
  readonly path: string;
}

async function history(context: Context, request: Request, { of, path }: Asked): Promise<Answer> {
  const asked = readParameters(context, request.query);
  const url = (cursor?: string): string => urlOf(`${context.baseUrl}/${path}`, { ...asked, cursor });
  const conditions = { of, ...defined({ sinceMs: asked.since?.lo, at: asked.at }) };
  if (asked.count === 0 || asked.isCountOnly) {
    const total = await context.store.versionCount({ ...conditions, limit: 0 }, request.visible);
    return answerBundle({ links: [['self', url()]], total, entries: [] });
  }
  const count = Math.min(asked.count ?? context.limits.pageDefault, context.limits.pageMax);
  const binding = JSON.stringify(['history', path, asked.accepted, callerKey(request.caller)]);
  const after = asked.cursor === undefined ? {} : { after: readCursor(context, binding, asked.cursor) };
  const versions = await context.store.versions({ ...conditions, ...after, limit: count + 1 }, request.visible);
  const shown = versions.slice(0, count);
  const last = shown.at(-1);
  const hasNext = versions.length > count && last !== undefined;
  const links: [string, string][] = [['self', url(asked.cursor)]];
  if (hasNext) links.push(['next', url(writeCursor(context, binding, last))]);
  const answer = answerBundle({ links, entries: shown.map((version) => historyEntry(context, version)) });
  return { ...answer, shown: shown.map(({ type, id }) => `${type}/${id}`) };
}

function answerBundle(parts: Omit<Parameters<typeof bundleText>[0], 'type'>): Answer {
  return { status: 200, isAssembled: true, body: bundleText({ type: 'history', ...parts }) };
}

function readCursor(context: Context, binding: string, text: string): HistoryPosition {
  const { values, rid } = decodeCursor(context.secret, binding, text);
  return { lastUpdatedMs: Number(values[0]), version: Number(values[1]), rid };
}

function writeCursor(
  context: Context,
  binding: string,
  { type, id, rid, lastUpdated, version }: HistoryVersion,
): string {
  const values = [String(lastUpdated.getTime()), String(version)];
  return encodeCursor(context.secret, binding, { order: 'history', values, rid, type, id });
}

interface HistoryParameters {
  readonly count: number | undefined;
  readonly isCountOnly: boolean;
  readonly since: { readonly lo: number; readonly hi: number } | undefined;
  readonly at: { readonly lo: number; readonly hi: number } | undefined;
  readonly cursor: string | undefined;
  /** What decides which versions there are. */
  readonly accepted: readonly (readonly [string, string])[];
  /** How they are written; the links repeat it, so that all pages are written alike. */
  readonly form: readonly (readonly [string, string])[];
}

/** How the answer is written: not the business of the history. */
const ofForm: ReadonlySet<string> = new Set(['_format', '_pretty', '_summary', '_elements']);
const known: ReadonlySet<string> = new Set(['_count', '_since', '_at', '_cursor', ...ofForm]);

function readParameters(context: Context, query: Request['query']): HistoryParameters {
  const values = new Map<string, string>();
  for (const [name, value] of query) {
    if (!known.has(name) || values.has(name)) throw parameterProblem(name);
    values.set(name, value);
  }
  const date = (name: string): HistoryParameters['since'] => {
    const text = values.get(name)?.replace(' ', '+');
    const range = text === undefined ? undefined : context.search.readers.dates.range(text);
    if (text !== undefined && range === undefined) throw parameterProblem(name);
    return range;
  };
  const count = values.get('_count');
  if (count !== undefined && !/^\d{1,9}$/.test(count)) throw parameterProblem('_count');
  return {
    count: count === undefined ? undefined : Number(count),
    isCountOnly: values.get('_summary') === 'count',
    since: date('_since'),
    at: date('_at'),
    cursor: values.get('_cursor'),
    accepted: [...values].filter(([name]) => name === '_since' || name === '_at'),
    form: [...values].filter(([name]) => ofForm.has(name)),
  };
}

function parameterProblem(name: string): Problem {
  const shown = /^[\w:.-]{1,64}$/.test(name) ? name : 'given';
  return new Problem(
    'unsupported-parameter',
    `the parameter ${shown} of a history is not supported or its value is not valid`,
  );
}

function urlOf(
  url: string,
  { accepted, form, count, cursor }: Pick<HistoryParameters, 'accepted' | 'form' | 'count' | 'cursor'>,
): string {
  const query = new URLSearchParams([...accepted, ...form].map(([name, value]): [string, string] => [name, value]));
  if (count !== undefined) query.set('_count', String(count));
  if (cursor !== undefined) query.set('_cursor', cursor);
  return query.size === 0 ? url : `${url}?${query.toString()}`;
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function historyEntry(context: Context, stored: HistoryVersion): string {
  const { type, id, version, method, lastUpdated, isDeleted, raw } = stored;
  const url = method === 'POST' ? type : `${type}/${id}`;
  const status = isDeleted ? '204' : version === 1 ? '201' : '200';
  const request = JSON.stringify({ method, url });
  const response = JSON.stringify({ status, etag: `W/"${version}"`, lastModified: lastUpdated.toISOString() });
  const resource = isDeleted ? '' : `"resource":${raw},`;
  return `{"fullUrl":${JSON.stringify(`${context.baseUrl}/${type}/${id}`)},${resource}"request":${request},"response":${response}}`;
}
