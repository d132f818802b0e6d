/**
 * All rules on all foci of one patient, judged at one instant. Pure: the record, what was known before, and the clock
 * decide. What a rule cannot decide (an error) is told as such and leaves its break as it is.
 */
import { formatLocal, type Resource } from '../fhir/index.ts';
import {
  type Beginning,
  beginJudgment,
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
  /** Canonical of the rule set that it was judged by; undefined: whichever is in force. */
  readonly ruleSet?: string | undefined;
}

export interface JudgeInput {
  readonly record: PatientRecord;
  readonly ruleSets: readonly RuleSet[];
  /** Versions that were replaced: they go on judging what they began until the new one is applied (versions.ts). */
  readonly former?: readonly RuleSet[];
  readonly select: Select;
  readonly places: Places;
  readonly nowMs: number;
  /** Delays that plans, pathways, sites and territories set. */
  readonly overrides?: readonly Override[];
  /** Which of them are judged here; undefined: all. */
  readonly isHere?: ((ruleSet: RuleSet) => boolean) | undefined;
  /** Rules that are left out here: they went over their limits. */
  readonly without?: ReadonlySet<Rule>;
  readonly since: (rule: Rule, focusKey: string, ruleSet: RuleSet) => string | undefined;
  readonly known: (rule: Rule, focusKey: string) => KnownJudgment | undefined;
  /** Called before each judgment of one rule on one focus: whoever watches it knows what runs (isolation-thread.ts). */
  readonly begins?: (rule: Rule, ruleSet: RuleSet) => void;
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
  return concludeJudgments(whole, judgeRules(whole));
}

/** The rules one by one, as if there were no other. */
export function judgeRules(whole: JudgeInput): readonly Judged[] {
  const record = withoutOwn(whole.record);
  const input = { ...whole, record, circleAt: createCircles(record, whole.nowMs), whereIs: createWhereabouts(whole) };
  return [...input.ruleSets, ...(input.former ?? [])]
    .filter((ruleSet) => ruleSet.mode !== 'off' && input.isHere?.(ruleSet) !== false)
    .flatMap((ruleSet) =>
      ruleSet.rules
        .filter((rule) => input.without?.has(rule) !== true)
        .flatMap((rule) => judgeRule(input, ruleSet, rule)),
    );
}

/** What rules mean to each other: one silences another, one says that nobody can be told. */
export function concludeJudgments(whole: JudgeInput, judged: readonly Judged[]): readonly Judged[] {
  const inhibited = judged.map((one) => ({ ...one, inhibitedBy: inhibitorOf(one, judged) }));
  return [...inhibited, ...judgeNobody({ ...whole, record: withoutOwn(whole.record) }, inhibited)];
}

/** A judgment that was made elsewhere: by which rule, on what, with which result. */
export interface ToldJudgment {
  readonly canonical: string;
  readonly rule: string;
  readonly focusType: string;
  readonly focusKey: string;
  readonly since: string | undefined;
  readonly result: JudgmentResult;
}

/** As if it had been made here; what the rule read (`inputs`) is not needed any more. */
export function restoreJudgments(whole: Omit<JudgeInput, 'since'>, told: readonly ToldJudgment[]): readonly Judged[] {
  const record = withoutOwn(whole.record);
  const ruleSets = [...whole.ruleSets, ...(whole.former ?? [])];
  const circleAt = createCircles(record, whole.nowMs);
  return told.flatMap(({ canonical, rule: code, focusType, focusKey, since, result }) => {
    const ruleSet = ruleSets.find((one) => one.canonical === canonical);
    const rule = ruleSet?.rules.find((one) => one.code === code && one.focusType === focusType);
    const [key = '', elementKey] = focusKey.split('#');
    const focus = record.byType.get(focusType)?.find(({ id }) => key === `${focusType}/${id ?? ''}`);
    if (ruleSet === undefined || rule === undefined || focus === undefined) return [];
    const input = { ...whole, record, circleAt, since: () => since };
    const facts = {
      ...factsBefore(input, { rule, ruleSet }, { focus, elementKey, place: whole.places.of(record, focus) }),
      inputs: {},
    };
    return [{ rule, ruleSet, focus, focusKey, facts, site: siteOf(record, focus), result, inhibitedBy: undefined }];
  });
}

/** Who cares for the patient, and by which plan: the same for all rules on foci of one place. */
type Circle = Pick<Case, 'patient' | 'plan' | 'team' | 'gp' | 'now'>;

interface WithCircles extends JudgeInput {
  readonly circleAt: (place: Case['place']) => Circle;
}

/** Where a focus belongs: many rules judge the same one. */
interface Whereabouts {
  readonly place: Case['place'];
  readonly site: string | undefined;
}

interface Judging extends WithCircles {
  readonly whereIs: (focus: Resource) => Whereabouts;
}

function createWhereabouts({ places, record }: JudgeInput): Judging['whereIs'] {
  const known = new Map<Resource, Whereabouts>();
  return (focus) => {
    const there = known.get(focus) ?? { place: places.of(record, focus), site: siteOf(record, focus) };
    known.set(focus, there);
    return there;
  };
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
    const circle = { patient, plan, team, gp, now: formatLocal(nowMs, place.dates) };
    known.set(place, circle);
    return circle;
  };
}

