/** What create, update, delete, batch and transaction share: a write is checked, guarded and committed in one place. */
import { type Caller, callerKey, forbidden, mayEverything, mayOn, systemCaller } from '../access/index.ts';
import type { Origin } from '../audit/index.ts';
import type { Issue } from '../base/index.ts';
import { databaseFaultOf } from '../db/index.ts';
import { type Resource, toOperationOutcome } from '../fhir/index.ts';
import { everything, type Session, type WriteEntry, type Written } from '../store/index.ts';
import type { Answer, Context, Request } from './context.ts';
import { lockMatches } from './match.ts';
import { criteriaOf, type Plan, planWrite, type Wanted } from './plan.ts';
import { permitWrites } from './permit-writes.ts';
import { readProvenance } from './provenance.ts';
import { keepGivenEvents, noteWrites } from './auditing.ts';
import { requireNoPointers, requireTargets } from './references.ts';

export { requireResource, requireSameId } from './valid.ts';

/** On whose behalf something is written; `provenance` is an X-Provenance header. */
export interface Writing {
  readonly caller: Caller;
  readonly provenance?: unknown;
  /** Whence the request came; for the audit alone. */
  readonly origin?: Origin;
}

/** The server writes on its own behalf: what a letter says, what an import was given. */
export const onItsOwn: Writing = { caller: systemCaller };

/** One write, in one round trip where nothing must be read first. */
export async function writeOne(context: Context, entry: WriteEntry, writing: Writing): Promise<Written> {
  const isAlone =
    guardsOf(context, entry.type).length === 0 &&
    writing.provenance === undefined &&
    context.references === 'recorded' &&
    context.audit === undefined &&
    mayEverything(writing.caller);
  return retryRace(async () => {
    const [written] = isAlone
      ? await context.store.commit([entry])
      : await context.store.transaction((session) => writeGuarded(context, session, [entry], writing));
    if (written === undefined) throw new Error('a commit of one entry answered none');
    return written;
  });
}

/** A write that must look first: criteria, a patch. Answers the plan, and what was written by it in the same order. */
export async function writePlanned(
  context: Context,
  request: Pick<Request, 'visible' | 'provenance' | 'caller' | 'origin'>,
  wanted: Wanted,
): Promise<{ readonly plan: Plan; readonly written: readonly Written[] }> {
  const { visible } = request;
  return retryRace(() =>
    context.store.transaction(async (session) => {
      await lockMatches(session, criteriaOf(wanted));
      const plan = await planWrite(context, session, wanted, { visible });
      return { plan, written: await writeGuarded(context, session, plan.writes, request) };
    }),
  );
}

/**
 * Writes inside a transaction, each held against access and looked at by the guards of its type first, on what is locked. A
 * provenance is stored beside, and not among the answers. Answers one for each entry, in their order.
 */
export async function writeGuarded(
  context: Context,
  session: Session,
  entries: readonly WriteEntry[],
  writing: Writing,
): Promise<readonly Written[]> {
  const { caller, provenance } = writing;
  if (mayEverything(caller)) return commitGuarded(context, session, entries, writing);
  if (provenance !== undefined && !mayOn(caller, 'c', 'Provenance')) throw forbidden();
  const permitted = await permitWrites(context, session, entries, caller);
  const written = await commitGuarded(context, session, permitted, writing);
  const owner = { key: callerKey(caller), caller };
  for (const { type, id, outcome } of written) {
    if (type === 'Subscription' && outcome !== 'deleted') await session.keepOwner(id, owner);
  }
  const byTarget = new Map(written.map((one) => [`${one.type}/${one.id}`, one]));
  const lastUpdated = new Date(context.clock.now());
  return entries.map(({ type, id }) => {
    const done = byTarget.get(`${type}/${id}`);
    return done ?? { outcome: 'unchanged', type, id, version: 0, lastUpdated, raw: '' };
  });
}

async function commitGuarded(
  context: Context,
  session: Session,
  asked: readonly WriteEntry[],
  { caller, provenance, origin }: Writing,
): Promise<readonly Written[]> {
  const whence = { caller, ...(origin && { origin }) };
  const { kept, others: entries } = await keepGivenEvents(context, session, asked, whence);
  const addProvenance = provenance === undefined ? undefined : await readProvenance(context, provenance);
  const guarded = entries.filter((entry) => looksBack(context, entry));
  if (guarded.length > 0) await session.lockResources(guarded.map(({ type, id }) => `${type}/${id}`));
  const checked: WriteEntry[] = [];
  for (const entry of entries) checked.push(await guardEntry(context, session, entry, caller));
  const isEnforced = context.references === 'enforced';
  if (isEnforced) await requireTargets(context, session, { entries: checked, caller });
  const written = await session.commit(checked);
  if (isEnforced) await requireNoPointers(session, checked);
  const changed = written.filter(({ outcome }) => outcome !== 'unchanged');
  if (addProvenance !== undefined && changed.length > 0) await session.commit([addProvenance(changed)]);
  await noteWrites(context, session, { entries, written, ...whence });
  return kept.length === 0 ? written : inOrder(asked, [...kept, ...written]);
}

