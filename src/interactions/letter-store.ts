/**
 * A letter's plan into the record, in one transaction: what the store knows already is found by national identifiers, the
 * rest is made, all links are set, one commit. Whoever brings a letter about the same people at the same time waits, so
 * nobody is made twice.
 */
import { createHash } from 'node:crypto';
import type { Attachment, DocumentReference } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import { type Resource, rewriteLinks } from '../fhir/index.ts';
import {
  arrivalSearch,
  type CandidateSearch,
  decideArrival,
  decideReplacement,
  type Finding,
  type LetterPlan,
  matchEntry,
  type PlanEntry,
  replacementSearches,
  withFindings,
} from '../letters/index.ts';
import { everything, type Session, type WriteEntry, type Written } from '../store/index.ts';
import { bundleText } from './bundle-text.ts';
import { type Answer, answerStored, type Context } from './context.ts';
import {
  compositionOf,
  endWithdrawn,
  type FormerBody,
  isBodyOutdated,
  readFormer,
  withoutBody,
  withTargets,
} from './letter-body.ts';
import { addMasks } from './letter-masks.ts';
import { completedTask, type Incoming, type Refusal } from './letter-review.ts';
import { searchResources } from './search.ts';
import { answerText } from './transaction.ts';
import { onItsOwn, putOf, writeGuarded } from './write.ts';

export interface LetterStoreSettings {
  readonly allowsTestIns: boolean;
  /** IANA zone of the days by which stays are told apart. */
  readonly zone: string;
  /** Domains that letters may come from by mail; undefined: any. */
  readonly mailSenders: readonly string[] | undefined;
}

export interface Ingest {
  readonly context: Context;
  readonly session: Session;
  readonly settings: LetterStoreSettings;
  readonly incoming: Incoming;
}

/** Whoever refuses a letter does not record it here: what its carrier has stored before it must be undone first. */
export type Stored =
  | { readonly kind: 'stored'; readonly answer: Answer }
  | { readonly kind: 'refusal'; readonly refusal: Refusal };

export function refuse(category: Refusal['category'], reasons: readonly Issue[]): Stored {
  return { kind: 'refusal', refusal: { category, reasons } };
}

export async function lockPlan(run: Ingest, plan: LetterPlan): Promise<void> {
  await lockEntries(run, plan.entries, [arrivalSearch(plan.facts)]);
}

/** Whoever brings something about the same people waits. */
export async function lockEntries(
  { session }: Ingest,
  entries: readonly PlanEntry[],
  others: readonly CandidateSearch[],
): Promise<void> {
  const searches = entries.flatMap(({ match }) => ('searches' in match ? match.searches : []));
  await session.lockCriteria([...others, ...searches].flatMap(criteriaOf));
}

export async function storePlan(run: Ingest, plan: LetterPlan): Promise<Stored> {
  await lockPlan(run, plan);
  const known = await findKnown(run, plan.facts);
  const arrival = decideArrival(plan.facts, known);
  if (arrival.kind === 'known') {
    await addMasks(run, plan, arrival.id);
    return answerKnown(run, arrival.id);
  }
  if (arrival.kind === 'conflict') return refuse('conflict', arrival.reasons);
  const body = await decideBody(run, plan);
  const resolved = await resolveEntries(run, body);
  if (resolved.kind === 'doubt') return refuse('unprocessable', resolved.reasons);
  const replaced = await supersede(run, plan, resolved);
  if (replaced.kind === 'refused') return refuse('unprocessable', replaced.reasons);
  return commitPlan(run, { ...body, resolved, superseded: replaced.writes });
}

