/** What create, update, delete, batch and transaction share: a write is checked, guarded and committed in one place. */
import { type Issue, Problem } from '../base/index.ts';
import { databaseFaultOf } from '../db/index.ts';
import type { Resource } from '../fhir/index.ts';
import { everything, type Session, type WriteEntry, type Written } from '../store/index.ts';
import type { Answer, Context, Request } from './context.ts';
import { toOperationOutcome } from '../fhir/index.ts';

/**
 * The body as a valid resource of the type in the URL; every fault is named. Throws `incorrect`, or `unprocessable` where
 * base R4 allows what a profile does not.
 */
export async function requireResource(context: Context, type: string, body: unknown): Promise<Resource> {
  return (await checkResource(context, type, body)).resource;
}

/** As `requireResource`, with the warnings that `Prefer: return=OperationOutcome` asks for. */
export async function checkResource(
  context: Context,
  type: string,
  body: unknown,
): Promise<{ readonly resource: Resource; readonly warnings: readonly Issue[] }> {
  const issues = await context.validate(body, type);
  const faults = issues.filter(({ severity }) => severity === 'error' || severity === 'fatal');
  const [first] = faults;
  if (first === undefined) return { resource: body as Resource, warnings: issues };
  const category = faults.every(({ profile }) => profile !== undefined) ? 'unprocessable' : 'incorrect';
  throw new Problem(category, first.text, { issues: faults });
}

/** The body of an update: its id must be the one in the URL (https://hl7.org/fhir/R4/http.html#update). */
export function requireSameId(resource: Resource, id: string): void {
  if (resource.id === id) return;
  const found = resource.id === undefined ? 'found none' : 'found another';
  const text = `the id in the resource must be the id in the URL: ${found}`;
  throw new Problem('incorrect', text, {
    issues: [{ severity: 'error', code: 'invalid', text, expression: `${resource.resourceType}.id` }],
  });
}

/** One write, in one round trip where nothing must be read first. */
export async function writeOne(context: Context, entry: WriteEntry): Promise<Written> {
  const isGuarded = guardsOf(context, entry.type).length > 0;
  return retryRace(async () => {
    const [written] = isGuarded
      ? await context.store.transaction((session) => writeGuarded(context, session, [entry]))
      : await context.store.commit([entry]);
    if (written === undefined) throw new Error('a commit of one entry answered none');
    return written;
  });
}

/** Writes inside a transaction, each looked at by the guards of its type first, on what is locked. */
export async function writeGuarded(
  context: Context,
  session: Session,
  entries: readonly WriteEntry[],
): Promise<readonly Written[]> {
  const guarded = entries.filter(({ type }) => guardsOf(context, type).length > 0);
  if (guarded.length === 0) return session.commit(entries);
  await session.lockResources(guarded.map(({ type, id }) => `${type}/${id}`));
  const checked: WriteEntry[] = [];
  for (const entry of entries) checked.push(await guardEntry(context, session, entry));
  return session.commit(checked);
}

function guardsOf({ guards }: Context, type: string): Context['guards'] {
  return guards.filter(({ types }) => types.includes(type));
}

async function guardEntry(context: Context, session: Session, entry: WriteEntry): Promise<WriteEntry> {
  const guards = guardsOf(context, entry.type);
  if (guards.length === 0) return entry;
  const stored = await session.read(entry.type, entry.id, everything);
  const before = stored === undefined || stored.isDeleted ? undefined : (JSON.parse(stored.raw) as Resource);
  let after = entry.resource;
  for (const guard of guards) after = (await guard.check(session, { before, after })) ?? after;
  return after === undefined ? entry : { ...entry, resource: after };
}

/** Two first updates of one new id meet on its unique index: the later one runs again and finds the row. */
export async function retryRace<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (databaseFaultOf(error)?.sqlState !== '23505') throw error;
    return work();
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
  const answer = answerWritten(context, request, written);
  const isNew = written.type === 'Subscription' && written.outcome === 'created' && answer.body === written.raw;
  return isNew ? { ...answer, body: await context.subscriptions.reveal(written.raw) } : answer;
}

/** The answer to a write (https://hl7.org/fhir/R4/http.html#create, Prefer: return=...). */
export function answerWritten(context: Context, request: Pick<Request, 'returnPreference'>, written: Written): Answer {
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
      const outcome = toOperationOutcome([{ severity: 'information', code: 'informational', text }]);
      return { ...answer, body: JSON.stringify(outcome) };
    }
  }
}
