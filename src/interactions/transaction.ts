/**
 * batch and transaction (https://hl7.org/fhir/R4/http.html#transaction).
 *
 * A transaction is one database transaction: all criteria (conditional requests and conditional references) are locked
 * in one order and resolved first; ids are given; every link to an entry's fullUrl is rewritten; all writes are one
 * commit; reads come last and see them. The standard's order DELETE, POST, PUT, GET holds because nothing is read in
 * between and no resource may appear twice. In a batch each entry stands for itself.
 */
import { Problem } from '../base/index.ts';
import { type Resource, rewriteLinks } from '../fhir/index.ts';
import type { Session, StoredVersion, WriteEntry, Written } from '../store/index.ts';
import { type BundleEntry, entryFault, type EntryPart, readEntries, readEntry } from './bundle-entry.ts';
import { bundleText } from './bundle-text.ts';
import { type Answer, answerStored, type Context, readEntityTag, type Request } from './context.ts';
import { type Criteria, findMatchLocked, lockMatches } from './match.ts';
import { requireResource, retryRace, writeGuarded } from './write.ts';

/** Answers one entry of a batch on its own, its faults too: the router of single interactions with its error table. */
export type Perform = (part: EntryPart, place: number) => Promise<Answer>;

export async function processBundle(context: Context, request: Request, perform: Perform): Promise<Answer> {
  if (isBatch(request.body)) return processBatch(context, request.body, perform);
  const bundle = await requireResource(context, 'Bundle', request.body);
  if (bundle['type'] !== 'transaction') {
    throw new Problem('incorrect', 'Bundle.type must be batch or transaction', {
      issues: [{ severity: 'error', code: 'value', text: 'expected batch or transaction', expression: 'Bundle.type' }],
    });
  }
  const entries = readEntries(context, bundle).map((part, place) => readEntry(context, part, place));
  const input = { entries, visible: request.visible, returnsResources: request.returnPreference === 'representation' };
  const texts = await retryRace(() =>
    context.store.transaction((session) => processTransaction(context, session, input)),
  );
  return { status: 200, body: bundleText({ type: 'transaction-response', entries: texts }) };
}

function isBatch(body: unknown): body is Resource {
  return typeof body === 'object' && body !== null && (body as { type?: unknown }).type === 'batch';
}

