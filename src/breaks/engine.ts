/**
 * The reaction to changes and deadlines. A follower of the change log asks for a judgment of each patient concerned; the
 * judgment is a job with the patient as its key, so one patient is judged in one place at a time and many changes at
 * once make one judgment. In one transaction it reads the record, judges every rule, writes what differs, and ends the
 * job or sets it to the next instant at which time alone can change something: that is the deadline, and it is durable.
 */
import { type Clock, type Ids, type Log, Problem } from '../base/index.ts';
import type { Transaction } from '../db/index.ts';
import { formatLocal, type Resource } from '../fhir/index.ts';
import { type Change, finishJob, type Follower, type Job, requestJobs, type Work } from '../queue/index.ts';
import { elementKeys, focusKeyOf, type Rule } from '../rules/index.ts';
import type { Session, Store, WriteEntry } from '../store/index.ts';
import {
  keepJudgments,
  keepLives,
  keepOccurrences,
  readFirstVersions,
  readJudgments,
  requestAllPatients,
} from './breaks.sql.ts';
import { requestDigests } from './digest.ts';
import { labelDerived } from './labels.ts';
import { lastBreaks, splitVerdicts } from './expectations.ts';
import { type Judged, judgePatient, type KnownJudgment, nextInstant, type Select } from './judge-patient.ts';
import { judgmentRows } from './judgment-rows.ts';
import { noteOverrides } from './overrides.ts';
import { patientTime } from './patient-time.ts';
import { type Plan, type PlanInput, planBreaks } from './plan.ts';
import { type QuietHours, quietUntil, readSilence } from './quiet.ts';
import { basicTypes, loadRecord, type PatientRecord } from './record.ts';
import { isBreakTask } from './resources.ts';
import type { RuleBook } from './rule-book.ts';
import { findSince } from './since.ts';
import type { Places } from './sites.ts';
import { isReadBesideRules, touchesJudgments } from './touch.ts';

export const engineLimits = {
  changesMax: 500,
  /** Patients judged at the same time by one instance. */
  judgmentsAtOnce: 3,
  /** A rule that fails is tried again after this, also when nothing changes. */
  errorRetryMs: 6 * 3_600_000,
  /** A break due longer ago than this when it is learned of is recorded without a call. */
  lateKnowledgeMs: 30 * 24 * 3_600_000,
  /** A judgment that runs so long after it was due catches up: what it opens is told in a digest. */
  catchUpAfterMs: 15 * 60_000,
} as const;

export interface EngineInput {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly places: Places;
  /** Nobody is called then, but about critical breaks. */
  readonly quietHours: QuietHours | undefined;
  /** How long a declared repair waits for its proof before the break is open again. */
  readonly proofAwaitedMs: number;
  /** Number of this instance (queue/holder.ts). */
  readonly holder: number;
  readonly ruleBook: (session: Session) => Promise<RuleBook>;
  readonly select: Select;
  readonly metrics: EngineMetrics;
}

/** Counted by rule and by part of the rule, never by patient. */
export interface EngineMetrics {
  judged(count: number): void;
  opened(rule: string): void;
  closed(rule: string): void;
  ruleFailed(rule: string, expression: string): void;
}

/** Patients to judge again; `PlanDefinition` concerns all of them. */
export function createFollower(input: EngineInput): Follower {
  return {
    name: 'rules',
    changesMax: engineLimits.changesMax,
    async handle(tx, changes) {
      const atMs = input.clock.now();
      const book = await input.ruleBook(input.store.within(tx));
      const isSetAnew = await noteOverrides(input.store.within(tx), changes);
      if (isSetAnew || changes.some(changesRules)) await requestAllPatients(tx, atMs, rulesChangedAt(changes));
      const waking = changes.filter((change) => wakesRules(book, change));
      const idle = await withoutEffect(input, tx, { book, changes: waking, nowMs: atMs });
      const patients = [
        ...new Set(waking.filter((change) => !idle.has(change)).flatMap((change) => change.patients)),
      ].sort();
      await requestJobs(
        tx,
        patients.map((key) => ({ kind: 'judge', key, runAtMs: atMs })),
      );
    },
  };
}

