/**
 * From judgments to writes: which DetectedIssues, Tasks and Communications a patient's verdicts ask for, given those that
 * are there. Pure. What differs is written, what agrees is left alone, so that judging twice writes once.
 *
 * - What a person did with a Task comes first: it moves the break, then the verdict looks at it.
 * - Breaks that open in one run share one alert.
 * - A break learned of long after it was due, or together with its repair, is recorded and counted; nobody is called.
 */
import type { Resource } from '../fhir/index.ts';
import {
  type BreakReason,
  type BreakState,
  decide,
  type Decision,
  isClosed,
  personMoves,
  stateOfTask,
  type Verdict,
} from './machine.ts';
import {
  type Break,
  breakKey,
  buildAlert,
  buildIssue,
  buildTask,
  moveIssue,
  moveTask,
  type Reference,
  readBreak,
  type Severity,
} from './resources.ts';
import { alertText, type BreakText } from './texts.ts';

export interface RuleFacts {
  readonly code: string;
  readonly ruleSet: string;
  readonly title: BreakText;
  readonly missing: BreakText;
  readonly severity: Severity;
  readonly reopenWindowMs: number;
  readonly parameter: { readonly name: string; readonly value: string } | undefined;
}

/** One rule on one focus, judged. */
export interface Expectation {
  readonly rule: RuleFacts;
  /** `Encounter/e1`, or `CarePlan/c1#activity`. */
  readonly focusKey: string;
  readonly focus: Resource;
  readonly verdict: Verdict;
  /** Versioned references of what was looked at. */
  readonly evidence: readonly string[];
  /** Owner first; computed when somebody must be found. */
  readonly recipients: () => readonly string[];
  readonly role: object | undefined;
}

/** A break whose expectation is no longer judged: rule retired, focus gone. */
export interface Orphan {
  readonly break: Break;
  readonly reason: BreakReason;
}

export interface PlanInput {
  readonly patient: string;
  readonly nowMs: number;
  readonly zone: string;
  readonly expectations: readonly Expectation[];
  readonly orphans: readonly Orphan[];
  /** The last occurrence for each key. */
  readonly breaks: ReadonlyMap<string, Break>;
  /** Tasks of breaks, in any order. */
  readonly tasks: readonly Resource[];
  readonly nextId: () => string;
  /** Formats an instant as dateTime with the offset of the zone. */
  readonly dateTime: (instantMs: number) => string;
  /** A break due longer ago than this when it is learned of is recorded without a call. */
  readonly lateKnowledgeMs: number;
}

