/** search of one type, GET or POST (https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html). */
import { callerKey } from '../access/index.ts';
import { interactionLimits, Problem } from '../base/index.ts';
import { type ConformanceResource, type Resource, toOperationOutcome } from '../fhir/index.ts';
import {
  cursorBinding,
  decodeCursor,
  encodeCursor,
  formatQuery,
  type PageRow,
  parseSearch,
  type Search,
  type SearchOptions,
  toCountSql,
  toIncludeSql,
  toSql,
} from '../search/index.ts';
import type { Session, StoredVersion, Visible } from '../store/index.ts';
import { bundleText } from './bundle-text.ts';
import { type Answer, type Context, type Request, requireType } from './context.ts';

const { includedMax, iterationsMax } = interactionLimits;

export async function search(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  return answerSearch(context, request, { type: request.type, path: request.type });
}

/** Of the types that `_type` names: every type would be every index. */
export async function searchSystem(context: Context, request: Request): Promise<Answer> {
  if (!request.query.some(([name]) => name === '_type')) {
    throw new Problem('incorrect', 'a search of the whole system needs the parameter _type');
  }
  return answerSearch(context, request, { type: undefined, path: '' });
}

/** The types that have compartments. */
const compartmentTypes: ReadonlySet<string> = new Set([
  'Patient',
  'Encounter',
  'Practitioner',
  'RelatedPerson',
  'Device',
]);

/** `Patient/[id]/[type]` and `Patient/[id]/*` (https://hl7.org/fhir/R4/compartmentdefinition.html). */
export async function searchCompartment(context: Context, request: Request): Promise<Answer> {
  const { type, id = '', part = '' } = request;
  requireType(context, type);
  if (!compartmentTypes.has(type)) {
    throw new Problem('unsupported', `expected a type that has compartments: ${[...compartmentTypes].join(', ')}`);
  }
  if (part !== '*') requireType(context, part);
  const compartment = `${type}/${id}`;
  return answerSearch(context, request, {
    type: part === '*' ? undefined : part,
    path: `${compartment}/${part}`,
    compartment,
  });
}

interface Scope {
  /** undefined: all, or those that `_type` names. */
  readonly type: string | undefined;
  /** Below the base, for links. */
  readonly path: string;
  readonly compartment?: string;
}

async function answerSearch(context: Context, request: Request, scope: Scope): Promise<Answer> {
  const { store } = context;
  const { asked, left } = await readAsked(context, request, scope);
  const { count, summary, total: totalAsked } = asked.result;
  const isCountOnly = summary === 'count' || count === 0;
  const total =
    isCountOnly || totalAsked === 'accurate' ? await countMatches(context, asked, request.visible) : undefined;
  const page = isCountOnly ? emptyPage : await readPage(context, asked, request);
  const included = await readIncluded(context, store, { asked, rows: page.rows, visible: request.visible });
  const url = scope.path === '' ? context.baseUrl : `${context.baseUrl}/${scope.path}`;
  const linkTo = (cursor?: string): string => `${url}?${formatQuery(asked, cursor)}${formOf(request)}`;
  const links = [
    ['self', linkTo()] as const,
    ...(page.cursor === undefined ? [] : [['next', linkTo(page.cursor)] as const]),
  ];
  const entries = [
    ...page.rows.map((row) => entryText(context, row, 'match')),
    ...included.map((row) => entryText(context, row, 'include')),
    ...(left.length === 0 ? [] : [leftEntry(left)]),
  ];
  const counted = total === undefined ? {} : { total };
  const shown = [...page.rows, ...included].map(({ type, id }) => `${type}/${id}`);
  return { status: 200, isAssembled: true, shown, body: bundleText({ type: 'searchset', links, entries, ...counted }) };
}

/** Who asked for a form by the URL follows the links by the URL alone. */
function formOf({ query }: Request): string {
  const form = query.filter(([name]) => name === '_format' || name === '_pretty');
  return form.map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join('');
}

interface Asked {
  readonly asked: Search;
  /** Names of parameters that are not known, where these may be left out. */
  readonly left: readonly string[];
}

async function readAsked(context: Context, { query, isLenient, visible }: Request, scope: Scope): Promise<Asked> {
  const valueSets = await storedValueSets(context, query, visible);
  return context.withTerms((search) => {
    const parse = (some: Request['query']) => parseSearch(search, scope.type, some, optionsOf(context, scope));
    if (isLenient !== true) return { asked: parse(query), left: [] };
    const known = leaveUnknown(parse, query);
    return { asked: parse(known.query), left: known.left };
  }, valueSets);
}

function optionsOf({ clock }: Context, { compartment }: Scope): SearchOptions {
  return { now: clock.now(), ...(compartment === undefined ? {} : { compartment }) };
}

/** Those that `:in` and `:not-in` name by a literal reference (https://hl7.org/fhir/R4/search.html#token), under that reference. */
async function storedValueSets(
  { store, baseUrl }: Context,
  query: Request['query'],
  visible: Visible,
): Promise<ReadonlyMap<string, ConformanceResource> | undefined> {
  const named = query.filter(([name]) => /:(?:not-)?in$/.test(name)).flatMap(([, value]) => value.split(','));
  const texts = new Map<string, string[]>();
  for (const text of named) {
    const reference = text.startsWith(`${baseUrl}/`) ? text.slice(baseUrl.length + 1) : text;
    if (/^ValueSet\/[A-Za-z0-9.-]{1,64}$/.test(reference))
      texts.set(reference, [...(texts.get(reference) ?? []), text]);
  }
  if (texts.size === 0) return undefined;
  const found = await store.readMany([...texts.keys()], visible);
  return new Map(
    found.flatMap(({ type, id, raw }) => {
      const valueSet = JSON.parse(raw) as ConformanceResource;
      return (texts.get(`${type}/${id}`) ?? []).map((text) => [text, valueSet] as const);
    }),
  );
}

