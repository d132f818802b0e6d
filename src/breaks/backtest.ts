/**
 * A back-test: what a rule set would have said over a period, had it been in force. Each patient's history is replayed from
 * version to version (replay-task.ts); what it would have opened is held against what persons said of the breaks that
 * there were: taken on or repaired confirms, rejected refutes. Nothing is written.
 *
 * What was deleted since is not replayed, nor what persons did with Tasks; parameters count as they are set now.
 */
import { formatLocal, localDay, type Resource } from '../fhir/index.ts';
import type { RuleSet } from '../rules/index.ts';
import type { Session, StoredVersion } from '../store/index.ts';
import { type ActualBreak, type FormerVersion, readActualBreaks, readFormerVersions } from './backtest.sql.ts';
import { type EngineInput, engineLimits } from './engine-input.ts';
import { isClosed } from './machine.ts';
import { asSurvivor, type Group, groupOf } from './merged.ts';
import { basicTypes, loadRecord } from './record.ts';
import { isOwn } from './resources.ts';
import type { ReplayAnswer, ReplayTask } from './replay-task.ts';
import type { ReplayedChange, ReplayedMove } from './replay.ts';
import { typesOfRules } from './rule-book.ts';

export const backtestLimits = { casesMax: 1000, faultsMax: 100, daysMax: 3 * 366 } as const;

