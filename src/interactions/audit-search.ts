/**
 * The audit log as AuditEvents (https://hl7.org/fhir/R4/auditevent.html), where one is kept: searched by who, whose, what and when,
 * newest first, page by page. `Patient/[id]/$accesses` is what concerns one patient, for himself too.
 */
import { forbidden, hasRight, ownPatient } from '../access/index.ts';
import {
  type AuditLog,
  type AuditQuery,
  type AuditRow,
  codesOfAction,
  countAudit,
  readAudit,
  toAuditEvent,
} from '../audit/index.ts';
import { Problem } from '../base/index.ts';
import { neverChanged } from './auditing.ts';
import { bundleText } from './bundle-text.ts';
import type { Answer, Context, Request } from './context.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';
import type { Route } from './route.ts';

/** The routes, with AuditEvents read from the log where there is one. */
export function withAuditLog(routes: readonly Route[]): readonly Route[] {
  return routes.map((route) => ({
    ...route,
    run(context, request) {
      const { audit } = context;
      const isOfLog = request.type === 'AuditEvent' || request.part === 'AuditEvent';
      return audit === undefined || !isOfLog ? route.run(context, request) : ofLog(context, audit, { route, request });
    },
  }));
}

interface Called {
  readonly route: Route;
  readonly request: Request;
}

async function ofLog(context: Context, audit: AuditLog, { route, request }: Called): Promise<Answer> {
  switch (route.code) {
    case 'create':
      return route.run(context, request);
    case 'read':
    case 'vread':
      return readOne(context, audit, request);
    case 'search-type': {
      const { type, id, part } = request;
      if (part === undefined) return search(context, audit, { request, path: 'AuditEvent', fixed: {} });
      if (type !== 'Patient') throw new Problem('unsupported', 'AuditEvents are sought by patients');
      const fixed = { patient: `Patient/${id ?? ''}` };
      return search(context, audit, { request, path: `Patient/${id ?? ''}/AuditEvent`, fixed });
    }
    default:
      throw neverChanged();
  }
}

async function readOne(
  context: Context,
  audit: AuditLog,
  { id = '', versionId = '1', caller }: Request,
): Promise<Answer> {
  const [row] = hasRight(caller, 'audit-read') && versionId === '1' ? await readAudit(audit.db, { id }, 1) : [];
  if (row === undefined) throw new Problem('not-found', 'no AuditEvent with this id');
  const body = JSON.stringify(toAuditEvent(row, context));
  return { status: 200, body, version: 1, lastModified: row.recorded_at };
}

export const auditOperations: readonly Operation[] = [
  {
    name: 'accesses',
    type: 'Patient',
    level: 'instance',
    methods: ['GET'],
    takesBytes: false,
    documentation: 'Who has read, sought or written what of this patient, newest first, as AuditEvents.',
    run: accesses,
  },
];

/** For the patient himself or who represents him, and for those who may read the log. */
async function accesses(context: Context, request: Request): Promise<Answer> {
  const { audit } = context;
  const { id = '', caller } = request;
  if (audit === undefined) throw new Problem('unsupported', 'no audit log is kept here (SUTURE_AUDIT)');
  await readStored(context, request);
  const patient = `Patient/${id}`;
  const isOwn = ownPatient(caller) === patient;
  if (!isOwn && !hasRight(caller, 'audit-read')) throw forbidden();
  const { visible } = request;
  // Of what is hidden from the patient himself he is not told by who has read it either.
  const seen: AuditQuery['seen'] = (alias, bind) => visible(alias, bind, 'stored');
  const fixed = hasRight(caller, 'audit-read') ? { patient } : { patient, seen };
  return search(context, audit, { request, path: `${patient}/$accesses`, fixed, isOwn });
}

interface Sought {
  readonly request: Request;
  /** Below the base, for links. */
  readonly path: string;
  readonly fixed: AuditQuery;
  /** Of his own accesses: the right is not asked for. */
  readonly isOwn?: boolean;
}

async function search(context: Context, audit: AuditLog, { request, path, fixed, isOwn }: Sought): Promise<Answer> {
  const { caller, query } = request;
  const mayRead = isOwn === true || hasRight(caller, 'audit-read');
  const asked = readQuery(context, query);
  const conditions = { ...asked.conditions, ...fixed };
  const { pageDefault, pageMax } = context.limits;
  const count = Math.min(asked.count ?? pageDefault, pageMax);
  const rows = mayRead && !asked.isCountOnly ? await readAudit(audit.db, conditions, count + 1) : [];
  const isCounted = asked.isCountOnly || asked.isTotalAsked;
  const { after: _after, ...all } = conditions;
  const total = isCounted ? { total: mayRead ? await countAudit(audit.db, all) : 0 } : {};
  const shown = rows.slice(0, count);
  const last = shown.at(-1);
  const url = (cursor?: string) => urlOf(`${context.baseUrl}/${path}`, query, cursor);
  const next = rows.length > count && last !== undefined ? [['next', url(cursorOf(last))] as const] : [];
  const entries = shown.map((row) => {
    const fullUrl = `${context.baseUrl}/AuditEvent/${row.id}`;
    return `{"fullUrl":${JSON.stringify(fullUrl)},"resource":${JSON.stringify(toAuditEvent(row, context))},"search":{"mode":"match"}}`;
  });
  const links = [['self', url()] as const, ...next];
  const concerned = conditions.patient === undefined ? [] : [conditions.patient];
  const body = bundleText({ type: 'searchset', links, entries, ...total });
  return { status: 200, isAssembled: true, shown: concerned, body };
}