function inOrder(entries: readonly WriteEntry[], written: readonly Written[]): readonly Written[] {
  const byTarget = new Map(written.map((one) => [`${one.type}/${one.id}`, one]));
  return entries.flatMap(({ type, id }) => byTarget.get(`${type}/${id}`) ?? []);
}

function guardsOf({ guards }: Context, type: string): Context['guards'] {
  return guards.filter(({ types }) => types.includes(type));
}

/** Whether what is there must be locked and read first. */
function looksBack(context: Context, { type, method }: WriteEntry): boolean {
  return guardsOf(context, type).some((guard) => guard.looksBack !== 'deletions' || method === 'DELETE');
}

async function guardEntry(context: Context, session: Session, entry: WriteEntry, caller: Caller): Promise<WriteEntry> {
  const guards = guardsOf(context, entry.type);
  if (guards.length === 0) return entry;
  const stored = looksBack(context, entry) ? await session.read(entry.type, entry.id, everything) : undefined;
  const before = stored === undefined || stored.isDeleted ? undefined : (JSON.parse(stored.raw) as Resource);
  let after = entry.resource;
  const { id } = entry;
  const hasContent = entry.content !== undefined;
  for (const guard of guards) after = (await guard.check(session, { before, after, id, hasContent, caller })) ?? after;
  return after === undefined ? entry : { ...entry, resource: after };
}

/** The resource as it is to stand under its id. */
export function putOf(resource: Resource, content?: Uint8Array): WriteEntry {
  return { method: 'PUT', type: resource.resourceType, id: resource.id ?? '', resource, ...(content && { content }) };
}

/** Runs beyond the first: with the lock timeout of 2 s each, all end well within the time that a request has. */
const raceRunsMax = 4;

/**
 * Two first updates of one new id meet on its unique index: the later one runs again and finds the row. Whoever waits for many others
 * (the last of twenty updates by the same criteria, on a slow machine) does not hear of it: a lock timeout has undone everything too.
 */
export async function retryRace<T>(work: () => Promise<T>): Promise<T> {
  for (let run = 1; ; run++) {
    try {
      return await work();
    } catch (error) {
      const state = databaseFaultOf(error)?.sqlState;
      const isAgain = (state === '23505' && run === 1) || (state === '55P03' && run <= raceRunsMax);
      if (!isAgain) throw error;
    }
  }
}

/**
 * The answer to one write on its own. Whoever makes a Subscription reads once what it was made with, headers and signing key
 * (clients compare it with what they are sent); every other answer has them sealed.
 */
export async function answerOne(
  context: Context,
  request: Pick<Request, 'returnPreference'>,
  written: Written,
): Promise<Answer> {
  if (request.returnPreference === 'OperationOutcome') return answerOutcome(context, written);
  const answer = answerWritten(context, request, written);
  const isNew = written.type === 'Subscription' && written.outcome === 'created' && answer.body === written.raw;
  return isNew ? { ...answer, body: await context.subscriptions.reveal(written.raw) } : answer;
}

/** What was done, and what was warned of: judged once more, since few ask and all others need no warnings. */
export async function answerOutcome(context: Context, written: Written): Promise<Answer> {
  const issues = await context.validate(JSON.parse(written.raw), written.type);
  const warnings = issues.filter(({ severity }) => severity === 'warning' || severity === 'information');
  return answerWritten(context, { returnPreference: 'OperationOutcome' }, written, warnings);
}

/** The answer to a write (https://hl7.org/fhir/R4/http.html#create, Prefer: return=...). */
export function answerWritten(
  context: Context,
  request: Pick<Request, 'returnPreference'>,
  written: Written,
  warnings: readonly Issue[] = [],
): Answer {
  const { type, id, version, lastUpdated } = written;
  const answer = {
    status: written.outcome === 'created' ? 201 : 200,
    version,
    lastModified: lastUpdated,
    location: `${context.baseUrl}/${type}/${id}/_history/${version}`,
  };
  switch (request.returnPreference) {
    case 'minimal':
      return answer;
    case 'unstated':
    case 'representation':
      return { ...answer, body: written.raw };
    case 'OperationOutcome': {
      const text = `${type} ${written.outcome}`;
      const outcome = toOperationOutcome([{ severity: 'information', code: 'informational', text }, ...warnings]);
      return { ...answer, body: JSON.stringify(outcome) };
    }
  }
}