/** What may be the same document, with the hash and size of its bytes wherever they are kept here. */
async function findKnown(run: Ingest, facts: LetterPlan['facts']): Promise<readonly DocumentReference[]> {
  const named = await find(run, arrivalSearch(facts));
  const own = `${run.context.baseUrl}/DocumentReference/`;
  const { origin = '' } = facts;
  const isOwn = named.length === 0 && origin.startsWith(own);
  const parameters = [['_id', origin.slice(own.length)]] as const;
  const found = isOwn ? await find(run, { type: 'DocumentReference', parameters }) : named;
  return Promise.all((found as unknown as DocumentReference[]).map((one) => withHash(run, one)));
}

async function withHash({ session }: Ingest, document: DocumentReference): Promise<DocumentReference> {
  const [first, ...others] = document.content;
  const { data, hash, size } = first?.attachment ?? {};
  if (first === undefined || (data === undefined && hash !== undefined && size !== undefined)) return document;
  const text = data ?? (await dataOf(session, first.attachment));
  if (text === undefined) return document;
  const bytes = Buffer.from(text, 'base64');
  const told = { hash: createHash('sha1').update(bytes).digest('base64'), size: bytes.length };
  return { ...document, content: [{ ...first, attachment: { ...first.attachment, ...told } }, ...others] };
}

async function dataOf(session: Session, { url = '' }: Attachment): Promise<string | undefined> {
  const id = /(?:^|\/)Binary\/([A-Za-z0-9\-.]{1,64})$/.exec(url)?.[1];
  const stored = id === undefined ? undefined : await session.read('Binary', id, everything);
  return stored && (JSON.parse(stored.raw) as { data?: string }).data;
}

export interface Decided {
  readonly plan: LetterPlan;
  /** What the former version of the letter was read into; undefined: none, or a later one is here. */
  readonly former: FormerBody | undefined;
  /** Letters arrive in any order: the version that replaces this one may be here already. */
  readonly isReplaced: boolean;
}

export async function decideBody(run: Ingest, plan: LetterPlan): Promise<Decided> {
  const isReplaced = await hasSuccessor(run, plan);
  const match = compositionOf(plan)?.match;
  const found = match !== undefined && 'searches' in match ? await findCandidates(run, match.searches, new Map()) : [];
  const former = await readFormer(run.session, found);
  if (isReplaced || isBodyOutdated(plan, former)) return { plan: withoutBody(plan), former: undefined, isReplaced };
  return { plan, former, isReplaced };
}

/** One for each identifier: who shares a single one with another must wait for him, whatever else each of them is called. */
function criteriaOf({ type, parameters }: CandidateSearch): readonly string[] {
  const [[name, value] = ['', ''], ...more] = parameters;
  if (name === 'identifier' && more.length === 0)
    return value.split(/(?<!\\),/).map((one) => `${type}?identifier=${one}`);
  return [`${type}?${parameters.map((one) => one.join('=')).join('&')}`];
}

const candidatesMax = 50;

