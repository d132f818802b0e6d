/**
 * All rules on all foci of one patient, judged at one instant. Pure: the record, what was known before, and the clock
 * decide. What a rule cannot decide (an error) is told as such and leaves its break as it is.
 */
import type { Resource } from '../fhir/index.ts';
import {
  type Case,
  elementKeys,
  focusKeyOf,
  inputQueries,
  type JudgmentResult,
  judge,
  type NoJudgment,
  type Override,
  parametersAt,
  resolveGp,
  type Rule,
  type RuleSet,
} from '../rules/index.ts';
import { judgeNobody } from './circle.ts';
import type { BreakReason, Verdict } from './machine.ts';
import { type PatientRecord, withoutOwn } from './record.ts';
import { type Places, siteOf } from './sites.ts';

/** Runs an input query over resources of its type; made by the search compiler. */
export type Select = (type: string, query: string, resources: readonly Resource[]) => readonly Resource[];

export interface KnownJudgment {
  readonly rule: string;
  readonly focus: string;
  readonly state: string;
  readonly dueAtMs: number | undefined;
  readonly since: string | undefined;
  readonly focusVersion: number;
  readonly metSince: string | undefined;
}

export interface JudgeInput {
  readonly record: PatientRecord;
  readonly ruleSets: readonly RuleSet[];
  readonly select: Select;
  readonly places: Places;
  readonly nowMs: number;
  /** Delays that plans, pathways, sites and territories set. */
  readonly overrides?: readonly Override[];
  /** By rule and focus key. */
  readonly since: (rule: Rule, focusKey: string) => string | undefined;
  readonly known: (rule: Rule, focusKey: string) => KnownJudgment | undefined;
}

export interface Judged {
  readonly rule: Rule;
  readonly ruleSet: RuleSet;
  readonly focus: Resource;
  /** `Encounter/e1`, or `CarePlan/c1#activity`. */
  readonly focusKey: string;
  readonly facts: Case;
  /** `Organization/id` that answers for the focus. */
  readonly site: string | undefined;
  readonly result: JudgmentResult;
  /** Set when another rule that is broken silences this one. */
  readonly inhibitedBy: string | undefined;
}

/** One entry for each rule and focus, also where the rule does not start (`none`). */
export function judgePatient(whole: JudgeInput): readonly Judged[] {
  const record = withoutOwn(whole.record);
  const input = { ...whole, record, circleAt: createCircles(record, whole.nowMs) };
  const judged = input.ruleSets
    .filter(({ mode }) => mode !== 'off')
    .flatMap((ruleSet) => ruleSet.rules.flatMap((rule) => judgeRule(input, ruleSet, rule)));
  const inhibited = judged.map((one) => ({ ...one, inhibitedBy: inhibitorOf(one, judged) }));
  return [...inhibited, ...judgeNobody(input, inhibited)];
}

/** Who cares for the patient, and by which plan: the same for all rules on foci of one place. */
type Circle = Pick<Case, 'patient' | 'plan' | 'team' | 'gp'>;

interface WithCircles extends JudgeInput {
  readonly circleAt: (place: Case['place']) => Circle;
}

function createCircles(record: PatientRecord, nowMs: number): (place: Case['place']) => Circle {
  const { professionals } = record;
  // Others may speak of the patient before he is there himself: he has an id, and nothing is known of him.
  const patient = record.patient ?? { resourceType: 'Patient', id: record.reference.replace('Patient/', '') };
  const plan = currentPlan((record.byType.get('CarePlan') ?? []).filter(({ status }) => status === 'active'));
  const team = (record.byType.get('CareTeam') ?? []).filter(({ status }) => status === 'active');
  const known = new Map<Case['place'], Circle>();
  return (place) => {
    const there = known.get(place);
    if (there !== undefined) return there;
    const gp = resolveGp({ patient, teams: team, nowMs, dates: place.dates }, professionals);
    const circle = { patient, plan, team, gp };
    known.set(place, circle);
    return circle;
  };
}

function judgeRule(input: WithCircles, ruleSet: RuleSet, rule: Rule): readonly Judged[] {
  const foci = input.record.byType.get(rule.focusType) ?? [];
  return foci.flatMap((focus) => {
    const place = input.places.of(input.record, focus);
    return elementKeys(rule, { focus, nowMs: input.nowMs, place }).map((elementKey) => {
      const focusKey = focusKeyOf(focus, elementKey);
      const facts = factsOf(input, rule, { focus, elementKey, place });
      const judged = judge(rule, facts);
      const result = judged.kind === 'none' ? asFulfilled(judged, input.known(rule, focusKey), focus) : judged;
      const site = siteOf(input.record, focus);
      return { rule, ruleSet, focus, focusKey, facts, site, result, inhibitedBy: undefined };
    });
  });
}

/**
 * The focus itself shows what was expected and therefore starts the rule no longer (an identity that was qualified): what
 * was expected is met, not gone.
 */