/** Prefer: handling=lenient: what is not known is left out, told, and not in the self link. What is known must be right. */
function leaveUnknown(
  parse: (query: Request['query']) => Search,
  query: Request['query'],
): { readonly query: Request['query']; readonly left: readonly string[] } {
  const types = query.filter(([name]) => name === '_type');
  const isKnown = (parameter: readonly [string, string]): boolean => {
    try {
      parse(parameter[0] === '_type' ? types : [...types, parameter]);
      return true;
    } catch (error) {
      if (error instanceof Problem && error.category === 'unsupported-parameter') return false;
      throw error;
    }
  };
  const kept = query.filter((parameter) => parameter[0] === '_cursor' || isKnown(parameter));
  return { query: kept, left: query.filter((one) => !kept.includes(one)).map(([name]) => name) };
}

function leftEntry(left: readonly string[]): string {
  const outcome = toOperationOutcome(
    left.map((name) => {
      const text = `parameter ${/^[\w:.-]{1,64}$/.test(name) ? name : 'given'}: it is not supported and was left out`;
      return { severity: 'warning', code: 'not-supported', text };
    }),
  );
  return `{"resource":${JSON.stringify(outcome)},"search":{"mode":"outcome"}}`;
}

async function countMatches(context: Context, asked: Search, visible: Visible): Promise<number> {
  const rows = await context.store.query<{ count: string }>(toCountSql(context.search, asked, visible));
  return Number(rows[0]?.count ?? 0);
}

interface ReadPage {
  readonly rows: readonly PageRow[];
  /** Of the page after this one, if there is one. */
  readonly cursor: string | undefined;
}

const emptyPage: ReadPage = { rows: [], cursor: undefined };

async function readPage(context: Context, asked: Search, { visible, caller }: Request): Promise<ReadPage> {
  const { pageDefault, pageMax } = context.limits;
  const count = Math.min(asked.result.count ?? pageDefault, pageMax);
  const binding = cursorBinding(asked, callerKey(caller));
  const { cursor } = asked.result;
  const after = cursor === undefined ? undefined : decodeCursor(context.secret, binding, cursor);
  const statement = toSql(context.search, asked, { visible, count, after });
  const rows = await context.store.query<PageRow>(statement);
  const shown = rows.slice(0, count);
  const last = shown.at(-1);
  if (rows.length <= count || last === undefined) return { rows: shown, cursor: undefined };
  return { rows: shown, cursor: encodeCursor(context.secret, binding, statement.positionOf(last)) };
}

type Row = Pick<PageRow, 'type' | 'id' | 'raw' | 'rid'>;

interface IncludeInput {
  readonly asked: Search;
  readonly rows: readonly PageRow[];
  readonly visible: Visible;
}

/** What the page refers to and what refers to it, each once; with `:iterate` also from there on. */
async function readIncluded(context: Context, session: Session, input: IncludeInput): Promise<readonly Row[]> {
  const { includes } = input.asked.result;
  const seen = new Set(input.rows.map(({ rid }) => rid));
  const found: Row[] = [];
  let from: readonly Row[] = input.rows;
  for (let round = 0; round <= iterationsMax && from.length > 0; round++) {
    const used = round === 0 ? includes : includes.filter(({ isIterated }) => isIterated);
    if (used.length === 0) break;
    const resources = from.map(({ raw }) => JSON.parse(raw) as Resource);
    const statement = toIncludeSql(context.search, used, resources, { visible: input.visible, limit: includedMax });
    const rows = statement === undefined ? [] : await session.query<PageRow>(statement);
    from = rows.filter(({ rid }) => !seen.has(rid));
    for (const { rid } of from) seen.add(rid);
    found.push(...from);
    if (found.length > includedMax) {
      throw new Problem(
        'too-costly',
        `_include and _revinclude would add more than ${includedMax} resources to one page`,
      );
    }
  }
  return found;
}

function entryText(context: Context, { type, id, raw }: Row, mode: 'match' | 'include'): string {
  return `{"fullUrl":${JSON.stringify(`${context.baseUrl}/${type}/${id}`)},"resource":${raw},"search":{"mode":"${mode}"}}`;
}

export interface FindInput {
  readonly type: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly visible: Visible;
  readonly limit: number;
}

function readFound(context: Context, { type, parameters }: FindInput): Promise<Search> {
  return context.withTerms((search) => parseSearch(search, type, parameters, { now: context.clock.now() }));
}

/** The first resources that meet criteria, inside a transaction: what conditional interactions ask. */
export async function searchStored(
  context: Context,
  session: Session,
  input: FindInput,
): Promise<readonly StoredVersion[]> {
  const asked = await readFound(context, input);
  const rows = await session.query<PageRow>(
    toSql(context.search, asked, { visible: input.visible, count: input.limit }),
  );
  return rows.map(({ type, id, version, last_updated, raw }) => ({
    type,
    id,
    version,
    lastUpdated: last_updated,
    method: 'PUT',
    isDeleted: false,
    raw,
  }));
}

/** The same as resources, with those that `_include` asks for. */
export async function searchResources(
  context: Context,
  session: Session,
  input: FindInput,
): Promise<readonly Resource[]> {
  const { visible } = input;
  const asked = await readFound(context, input);
  const rows = await session.query<PageRow>(toSql(context.search, asked, { visible, count: input.limit }));
  const included = await readIncluded(context, session, { asked, rows, visible });
  return [...rows, ...included].map(({ raw }) => JSON.parse(raw) as Resource);
}