export function find(
  { context, session }: Ingest,
  { type, parameters }: CandidateSearch,
): Promise<readonly Resource[]> {
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
export async function resolveEntries(
  run: Ingest,
  { plan, former }: { readonly plan: Pick<LetterPlan, 'entries'>; readonly former: FormerBody | undefined },
): Promise<Resolved | Doubt> {
  const found = new Map<string, string>();
  const links = new Map<string, string>();
  const created = new Set<string>();
  const findings: Finding[] = [];
  const updates: Resource[] = [];
  for (const entry of plan.entries) {
    const { resourceType } = entry.resource;
    const ownId = entry.resource.id ?? entry.fullUrl.replace('urn:uuid:', '');
    const candidates = await candidatesOf(run, { entry, former, found });
    const { settings } = run;
    const match = matchEntry(entry, candidates, {
      allowTestIns: settings.allowsTestIns,
      zone: settings.zone,
      plan,
      found,
    });
    if (match.kind === 'doubt') return { kind: 'doubt', reasons: match.reasons };
    findings.push(...match.findings);
    if (match.kind === 'existing' && match.update !== undefined) updates.push(match.update);
    const reference = `${resourceType}/${match.kind === 'existing' ? match.id : ownId}`;
    links.set(entry.fullUrl, reference);
    if (match.kind === 'existing') found.set(entry.fullUrl, reference);
    else created.add(entry.fullUrl);
  }
  return { kind: 'resolved', links, created, updates, findings };
}

async function candidatesOf(
  run: Ingest,
  of: { entry: PlanEntry; former: FormerBody | undefined; found: ReadonlyMap<string, string> },
): Promise<readonly Resource[]> {
  const { match } = of.entry;
  if (match.kind === 'derived') return of.former?.derived ?? [];
  if (match.kind === 'composition') return of.former === undefined ? [] : [of.former.composition];
  return 'searches' in match ? findCandidates(run, match.searches, of.found) : [];
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

/** Of whom the letter is, and who keeps it: for no other may one document replace another. */
function keepersOf({ entries }: LetterPlan, { links }: Resolved): Parameters<typeof decideReplacement>[2] {
  const letter = entries.find(({ resource }) => resource.resourceType === 'DocumentReference')?.resource;
  const linkOf = (name: string): string | undefined => {
    const { reference = '' } = (letter?.[name] ?? {}) as { reference?: string };
    return links.get(reference) ?? reference;
  };
  return { patient: linkOf('subject'), custodian: linkOf('custodian') };
}

async function supersede(run: Ingest, plan: LetterPlan, resolved: Resolved): Promise<Supersession> {
  const writes: WriteEntry[] = [];
  for (const search of replacementSearches(plan.facts)) {
    const [former] = await find(run, search);
    const decision = decideReplacement(plan.facts, former as never, keepersOf(plan, resolved));
    if (decision.kind === 'refused') return { kind: 'refused', reasons: decision.reasons };
    if (decision.kind === 'supersedes' && former !== undefined) {
      const resource = { ...former, status: 'superseded' };
      writes.push({ method: 'PUT', type: 'DocumentReference', id: decision.id, resource });
    }
  }
  return { kind: 'allowed', writes };
}

/** Anybody can write that a document replaces this one: it counts from the same keeper, about the same patient. */
async function hasSuccessor(run: Ingest, plan: LetterPlan): Promise<boolean> {
  const { facts, entries } = plan;
  const { system, value } = facts.masterIdentifier;
  const names = [
    `${system}|${value}`,
    ...(facts.entryUuid === undefined ? [] : [`urn:ietf:rfc:3986|${facts.entryUuid}`]),
  ];
  const parameters = [
    ['relatesto:identifier', names.join(',')],
    ['relation', 'replaces'],
  ] as const;
  const found = (await find(run, { type: 'DocumentReference', parameters })) as unknown as readonly DocumentReference[];
  if (found.length === 0) return false;
  const named = entries.filter(({ match: { kind } }) => kind === 'patient' || kind === 'organization');
  const resolved = await resolveEntries(run, { plan: { entries: named }, former: undefined });
  if (resolved.kind === 'doubt') return false;
  const { patient, custodian } = keepersOf(plan, resolved);
  return found.some((one) => one.subject?.reference === patient && one.custodian?.reference === custodian);
}

interface Ready extends Decided {
  readonly resolved: Resolved;
  readonly superseded: readonly WriteEntry[];
}

async function commitPlan(run: Ingest, { plan, former, isReplaced, resolved, superseded }: Ready): Promise<Stored> {
  const { context, session, incoming } = run;
  const { links, created, updates, findings } = resolved;
  const relink = (resource: Resource): Resource =>
    rewriteLinks(context.definitions, resource, (link) => links.get(link) ?? link);
  const ended = endWithdrawn(former, new Set(links.values()));
  const resources = plan.entries
    .filter(({ fullUrl }) => created.has(fullUrl))
    .map(({ fullUrl, resource }) => {
      const id = (links.get(fullUrl) ?? '').split('/')[1] ?? '';
      const isLetter = resource.resourceType === 'DocumentReference';
      const told = isLetter
        ? (withFindings(resource as never, findings) as unknown as Resource)
        : resource.resourceType === 'Provenance'
          ? withTargets(resource, ended)
          : resource;
      return { ...relink(told), id, ...(isLetter && isReplaced ? { status: 'superseded' } : {}) };
    });
  const completed = [...updates.map(relink), ...ended];
  const judged = await Promise.all([...resources, ...completed].map((resource) => context.validate(resource)));
  const faults = judged.flat().filter(({ severity }) => severity === 'error');
  if (faults.length > 0) return refuse('unprocessable', faults);
  const done = incoming.task === undefined ? [] : [completedTask(context, incoming.task)];
  // A Binary may be there from a review of the same bytes; now it gets the labels that the letter asks for.
  const contents = new Map(plan.entries.map(({ resource, content }) => [resource.id, content]));
  const entries = [
    ...resources.map((resource) => putOf(resource, contents.get(resource.id))),
    ...completed.map((resource) => putOf(resource)),
  ];
  const written = await writeGuarded(context, session, [...entries, ...superseded, ...done], onItsOwn);
  return { kind: 'stored', answer: { status: 201, ...(await answerPlan(run, { plan, links, written })) } };
}

/**
 * The DocumentReference first, then everything that the letter found or made, in the order of the plan. What was made is told as
 * it was written; of the Binary everything but its data, which whoever has just sent them has (tag SUBSETTED).
 */
async function answerPlan(
  { context, session }: Ingest,
  of: { plan: LetterPlan; links: ReadonlyMap<string, string>; written: readonly Written[] },
): Promise<Pick<Answer, 'body' | 'location'>> {
  const made = new Map(of.written.map((one) => [`${one.type}/${one.id}`, one]));
  const references = of.plan.entries.map(({ fullUrl }) => of.links.get(fullUrl) ?? '');
  const isLetter = (reference: string): boolean => reference.startsWith('DocumentReference/');
  const ordered = [...references.filter(isLetter), ...references.filter((reference) => !isLetter(reference))];
  const found = await session.readMany(
    ordered.filter((reference) => !made.has(reference)),
    everything,
  );
  const there = new Map([...found, ...of.written].map((one) => [`${one.type}/${one.id}`, one]));
  const entries = ordered.flatMap((reference) => {
    const stored = there.get(reference);
    if (stored === undefined) return [];
    const status = made.get(reference)?.outcome === 'created' ? 201 : 200;
    const told = stored.type === 'Binary' ? { ...stored, raw: withoutData(stored.raw) } : stored;
    return [answerText({ ...answerStored(status, told), location: locationOf(context, stored) })];
  });
  const first = there.get(ordered[0] ?? '');
  return {
    body: bundleText({ type: 'transaction-response', entries }),
    ...(first === undefined ? {} : { location: locationOf(context, first) }),
  };
}

const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

function withoutData(raw: string): string {
  const { data: _data, meta, ...binary } = JSON.parse(raw) as Resource;
  const tag = [...((meta?.['tag'] ?? []) as readonly object[]), subsetted];
  return JSON.stringify({ ...binary, meta: { ...meta, tag } });
}

function locationOf(context: Context, { type, id, version }: { type: string; id: string; version: number }): string {
  return `${context.baseUrl}/${type}/${id}/_history/${version}`;
}

/** Known already: nothing changes, and the answer says what there is. */
export async function answerKnown({ context, session, incoming }: Ingest, id: string): Promise<Stored> {
  if (incoming.task !== undefined)
    await writeGuarded(context, session, [completedTask(context, incoming.task)], onItsOwn);
  const stored = await session.read('DocumentReference', id, everything);
  if (stored === undefined) throw new Error('a letter that was just found is not there');
  const location = locationOf(context, stored);
  const entries = [answerText({ ...answerStored(200, stored), location })];
  return {
    kind: 'stored',
    answer: { status: 200, location, body: bundleText({ type: 'transaction-response', entries }) },
  };
}
