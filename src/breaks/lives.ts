/**
 * The moves of one break: which DetectedIssue and Task follow from a decision of the machine. Pure. Who is called about
 * it is decided afterwards, for all breaks of the patient together (calls.ts).
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
} from './machine.ts';
import type { Expectation, Orphan, Plan, PlanInput } from './plan-input.ts';
import {
  type Break,
  breakKey,
  buildIssue,
  buildTask,
  moveIssue,
  moveTask,
  type Reference,
  readBreak,
} from './resources.ts';
import { pledgeOf, withMarks } from './task-marks.ts';
import { alertText, type BreakText } from './texts.ts';

/** One break after the decision of this run. Only what changed is written. */
export interface Life {
  readonly rule: string;
  readonly state: BreakState;
  /** Undefined for an orphan. */
  readonly expectation?: Expectation;
  readonly issue: Resource;
  readonly isIssueChanged: boolean;
  /** Undefined for a break that was recorded silently. */
  readonly task: Resource | undefined;
  readonly isTaskChanged: boolean;
  readonly raised?: Plan['raised'][number];
  readonly opens?: true;
  readonly closes?: true;
  /** It is open since this run: somebody must be told. */
  readonly isNews?: true;
  /** Recorded, and nobody is called. */
  readonly isSilent?: true;
  /** Who moved it by the Task, where the engine has not moved it further. */
  readonly mover?: Reference;
}

/** What becomes of an expectation; undefined when there is no break, and none is raised. */
export function liveOn(input: PlanInput, expectation: Expectation): Life | undefined {
  const { rule, verdict, focusKey } = expectation;
  const there = input.breaks.get(breakKey(rule.code, input.patient, focusKey));
  const mirrored = there === undefined ? undefined : mirrorTask(input, there);
  const decision = decide({
    known: mirrored?.break.known,
    verdict,
    nowMs: input.nowMs,
    reopenWindowMs: rule.reopenWindowMs,
    pledge: pledgeOf(mirrored?.task, input.proofAwaitedMs),
  });
  if (mirrored === undefined) {
    return decision.kind === 'raise' ? raise(input, expectation, { ...decision, occurrence: 1 }) : undefined;
  }
  const life = next(input, expectation, mirrored, decision);
  return { ...life, expectation, ...mirroredMarks(mirrored, life.state) };
}

/** What becomes of a break that no judgment speaks of any more. */
export function endOrphan(input: PlanInput, { break: there, reason, evidence = [] }: Orphan): Life {
  const mirrored = mirrorTask(input, there);
  const life = unchanged(mirrored);
  if (isClosed(life.state)) return { ...life, ...mirroredMarks(mirrored, life.state) };
  return moved(input, mirrored, { to: 'moot', reason, dueAtMs: there.known.dueAtMs, evidence });
}

interface Mirrored {
  readonly break: Break;
  readonly task: Resource | undefined;
  /** A person has moved the Task; the DetectedIssue follows. */
  readonly isMoved: boolean;
}

function unchanged({ break: there, task, isMoved }: Mirrored): Life {
  const { issue, rule, known } = there;
  return { rule, state: known.state, issue, isIssueChanged: isMoved, task, isTaskChanged: false };
}

/** A person's move of the Task, carried over to the DetectedIssue. */
function mirrorTask(input: PlanInput, there: Break): Mirrored {
  const task = taskOf(input, there);
  const asked = task === undefined ? undefined : stateOfTask(String(task['status']));
  if (task === undefined || asked === undefined || !personMoves[there.known.state].includes(asked)) {
    return { break: there, task, isMoved: false };
  }
  const issue = moveIssue(there.issue, {
    state: asked,
    reason: isClosed(asked) ? personReason(task, asked) : undefined,
    due: dueText(input, there.known.dueAtMs),
    at: input.dateTime(input.nowMs),
    isReopened: false,
    evidence: [],
    closedBy: moverOf(task),
  });
  return { break: readBreak(issue) ?? there, task, isMoved: true };
}