function rulesChangedAt(changes: readonly Change[]): number {
  const changing = changes.filter((change) => changesRules(change) || change.type === 'Basic');
  return Math.max(...changing.map(({ at }) => at.getTime()));
}

function changesRules({ type }: Change): boolean {
  return type === 'PlanDefinition';
}

/**
 * Only what a judgment reads can change it. The engine's own DetectedIssues need no second judgment; a Task may have been
 * moved by a person. The rules may be newer than the change: the log then still holds theirs, which wakes everybody.
 */
function wakesRules({ ruleSets, types }: RuleBook, { type }: Change): boolean {
  if (ruleSets.length === 0) return type === 'Task';
  return type !== 'DetectedIssue' && (types.has(type) || basicTypes.includes(type));
}

interface Woken {
  readonly book: RuleBook;
  readonly changes: readonly Change[];
  readonly nowMs: number;
}

/** Those that made a resource which no judgment reads (touch.ts); one that is another by now is not among them. */
async function withoutEffect(
  { select, places }: EngineInput,
  tx: Transaction,
  { book, changes, nowMs }: Woken,
): Promise<ReadonlySet<Change>> {
  const made = changes.filter(({ type, version }) => version === 1 && !isReadBesideRules(type));
  if (book.ruleSets.length === 0 || made.length === 0) return new Set();
  const texts = await readFirstVersions(
    tx,
    made.map(({ rid }) => rid),
  );
  const touched = { book, select, places, nowMs };
  return new Set(
    made.filter(({ rid }) => {
      const raw = texts.get(rid);
      return raw !== undefined && !touchesJudgments(touched, JSON.parse(raw) as Resource);
    }),
  );
}

export function createJudgeWork(input: EngineInput): Work {
  return {
    kind: 'judge',
    concurrency: engineLimits.judgmentsAtOnce,
    retryAfterMs: (attempts) => Math.min(1000 * 2 ** attempts, engineLimits.errorRetryMs),
    handle: (job) => judgeUntilCurrent(input, job),
  };
}

const raceRetriesMax = 5;

/** A person may move a Task while its break is judged: then what was read is outdated, and is read again. */
async function judgeUntilCurrent(input: EngineInput, job: Job): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const done = await input.store.transaction((session, tx) => judgeJob(input, { session, tx, job }));
      count(input.metrics, done);
      return;
    } catch (error) {
      const isRace = error instanceof Problem && error.category === 'precondition';
      if (!isRace || attempt === raceRetriesMax) throw error;
    }
  }
}

interface Done {
  readonly judged: number;
  readonly plan: Plan;
}

/** What is committed counts, once. */
function count(metrics: EngineMetrics, { judged, plan }: Done): void {
  metrics.judged(judged);
  for (const rule of plan.opened) metrics.opened(rule);
  for (const rule of plan.closed) metrics.closed(rule);
}

interface Run {
  readonly session: Session;
  readonly tx: Transaction;
  readonly job: Job;
}

async function judgeJob(input: EngineInput, { session, tx, job }: Run): Promise<Done> {
  const book = await input.ruleBook(session);
  const known = await readJudgments(tx, job.key);
  const record = await loadRecord(session, { patient: job.key, types: book.types });
  const nowMs = patientTime(input.clock.now(), record);
  const judged = await judgeRecord(input, session, { record, book, known, nowMs });
  const plan = planBreaks(planInput(input, { record, book, judged, nowMs, job }));
  await session.commit(labelDerived(record, judged, plan.resources).map(toEntry));
  await keepOccurrences(tx, plan.raised);
  await keepLives(tx, plan.lives, nowMs);
  await keepJudgments(tx, job.key, judgmentRows(judged, known));
  await requestDigests(tx, plan.untold, { nowMs, place: input.places.usual });
  const failed = reportErrors(input, judged);
  const next = earliest(
    nextInstant(judged, nowMs),
    plan.nextAtMs,
    failed ? nowMs + engineLimits.errorRetryMs : undefined,
  );
  await finishJob(tx, job, input.holder, next === undefined ? undefined : { runAtMs: next, payload: {} });
  return { judged: judged.length, plan };
}