export interface Backtest {
  readonly ruleSet: RuleSet;
  /** What it is judged by (fixtures.ts, `textOfRules`), active. */
  readonly text: string;
  /** Half-open. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What persons said of a break: `unjudged` where nobody said anything, or where there was none. */
export type Verdict = 'confirmed' | 'rejected' | 'unjudged';

export interface Case {
  readonly rule: string;
  readonly patient: string;
  readonly focus: string;
  readonly occurrence: number;
  readonly openedAtMs: number;
  readonly dueAtMs: number | undefined;
  readonly state: string;
  readonly reason: string | undefined;
  readonly closedAtMs: number | undefined;
  /** It was broken already when the period began. */
  readonly isStanding: boolean;
  readonly verdict: Verdict;
}

/** Counts by rule. */
export interface RuleTally {
  opened: number;
  closed: number;
  standing: number;
  confirmed: number;
  rejected: number;
  /** Breaks that persons confirmed, and that this rule set would not have raised. */
  missed: number;
}

/** What was found so far: plain, so that it can be kept between two steps of the job. */
export interface Tally {
  patients: number;
  readonly rules: Record<string, RuleTally>;
  readonly cases: Case[];
  casesLeftOut: number;
  /** By local day. */
  readonly alerts: Record<string, number>;
  /** By what failed. */
  readonly faults: Record<string, number>;
}

export function emptyTally(): Tally {
  return { patients: 0, rules: {}, cases: [], casesLeftOut: 0, alerts: {}, faults: {} };
}

/** Replays one patient (`Patient/id`) and adds what is found to the tally. */
export async function backtestPatient(
  input: EngineInput,
  session: Session,
  { test, patient, tally }: { readonly test: Backtest; readonly patient: string; readonly tally: Tally },
): Promise<void> {
  const { ruleSet } = test;
  const group = await groupOf(session, patient);
  tally.patients++;
  // A merged record is replayed with the survivor's.
  if (group.survivor !== patient) return;
  const answer = await input.isolation.replay(ruleSet, await readTask(input, session, { test, group }));
  if (typeof answer === 'string') return note(tally.faults, answer, 1);
  const codes = [...new Set(ruleSet.rules.map(({ code }) => code))];
  const actual = await readActualBreaks(session, patient, codes);
  addAnswer(tally, { test, patient, answer, actual, dayOf: (atMs) => localDay(atMs, input.places.usual.dates) });
}

async function readTask(
  input: EngineInput,
  session: Session,
  { test, group }: { readonly test: Backtest; readonly group: Group },
): Promise<Omit<ReplayTask, 'custom'>> {
  const types = typesOfRules([test.ruleSet]);
  const { survivor: patient, members } = group;
  const record = await loadRecord(session, { patient, members, types });
  const all = [...new Set([...types, ...basicTypes])].sort();
  const stored: StoredVersion[] = [];
  for (const one of [patient, ...members]) stored.push(...(await session.compartment(one, all)));
  const changed = stored.filter(({ version }) => version > 1).map(({ type, id }) => `${type}/${id}`);
  const former = await readFormerVersions(session, changed);
  const current = stored.map(({ lastUpdated, ...one }) => ({ ...one, atMs: lastUpdated.getTime() }));
  const { overrides } = await input.ruleBook(session);
  return {
    kind: 'replay',
    ruleSet: test.text,
    overrides,
    patient,
    professionals: record.professionals,
    history: [...former, ...current].flatMap((one) => toChange(one, group)).sort((a, b) => a.atMs - b.atMs),
    fromMs: test.fromMs,
    toMs: test.toMs,
    lateKnowledgeMs: engineLimits.lateKnowledgeMs,
    proofAwaitedMs: input.proofAwaitedMs,
  };
}

/** What the engine itself wrote is no part of the history: it would be written anew. */
function toChange(
  { type, id, atMs, isDeleted, raw }: FormerVersion,
  group: Group,
): readonly { atMs: number; change: ReplayedChange }[] {
  // Another Patient that links to this one stands in its compartment too.
  if (type === 'Patient' && `Patient/${id}` !== group.survivor) return [];
  if (isDeleted) return [{ atMs, change: { deleted: `${type}/${id}` } }];
  const resource = JSON.parse(asSurvivor(raw, group)) as Resource;
  return isOwn(resource) ? [] : [{ atMs, change: { resource } }];
}

interface Answered {
  readonly test: Pick<Backtest, 'fromMs' | 'toMs'>;
  readonly patient: string;
  readonly answer: ReplayAnswer;
  readonly actual: readonly ActualBreak[];
  readonly dayOf: (atMs: number) => string;
}

/** Pure but for the tally, which it adds to. */
export function addAnswer(tally: Tally, { test, patient, answer, actual, dayOf }: Answered): void {
  const cases = casesOf(answer.moves, { test, patient, actual });
  for (const one of cases) {
    const rule = ruleTally(tally, one.rule);
    if (one.isStanding) rule.standing++;
    else rule.opened++;
    if (one.closedAtMs !== undefined) rule.closed++;
    if (one.verdict !== 'unjudged') rule[one.verdict]++;
    if (tally.cases.length < backtestLimits.casesMax) tally.cases.push(one);
    else tally.casesLeftOut++;
  }
  noteMissed(tally, cases, { test, patient, actual });
  for (const atMs of answer.alerts) note(tally.alerts, dayOf(atMs), 1);
  for (const [what, count] of answer.errors) note(tally.faults, what, count);
}

/** Breaks that persons confirmed, and that would not have been raised. */
function noteMissed(
  tally: Tally,
  cases: readonly Case[],
  { test, patient, actual }: Pick<Answered, 'test' | 'patient' | 'actual'>,
): void {
  const raised = new Set(cases.map(({ rule, focus }) => `${rule}:${patient}:${focus}`));
  for (const one of actual) {
    const { openedAtMs: atMs } = one;
    const isInPeriod = atMs !== undefined && atMs >= test.fromMs && atMs < test.toMs;
    if (isInPeriod && verdictOf(one) === 'confirmed' && !raised.has(one.key)) ruleTally(tally, one.rule).missed++;
  }
}

function note(counts: Record<string, number>, key: string, count: number): void {
  const isKept = Object.hasOwn(counts, key) || Object.keys(counts).length < backtestLimits.daysMax;
  if (isKept) counts[key] = (counts[key] ?? 0) + count;
}

function ruleTally(tally: Tally, rule: string): RuleTally {
  return (tally.rules[rule] ??= { opened: 0, closed: 0, standing: 0, confirmed: 0, rejected: 0, missed: 0 });
}

/** One for each break that was open at some time; a pre-alert that was met in time was none. */
function casesOf(
  moves: readonly ReplayedMove[],
  { test, patient, actual }: Pick<Answered, 'test' | 'patient' | 'actual'>,
): readonly Case[] {
  const byIssue = new Map<string, ReplayedMove[]>();
  for (const move of moves) byIssue.set(move.issueId, [...(byIssue.get(move.issueId) ?? []), move]);
  return [...byIssue.values()].flatMap((life): readonly Case[] => {
    const opening = life.find(({ to }) => to !== 'pre-alert' && to !== 'moot');
    const last = life.at(-1);
    if (opening === undefined || last === undefined) return [];
    const { rule, key, occurrence } = opening;
    const there = actual.find((one) => one.key === key && one.occurrence === occurrence);
    return [
      {
        ...{ rule, patient, occurrence },
        focus: key.slice(`${rule}:${patient}:`.length),
        openedAtMs: opening.atMs,
        dueAtMs: opening.dueAtMs,
        state: last.to,
        reason: last.reason,
        closedAtMs: isClosed(last.to) ? last.atMs : undefined,
        isStanding: opening.atMs === test.fromMs,
        verdict: there === undefined ? 'unjudged' : verdictOf(there),
      },
    ];
  });
}

/** Somebody took it on, or it was repaired after that: a break. Somebody rejected it: none. */
function verdictOf({ state, isAcknowledged }: ActualBreak): Verdict {
  if (state === 'rejected') return 'rejected';
  return isAcknowledged || state === 'repaired' ? 'confirmed' : 'unjudged';
}

interface Parameter {
  readonly name: string;
  readonly part?: readonly Parameter[];
  readonly [value: string]: unknown;
}

/** As `$backtest` answers. */
export function backtestReport(tally: Tally, test: Backtest, zone: string): Resource {
  const days = Math.max(1, (test.toMs - test.fromMs) / (24 * 3_600_000));
  const alerts = Object.values(tally.alerts).reduce((sum, count) => sum + count, 0);
  const [busiest] = Object.entries(tally.alerts).sort(([, left], [, right]) => right - left);
  const all = sumOf(Object.values(tally.rules));
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'ruleSet', valueUri: test.ruleSet.canonical },
      { name: 'periodStart', valueDateTime: formatLocal(test.fromMs, zone) },
      { name: 'periodEnd', valueDateTime: formatLocal(test.toMs, zone) },
      integer('patients', tally.patients),
      ...countsOf(all),
      integer('alerts', alerts),
      { name: 'alertsPerDay', valueDecimal: rounded(alerts / days) },
      ...(busiest === undefined
        ? []
        : [{ name: 'busiestDay', part: [{ name: 'day', valueDate: busiest[0] }, integer('alerts', busiest[1])] }]),
      ...Object.entries(tally.rules)
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([code, counts]) => ({ name: 'rule', part: [{ name: 'code', valueCode: code }, ...countsOf(counts)] })),
      ...tally.cases.map((one) => ({ name: 'case', part: caseParts(one, zone) })),
      ...(tally.casesLeftOut === 0 ? [] : [integer('casesLeftOut', tally.casesLeftOut)]),
      ...Object.entries(tally.faults)
        .slice(0, backtestLimits.faultsMax)
        .map(([text, count]) => ({
          name: 'fault',
          part: [{ name: 'text', valueString: text }, integer('count', count)],
        })),
    ],
  };
}

