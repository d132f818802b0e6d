/**
 * What a break is: a pure function of the record and the clock (design.md section 2).
 *
 *     starts?    no  -> none: there is no expectation; one that was known is thereby cancelled
 *     anchor, due    read from the focus, never from the time of arrival
 *     applies?   no  -> cancelled: the expectation has lost its object
 *     met?       yes -> met when it happened before the due instant by its own date, however late it was learned;
 *                       else repaired
 *     due?       not yet -> waiting; passed, or no delay -> broken
 *
 * An expression that fails, or yields nothing where something is needed, is an error: never false, never met.
 */
import type { Resource } from '../fhir/index.ts';
import assert from 'node:assert';
import { readTiming, type Timing } from './deadline.ts';
import {
  type DatedItem,
  type EvaluationError,
  type EvaluationRun,
  type Facts,
  isError,
  type TraceEntry,
} from './evaluation.ts';
import { type Case, collectEvidence, type Evidence } from './evidence.ts';
import { beginJudgment } from './input-queries.ts';
import { type MetAt, recordedMetAt } from './recorded.ts';
import type { Rule } from './rule.ts';

export type JudgmentState = 'waiting' | 'met' | 'broken' | 'repaired' | 'cancelled';

export type JudgmentReason =
  | 'before-due'
  /** The deadline has passed, but what would meet it cannot arrive (breaks/feed-guard.ts). */
  | 'feed-silent'
  | 'overdue'
  | 'at-once'
  | 'met'
  | 'met-in-time-known-late'
  | 'late'
  | EndReason;

/** Why an expectation is gone. */
export type EndReason = 'deceased' | 'entered-in-error' | 'plan-ended' | 'premise-changed';

export interface Judgment {
  readonly kind: 'judgment';
  readonly state: JudgmentState;
  readonly reason: JudgmentReason;
  /** Undefined only when the judgment is cancelled and its anchor cannot be read. */
  readonly timing: Timing | undefined;
  /** When the expected thing happened, as written. */
  readonly metAt: string | undefined;
  readonly metAtMs: number | undefined;
  /** Future instants at which time alone can change the result. */
  readonly reviewAtMs: readonly number[];
  readonly evidence: readonly Evidence[];
  readonly trace: readonly TraceEntry[];
}

export interface NoJudgment {
  readonly kind: 'none';
  /** Why a judgment that was known is cancelled now. */
  readonly reason: EndReason;
  /**
   * Present when `starts` ended because the focus itself now shows the expected thing (an identity that was qualified,
   * RUP-38): a judgment that was known is then met, or repaired, not cancelled.
   */
  readonly fulfilment: { readonly metAt: string; readonly metAtMs: number } | undefined;
  readonly trace: readonly TraceEntry[];
}

export type JudgmentResult = Judgment | NoJudgment | EvaluationError;

/** `beginning`: what was worked out already to find the inputs, from the same facts. */
export function judge(rule: Rule, facts: Case, beginning = beginJudgment(rule, facts)): JudgmentResult {
  const { run, starts } = beginning;
  if (isError(starts)) return starts;
  if (!starts) return withoutJudgment(rule, facts, run);
  run.bind(inOneOrder(facts.inputs));
  const timing = beginning.timing ?? readTiming(rule, facts, run);
  if (isError(timing) && !rule.appliesOnItsOwn) return timing;
  if (!isError(timing)) assertInputs(rule, facts);
  return judgeStarted(rule, facts, { timing, run });
}

function judgeStarted(rule: Rule, facts: Case, { timing, run }: Progress<Timing | EvaluationError>): JudgmentResult {
  const applies = rule.applies === undefined ? true : run.condition('applies', rule.applies);
  if (isError(applies)) return applies;
  if (!applies) return cancel(rule, facts, { timing: isError(timing) ? undefined : timing, run });
  return isError(timing) ? timing : judgeExpectation(rule, facts, { timing, run });
}

function withoutJudgment(rule: Rule, facts: Case, run: EvaluationRun): NoJudgment {
  const isMet = rule.metOnItsOwn && run.condition('met', rule.met) === true;
  const recorded = isMet ? recordedMetAt(rule, facts) : undefined;
  const fulfilment = recorded && { metAt: recorded.text, metAtMs: recorded.fromMs };
  return { kind: 'none', reason: reasonOfEnd(facts), fulfilment, trace: run.trace };
}

interface Progress<Known> {
  readonly timing: Known;
  readonly run: EvaluationRun;
}

