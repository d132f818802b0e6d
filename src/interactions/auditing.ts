/**
 * What of a request is noted in the audit log, and when: what was read, before it is shown; what was written, in the write's own
 * transaction (write.ts); what was refused or failed, with its status. What says nothing of anybody's record is not noted.
 */
import type { Caller } from '../access/index.ts';
import type { AuditLog, Note, Origin } from '../audit/index.ts';
import { Problem } from '../base/index.ts';
import { serializeJson } from '../fhir/index.ts';
import type { Session, WriteEntry, Written } from '../store/index.ts';
import type { Answer, Context, Request } from './context.ts';
import type { InteractionCode } from './route.ts';

/** What was asked for, by the tables that route. */
export interface Performed {
  readonly code: InteractionCode;
  /** Name of the operation, of code `operation`. */
  readonly operation?: string;
}

/** Noted entry by entry, or of nobody's record. */
const notedElsewhere: ReadonlySet<InteractionCode> = new Set([
  'create',
  'update',
  'patch',
  'delete',
  'transaction',
  'capabilities',
]);
const ofNobody: ReadonlySet<string> = new Set([
  'validate',
  'convert',
  'expand',
  'validate-code',
  'lookup',
  'subsumes',
  'get-ws-binding-token',
  // Noted in the transaction of what they do.
  'break-glass',
  'break-glass-end',
]);

function isNoted({ code, operation }: Performed): boolean {
  return !notedElsewhere.has(code) && (operation === undefined || !ofNobody.has(operation));
}

/** What `work` answers, once it is noted who is about to be shown it; throws when that cannot be noted. */
export async function noteShown(
  { audit }: Pick<Context, 'audit'>,
  { performed, request }: { readonly performed: Performed; readonly request: Request },
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (audit === undefined || !isNoted(performed)) return work();
  const isReady = audit.expect();
  try {
    const answer = await work();
    const noted = noteAnswer({ audit }, performed, request, answer);
    isReady();
    await noted;
    return answer;
  } finally {
    isReady();
  }
}

/** The same of an answer that is there: of an entry of a batch or a transaction. */
export async function noteAnswer(
  { audit }: { readonly audit?: Pick<AuditLog, 'note'> },
  performed: Performed,
  request: Request,
  answer: Answer,
): Promise<void> {
  if (audit === undefined || !isNoted(performed)) return;
  await audit.note([noteOf(performed, request, answer)]);
}

function noteOf({ code, operation }: Performed, request: Request, { status, shown, patients }: Answer): Note {
  const { type, id, versionId, caller, origin } = request;
  const own = id === undefined || code === 'search-type' ? undefined : `${type}/${id}`;
  const isVersion = code === 'vread' && versionId !== undefined;
  return {
    ...{ code, operation, status, caller, origin },
    concerns: shown ?? (own === undefined ? [] : [own]),
    patients: shown === undefined && type !== 'Patient' ? patients : undefined,
    data: own === undefined ? undefined : [isVersion ? `${own}/_history/${versionId}` : own],
    query: own === undefined || code === 'operation' ? queryOf(request) : undefined,
  };
}

const queryMax = 4000;

/** A credential that stands where none is sought is kept nowhere, in the log neither. */
function withoutCredentials(query: string): string {
  return query.replaceAll(/((?:^|[?&])[^=&]*(?:token|assertion|secret|password)[^=&]*=)[^&]*/gi, '$1');
}

/** As it came, as far as there is room. */
function queryOf({ type, id, part, query }: Request): string {
  const path = [type, id, part].filter((one) => one !== undefined && one !== '').join('/');
  const asked = new URLSearchParams();
  for (const [name, value] of query) asked.append(name, value);
  return withoutCredentials(`${path}?${asked.toString()}`).slice(0, queryMax);
}

/** What was refused or failed. Nothing is shown of it, so that a log that cannot be written does not hold up the answer. */
export async function noteRefusal(
  audit: AuditLog,
  { code, operation }: { readonly code: string; readonly operation?: string | undefined },
  refused: {
    readonly caller: Caller;
    readonly status: number;
    readonly target: string | undefined;
    readonly query: string;
    readonly origin?: Origin | undefined;
  },
): Promise<void> {
  const { target, query, ...rest } = refused;
  const named = target === undefined ? undefined : [target];
  await audit.note([
    {
      code,
      operation,
      ...rest,
      concerns: named ?? [],
      data: named,
      query: withoutCredentials(query).slice(0, queryMax),
    },
  ]);
}

const codes = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;

/** What was written, in its own transaction. */
export async function noteWrites(
  { audit }: Pick<Context, 'audit'>,
  session: Session,
  { entries, written, caller, origin }: Wrote,
): Promise<void> {
  if (audit === undefined) return;
  const methods = new Map(entries.map(({ type, id, method }) => [`${type}/${id}`, method]));
  const notes = written
    .filter(({ outcome }) => outcome !== 'unchanged')
    .map(({ type, id, version, outcome }): Note => {
      const reference = `${type}/${id}`;
      const code = outcome === 'created' ? 'create' : codes[methods.get(reference) ?? 'PUT'];
      const data = [`${reference}/_history/${version}`];
      return { code, status: outcome === 'created' ? 201 : 200, caller, origin, concerns: [reference], data };
    });
  await audit.within(session).note(notes);
}

interface Wrote {
  readonly entries: readonly WriteEntry[];
  readonly written: readonly Written[];
  readonly caller: Caller;
  readonly origin?: Origin | undefined;
}

/**
 * AuditEvents that somebody gives us go into the log beside our own, and are as little changed as they are. Answers what became of
 * them, and the entries that are others.
 */
export async function keepGivenEvents(
  context: Context,
  session: Session,
  entries: readonly WriteEntry[],
  { caller, origin }: { readonly caller: Caller; readonly origin?: Origin | undefined },
): Promise<{ readonly kept: readonly Written[]; readonly others: readonly WriteEntry[] }> {
  const { audit } = context;
  const given = audit === undefined ? [] : entries.filter(({ type }) => type === 'AuditEvent');
  if (audit === undefined || given.length === 0) return { kept: [], others: entries };
  const lastUpdated = new Date(context.clock.now());
  const kept: Written[] = [];
  for (const { id, resource, expectNew } of given) {
    if (resource === undefined || expectNew !== true) throw neverChanged();
    const meta = { ...resource.meta, versionId: '1', lastUpdated: lastUpdated.toISOString() };
    const raw = serializeJson({ ...resource, id, meta });
    const concerns = context.indexValues(resource).patients;
    await audit.within(session).note([{ id, code: 'given', status: 201, caller, origin, concerns, raw }]);
    kept.push({ outcome: 'created', type: 'AuditEvent', id, version: 1, lastUpdated, raw });
  }
  return { kept, others: entries.filter(({ type }) => type !== 'AuditEvent') };
}

export function neverChanged(): Problem {
  return new Problem('unsupported-interaction', 'an AuditEvent is never changed');
}
