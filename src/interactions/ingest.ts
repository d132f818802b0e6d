/**
 * DocumentReference/$ingest: a letter in (design.md sections 4 and 5, decisions 9 and 10), and Task/$retry of one that a
 * person has looked at.
 *
 * Everything happens in one transaction: what the store knows already is found by national identifiers, the rest is
 * made, all links are set, one commit. Whoever brings a letter about the same people at the same time waits, so nobody
 * is made twice. A letter that cannot be read, or whose patient is in doubt, is not lost: its bytes and a Task stay.
 */
import { createHash } from 'node:crypto';
import { formatInstant, type Issue, Problem } from '../base/index.ts';
import { type Resource, rewriteLinks } from '../fhir/index.ts';
import {
  arrivalSearch,
  type CandidateSearch,
  decideArrival,
  decideReplacement,
  type Finding,
  type LetterPlan,
  matchEntry,
  readLetter,
  replacementSearches,
  withFindings,
} from '../letters/index.ts';
import { everything, type Session, type WriteEntry, type Written } from '../store/index.ts';
import { bundleText } from './bundle-text.ts';
import { type Answer, answerStored, type Context, type Request } from './context.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';
import { searchResources } from './search.ts';
import { answerText } from './transaction.ts';
import { retryRace, writeGuarded } from './write.ts';

export interface IngestSettings {
  readonly allowsTestIns: boolean;
  /** IANA zone of times without offset, and of the days by which stays are told apart. */
  readonly zone: string;
}

export function ingestOperations(settings: IngestSettings): readonly Operation[] {
  return [
    {
      name: 'ingest',
      type: 'DocumentReference',
      level: 'type',
      methods: ['POST'],
      takesBytes: true,
      documentation: 'Takes a letter as raw bytes (CDA R2) and stores what it says.',
      run(context, request) {
        const { content } = request;
        if (content === undefined) throw new Problem('media-type', 'expected the bytes of a letter, e.g. application/cda+xml');
        return ingest(context, settings, { bytes: content.bytes, contentType: carrierOf(content) });
      },
    },
    {
      name: 'retry',
      type: 'Task',
      level: 'instance',
      methods: ['POST'],
      takesBytes: true,
      documentation: 'Takes a letter under review once more, after what stood in its way was corrected.',
      run: (context, request) => retry(context, settings, request),
    },
  ];
}

const carriers: ReadonlySet<string> = new Set(['application/xml', 'text/xml', 'application/cda+xml']);

/** The type of the content, sniffed where the sender does not know it. Throws `media-type` for a carrier we do not read. */
function carrierOf({ type, bytes }: { readonly type: string; readonly bytes: Uint8Array }): string {
  const base = (type.split(';')[0] ?? '').trim().toLowerCase();
  if (carriers.has(base)) return base;
  const looksLikeXml = /^(?:\ufeff)?\s*</.test(Buffer.from(bytes.subarray(0, 64)).toString('utf8').replaceAll('\0', ''));
  if (base === 'application/octet-stream' && looksLikeXml) return 'text/xml';
  throw new Problem('media-type', 'the letter is in a carrier that is not read: expected application/cda+xml or text/xml');
}

interface Incoming {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** The review that this is a new attempt of. */
  readonly task?: Resource;
}

/** What one attempt came to. A refusal is an outcome, not an exception: what it stores must be committed. */
type Outcome =
  | { readonly kind: 'stored'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly problem: Problem };

async function ingest(context: Context, settings: IngestSettings, incoming: Incoming): Promise<Answer> {
  const receivedAt = formatInstant(context.clock.now());
  const newId = (): string => context.ids.next(context.clock.now());
  const result = readLetter(incoming.bytes, { zone: settings.zone, newId, receivedAt });
  const outcome = await retryRace(() =>
    context.store.transaction((session) =>
      result.kind === 'review'
        ? review(context, session, incoming, { category: 'unprocessable', reasons: result.reasons })
        : storePlan({ context, session, settings, incoming }, result.plan),
    ),
  );
  if (outcome.kind === 'refused') throw outcome.problem;
  return outcome.answer;
}

interface Ingest {
  readonly context: Context;
  readonly session: Session;
  readonly settings: IngestSettings;
  readonly incoming: Incoming;
}