function judgeExpectation(rule: Rule, facts: Case, { timing, run }: Progress<Timing>): JudgmentResult {
  const met = run.condition('met', rule.met);
  if (isError(met)) return met;
  const reviewAtMs = readReviews(rule, facts, run);
  if (isError(reviewAtMs)) return reviewAtMs;
  const base = { kind: 'judgment', timing, reviewAtMs, trace: run.trace } as const;
  if (met) {
    const metAt = readMetAt(rule, facts, run);
    if (isError(metAt)) return metAt;
    const evidence = collectEvidence(rule, facts, metAt.origin);
    const metAtFields = { metAt: metAt.text, metAtMs: metAt.fromMs, evidence };
    return { ...base, ...metAtFields, ...stateOfMet(metAt, timing) };
  }
  const unmet = { ...base, metAt: undefined, metAtMs: undefined, evidence: collectEvidence(rule, facts, undefined) };
  if (timing.dueAtMs === undefined) return { ...unmet, state: 'broken', reason: 'at-once' };
  return facts.nowMs < timing.dueAtMs
    ? { ...unmet, state: 'waiting', reason: 'before-due' }
    : { ...unmet, state: 'broken', reason: 'overdue' };
}

/** Half-open: at the due instant itself it is late. A rule without delay is due at its anchor. */
function stateOfMet(metAt: MetAt, timing: Timing): Pick<Judgment, 'state' | 'reason'> {
  const limitMs = timing.dueAtMs ?? timing.anchorMs;
  if (metAt.fromMs >= limitMs) return { state: 'repaired', reason: 'late' };
  const isKnownLate = metAt.knownAtMs !== undefined && metAt.knownAtMs >= limitMs;
  return { state: 'met', reason: isKnownLate ? 'met-in-time-known-late' : 'met' };
}

function readMetAt(rule: Rule, facts: Case, run: EvaluationRun): MetAt | EvaluationError {
  if (rule.metAt === undefined) return recordedMetAt(rule, facts);
  const dates = run.dates('metAt', rule.metAt);
  if (isError(dates)) return dates;
  const first = dates.reduce<DatedItem | undefined>(earlier, undefined);
  if (first === undefined) return run.error('metAt', 'the expected thing is there, but has no date');
  const known = first.origin?.meta?.lastUpdated;
  return { ...first, knownAtMs: known === undefined ? undefined : facts.place.dates.range(known)?.lo };
}

/** Of equal dates the one of the lower resource id, so that the order of inputs does not show. */
function earlier(best: DatedItem | undefined, next: DatedItem): DatedItem {
  if (best === undefined || next.fromMs < best.fromMs) return next;
  const isSame = next.fromMs === best.fromMs && (next.origin?.id ?? '') < (best.origin?.id ?? '');
  return isSame ? next : best;
}

function cancel(rule: Rule, facts: Case, { timing, run }: Progress<Timing | undefined>): Judgment {
  return {
    kind: 'judgment',
    state: 'cancelled',
    reason: reasonOfEnd(facts),
    timing,
    metAt: undefined,
    metAtMs: undefined,
    reviewAtMs: [],
    evidence: collectEvidence(rule, facts, undefined),
    trace: run.trace,
  };
}

function reasonOfEnd({ focus, patient, plan }: Facts): EndReason {
  if (focus['status'] === 'entered-in-error') return 'entered-in-error';
  if (patient?.['deceasedBoolean'] === true || patient?.['deceasedDateTime'] !== undefined) return 'deceased';
  const plans = focus.resourceType === 'CarePlan' ? [focus] : plan === undefined ? [] : [plan];
  return plans.some((one) => endedPlan.has(one['status'])) ? 'plan-ended' : 'premise-changed';
}

const endedPlan: ReadonlySet<unknown> = new Set(['completed', 'revoked', 'entered-in-error']);

/** An instant that was reviewed changes nothing more; a day ends at its end. */
function readReviews(rule: Rule, facts: Case, run: EvaluationRun): readonly number[] | EvaluationError {
  if (rule.review === undefined) return [];
  const dates = run.dates('review', rule.review);
  if (isError(dates)) return dates;
  const instants = dates.map((date) => (date.precision === 'day' ? date.toMs : date.fromMs));
  return [...new Set(instants)].filter((atMs) => atMs > facts.nowMs).sort((left, right) => left - right);
}

/** An input that was not loaded would be judged as absent: that must never pass for a break. */
function assertInputs(rule: Rule, facts: Case): void {
  for (const { name } of rule.inputs)
    assert(Object.hasOwn(facts.inputs, name), `the input ${name} of ${rule.code} is not loaded`);
}

/** Of two resources that show the same date, the one of the lower id is the evidence, whatever order they came in. */
function inOneOrder(inputs: Case['inputs']): Case['inputs'] {
  const byId = (left: Resource, right: Resource): number => ((left.id ?? '') < (right.id ?? '') ? -1 : 1);
  return Object.fromEntries(Object.entries(inputs).map(([name, resources]) => [name, [...resources].sort(byId)]));
}