function asFulfilled(result: NoJudgment, known: KnownJudgment | undefined, focus: Resource): JudgmentResult {
  const { fulfilment, trace } = result;
  if (fulfilment === undefined || known === undefined || known.state === 'cancelled') return result;
  const { metAt, metAtMs } = fulfilment;
  const { dueAtMs, since = metAt } = known;
  const isLate = dueAtMs !== undefined && metAtMs >= dueAtMs;
  const reference = `${focus.resourceType}/${focus.id ?? ''}`;
  return {
    kind: 'judgment',
    state: isLate ? 'repaired' : 'met',
    reason: isLate ? 'late' : 'met',
    timing: { anchor: since, anchorMs: Date.parse(since), dueAtMs, noticeAtMs: undefined, delay: undefined },
    metAt,
    metAtMs,
    reviewAtMs: [],
    evidence: [{ reference, versionId: focus.meta?.versionId, role: 'focus', isDecisive: true }],
    trace,
  };
}

interface Judgeable {
  readonly focus: Resource;
  readonly elementKey: string | undefined;
  readonly place: Case['place'];
}

function factsOf(input: WithCircles, rule: Rule, { focus, elementKey, place }: Judgeable): Case {
  const { record, nowMs } = input;
  const focusKey = focusKeyOf(focus, elementKey);
  const circle = input.circleAt(place);
  const facts = {
    ...circle,
    focus,
    elementKey,
    plan: focus.resourceType === 'CarePlan' ? focus : circle.plan,
    since: input.since(rule, focusKey),
    nowMs,
    place,
  };
  const parameters = parametersOf(input, facts);
  const timed = { ...facts, parameters };
  const queries = inputQueries(rule, timed);
  const inputs = Object.fromEntries(
    queries.map(({ name, type, query }) => [name, input.select(type, query, record.byType.get(type) ?? [])]),
  );
  return { ...timed, inputs, metSince: input.known(rule, focusKey)?.metSince };
}

function parametersOf(
  { overrides = [], record }: JudgeInput,
  { focus, plan, patient }: Omit<Case, 'inputs'>,
): Case['parameters'] {
  if (overrides.length === 0) return undefined;
  return parametersAt(overrides, { plan, patient, site: siteOf(record, focus) });
}

/**
 * Of several active plans the one that began last; where that is not written, the one that was made last; then by id. The
 * order in which a record is read tells nothing: ids and row numbers are no order of time.
 */
export function currentPlan(plans: readonly Resource[]): Resource | undefined {
  return [...plans].sort(byBeginning).at(-1);
}

function byBeginning(left: Resource, right: Resource): number {
  const [a, b] = [left, right].map((plan) => {
    const { start } = (plan['period'] ?? {}) as { start?: string };
    const atMs = Date.parse(start ?? (plan['created'] as string | undefined) ?? '');
    return { atMs: Number.isNaN(atMs) ? -Infinity : atMs, id: plan.id ?? '' };
  }) as [{ atMs: number; id: string }, { atMs: number; id: string }];
  return a.atMs === b.atMs ? (a.id < b.id ? -1 : 1) : a.atMs < b.atMs ? -1 : 1;
}

/**
 * A rule silences another on the same focus (a plan and what is in it are one), or anywhere on the patient when their foci
 * are of different types.
 */
function inhibitorOf(one: Judged, all: readonly Judged[]): string | undefined {
  const inhibitor = all.find(
    (other) =>
      other.ruleSet.mode === 'active' &&
      other.rule.inhibits.includes(one.rule.code) &&
      other.result.kind === 'judgment' &&
      other.result.state === 'broken' &&
      (other.rule.focusType !== one.rule.focusType || isSameFocus(other.focusKey, one.focusKey)),
  );
  return inhibitor?.rule.code;
}

function isSameFocus(left: string, right: string): boolean {
  return left === right || left.startsWith(`${right}#`) || right.startsWith(`${left}#`);
}

/** What the life of the break depends on; undefined where the rule has nothing to say: no expectation, or an error. */
export function verdictOf({ rule, result, inhibitedBy }: Judged): Verdict | undefined {
  if (result.kind !== 'judgment') return undefined;
  const { state, reason, timing } = result;
  const isMetDated = rule.metAt !== undefined;
  const isRolling = rule.anchorReadsInputs && !isMetDated;
  const times = { dueAtMs: timing?.dueAtMs, noticeAtMs: timing?.noticeAtMs, isMetDated, isRolling };
  const isSilenced = inhibitedBy !== undefined && (state === 'broken' || state === 'waiting');
  if (isSilenced) return { ...times, state: 'cancelled', cancelReason: 'inhibited' };
  return { ...times, state, cancelReason: endReason(reason) };
}

export function endReason(reason: string): BreakReason {
  const known: readonly BreakReason[] = ['deceased', 'entered-in-error', 'plan-ended', 'premise-changed'];
  return known.find((one) => one === reason) ?? 'premise-changed';
}

/** The next instant at which time alone can change something; undefined when nothing waits. */
export function nextInstant(judged: readonly Judged[], nowMs: number): number | undefined {
  const instants = judged.flatMap(({ result }) => {
    if (result.kind !== 'judgment') return [];
    const waits = result.state === 'waiting' ? [result.timing?.noticeAtMs, result.timing?.dueAtMs] : [];
    return [...waits, ...result.reviewAtMs];
  });
  const future = instants.filter((instant): instant is number => instant !== undefined && instant > nowMs);
  return future.length === 0 ? undefined : Math.min(...future);
}