async function storePlan(run: Ingest, plan: LetterPlan): Promise<Outcome> {
  const { context, session, incoming } = run;
  const searches = plan.entries.flatMap(({ match }) => ('searches' in match ? match.searches : []));
  await session.lockCriteria([arrivalSearch(plan.facts), ...searches].map(criterionText));
  const known = await find(run, arrivalSearch(plan.facts));
  const arrival = decideArrival(plan.facts, known as never);
  if (arrival.kind === 'known') return answerKnown(run, arrival.id);
  if (arrival.kind === 'conflict') return review(context, session, incoming, { category: 'conflict', reasons: arrival.reasons });
  const resolved = await resolveEntries(run, plan);
  if (resolved.kind === 'doubt') return review(context, session, incoming, { category: 'unprocessable', reasons: resolved.reasons });
  const former = await supersede(run, plan, resolved);
  if (former.kind === 'refused') return review(context, session, incoming, { category: 'unprocessable', reasons: former.reasons });
  return commitPlan(run, { plan, resolved, superseded: former.writes });
}

function criterionText({ type, parameters }: CandidateSearch): string {
  return `${type}?${parameters.map(([name, value]) => `${name}=${value}`).join('&')}`;
}

const candidatesMax = 50;

function find({ context, session }: Ingest, { type, parameters }: CandidateSearch): Promise<readonly Resource[]> {
  return searchResources(context, session, { type, parameters, visible: everything, limit: candidatesMax });
}

interface Resolved {
  readonly kind: 'resolved';
  /** fullUrl -> `Type/id`, of what was found and of what will be made. */
  readonly links: ReadonlyMap<string, string>;
  readonly created: ReadonlySet<string>;
  /** Next versions of what an earlier letter has made and this one completes. */
  readonly updates: readonly Resource[];
  readonly findings: readonly Finding[];
}

interface Doubt {
  readonly kind: 'doubt';
  readonly reasons: readonly Issue[];
}

/** Entry by entry, in the order of the plan: each may rely on those before it. */
async function resolveEntries(run: Ingest, plan: LetterPlan): Promise<Resolved | Doubt> {
  const found = new Map<string, string>();
  const links = new Map<string, string>();
  const created = new Set<string>();
  const findings: Finding[] = [];
  const updates: Resource[] = [];
  for (const entry of plan.entries) {
    const { resourceType } = entry.resource;
    const ownId = entry.resource.id ?? entry.fullUrl.replace('urn:uuid:', '');
    const candidates = 'searches' in entry.match ? await findCandidates(run, entry.match.searches, found) : [];
    const { settings } = run;
    const match = matchEntry(entry, candidates, { allowTestIns: settings.allowsTestIns, zone: settings.zone, plan, found });
    if (match.kind === 'doubt') return { kind: 'doubt', reasons: match.reasons };
    findings.push(...match.findings);
    if (match.kind === 'existing' && match.update !== undefined) updates.push(match.update);
    const isThere = match.kind === 'existing' || (entry.match.kind === 'content' && (await isStored(run, resourceType, ownId)));
    const reference = `${resourceType}/${match.kind === 'existing' ? match.id : ownId}`;
    links.set(entry.fullUrl, reference);
    if (isThere) found.set(entry.fullUrl, reference);
    else created.add(entry.fullUrl);
  }
  return { kind: 'resolved', links, created, updates, findings };
}

async function isStored({ session }: Ingest, type: string, id: string): Promise<boolean> {
  const stored = await session.read(type, id, everything);
  return stored !== undefined && !stored.isDeleted;
}

/** A search that asks for something that is only now being made finds nothing, and is not sent. */
async function findCandidates(
  run: Ingest,
  searches: readonly CandidateSearch[],
  found: ReadonlyMap<string, string>,
): Promise<readonly Resource[]> {
  const candidates = new Map<string, Resource>();
  for (const { type, parameters } of searches) {
    const filled = parameters.map(([name, value]) => [name, found.get(value) ?? value] as const);
    if (filled.some(([, value]) => value.startsWith('urn:uuid:'))) continue;
    for (const resource of await find(run, { type, parameters: filled })) {
      candidates.set(`${resource.resourceType}/${resource.id}`, resource);
    }
  }
  return [...candidates.values()];
}

type Supersession =
  | { readonly kind: 'allowed'; readonly writes: readonly WriteEntry[] }
  | { readonly kind: 'refused'; readonly reasons: readonly Issue[] };