/** Each resource is checked with its own entry: a fault in one must not refuse the others. */
async function processBatch(context: Context, body: Resource, perform: Perform): Promise<Answer> {
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

/** What a write entry has become: a target of its own, or a resource that is there already. */
interface Planned {
  readonly entry: BundleEntry;
  readonly id: string;
  readonly write: WriteEntry | undefined;
  readonly found: StoredVersion | undefined;
}

interface TransactionInput {
  readonly entries: readonly BundleEntry[];
  readonly visible: Request['visible'];
  readonly returnsResources: boolean;
}

async function processTransaction(
  context: Context,
  session: Session,
  input: TransactionInput,
): Promise<readonly string[]> {
  const { entries, visible } = input;
  const references = conditionalReferences(context, entries);
  const criteria = [...entries.flatMap(entryCriteria), ...references.values()];
  await lockMatches(session, criteria);
  const planned: Planned[] = [];
  for (const entry of entries) {
    if (!isRead(entry)) planned.push(await plan(context, session, entry, visible));
  }
  requireDistinct(planned);
  const links = await resolveLinks(context, session, { planned, references, visible });
  const writes = planned.flatMap(({ write }) => (write === undefined ? [] : [relink(context, write, links)]));
  const written = await writeGuarded(context, session, writes);
  const byTarget = new Map(written.map((one) => [`${one.type}/${one.id}`, one]));
  const texts = new Map<number, string>();
  for (const one of planned) {
    const answer = plannedAnswer(context, one, byTarget.get(`${one.entry.type}/${one.id}`));
    texts.set(one.entry.place, answerText(input.returnsResources ? answer : withoutBody(answer)));
  }
  for (const entry of entries.filter(isRead)) texts.set(entry.place, await readText(session, entry, visible));
  return entries.map(({ place }) => texts.get(place) ?? '{}');
}

function isRead({ method }: BundleEntry): boolean {
  return method === 'GET' || method === 'HEAD';
}

function withoutBody({ body: _body, ...answer }: Answer): Answer {
  return answer;
}

function entryCriteria(entry: BundleEntry): Criteria[] {
  const criteria = entry.method === 'POST' ? entry.ifNoneExist : isRead(entry) ? undefined : entry.query;
  return criteria === undefined ? [] : [{ type: entry.type, criteria }];
}

async function plan(
  context: Context,
  session: Session,
  entry: BundleEntry,
  visible: Request['visible'],
): Promise<Planned> {
  const [criteria] = entryCriteria(entry);
  const found = criteria === undefined ? undefined : await findMatchLocked(context, session, criteria, visible);
  switch (entry.method) {
    case 'POST': {
      if (found !== undefined) return { entry, id: found.id, write: undefined, found };
      return planWrite(entry, context.ids.next(context.clock.now()), { method: 'POST', expectNew: true });
    }
    case 'PUT': {
      const id = entry.id ?? found?.id ?? entry.resource?.id ?? context.ids.next(context.clock.now());
      return planWrite(entry, id, { method: 'PUT', ...expectedVersion(entry) });
    }
    case 'DELETE':
      return planDelete(entry, entry.id ?? found?.id);
    default:
      throw entryFault(entry.place, `the method ${entry.method} is not supported in a transaction`);
  }
}

function planDelete(entry: BundleEntry, id: string | undefined): Planned {
  if (id === undefined) return { entry, id: '', write: undefined, found: undefined };
  return planWrite(entry, id, { method: 'DELETE', ...expectedVersion(entry) });
}

function planWrite(
  entry: BundleEntry,
  id: string,
  rest: Pick<WriteEntry, 'method' | 'expectNew' | 'expectVersion'>,
): Planned {
  const resource =
    rest.method === 'DELETE' || entry.resource === undefined ? {} : { resource: { ...entry.resource, id } };
  return { entry, id, found: undefined, write: { type: entry.type, id, ...rest, ...resource } };
}

function expectedVersion(entry: BundleEntry): { expectVersion?: number } {
  return entry.ifMatch === undefined ? {} : { expectVersion: readEntityTag(entry.ifMatch) };
}

/** No resource twice: "transactions must be independent of the order of the entries". */
function requireDistinct(planned: readonly Planned[]): void {
  const seen = new Set<string>();
  for (const { entry, id, write } of planned) {
    if (write === undefined) continue;
    const target = `${entry.type}/${id}`;
    if (seen.has(target)) throw entryFault(entry.place, 'the resource of this entry is written by another entry too');
    seen.add(target);
  }
}

/** `Patient?identifier=...` as a reference: found anywhere in the entries, each once. */
function conditionalReferences(context: Context, entries: readonly BundleEntry[]): Map<string, Criteria> {
  const found = new Map<string, Criteria>();
  for (const { resource, method } of entries) {
    if (resource === undefined || method === 'GET') continue;
    rewriteLinks(context.definitions, resource, (link) => {
      const match = /^([A-Z][A-Za-z]+)\?(.+)$/.exec(link);
      const [, type, criteria] = match ?? [];
      if (type !== undefined && criteria !== undefined && context.definitions.resourceTypes.has(type)) {
        found.set(link, { type, criteria });
      }
      return link;
    });
  }
  return found;
}

interface LinkInput {
  readonly planned: readonly Planned[];
  readonly references: ReadonlyMap<string, Criteria>;
  readonly visible: Request['visible'];
}

/** Old link -> new link. A conditional reference that finds none or several fails the whole transaction. */
async function resolveLinks(
  context: Context,
  session: Session,
  input: LinkInput,
): Promise<ReadonlyMap<string, string>> {
  const links = new Map<string, string>();
  for (const { entry, id, write, found } of input.planned) {
    const isThere = write !== undefined || found !== undefined;
    if (entry.fullUrl !== undefined && isThere) links.set(entry.fullUrl, `${entry.type}/${id}`);
  }
  for (const [link, criteria] of input.references) {
    const match = await findMatchLocked(context, session, criteria, input.visible);
    if (match === undefined) {
      throw new Problem('precondition', `a conditional reference to ${criteria.type} finds no resource`);
    }
    links.set(link, `${match.type}/${match.id}`);
  }
  return links;
}

function relink(context: Context, write: WriteEntry, links: ReadonlyMap<string, string>): WriteEntry {
  if (write.resource === undefined) return write;
  const resource = rewriteLinks(context.definitions, write.resource, (link) => {
    const [base = link, fragment] = link.split('#');
    const target = links.get(link) ?? (link.startsWith('urn:') ? links.get(base) : undefined);
    if (target === undefined) return link;
    return fragment === undefined || links.has(link) ? target : `${target}#${fragment}`;
  });
  return { ...write, resource };
}

function plannedAnswer(context: Context, { found }: Planned, written: Written | undefined): Answer {
  if (found !== undefined) return located(context, answerStored(200, found), found);
  if (written === undefined || written.outcome === 'unchanged') return { status: 204 };
  if (written.outcome === 'deleted') return { status: 204, version: written.version };
  return located(context, answerStored(written.outcome === 'created' ? 201 : 200, written), written);
}

function located(context: Context, answer: Answer, at: { type: string; id: string; version: number }): Answer {
  return { ...answer, location: `${context.baseUrl}/${at.type}/${at.id}/_history/${at.version}` };
}

async function readText(session: Session, entry: BundleEntry, visible: Request['visible']): Promise<string> {
  if (entry.id === undefined)
    throw entryFault(entry.place, 'a search inside a transaction is not supported: send a batch');
  const stored = await session.read(entry.type, entry.id, visible);
  if (stored === undefined) throw new Problem('not-found', `no ${entry.type} with this id`);
  if (stored.isDeleted) throw new Problem('gone', `the ${entry.type} was deleted`);
  return answerText(answerStored(200, stored));
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