export interface Plan {
  readonly resources: readonly Resource[];
  readonly raised: readonly { readonly key: string; readonly occurrence: number; readonly issueId: string }[];
  /** Rules whose breaks opened, or closed after they had been open: one entry for each break. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
}

/** What one decision adds to the plan. */
interface Effect {
  readonly resources: readonly Resource[];
  readonly raised?: Plan['raised'][number];
  readonly call?: { readonly issueId: string; readonly expectation: Expectation; readonly text: BreakText };
  /** The rule whose break thereby opens, or closes. */
  readonly opens?: string;
  readonly closes?: string;
}

const nothing: Effect = { resources: [] };

export function planBreaks(input: PlanInput): Plan {
  const effects = [
    ...input.expectations.map((expectation) => effectOf(input, expectation)),
    ...input.orphans.map((orphan) => effectOfOrphan(input, orphan)),
  ];
  const calls = effects.flatMap(({ call }) => (call === undefined ? [] : [call]));
  const alert = calls.length === 0 ? [] : [alertOf(input, calls)];
  return {
    resources: [...effects.flatMap(({ resources }) => resources), ...alert],
    raised: effects.flatMap(({ raised }) => (raised === undefined ? [] : [raised])),
    opened: effects.flatMap(({ opens }) => opens ?? []),
    closed: effects.flatMap(({ closes }) => closes ?? []),
  };
}

function effectOf(input: PlanInput, expectation: Expectation): Effect {
  const { rule, verdict, focusKey } = expectation;
  const there = input.breaks.get(breakKey(rule.code, input.patient, focusKey));
  const mirrored = there === undefined ? undefined : mirrorTask(input, there);
  const known = mirrored?.break.known;
  const decision = decide({ known, verdict, nowMs: input.nowMs, reopenWindowMs: rule.reopenWindowMs });
  const effect =
    mirrored === undefined ? first(input, expectation, decision) : next(input, expectation, mirrored.break, decision);
  return mirrored?.isMoved === true ? withMirrored(effect, mirrored.break) : effect;
}

function effectOfOrphan(input: PlanInput, { break: there, reason }: Orphan): Effect {
  const { break: known, isMoved } = mirrorTask(input, there);
  if (isClosed(known.known.state)) return isMoved ? { resources: [known.issue], closes: known.rule } : nothing;
  return moved(input, known, { to: 'moot', reason, dueAtMs: known.known.dueAtMs, evidence: [] });
}

interface Mirrored {
  readonly break: Break;
  readonly isMoved: boolean;
}

/** A person's move of the Task, carried over to the DetectedIssue. */
function mirrorTask(input: PlanInput, there: Break): Mirrored {
  const task = taskOf(input, there);
  const asked = task === undefined ? undefined : stateOfTask(String(task['status']));
  if (task === undefined || asked === undefined || !personMoves[there.known.state].includes(asked)) {
    return { break: there, isMoved: false };
  }
  const issue = moveIssue(there.issue, {
    state: asked,
    reason: isClosed(asked) ? personReason(task, asked) : undefined,
    due: dueText(input, there.known.dueAtMs),
    at: input.dateTime(input.nowMs),
    isReopened: false,
    evidence: [],
    closedBy: (task['owner'] as Reference | undefined) ?? { display: 'Intervenant' },
  });
  return { break: readBreak(issue) ?? there, isMoved: true };
}

function personReason(task: Resource, state: BreakState): BreakReason {
  if (state === 'repaired') return 'done-by-hand';
  if (state === 'rejected') return 'false-positive';
  const reason = task['statusReason'] as { coding?: readonly { code?: string }[] } | undefined;
  return (reason?.coding?.[0]?.code as BreakReason | undefined) ?? 'premise-changed';
}

/** The moved DetectedIssue is written unless the effect writes it in a further state anyhow. */
function withMirrored(effect: Effect, mirrored: Break): Effect {
  const isWritten = effect.resources.some(
    ({ resourceType, id }) => resourceType === 'DetectedIssue' && id === mirrored.issue.id,
  );
  if (isWritten) return effect;
  const closes = isClosed(mirrored.known.state) ? { closes: mirrored.rule } : {};
  return { ...effect, ...closes, resources: [mirrored.issue, ...effect.resources] };
}

function first(input: PlanInput, expectation: Expectation, decision: Decision): Effect {
  return decision.kind === 'raise'
    ? raise(input, expectation, { to: decision.to, reason: decision.reason, occurrence: 1 })
    : nothing;
}

function next(input: PlanInput, expectation: Expectation, there: Break, decision: Decision): Effect {
  const { dueAtMs } = expectation.verdict;
  switch (decision.kind) {
    case 'stay':
      return nothing;
    case 'move-deadline':
      return {
        resources: [movedIssue(input, there, { to: there.known.state, reason: undefined, dueAtMs, evidence: [] })],
      };
    case 'raise':
      return raise(input, expectation, { ...decision, reason: decision.reason, occurrence: there.occurrence + 1 });
    case 'reopen':
      return reopen(input, expectation, there);
    case 'change': {
      const move = { to: decision.to, reason: decision.reason, dueAtMs, evidence: expectation.evidence };
      return decision.to === 'open' ? open(input, expectation, there, move) : moved(input, there, move);
    }
  }
}

interface Move {
  readonly to: BreakState;
  readonly reason: BreakReason | undefined;
  readonly dueAtMs: number | undefined;
  readonly evidence: readonly string[];
}

function dueText(input: PlanInput, dueAtMs: number | undefined): string | undefined {
  return dueAtMs === undefined ? undefined : input.dateTime(dueAtMs);
}

function movedIssue(input: PlanInput, there: Break, move: Move): Resource {
  return moveIssue(there.issue, {
    state: move.to,
    reason: move.reason,
    due: dueText(input, move.dueAtMs),
    at: input.dateTime(input.nowMs),
    isReopened: false,
    evidence: move.evidence,
  });
}

/** DetectedIssue and Task go on together. */
function moved(input: PlanInput, there: Break, move: Move): Effect {
  const task = taskOf(input, there);
  const at = input.dateTime(input.nowMs);
  const tasks = task === undefined ? [] : [moveTask(task, { state: move.to, reason: move.reason, at })];
  // A pre-alert that is met in time was never open.
  const closes = isClosed(move.to) && there.known.state !== 'pre-alert' ? { closes: there.rule } : {};
  return { resources: [movedIssue(input, there, move), ...tasks], ...closes };
}

/** A pre-alert whose deadline has passed: the same resources go on, and now somebody is called. */
function open(input: PlanInput, expectation: Expectation, there: Break, move: Move): Effect {
  const text = textOf(input, expectation);
  const effect = moved(input, there, move);
  const [issue, ...rest] = effect.resources;
  const identified = { identifiedDateTime: input.dateTime(input.nowMs), detail: text.fr };
  const opened = rest.map((task) => ({ ...task, description: text.fr }));
  return {
    resources: issue === undefined ? rest : [{ ...issue, ...identified }, ...opened],
    opens: there.rule,
    call: { issueId: there.issue.id ?? '', expectation, text },
  };
}

function raise(
  input: PlanInput,
  expectation: Expectation,
  birth: { to: BreakState; reason: BreakReason | undefined; occurrence: number },
): Effect {
  const { rule, verdict, focusKey } = expectation;
  const key = breakKey(rule.code, input.patient, focusKey);
  const issueId = input.nextId();
  const text = textOf(input, expectation);
  const issue = buildIssue({
    id: issueId,
    key,
    rule: rule.code,
    ruleSet: rule.ruleSet,
    title: rule.title.fr,
    severity: rule.severity,
    patient: input.patient,
    focus: focusKey,
    occurrence: birth.occurrence,
    identified: input.dateTime(input.nowMs),
    due: dueText(input, verdict.dueAtMs),
    state: birth.to,
    reason: birth.reason,
    text: text.fr,
    evidence: expectation.evidence,
    parameter: rule.parameter,
  });
  const raised = { key, occurrence: birth.occurrence, issueId };
  const opens = birth.to === 'pre-alert' ? {} : { opens: rule.code };
  const counts = isClosed(birth.to) ? { ...opens, closes: rule.code } : opens;
  if (isSilent(input, expectation, birth.to)) return { resources: [issue], raised, ...counts };
  const task = newTask(input, expectation, { issueId, state: birth.to, text, partOf: undefined });
  const call = birth.to === 'open' ? { call: { issueId, expectation, text } } : {};
  return { resources: [issue, task], raised, ...counts, ...call };
}

function isSilent({ nowMs, lateKnowledgeMs }: PlanInput, { verdict }: Expectation, to: BreakState): boolean {
  return isClosed(to) || (verdict.dueAtMs !== undefined && nowMs - verdict.dueAtMs > lateKnowledgeMs);
}

function reopen(input: PlanInput, expectation: Expectation, there: Break): Effect {
  const { dueAtMs } = expectation.verdict;
  const text = textOf(input, expectation);
  const issueId = there.issue.id ?? '';
  const issue = moveIssue(there.issue, {
    state: 'open',
    reason: undefined,
    due: dueText(input, dueAtMs),
    at: input.dateTime(input.nowMs),
    isReopened: true,
    evidence: expectation.evidence,
    text: text.fr,
  });
  const former = taskOf(input, there);
  const opens = expectation.rule.code;
  // Who was called once is called again: an open break beside a closed Task would read as closed by a person.
  if (former === undefined && isSilent(input, expectation, 'open')) return { resources: [issue], opens };
  const partOf = former?.id === undefined ? undefined : `Task/${former.id}`;
  const task = newTask(input, expectation, { issueId, state: 'open', text, partOf });
  return { resources: [issue, task], opens, call: { issueId, expectation, text } };
}

function newTask(
  input: PlanInput,
  { rule, focusKey, recipients, role, verdict }: Expectation,
  work: { issueId: string; state: BreakState; text: BreakText; partOf: string | undefined },
): Resource {
  return buildTask({
    id: input.nextId(),
    issueId: work.issueId,
    patient: input.patient,
    focus: focusKey,
    state: work.state,
    severity: rule.severity,
    title: rule.title.fr,
    text: work.text.fr,
    owner: recipients()[0],
    role,
    authored: input.dateTime(input.nowMs),
    due: dueText(input, verdict.dueAtMs),
    partOf: work.partOf,
  });
}

function textOf(input: PlanInput, { rule, focus, verdict }: Expectation): BreakText {
  const { code, title, missing } = rule;
  return alertText({ code, title, missing, focus, dueAtMs: verdict.dueAtMs, nowMs: input.nowMs, zone: input.zone });
}

/** The last Task of this break: the one that no other continues. Their order in the record tells nothing. */
function taskOf({ tasks }: PlanInput, there: Break): Resource | undefined {
  const focus = `DetectedIssue/${there.issue.id}`;
  const own = tasks.filter((task) => (task['focus'] as Reference | undefined)?.reference === focus);
  const former = new Set(
    own.flatMap((task) => (task['partOf'] ?? []) as readonly Reference[]).map(({ reference }) => reference),
  );
  return own.find(({ id }) => !former.has(`Task/${id}`));
}

const bySeverity: readonly Severity[] = ['critical', 'high', 'moderate', 'low'];

function alertOf(input: PlanInput, calls: readonly NonNullable<Effect['call']>[]): Resource {
  const severities = calls.map(({ expectation }) => expectation.rule.severity);
  const stays = new Set(
    calls.map(({ expectation }) => expectation.focusKey).filter((key) => key.startsWith('Encounter/')),
  );
  return buildAlert({
    id: input.nextId(),
    patient: input.patient,
    issues: calls.map(({ issueId }) => issueId),
    recipients: [...new Set(calls.flatMap(({ expectation }) => expectation.recipients()))],
    severity: bySeverity.find((severity) => severities.includes(severity)) ?? 'moderate',
    sent: input.dateTime(input.nowMs),
    lines: calls.map(({ text }) => text),
    encounter: stays.size === 1 ? [...stays][0] : undefined,
  });
}