async function supersede(run: Ingest, plan: LetterPlan, { links }: Resolved): Promise<Supersession> {
  const letter = plan.entries.find(({ resource }) => resource.resourceType === 'DocumentReference')?.resource;
  const linkOf = (name: string): string | undefined => {
    const { reference = '' } = (letter?.[name] ?? {}) as { reference?: string };
    return links.get(reference) ?? reference;
  };
  const writes: WriteEntry[] = [];
  for (const search of replacementSearches(plan.facts)) {
    const [former] = await find(run, search);
    const decision = decideReplacement(plan.facts, former as never, { patient: linkOf('subject'), custodian: linkOf('custodian') });
    if (decision.kind === 'refused') return { kind: 'refused', reasons: decision.reasons };
    if (decision.kind === 'supersedes' && former !== undefined) {
      const resource = { ...former, status: 'superseded' };
      writes.push({ method: 'PUT', type: 'DocumentReference', id: decision.id, resource });
    }
  }
  return { kind: 'allowed', writes };
}

interface Ready {
  readonly plan: LetterPlan;
  readonly resolved: Resolved;
  readonly superseded: readonly WriteEntry[];
}

async function commitPlan(run: Ingest, { plan, resolved, superseded }: Ready): Promise<Outcome> {
  const { context, session, incoming } = run;
  const { links, created, updates, findings } = resolved;
  const relink = (resource: Resource): Resource =>
    rewriteLinks(context.definitions, resource, (link) => links.get(link) ?? link);
  const resources = plan.entries
    .filter(({ fullUrl }) => created.has(fullUrl))
    .map(({ fullUrl, resource }) => {
      const id = (links.get(fullUrl) ?? '').split('/')[1] ?? '';
      const told = resource.resourceType === 'DocumentReference' ? withFindings(resource as never, findings) : resource;
      return { ...relink(told as Resource), id };
    });
  const completed = updates.map(relink);
  const faults = [...resources, ...completed].flatMap((resource) => context.validate(resource)).filter(({ severity }) => severity === 'error');
  if (faults.length > 0) return review(context, session, incoming, { category: 'unprocessable', reasons: faults });
  const done = incoming.task === undefined ? [] : [completedTask(context, incoming.task)];
  const entries: WriteEntry[] = resources.map((resource) => ({
    method: 'POST',
    type: resource.resourceType,
    id: resource.id,
    resource,
  }));
  for (const resource of completed) {
    entries.push({ method: 'PUT', type: resource.resourceType, id: resource.id ?? '', resource });
  }
  const written = await writeGuarded(context, session, [...entries, ...superseded, ...done]);
  return { kind: 'stored', answer: { status: 201, ...(await answerPlan(run, { plan, links, written })) } };
}

/** The DocumentReference first, then everything that the letter found or made, in the order of the plan. */
async function answerPlan(
  { context, session }: Ingest,
  of: { plan: LetterPlan; links: ReadonlyMap<string, string>; written: readonly Written[] },
): Promise<Pick<Answer, 'body' | 'location'>> {
  const made = new Map(of.written.map((one) => [`${one.type}/${one.id}`, one]));
  const references = of.plan.entries.map(({ fullUrl }) => of.links.get(fullUrl) ?? '');
  const isLetter = (reference: string): boolean => reference.startsWith('DocumentReference/');
  const ordered = [...references.filter(isLetter), ...references.filter((reference) => !isLetter(reference))];
  const there = new Map((await session.readMany(ordered, everything)).map((one) => [`${one.type}/${one.id}`, one]));
  const entries = ordered.flatMap((reference) => {
    const stored = there.get(reference);
    if (stored === undefined) return [];
    const status = made.get(reference)?.outcome === 'created' ? 201 : 200;
    return [answerText({ ...answerStored(status, stored), location: locationOf(context, stored) })];
  });
  const first = there.get(ordered[0] ?? '');
  return {
    body: bundleText({ type: 'transaction-response', entries }),
    ...(first === undefined ? {} : { location: locationOf(context, first) }),
  };
}

function locationOf(context: Context, { type, id, version }: { type: string; id: string; version: number }): string {
  return `${context.baseUrl}/${type}/${id}/_history/${version}`;
}