function personReason(task: Resource, state: BreakState): BreakReason {
  if (state === 'repaired') return 'done-by-hand';
  if (state === 'rejected') return 'false-positive';
  const reason = task['statusReason'] as { coding?: readonly { code?: string }[] } | undefined;
  return (reason?.coding?.[0]?.code as BreakReason | undefined) ?? 'premise-changed';
}

/** The moved DetectedIssue is written, also where the decision leaves it as it is. */
function mirroredMarks({ isMoved, break: there, task }: Mirrored, state: BreakState): Partial<Life> {
  if (!isMoved) return {};
  const mover = state === there.known.state ? { mover: moverOf(task) } : {};
  return isClosed(there.known.state)
    ? { isIssueChanged: true, closes: true, ...mover }
    : { isIssueChanged: true, ...mover };
}

/** Whose work the Task is; a person without name where nobody has taken it. */
function moverOf(task: Resource | undefined): Reference {
  return (task?.['owner'] as Reference | undefined) ?? { display: 'Intervenant' };
}

function next(input: PlanInput, expectation: Expectation, there: Mirrored, decision: Decision): Life {
  const { dueAtMs } = expectation.verdict;
  switch (decision.kind) {
    case 'stay':
      return unchanged(there);
    case 'move-deadline': {
      const move = { to: there.break.known.state, reason: undefined, dueAtMs, evidence: [] };
      return { ...unchanged(there), issue: movedIssue(input, there.break, move), isIssueChanged: true };
    }
    case 'raise':
      return raise(input, expectation, { ...decision, occurrence: there.break.occurrence + 1 });
    case 'reopen':
      return reopen(input, expectation, there);
    case 'change': {
      const move = { to: decision.to, reason: decision.reason, dueAtMs, evidence: expectation.evidence };
      return decision.to === 'open' ? open(input, expectation, { there, move }) : moved(input, there, move);
    }
  }
}

interface Move {
  readonly to: BreakState;
  readonly reason: BreakReason | undefined;
  readonly dueAtMs: number | undefined;
  readonly evidence: readonly string[];
}

