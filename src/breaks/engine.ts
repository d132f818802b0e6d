/**
 * The reaction to changes and deadlines. A follower of the change log asks for a judgment of each patient concerned; the
 * judgment is a job with the patient as its key, so one patient is judged in one place at a time and many changes at
 * once make one judgment. In one transaction it reads the record, judges every rule, writes what differs, and ends the
 * job or sets it to the next instant at which time alone can change something: that is the deadline, and it is durable.
 */
import { type Clock, formatInstant, type Ids, type Log, Problem } from '../base/index.ts';
import type { Transaction } from '../db/index.ts';
import { formatLocal, type Resource } from '../fhir/index.ts';
import { type Change, finishJob, type Follower, type Job, requestJobs, type Work } from '../queue/index.ts';
import {
  elementKeys,
  elementOf,
  focusKeyOf,
  type Place,
  resolveRecipients,
  type Rule,
  type RuleSet,
} from '../rules/index.ts';
import type { Session, Store, WriteEntry } from '../store/index.ts';
import {
  endReason,
  type Judged,
  judgePatient,
  type KnownJudgment,
  nextInstant,
  type Select,
  verdictOf,
} from './judge-patient.ts';
import { keepJudgments, keepOccurrences, readJudgments, requestAllPatients } from './breaks.sql.ts';
import { isClosed } from './machine.ts';
import { type Expectation, type Orphan, type Plan, planBreaks, type RuleFacts } from './plan.ts';
import { basicTypes, loadRecord, type PatientRecord } from './record.ts';
import { type Break, breakKey, isBreakTask, readBreak } from './resources.ts';
import type { RuleBook } from './rule-book.ts';
import { findSince } from './since.ts';

export const engineLimits = {
  changesMax: 500,
  /** Patients judged at the same time by one instance. */
  judgmentsAtOnce: 3,
  /** A rule that fails is tried again after this, also when nothing changes. */
  errorRetryMs: 6 * 3_600_000,
  /** A break due longer ago than this when it is learned of is recorded without a call. */
  lateKnowledgeMs: 30 * 24 * 3_600_000,
  defaultReopenWindowMs: 7 * 24 * 3_600_000,
} as const;

export interface EngineInput {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly place: Place;
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
      if (changes.some(({ type }) => type === 'PlanDefinition')) await requestAllPatients(tx, atMs);
      const patients = [
        ...new Set(changes.filter((change) => wakesRules(book, change)).flatMap((change) => change.patients)),
      ].sort();
      await requestJobs(
        tx,
        patients.map((key) => ({ kind: 'judge', key, runAtMs: atMs })),
      );
    },
  };
}

/**
 * Only what a judgment reads can change it. The engine's own DetectedIssues need no second judgment; a Task may have been
 * moved by a person. The rules may be newer than the change: the log then still holds theirs, which wakes everybody.
 */
function wakesRules({ ruleSets, types }: RuleBook, { type }: Change): boolean {
  if (ruleSets.length === 0) return type === 'Task';
  return type !== 'DetectedIssue' && (types.has(type) || basicTypes.includes(type));
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
  const nowMs = input.clock.now();
  const book = await input.ruleBook(session);
  const known = await readJudgments(tx, job.key);
  const record = await loadRecord(session, { patient: job.key, types: book.types });
  const judged = await judgeRecord(input, session, { record, book, known, nowMs });
  const plan = planBreaks({
    patient: job.key,
    nowMs,
    zone: input.place.dates.zone,
    ...splitVerdicts(input, { record, book, judged, nowMs }),
    breaks: lastBreaks(record),
    tasks: (record.byType.get('Task') ?? []).filter(isBreakTask),
    nextId: () => input.ids.next(nowMs),
    dateTime: (instantMs) => formatLocal(instantMs, input.place.dates.zone),
    lateKnowledgeMs: engineLimits.lateKnowledgeMs,
  });
  await session.commit(plan.resources.map(toEntry));
  await keepOccurrences(tx, plan.raised);
  await keepJudgments(tx, job.key, judgmentRows(judged, known));
  const failed = reportErrors(input, judged);
  const next = nextInstant(judged, nowMs);
  const again = failed ? Math.min(next ?? Number.MAX_SAFE_INTEGER, nowMs + engineLimits.errorRetryMs) : next;
  await finishJob(tx, job, input.holder, again === undefined ? undefined : { runAtMs: again });
  return { judged: judged.length, plan };
}

interface JudgeRecord {
  readonly record: PatientRecord;
  readonly book: RuleBook;
  readonly known: readonly KnownJudgment[];
  readonly nowMs: number;
}

