/**
 * batch and transaction (https://hl7.org/fhir/R4/http.html#transaction).
 *
 * A transaction is one database transaction. All criteria are locked in one order first. Then the entries are planned in
 * the standard's order: deletions, creations, updates and patches; each sees in a draft what those before it do, though
 * nothing is written yet. No resource may be written twice. Links between entries and conditional references are resolved
 * against the draft, all writes are one commit, and reads come last and see it (transaction-links.ts has the links).
 * In a batch each entry stands for itself.
 */
import { mayEverything, mayOn } from '../access/index.ts';
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Session, WriteEntry, Written } from '../store/index.ts';
import type { Transaction } from '../db/index.ts';
import {
  type BundleEntry,
  entryFault,
  type EntryPart,
  entryRequest,
  findRoute,
  placed,
  placedNow,
  readEntries,
  readEntry,
  requireEntryPermitted,
} from './bundle-entry.ts';
import { noteAnswer } from './auditing.ts';
import { bundleText } from './bundle-text.ts';
import { type Answer, answerStored, type Context, type Request } from './context.ts';
import { answerDeleted } from './delete.ts';
import { type Criteria, type Draft, lockMatches } from './match.ts';
import { takePart } from './part.ts';
import { readEntryPatch } from './patch-document.ts';
import { readProvided } from './provide-bundle.ts';
import { criteriaOf, type Plan, planWrite, type Wanted } from './plan.ts';
import type { Route } from './route.ts';
import { conditionalReferences, relink, resolveLinks } from './transaction-links.ts';
import { requireResource } from './valid.ts';
import { answerOutcome, answerWritten, retryRace, writeGuarded } from './write.ts';

export interface BundleSetting {
  /** Leads the reads of a transaction. */
  readonly routes: readonly Route[];
  /** Answers one entry of a batch on its own, its faults too. */
  readonly perform: (part: EntryPart, place: number) => Promise<Answer>;
}

export async function processBundle(context: Context, request: Request, setting: BundleSetting): Promise<Answer> {
  if (isBatch(request.body)) return processBatch(context, request.body, setting);
  const bundle = await requireResource(context, 'Bundle', request.body);
  if (bundle['type'] !== 'transaction') {
    throw new Problem('incorrect', 'Bundle.type must be batch or transaction', {
      issues: [{ severity: 'error', code: 'value', text: 'expected batch or transaction', expression: 'Bundle.type' }],
    });
  }
  return transact(context, request, { bundle, routes: setting.routes });
}

/** A valid Bundle of type transaction, a submission of documents (ITI-65) too. */
export async function transact(
  context: Context,
  request: Request,
  { bundle, routes }: { readonly bundle: Resource; readonly routes: readonly Route[] },
): Promise<Answer> {
  const provided = await readProvided(context, request, bundle);
  if (provided?.kind === 'known') return answerKnown(context, request, provided.references);
  const entries = readEntries(context, provided?.bundle ?? bundle).map((part, place) =>
    placedNow(place, () => readEntry(context, part, place)),
  );
  for (const entry of mayEverything(request.caller) ? [] : entries) {
    placedNow(entry.place, () => requireEntryPermitted(request.caller, findRoute(routes, entry), entry));
  }
  const input = { entries, request, routes };
  const texts = await retryRace(() =>
    context.store.transaction((session, tx) => processTransaction(context, { session, tx }, input)),
  );
  const answered = texts.slice(0, provided?.answered);
  return { status: 200, isAssembled: true, body: bundleText({ type: 'transaction-response', entries: answered }) };
}

/** What a submission that is here already has made. */
async function answerKnown(context: Context, { visible }: Request, references: readonly string[]): Promise<Answer> {
  const stored = await context.store.readMany(
    references.filter((one) => one.includes('/')),
    visible,
  );
  const there = new Map(stored.map((one) => [`${one.type}/${one.id}`, one]));
  const entries = references.map((reference) => {
    const found = there.get(reference);
    if (found === undefined) return answerText({ status: 200, location: `${context.baseUrl}/${reference}` });
    const { version, lastUpdated: lastModified } = found;
    const location = `${context.baseUrl}/${reference}/_history/${version}`;
    return answerText({ status: 200, version, lastModified, location });
  });
  return { status: 200, isAssembled: true, body: bundleText({ type: 'transaction-response', entries }) };
}