function earliest(...instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((instant): instant is number => instant !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

interface Judgment {
  readonly record: PatientRecord;
  readonly book: RuleBook;
  readonly judged: readonly Judged[];
  readonly nowMs: number;
  readonly job: Job;
}

function planInput(input: EngineInput, { record, book, judged, nowMs, job }: Judgment): PlanInput {
  const place = input.places.of(record);
  const { zone } = place.dates;
  return {
    patient: job.key,
    nowMs,
    ...splitVerdicts({ record, book, judged }),
    breaks: lastBreaks(record),
    tasks: (record.byType.get('Task') ?? []).filter(isBreakTask),
    nextId: () => input.ids.next(nowMs),
    dateTime: (instantMs, other = zone) => formatLocal(instantMs, other),
    lateKnowledgeMs: engineLimits.lateKnowledgeMs,
    proofAwaitedMs: input.proofAwaitedMs,
    silences: (record.byType.get('Basic') ?? []).flatMap((note) => readSilence(note, place) ?? []),
    quietUntilMs: quietUntil(nowMs, input.quietHours, place),
    isUntold: untoldBy(job, nowMs),
  };
}

/** What is due for long when its job runs, or lies in the record since before its rule: one digest, not many calls. */
function untoldBy(job: Job, nowMs: number): PlanInput['isUntold'] {
  if (nowMs - job.runAtMs > engineLimits.catchUpAfterMs) return () => true;
  const { rulesAtMs } = (job.payload ?? {}) as { readonly rulesAtMs?: number };
  if (rulesAtMs === undefined) return () => false;
  return ({ meta }) => meta?.lastUpdated !== undefined && Date.parse(meta.lastUpdated) < rulesAtMs;
}

interface JudgeRecord {
  readonly record: PatientRecord;
  readonly book: RuleBook;
  readonly known: readonly KnownJudgment[];
  readonly nowMs: number;
}

/** Judges a loaded record; reads the history only where a rule asks since when it holds. */
export async function judgeRecord(
  input: Pick<EngineInput, 'select' | 'places'>,
  session: Pick<Session, 'history'>,
  { record, book, known, nowMs }: JudgeRecord,
): Promise<readonly Judged[]> {
  const before = new Map(known.map((one) => [`${one.rule} ${one.focus}`, one]));
  const since = new Map<string, string | undefined>();
  for (const { rule, focus } of timedFoci(book, record)) {
    const place = input.places.of(record, focus);
    for (const elementKey of elementKeys(rule, { focus, nowMs, place })) {
      const key = `${rule.code} ${focusKeyOf(focus, elementKey)}`;
      const expectation = { rule, focus, elementKey, place, nowMs, patient: record.patient, known: before.get(key) };
      since.set(key, await findSince(session, expectation));
    }
  }
  return judgePatient({
    record,
    ruleSets: book.ruleSets,
    select: input.select,
    places: input.places,
    nowMs,
    overrides: book.overrides,
    since: (rule, focusKey) => since.get(`${rule.code} ${focusKey}`),
    known: (rule, focusKey) => before.get(`${rule.code} ${focusKey}`),
  });
}

/** The foci of rules that ask since when they hold. */
function timedFoci({ ruleSets }: RuleBook, { byType }: PatientRecord): readonly { rule: Rule; focus: Resource }[] {
  const timed = ruleSets.flatMap(({ rules }) => rules.filter(({ usesSince }) => usesSince));
  return timed.flatMap((rule) => (byType.get(rule.focusType) ?? []).map((focus) => ({ rule, focus })));
}

/** What was read must still be current; what is new must not be there. */
function toEntry(resource: Resource): WriteEntry {
  const entry = { method: 'PUT' as const, type: resource.resourceType, id: resource.id ?? '', resource };
  const version = resource.meta?.versionId;
  return version === undefined ? { ...entry, expectNew: true } : { ...entry, expectVersion: Number(version) };
}

/** Rule errors are counted and told by rule and part, once for each judgment; true when there was one. */
function reportErrors(input: EngineInput, judged: readonly Judged[]): boolean {
  const failed = judged.flatMap(({ rule, result }) => (result.kind === 'error' ? [{ rule, result }] : []));
  for (const { rule, result } of failed) {
    input.metrics.ruleFailed(rule.code, result.expression);
    input.log.warn({ component: 'rules', rule: rule.code, reason: result.expression }, 'a rule could not be judged');
  }
  return failed.length > 0;
}
