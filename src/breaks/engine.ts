/**
 * The reaction to changes and deadlines. A follower of the change log asks for a judgment of each patient concerned; the
 * judgment is a job with the patient as its key, so one patient is judged in one place at a time and many changes at
 * once make one judgment. In one transaction it reads the record, judges every rule, writes what differs, and ends the
 * job or sets it to the next instant at which time alone can change something: that is the deadline, and it is durable.
 */
import { Problem } from '../base/index.ts';
import type { Transaction } from '../db/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type Change, finishJob, type Follower, type Job, requestJobs, type Work } from '../queue/index.ts';
import type { Session, WriteEntry } from '../store/index.ts';
import {
  keepJudgments,
  keepLives,
  keepOccurrences,
  readFirstVersions,
  readJudgments,
  requestAllPatients,
} from './breaks.sql.ts';
import { requestDigests } from './digest.ts';
import { type EngineInput, engineLimits, type EngineMetrics } from './engine-input.ts';
import { createFeedGuard, type FeedGuard } from './feed-guard.ts';
import { type Judged, nextInstant } from './judge-patient.ts';
import { labelDerived } from './labels.ts';
import { judgeRecord } from './judge-record.ts';
import { judgmentRows } from './judgment-rows.ts';
import { followMoves, groupOf, noteMerges, survivorsOf } from './merged.ts';
import { noteOverrides } from './overrides.ts';
import { ownChanges, payloadOf } from './own-writes.ts';
import { patientTime } from './patient-time.ts';
import { planOf } from './plan-record.ts';
import { basicTypes, loadRecord } from './record.ts';
import type { RuleBook } from './rule-book.ts';
import { isReadBesideRules, touchesJudgments } from './touch.ts';
import { withoutNewVersions } from './versions.ts';

/** Patients to judge again; `PlanDefinition` concerns all of them. */
export function createFollower(input: EngineInput): Follower {
  return {
    name: 'rules',
    changesMax: engineLimits.changesMax,
    async handle(tx, changes) {
      const atMs = input.clock.now();
      const book = await input.ruleBook(input.store.within(tx));
      const isSetAnew = await noteOverrides(input.store.within(tx), changes);
      const rules = await withoutNewVersions(input.store.within(tx), changes);
      const setAnew = isSetAnew ? changes.filter(({ type }) => type === 'Basic') : [];
      if (isSetAnew || rules.length > 0) await requestAllPatients(tx, atMs, lastOf([...rules, ...setAnew]));
      const merging = await noteMerges(input.store.within(tx), changes);
      const waking = changes.filter((change) => wakesRules(book, change));
      const idle = await withoutEffect(input, tx, { book, changes: waking, nowMs: atMs });
      const own = await ownChanges(tx, waking);
      const woken = waking
        .filter((change) => !idle.has(change) && !own.has(change))
        .flatMap(({ patients }) => patients);
      const everybody = [...new Set([...woken, ...merging])].sort();
      const isAlone = !book.hasMerges && merging.length === 0;
      const patients = isAlone ? everybody : [...new Set([...(await survivorsOf(tx, everybody)), ...merging])].sort();
      await requestJobs(
        tx,
        patients.map((key) => ({ kind: 'judge', key, runAtMs: atMs })),
      );
    },
  };
}

function lastOf(changes: readonly Change[]): number {
  return Math.max(...changes.map(({ at }) => at.getTime()));
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
  const feeds = createFeedGuard(input);
  return {
    kind: 'judge',
    concurrency: engineLimits.judgmentsAtOnce,
    retryAfterMs: (attempts) => Math.min(1000 * 2 ** attempts, engineLimits.errorRetryMs),
    handle: (job) => judgeUntilCurrent(input, feeds, job),
  };
}

const raceRetriesMax = 5;

/** A person may move a Task while its break is judged: then what was read is outdated, and is read again. */
async function judgeUntilCurrent(input: EngineInput, feeds: FeedGuard, job: Job): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const done = await input.store.transaction((session, tx) => judgeJob(input, { session, tx, job, feeds }));
      done.committed();
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
  /** Rules of the breaks: one entry for each. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  readonly committed: () => void;
}

/** What is committed counts, once. */
function count(metrics: EngineMetrics, { judged, opened, closed }: Done): void {
  metrics.judged(judged);
  for (const rule of opened) metrics.opened(rule);
  for (const rule of closed) metrics.closed(rule);
}

interface Run {
  readonly session: Session;
  readonly tx: Transaction;
  readonly job: Job;
  readonly feeds: FeedGuard;
}

async function judgeJob(input: EngineInput, { session, tx, job, feeds }: Run): Promise<Done> {
  const book = await input.ruleBook(session);
  if (book.hasMerges) await followMoves(session, job.key);
  const { survivor, members } = book.hasMerges ? await groupOf(tx, job.key) : { survivor: job.key, members: [] };
  if (survivor !== job.key) return leaveTo(input, { tx, job, survivor });
  const known = await readJudgments(tx, job.key);
  const record = await loadRecord(session, { patient: job.key, members, types: book.types });
  const nowMs = patientTime(input.clock.now(), record);
  const found = await judgeRecord(input, session, { record, book, known, nowMs });
  const { judged, messages, isReleased, committed } = await feeds.guard(tx, { record, judged: found, nowMs });
  const plan = planOf(input, { record, book, judged, nowMs, job, isReleased });
  const written = await session.commit([...labelDerived(record, judged, plan.resources), ...messages].map(toEntry));
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
  await finishJob(
    tx,
    job,
    input.holder,
    next === undefined ? undefined : { runAtMs: next, payload: payloadOf(written) },
  );
  return { judged: judged.length, opened: plan.opened, closed: plan.closed, committed };
}

/** A merged record is judged as part of the survivor's. */
async function leaveTo(
  input: EngineInput,
  { tx, job, survivor }: { readonly tx: Transaction; readonly job: Job; readonly survivor: string },
): Promise<Done> {
  await requestJobs(tx, [{ kind: 'judge', key: survivor, runAtMs: job.runAtMs }]);
  await finishJob(tx, job, input.holder);
  return { judged: 0, opened: [], closed: [], committed: () => undefined };
}

function earliest(...instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((instant): instant is number => instant !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
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