/** Known already: nothing changes, and the answer says what there is. */
async function answerKnown({ context, session }: Ingest, id: string): Promise<Outcome> {
  const stored = await session.read('DocumentReference', id, everything);
  if (stored === undefined) throw new Error('a letter that was just found is not there');
  const location = locationOf(context, stored);
  const entries = [answerText({ ...answerStored(200, stored), location })];
  return { kind: 'stored', answer: { status: 200, location, body: bundleText({ type: 'transaction-response', entries }) } };
}

const taskSystem = 'https://suture.example/fhir/CodeSystem/task';

interface Refusal {
  readonly category: 'unprocessable' | 'conflict';
  readonly reasons: readonly Issue[];
}

/** Keeps the bytes and a Task that names the reasons; the same letter again finds its Task. */
async function review(context: Context, session: Session, incoming: Incoming, refusal: Refusal): Promise<Outcome> {
  const id = createHash('sha256').update(incoming.bytes).digest('hex');
  const binary: Resource = {
    resourceType: 'Binary',
    id,
    contentType: incoming.contentType,
    data: Buffer.from(incoming.bytes).toString('base64'),
  };
  await session.lockCriteria([`Binary/${id}`]);
  const stored = await session.read('Binary', id, everything);
  const parameters = [['focus', `Binary/${id}`], ['code', `${taskSystem}|review-letter`], ['status', 'requested,in-progress']] as const;
  const open = await searchResources(context, session, { type: 'Task', parameters, visible: everything, limit: 1 });
  const task = reviewTask(context, { former: open[0], binaryId: id, reasons: refusal.reasons });
  const keep: WriteEntry[] = stored === undefined || stored.isDeleted ? [{ method: 'POST', type: 'Binary', id, resource: binary }] : [];
  await writeGuarded(context, session, [...keep, { method: 'PUT', type: 'Task', id: task.id ?? '', resource: task }]);
  const [first] = refusal.reasons;
  const problem = new Problem(refusal.category, first?.text ?? 'the letter needs a review', {
    issues: refusal.reasons,
    location: `${context.baseUrl}/Task/${task.id}`,
  });
  return { kind: 'refused', problem };
}

function reviewTask(
  context: Context,
  of: { former: Resource | undefined; binaryId: string; reasons: readonly Issue[] },
): Resource {
  const now = formatInstant(context.clock.now());
  const reasons = of.reasons.map(({ text, expression }) => (expression === undefined ? text : `${text} (${expression})`));
  const type = { coding: [{ system: taskSystem, code: 'review-reason' }], text: 'motif' };
  return {
    resourceType: 'Task',
    id: of.former?.id ?? context.ids.next(context.clock.now()),
    status: 'requested',
    intent: 'order',
    priority: 'urgent',
    code: { coding: [{ system: taskSystem, code: 'review-letter' }], text: 'Lettre à revoir' },
    description: `Lettre à revoir : ${reasons[0] ?? 'motif inconnu'}`,
    focus: { reference: `Binary/${of.binaryId}` },
    authoredOn: (of.former?.['authoredOn'] as string | undefined) ?? now,
    lastModified: now,
    input: reasons.map((valueString) => ({ type, valueString })),
  };
}

function completedTask(context: Context, task: Resource): WriteEntry {
  const resource = { ...task, status: 'completed', lastModified: formatInstant(context.clock.now()) };
  return { method: 'PUT', type: 'Task', id: task.id ?? '', resource };
}

async function retry(context: Context, settings: IngestSettings, request: Request): Promise<Answer> {
  const task = JSON.parse((await readStored(context, request)).raw) as Resource;
  const codings = (task['code'] as { coding?: readonly { code?: string }[] } | undefined)?.coding ?? [];
  const { reference = '' } = (task['focus'] ?? {}) as { reference?: string };
  if (!codings.some(({ code }) => code === 'review-letter') || !reference.startsWith('Binary/')) {
    throw new Problem('unprocessable', 'the Task is no review of a letter');
  }
  if (task['status'] === 'completed') throw new Problem('unprocessable', 'the review is completed: the letter was taken');
  const stored = await readStored(context, { ...request, type: 'Binary', id: reference.slice('Binary/'.length) });
  const { data = '', contentType = 'text/xml' } = JSON.parse(stored.raw) as { data?: string; contentType?: string };
  return ingest(context, settings, { bytes: Buffer.from(data, 'base64'), contentType, task });
}