function urlOf(url: string, query: Request['query'], cursor: string | undefined): string {
  const kept = new URLSearchParams();
  for (const [name, value] of query) if (name !== '_cursor') kept.append(name, value);
  if (cursor !== undefined) kept.append('_cursor', cursor);
  const text = kept.toString();
  return text === '' ? url : `${url}?${text}`;
}

function cursorOf({ recorded_at, id }: AuditRow): string {
  return Buffer.from(JSON.stringify([recorded_at.getTime(), id])).toString('base64url');
}

interface Reading {
  readonly conditions: AuditQuery;
  readonly count?: number;
  readonly isCountOnly?: boolean;
  readonly isTotalAsked?: boolean;
}

/** Parameters of the standard that the log can be searched by; any other is refused. */
function readQuery(context: Context, query: Request['query']): Reading {
  return query.reduce<Reading>(
    (reading, [name, value]) => {
      const read = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
      if (read === undefined) {
        throw new Problem('unsupported-parameter', `AuditEvents are not sought by this parameter: expected ${known}`);
      }
      return read(reading, value, context);
    },
    { conditions: {} },
  );
}

type Read = (reading: Reading, value: string, context: Context) => Reading;

function condition<K extends keyof AuditQuery>(
  name: K,
  read: (value: string, context: Context) => AuditQuery[K],
): Read {
  return ({ conditions, ...rest }, value, context) => {
    const found = read(value, context);
    if (found === undefined) throw new Problem('incorrect', 'a value cannot be read as this parameter asks for');
    return { ...rest, conditions: { ...conditions, [name]: found } };
  };
}

const reference = (value: string, { baseUrl }: Context): string =>
  value.startsWith(`${baseUrl}/`) ? value.slice(baseUrl.length + 1) : value;
const code = (value: string): string => value.slice(value.lastIndexOf('|') + 1);

const statuses: Readonly<Record<string, readonly [number, number]>> = {
  '0': [0, 400],
  '4': [400, 500],
  '8': [500, 600],
  '12': [600, 601],
};

const parameters: Readonly<Record<string, Read>> = {
  _id: condition('id', (value) => value),
  patient: condition('patient', (value, context) => {
    const found = reference(value, context);
    return found.includes('/') ? found : `Patient/${found}`;
  }),
  entity: condition('entity', reference),
  'agent:identifier': ({ conditions, ...rest }, value) => {
    const isPerson = value.startsWith('https://rpps.esante.gouv.fr|');
    const who = isPerson ? { who: `rpps|${code(value)}` } : { client: code(value) };
    return { ...rest, conditions: { ...conditions, ...who } };
  },
  action: condition('codes', (value) => codesOfAction(code(value))),
  outcome: condition('statuses', (value) => statuses[code(value)]),
  subtype: condition('code', code),
  date: ({ conditions, ...rest }, value, { search }) => {
    const [, prefix = '', text = ''] = /^(eq|ge|gt|le|lt)?(.+)$/.exec(value) ?? [];
    const range = search.readers.dates.range(text);
    if (range === undefined) throw new Problem('incorrect', 'a value cannot be read as this parameter asks for');
    const dates = [...(conditions.dates ?? []), rangeOf(prefix, range)];
    return { ...rest, conditions: { ...conditions, dates } };
  },
  _sort: ({ conditions, ...rest }, value) => {
    if (value !== 'date' && value !== '-date')
      throw new Problem('incorrect', 'AuditEvents are sorted by date or -date');
    return { ...rest, conditions: { ...conditions, isOldestFirst: value === 'date' } };
  },
  _count: (reading, value) => {
    if (!/^\d{1,6}$/.test(value)) throw new Problem('incorrect', 'a value cannot be read as this parameter asks for');
    return { ...reading, count: Number(value), isCountOnly: reading.isCountOnly === true || Number(value) === 0 };
  },
  _summary: (reading, value) => ({ ...reading, isCountOnly: value === 'count' }),
  _total: (reading, value) => ({ ...reading, isTotalAsked: value === 'accurate' }),
  _cursor: condition('after', readCursor),
  _format: (reading) => reading,
  _pretty: (reading) => reading,
  _elements: (reading) => reading,
};

const known = Object.keys(parameters)
  .filter((name) => name !== '_cursor')
  .join(', ');

interface Range {
  readonly lo: number;
  readonly hi: number;
}

function rangeOf(prefix: string, { lo, hi }: Range): readonly [number, number] {
  const never = Number.MAX_SAFE_INTEGER;
  switch (prefix) {
    case 'ge':
      return [lo, never];
    case 'gt':
      return [hi, never];
    case 'le':
      return [-never, hi];
    case 'lt':
      return [-never, lo];
    default:
      return [lo, hi];
  }
}

function readCursor(text: string): AuditQuery['after'] {
  try {
    const [recordedAtMs, id] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    return typeof recordedAtMs === 'number' && typeof id === 'string' ? { recordedAtMs, id } : undefined;
  } catch {
    return undefined;
  }
}