function integer(name: string, value: number): Parameter {
  return { name, valueInteger: value };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function sumOf(tallies: readonly RuleTally[]): RuleTally {
  const sum: RuleTally = { opened: 0, closed: 0, standing: 0, confirmed: 0, rejected: 0, missed: 0 };
  for (const one of tallies) for (const name of Object.keys(sum) as (keyof RuleTally)[]) sum[name] += one[name];
  return sum;
}

/** Precision: of the breaks that persons judged, how many they confirmed. Nobody judged any: none is told. */
function countsOf(counts: RuleTally): readonly Parameter[] {
  const { opened, closed, standing, confirmed, rejected, missed } = counts;
  const judged = confirmed + rejected;
  return [
    integer('opened', opened),
    integer('closed', closed),
    integer('standing', standing),
    integer('confirmed', confirmed),
    integer('rejected', rejected),
    integer('missed', missed),
    ...(judged === 0 ? [] : [{ name: 'precision', valueDecimal: rounded(confirmed / judged) }]),
  ];
}

function caseParts(one: Case, zone: string): readonly Parameter[] {
  const at = (name: string, ms: number | undefined): readonly Parameter[] =>
    ms === undefined ? [] : [{ name, valueDateTime: formatLocal(ms, zone) }];
  return [
    { name: 'rule', valueCode: one.rule },
    { name: 'patient', valueReference: { reference: one.patient } },
    { name: 'focus', valueReference: { reference: one.focus } },
    integer('occurrence', one.occurrence),
    ...at('openedAt', one.openedAtMs),
    ...at('dueAt', one.dueAtMs),
    ...at('closedAt', one.closedAtMs),
    { name: 'state', valueCode: one.state },
    ...(one.reason === undefined ? [] : [{ name: 'reason', valueCode: one.reason }]),
    ...(one.isStanding ? [{ name: 'standing', valueBoolean: true }] : []),
    { name: 'verdict', valueCode: one.verdict },
  ];
}