/** Judges a loaded record; reads the history only where a rule asks since when it holds. */
export async function judgeRecord(
  input: Pick<EngineInput, 'select' | 'place'>,
  session: Session,
  { record, book, known, nowMs }: JudgeRecord,
): Promise<readonly Judged[]> {
  const before = new Map(known.map((one) => [`${one.rule} ${one.focus}`, one]));
  const since = new Map<string, string | undefined>();
  const { place } = input;
  for (const { rule, focus } of timedFoci(book, record)) {
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
    place,
    nowMs,
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

/** The last occurrence of each break, by key. */
export function lastBreaks(record: PatientRecord): ReadonlyMap<string, Break> {
  const breaks = (record.byType.get('DetectedIssue') ?? []).flatMap((issue) => readBreak(issue) ?? []);
  return new Map([...breaks].sort((a, b) => a.occurrence - b.occurrence).map((one) => [one.key, one]));
}

interface Split {
  readonly record: PatientRecord;
  readonly book: RuleBook;
  readonly judged: readonly Judged[];
  readonly nowMs: number;
}

/** Verdicts of active rules; and the breaks that no verdict speaks of any more. */
function splitVerdicts(input: EngineInput, split: Split): { expectations: Expectation[]; orphans: Orphan[] } {
  const breaks = lastBreaks(split.record);
  const spoken = new Set<string>();
  const expectations: Expectation[] = [];
  const orphans: Orphan[] = [];
  for (const one of split.judged) {
    const key = breakKey(one.rule.code, split.record.reference, one.focusKey);
    const verdict = verdictOf(one);
    const there = breaks.get(key);
    spoken.add(key);
    if (verdict !== undefined && one.ruleSet.mode === 'active') {
      expectations.push(toExpectation(input, split, { ...one, verdict }));
    } else if (one.result.kind === 'none' && there !== undefined) {
      orphans.push({ break: there, reason: endReason(one.result.reason) });
    }
  }
  for (const [key, there] of breaks) {
    if (!spoken.has(key) && !isClosed(there.known.state))
      orphans.push({ break: there, reason: orphanReason(split, there) });
  }
  return { expectations, orphans };
}

/** The focus is gone (deleted), or the rule is no longer in force. */
function orphanReason({ book }: Split, there: Break): Orphan['reason'] {
  return book.rule(there.rule) === undefined ? 'rule-changed' : 'entered-in-error';
}

function toExpectation(
  input: EngineInput,
  { record, nowMs }: Split,
  one: Judged & { readonly verdict: NonNullable<ReturnType<typeof verdictOf>> },
): Expectation {
  const { rule, ruleSet, facts, focus, focusKey, verdict, result } = one;
  const element = elementOf(rule, facts);
  const circle = { focus, element, patient: record.patient, teams: facts.team, nowMs, dates: input.place.dates };
  const evidence = result.kind === 'judgment' ? result.evidence : [];
  return {
    rule: ruleFacts(rule, ruleSet, result),
    focusKey,
    focus,
    verdict,
    evidence: evidence.map(({ reference, versionId }) =>
      versionId === undefined ? reference : `${reference}/_history/${versionId}`,
    ),
    recipients: () => resolveRecipients(rule.roles, circle).map(({ reference }) => reference),
    role: rule.roles[0] === undefined ? undefined : roleConcept(rule.roles[0]),
  };
}

function roleConcept({ codings, text }: Rule['roles'][number]): object {
  return { ...(codings.length === 0 ? {} : { coding: codings }), ...(text === undefined ? {} : { text }) };
}

function ruleFacts(rule: Rule, ruleSet: RuleSet, result: Judged['result']): RuleFacts {
  const delay = result.kind === 'judgment' ? result.timing?.delay : undefined;
  const name = rule.deadline?.parameter;
  return {
    code: rule.code,
    ruleSet: ruleSet.canonical,
    title: rule.title,
    missing: rule.missing,
    severity: rule.severity,
    reopenWindowMs: rule.reopenWindow === undefined ? engineLimits.defaultReopenWindowMs : delayMs(rule.reopenWindow),
    parameter: name === undefined || delay === undefined ? undefined : { name, value: `${delay.value} ${delay.unit}` },
  };
}

const unitMs: Readonly<Record<string, number>> = {
  min: 60_000,
  h: 3_600_000,
  d: 24 * 3_600_000,
  wk: 7 * 24 * 3_600_000,
};

function delayMs({ value, unit }: { readonly value: number; readonly unit: string }): number {
  return value * (unitMs[unit] ?? 24 * 3_600_000);
}

function judgmentRows(judged: readonly Judged[], known: readonly KnownJudgment[]): Parameters<typeof keepJudgments>[2] {
  const before = new Map(known.map((one) => [`${one.rule} ${one.focus}`, one]));
  const spoken = new Set(judged.map(({ rule, focusKey }) => `${rule.code} ${focusKey}`));
  const rows = judged.flatMap((one) => {
    const former = before.get(`${one.rule.code} ${one.focusKey}`);
    return rowOf(one, former) ?? [];
  });
  const gone = known.filter(({ rule, focus, state }) => !spoken.has(`${rule} ${focus}`) && state !== 'cancelled');
  return [...rows, ...gone.map((one) => ({ ...one, state: 'cancelled', dueAt: undefined }))];
}

function rowOf(
  one: Judged,
  former: KnownJudgment | undefined,
): Parameters<typeof keepJudgments>[2][number] | undefined {
  const { rule, focusKey, result, facts } = one;
  const head = { rule: rule.code, focus: focusKey, focusVersion: Number(one.focus.meta?.versionId ?? 1) };
  switch (result.kind) {
    case 'error':
      return undefined;
    case 'none': {
      const gone = { state: 'cancelled', dueAt: undefined, since: undefined, metSince: undefined };
      return former === undefined ? undefined : { ...head, ...gone };
    }
    case 'judgment': {
      const dueAtMs = result.timing?.dueAtMs;
      const dueAt = dueAtMs === undefined ? undefined : formatInstant(dueAtMs);
      // Only rules that read no date of their own need to know when they were first found met.
      const metSince = rule.metAt === undefined ? result.metAt : undefined;
      return { ...head, state: result.state, dueAt, since: facts.since, metSince };
    }
  }
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