function judgeRule(input: Judging, ruleSet: RuleSet, rule: Rule): readonly Judged[] {
  const foci = input.record.byType.get(rule.focusType) ?? [];
  return foci.flatMap((focus) => {
    const { place, site } = input.whereIs(focus);
    return elementKeys(rule, { focus, nowMs: input.nowMs, place }).flatMap((elementKey) => {
      const focusKey = focusKeyOf(focus, elementKey);
      const known = input.known(rule, focusKey);
      if (!isJudgedBy(input, ruleSet, known)) return [];
      input.begins?.(rule, ruleSet);
      const { facts, beginning } = factsOf(input, { rule, ruleSet }, { focus, elementKey, place, known });
      const judged = judge(rule, facts, beginning);
      const result = judged.kind === 'none' ? asFulfilled(judged, known, focus) : judged;
      return [{ rule, ruleSet, focus, focusKey, facts, site, result, inhibitedBy: undefined }];
    });
  });
}

/** What a replaced version began it goes on with; everything else is for the version in force. */
function isJudgedBy({ former = [] }: JudgeInput, ruleSet: RuleSet, known: KnownJudgment | undefined): boolean {
  const holder =
    known?.state === 'cancelled' ? undefined : former.find(({ canonical }) => canonical === known?.ruleSet);
  const hasRule = holder?.rules.some(({ code }) => code === known?.rule) === true;
  return hasRule ? holder === ruleSet : !former.includes(ruleSet);
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

interface RuleOfSet {
  readonly rule: Rule;
  readonly ruleSet: RuleSet;
}

interface Judgeable {
  readonly focus: Resource;
  readonly elementKey: string | undefined;
  readonly place: Case['place'];
}

function factsOf(
  input: WithCircles,
  of: RuleOfSet,
  at: Judgeable & { readonly known: KnownJudgment | undefined },
): { readonly facts: Case; readonly beginning: Beginning } {
  const { rule } = of;
  const { record } = input;
  const timed = factsBefore(input, of, at);
  const beginning = beginJudgment(rule, timed);
  const queries = inputQueries(rule, timed, beginning);
  const inputs = Object.fromEntries(
    queries.map(({ name, type, query }) => [name, input.select(type, query, record.byType.get(type) ?? [])]),
  );
  return { facts: { ...timed, inputs, metSince: at.known?.metSince }, beginning };
}

/** What is known before the inputs are read. */
function factsBefore(
  input: WithCircles,
  { rule, ruleSet }: RuleOfSet,
  { focus, elementKey, place }: Judgeable,
): Omit<Case, 'inputs'> {
  const { nowMs } = input;
  const circle = input.circleAt(place);
  const plan = focus.resourceType === 'CarePlan' ? focus : circle.plan;
  const since = input.since(rule, focusKeyOf(focus, elementKey), ruleSet);
  const { patient, team, gp, now } = circle;
  const parameters = parametersOf(input, { focus, plan, patient });
  return { patient, team, gp, now, focus, elementKey, plan, since, nowMs, place, parameters };
}

function parametersOf(
  { overrides = [], record }: JudgeInput,
  { focus, plan, patient }: Pick<Case, 'focus' | 'plan' | 'patient'>,
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
 * are of different types. Rules that silence each other, or in a circle, leave the first of them by code to speak: somebody must.
 */
function inhibitorOf(one: Judged, all: readonly Judged[]): string | undefined {
  const inhibitor = all.find(
    (other) =>
      other.ruleSet.mode === 'active' &&
      other.rule.inhibits.includes(one.rule.code) &&
      other.result.kind === 'judgment' &&
      other.result.state === 'broken' &&
      (other.rule.focusType !== one.rule.focusType || isSameFocus(other.focusKey, one.focusKey)) &&
      (other.rule.code < one.rule.code || !leadsTo(one.rule, other.rule.code, all)),
  );
  return inhibitor?.rule.code;
}

/** Whether a rule silences another, or one that does, and so on. */
function leadsTo(from: Rule, to: string, all: readonly Judged[]): boolean {
  const reached = new Set([from.code]);
  for (const code of reached) {
    const rules = code === from.code ? [from] : all.map(({ rule }) => rule).filter((rule) => rule.code === code);
    for (const inhibited of rules.flatMap(({ inhibits }) => inhibits)) reached.add(inhibited);
    if (rules.some(({ inhibits }) => inhibits.includes(to))) return true;
  }
  return false;
}

function isSameFocus(left: string, right: string): boolean {
  return left === right || left.startsWith(`${right}#`) || right.startsWith(`${left}#`);
}

const noTimes = { dueAtMs: undefined, noticeAtMs: undefined, anchorMs: undefined };

/** What the life of the break depends on; undefined where the rule has nothing to say: no expectation, or an error. */
export function verdictOf({ rule, result, inhibitedBy }: Judged): Verdict | undefined {
  if (result.kind !== 'judgment') return undefined;
  const { state, reason, timing } = result;
  const isMetDated = rule.metAt !== undefined;
  const isRolling = rule.anchorReadsInputs && !isMetDated;
  const { dueAtMs, noticeAtMs, anchorMs } = timing ?? noTimes;
  const times = { dueAtMs, noticeAtMs, anchorMs, isMetDated, isRolling };
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