function dueText(input: PlanInput, dueAtMs: number | undefined, zone?: string): string | undefined {
  return dueAtMs === undefined ? undefined : input.dateTime(dueAtMs, zone);
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
function moved(input: PlanInput, { break: there, task }: Mirrored, move: Move): Life {
  const at = input.dateTime(input.nowMs);
  const closed = { declaredAt: undefined, heldCall: undefined };
  const movedTask =
    task && withMarks(moveTask(task, { state: move.to, reason: move.reason, at }), isClosed(move.to) ? closed : {});
  // A pre-alert that is met in time was never open.
  const closes = isClosed(move.to) && there.known.state !== 'pre-alert' ? ({ closes: true } as const) : {};
  return {
    rule: there.rule,
    state: move.to,
    issue: movedIssue(input, there, move),
    isIssueChanged: true,
    task: movedTask,
    isTaskChanged: task !== undefined,
    ...closes,
  };
}

/**
 * A pre-alert whose deadline has passed, or a declared repair that was never proved: the same resources go on, and
 * somebody is called.
 */
function open(input: PlanInput, expectation: Expectation, { there, move }: { there: Mirrored; move: Move }): Life {
  const text = textOf(input, expectation);
  const life = moved(input, there, move);
  const isFirst = there.break.known.state === 'pre-alert';
  const identified = isFirst ? { identifiedDateTime: input.dateTime(input.nowMs) } : {};
  const task = life.task && withMarks({ ...life.task, description: text.fr }, { declaredAt: undefined });
  return {
    ...life,
    issue: { ...life.issue, ...identified, detail: text.fr },
    task,
    isNews: true,
    ...(isFirst ? { opens: true } : {}),
  };
}

interface Birth {
  readonly to: BreakState;
  readonly reason?: BreakReason;
  readonly occurrence: number;
}

function raise(input: PlanInput, expectation: Expectation, birth: Birth): Life {
  const { rule } = expectation;
  const issueId = input.nextId();
  const text = textOf(input, expectation);
  const issue = newIssue(input, expectation, { ...birth, issueId, text });
  const raised = {
    key: breakKey(rule.code, input.patient, expectation.focusKey),
    occurrence: birth.occurrence,
    issueId,
  };
  const life: Life = {
    rule: rule.code,
    state: birth.to,
    expectation,
    issue,
    isIssueChanged: true,
    task: undefined,
    isTaskChanged: false,
    raised,
    ...(birth.to === 'pre-alert' ? {} : { opens: true }),
    ...(isClosed(birth.to) ? { closes: true } : {}),
  };
  if (isClosed(birth.to)) return life;
  if (isSilent(input, expectation)) return { ...life, isSilent: true };
  const task = newTask(input, expectation, { issueId, state: birth.to, text, partOf: undefined });
  return { ...life, task, isTaskChanged: true, ...(birth.to === 'open' ? { isNews: true } : {}) };
}

function newIssue(
  input: PlanInput,
  { rule, verdict, focusKey, evidence, zone }: Expectation,
  birth: Birth & { readonly issueId: string; readonly text: BreakText },
): Resource {
  return buildIssue({
    id: birth.issueId,
    key: breakKey(rule.code, input.patient, focusKey),
    rule: rule.code,
    ruleSet: rule.ruleSet,
    title: rule.title.fr,
    severity: rule.severity,
    patient: input.patient,
    focus: focusKey,
    occurrence: birth.occurrence,
    identified: input.dateTime(input.nowMs),
    due: dueText(input, verdict.dueAtMs, zone),
    state: birth.to,
    reason: birth.reason,
    text: birth.text.fr,
    evidence,
    parameter: rule.parameter,
  });
}

/** A rule without delay is due when what it looks at happened: a stay imported months later calls nobody. */
function isSilent({ nowMs, lateKnowledgeMs }: PlanInput, { verdict }: Expectation): boolean {
  const sinceMs = verdict.dueAtMs ?? verdict.anchorMs;
  return sinceMs !== undefined && nowMs - sinceMs > lateKnowledgeMs;
}

function reopen(input: PlanInput, expectation: Expectation, { break: there, task: former }: Mirrored): Life {
  const text = textOf(input, expectation);
  const issueId = there.issue.id ?? '';
  const issue = moveIssue(there.issue, {
    state: 'open',
    reason: undefined,
    due: dueText(input, expectation.verdict.dueAtMs, expectation.zone),
    at: input.dateTime(input.nowMs),
    isReopened: true,
    evidence: expectation.evidence,
    text: text.fr,
  });
  const rule = expectation.rule.code;
  const life: Life = {
    rule,
    state: 'open',
    issue,
    isIssueChanged: true,
    task: undefined,
    isTaskChanged: false,
    opens: true,
  };
  // Who was called once is called again: an open break beside a closed Task would read as closed by a person.
  if (former === undefined && isSilent(input, expectation)) return { ...life, isSilent: true };
  const partOf = former?.id === undefined ? undefined : `Task/${former.id}`;
  const task = newTask(input, expectation, { issueId, state: 'open', text, partOf });
  return { ...life, task, isTaskChanged: true, isNews: true };
}

function newTask(
  input: PlanInput,
  { rule, focusKey, recipients, role, verdict, zone }: Expectation,
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
    due: dueText(input, verdict.dueAtMs, zone),
    partOf: work.partOf,
  });
}

/** The line that people read about a break, as it stands now. */
export function textOf(input: PlanInput, { rule, focus, verdict, zone }: Expectation): BreakText {
  const { code, title, missing } = rule;
  return alertText({ code, title, missing, focus, dueAtMs: verdict.dueAtMs, nowMs: input.nowMs, zone });
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