function isBatch(body: unknown): body is Resource {
  return typeof body === 'object' && body !== null && (body as { type?: unknown }).type === 'batch';
}

/** Each resource is checked with its own entry: a fault in one must not refuse the others. */
async function processBatch(context: Context, body: Resource, { perform }: BundleSetting): Promise<Answer> {
  await requireResource(context, 'Bundle', withoutResources(body));
  const texts: string[] = [];
  for (const [place, part] of readEntries(context, body).entries()) texts.push(answerText(await perform(part, place)));
  return { status: 200, body: bundleText({ type: 'batch-response', entries: texts }) };
}

function withoutResources(bundle: Resource): Resource {
  const { entry } = bundle;
  if (!Array.isArray(entry)) return bundle;
  const isObject = (part: unknown): part is object => typeof part === 'object' && part !== null && !Array.isArray(part);
  return { ...bundle, entry: entry.map((part: unknown) => (isObject(part) ? { ...part, resource: undefined } : part)) };
}

export interface Planned {
  readonly entry: BundleEntry;
  readonly plan: Plan;
}

interface TransactionInput {
  readonly entries: readonly BundleEntry[];
  readonly request: Request;
  readonly routes: readonly Route[];
}

interface Inside {
  readonly session: Session;
  readonly tx: Transaction;
}

async function processTransaction(
  context: Context,
  inside: Inside,
  input: TransactionInput,
): Promise<readonly string[]> {
  const { session } = inside;
  const { entries, request } = input;
  const wanted = new Map(
    entries.filter(isWrite).map((entry) => [entry, placedNow(entry.place, () => readWanted(context, entry))]),
  );
  const references = conditionalReferences(
    context,
    [...wanted.values()].flatMap(({ resource }) => resource ?? []),
  );
  const criteria: readonly Criteria[] = [...[...wanted.values()].flatMap(criteriaOf), ...references.values()];
  await lockMatches(session, criteria);
  const { planned, draft } = await planAll(context, session, { wanted, request });
  const setting = { visible: request.visible, draft };
  const links = await resolveLinks(context, session, { planned, entries, references, setting });
  const writes = planned.flatMap(({ entry, plan }) =>
    plan.writes.map((one) => relink(context, { entry, write: one }, links)),
  );
  const written = await writeGuarded(context, session, writes, request);
  const answers = await answerPlanned(context, { planned, written, request });
  for (const entry of entries.filter((one) => !isWrite(one))) {
    answers.set(entry.place, await placed(entry.place, () => readInside(context, inside, { entry, input })));
  }
  return entries.map(({ place }) => answerText(answers.get(place) ?? { status: 200 }));
}

function isWrite({ method }: BundleEntry): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function readWanted(context: Context, entry: BundleEntry): Wanted {
  const { method, type, id, query, resource, ifMatch, ifNoneMatch, ifNoneExist } = entry;
  if (entry.path !== '/:type' && entry.path !== '/:type/:id') {
    throw new Problem('incorrect', 'request.url is not one of Type, Type/id, Type?criteria');
  }
  switch (method) {
    case 'POST':
      return { method, type, resource, criteria: ifNoneExist };
    case 'PUT':
      return { method, type, id, resource, ifMatch, ifNoneMatch, ...byCriteria(id, query) };
    case 'PATCH':
      return { method, type, id, ifMatch, patch: readEntryPatch(context, resource), ...byCriteria(id, query) };
    case 'DELETE':
      return { method, type, id, ifMatch, ...byCriteria(id, query) };
    case 'GET':
    case 'HEAD':
      throw new Error('a read is not planned');
  }
}

function byCriteria(id: string | undefined, query: string | undefined): Pick<Wanted, 'criteria'> {
  return id === undefined ? { criteria: query ?? '' } : {};
}

const order: readonly BundleEntry['method'][] = ['DELETE', 'POST', 'PUT', 'PATCH'];

interface PlanAllInput {
  readonly wanted: ReadonlyMap<BundleEntry, Wanted>;
  readonly request: Request;
}

