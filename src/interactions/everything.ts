/**
 * Patient/[id]/$everything (https://hl7.org/fhir/R4/patient-operation-everything.html) and Encounter/[id]/$everything
 * (https://hl7.org/fhir/R4/encounter-operation-everything.html): the patient or the stay, what stands in the compartment, and on each page the professionals, places and products that it refers to. Never what belongs to another
 * patient: of what is only referred to, the types that belong to nobody are brought along.
 */
import { callerKey } from '../access/index.ts';
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { decodeCursor, encodeCursor } from '../search/index.ts';
import type { HistoryVersion, RecordRequest, StoredVersion } from '../store/index.ts';
import { bundleText } from './bundle-text.ts';
import { type Answer, type Context, type Request } from './context.ts';
import { many, readInputs, single } from './inputs.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';

export const everythingOperations: readonly Operation[] = [
  {
    name: 'everything',
    type: 'Patient',
    level: 'instance',
    methods: ['GET', 'POST'],
    takesBytes: false,
    documentation:
      'The record of a patient: `start` and `end` bound the clinical dates, `_since` the last update, `_type` the types, `_count` a page.',
    definition: 'http://hl7.org/fhir/OperationDefinition/Patient-everything',
    run: (context, request) =>
      everythingOf(context, request, {
        names: ['start', 'end', '_since', '_type', '_count', '_cursor'],
        brings: supporting,
      }),
  },
  {
    name: 'everything',
    type: 'Encounter',
    level: 'instance',
    methods: ['GET', 'POST'],
    takesBytes: false,
    documentation:
      'The record of a stay, with its patient: `_since` bounds the last update, `_type` the types, `_count` a page.',
    definition: 'http://hl7.org/fhir/OperationDefinition/Encounter-everything',
    run: (context, request) =>
      everythingOf(context, request, { names: ['_since', '_type', '_count', '_cursor'], brings: withPatients }),
  },
];

interface Kind {
  readonly names: readonly string[];
  /** Types that are brought along where something refers to them. */
  readonly brings: ReadonlySet<string>;
}

/** What is brought along though it stands in no compartment. */
const supporting: ReadonlySet<string> = new Set([
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'HealthcareService',
  'Endpoint',
  'Device',
  'Medication',
  'Substance',
  'PlanDefinition',
  'ActivityDefinition',
  'Questionnaire',
]);

/** Whose stay it is. */
const withPatients: ReadonlySet<string> = new Set([...supporting, 'Patient']);

async function everythingOf(context: Context, request: Request, { names, brings }: Kind): Promise<Answer> {
  const { visible, type } = request;
  const focus = await readStored(context, request);
  const asked = readAsked(context, request, names);
  const { types, cursor, count } = asked;
  const page = { ...asked.page, limit: count + 1 };
  const versions = await context.store.record(page, visible);
  const shown = versions.slice(0, count);
  const isFirst = cursor === undefined && types.has(type);
  const own: readonly StoredVersion[] = isFirst ? [focus, ...shown] : shown;
  const others = await readSupporting(context, request, { own, types, brings });
  const url = `${context.baseUrl}/${type}/${focus.id}/$everything`;
  const last = shown.at(-1);
  const next = versions.length > count && last !== undefined ? [['next', nextUrl(context, url, { asked, last })]] : [];
  const links = [['self', urlWith(url, asked.query)], ...next] as [string, string][];
  const entries = [
    ...own.map((one) => entryText(context, one, 'match')),
    ...others.map((one) => entryText(context, one, 'include')),
  ];
  return { status: 200, isAssembled: true, body: bundleText({ type: 'searchset', links, entries }) };
}

interface Asked {
  readonly page: Omit<RecordRequest, 'limit'>;
  readonly types: ReadonlySet<string>;
  readonly count: number;
  readonly cursor: string | undefined;
  /** What the links repeat. */
  readonly query: readonly [string, string][];
  readonly binding: string;
}

function readAsked(context: Context, request: Request, names: readonly string[]): Asked {
  const inputs = readInputs(request, names);
  const given = many(inputs, '_type');
  if (given.some((type) => !context.definitions.resourceTypes.has(type))) {
    throw new Problem('incorrect', 'parameter _type: a type is unknown to FHIR R4');
  }
  const types = new Set(given.length === 0 ? context.definitions.resourceTypes : given);
  const of = `${request.type}/${request.id ?? ''}`;
  const query = inputs
    .filter(({ name }) => name !== '_cursor')
    .map(({ name, text = '' }): [string, string] => [name, text]);
  const binding = JSON.stringify(['everything', of, query, callerKey(request.caller)]);
  const cursor = single(inputs, '_cursor');
  const date = (name: string) => readDate(context, name, single(inputs, name));
  const bounds = { sinceMs: date('_since')?.lo, fromMs: date('start')?.lo, untilMs: date('end')?.hi };
  const afterRid = cursor === undefined ? undefined : decodeCursor(context.secret, binding, cursor).rid;
  const optional = Object.fromEntries(
    Object.entries({ ...bounds, afterRid }).filter(([, value]) => value !== undefined),
  );
  const page = { of, types: [...types], ...optional };
  return { page, types, cursor, query, binding, count: readCount(context, single(inputs, '_count')) };
}

function readDate(context: Context, name: string, text: string | undefined): { lo: number; hi: number } | undefined {
  if (text === undefined) return undefined;
  const range = context.search.readers.dates.range(text.replace(' ', '+'));
  if (range === undefined) throw new Problem('incorrect', `parameter ${name}: expected a date such as 2026-03-02`);
  return range;
}

function readCount({ limits }: Context, text: string | undefined): number {
  if (text === undefined) return limits.pageMax;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Problem('incorrect', 'parameter _count: expected a number of at least 1');
  return Math.min(Number(text), limits.pageMax);
}

interface SupportingInput {
  readonly own: readonly StoredVersion[];
  readonly types: ReadonlySet<string>;
  readonly brings: ReadonlySet<string>;
}

async function readSupporting(
  context: Context,
  { visible }: Request,
  { own, types, brings }: SupportingInput,
): Promise<readonly StoredVersion[]> {
  const wanted = new Set<string>();
  for (const one of own) {
    const { references } = context.indexValues(JSON.parse(one.raw) as Resource);
    for (const reference of references) {
      const [type = ''] = reference.split('/', 1);
      // What a stay holds may speak of somebody else too: a mother, a donor.
      const isForeign = type === 'Patient' && one.type !== 'Encounter';
      if (brings.has(type) && types.has(type) && !isForeign) wanted.add(reference);
    }
  }
  for (const { type, id } of own) wanted.delete(`${type}/${id}`);
  return wanted.size === 0 ? [] : context.store.readMany([...wanted], visible);
}

function entryText(context: Context, { type, id, raw }: StoredVersion, mode: 'match' | 'include'): string {
  return `{"fullUrl":${JSON.stringify(`${context.baseUrl}/${type}/${id}`)},"resource":${raw},"search":{"mode":"${mode}"}}`;
}

function nextUrl(context: Context, url: string, { asked, last }: { asked: Asked; last: HistoryVersion }): string {
  const position = { order: 'everything', values: [], rid: last.rid, type: last.type, id: last.id };
  return urlWith(url, [...asked.query, ['_cursor', encodeCursor(context.secret, asked.binding, position)]]);
}

function urlWith(url: string, query: readonly [string, string][]): string {
  return query.length === 0 ? url : `${url}?${new URLSearchParams([...query]).toString()}`;
}