/** In the standard's order; answers the plans, and the draft of what they will have done. */
async function planAll(
  context: Context,
  session: Session,
  { wanted, request }: PlanAllInput,
): Promise<{ planned: readonly Planned[]; draft: Draft }> {
  const draft = new Map<string, Resource | undefined>();
  const planned: Planned[] = [];
  const rank = ({ method }: BundleEntry): number => Math.min(order.indexOf(method), 2);
  for (const [entry, one] of [...wanted].sort(([a], [b]) => rank(a) - rank(b))) {
    const setting = { visible: request.visible, draft };
    const plan = await placed(entry.place, () => planWrite(context, session, one, setting));
    for (const write of plan.writes) draw(draft, write, entry);
    planned.push({ entry, plan });
  }
  return { planned, draft };
}

/** No resource twice: "transactions must be independent of the order of the entries". */
function draw(draft: Map<string, Resource | undefined>, { type, id, resource }: WriteEntry, entry: BundleEntry): void {
  const target = `${type}/${id}`;
  if (draft.has(target)) throw entryFault(entry.place, 'the resource of this entry is written by another entry too');
  draft.set(target, resource);
}

interface AnswersInput {
  readonly planned: readonly Planned[];
  readonly written: readonly Written[];
  readonly request: Request;
}

async function answerPlanned(
  context: Context,
  { planned, written, request }: AnswersInput,
): Promise<Map<number, Answer>> {
  const byTarget = new Map(written.map((one) => [`${one.type}/${one.id}`, one]));
  const preference = request.returnPreference === 'unstated' ? 'minimal' : request.returnPreference;
  const answers = new Map<number, Answer>();
  for (const { entry, plan } of planned) {
    const own = plan.writes.flatMap(({ type, id }) => byTarget.get(`${type}/${id}`) ?? []);
    const shown = mayOn(request.caller, 'r', entry.type) ? preference : 'minimal';
    const asked = { type: entry.type, returnPreference: shown } as const;
    answers.set(entry.place, await answerOne(context, { entry, plan, own, byTarget }, asked));
  }
  return answers;
}

interface Done extends Planned {
  readonly own: readonly Written[];
  readonly byTarget: ReadonlyMap<string, Written>;
}

async function answerOne(
  context: Context,
  { entry, plan, own, byTarget }: Done,
  asked: Pick<Request, 'type' | 'returnPreference'>,
): Promise<Answer> {
  if (entry.method === 'DELETE') return answerDeleted(asked, own);
  if (plan.found === undefined) {
    const [first] = own;
    if (first === undefined) throw new Error('an entry of a transaction was not written');
    return asked.returnPreference === 'OperationOutcome'
      ? answerOutcome(context, first)
      : answerWritten(context, asked, first);
  }
  const found = plan.found.stored ?? byTarget.get(`${plan.type}/${plan.id}`);
  if (found === undefined) throw new Error('what an entry found was not written');
  const location = `${context.baseUrl}/${plan.type}/${plan.id}/_history/${found.version}`;
  const { body, ...answer } = answerStored(200, found);
  return asked.returnPreference === 'representation' && body !== undefined
    ? { ...answer, body, location }
    : { ...answer, location };
}

/** A read of a transaction: the same interactions, over the transaction's own view of the record. */
async function readInside(
  context: Context,
  { session, tx }: Inside,
  { entry, input }: { readonly entry: BundleEntry; readonly input: TransactionInput },
): Promise<Answer> {
  const request = entryRequest(entry, input.request);
  const within: Context = {
    ...context,
    store: { ...context.store, ...session, transaction: (work) => work(session, tx) },
  };
  const route = findRoute(input.routes, entry);
  const answer = await route.run(within, request);
  // With the transaction: another connection might wait for the one that this holds.
  await noteAnswer({ ...(context.audit && { audit: context.audit.within(tx) }) }, route, request, answer);
  if (entry.method === 'GET') return takePart(context, request, answer);
  const { body: _body, ...head } = answer;
  return head;
}

/** An answer as an entry of the response Bundle. */
export function answerText(answer: Answer): string {
  const response = JSON.stringify({
    status: String(answer.status),
    location: answer.location,
    etag: answer.version === undefined ? undefined : `W/"${answer.version}"`,
    lastModified: answer.lastModified?.toISOString(),
  });
  const isOutcome = answer.body?.startsWith('{"resourceType":"OperationOutcome"') ?? false;
  if (answer.body === undefined) return `{"response":${response}}`;
  return isOutcome
    ? `{"response":${response.slice(0, -1)},"outcome":${answer.body}}}`
    : `{"resource":${answer.body},"response":${response}}`;
}
