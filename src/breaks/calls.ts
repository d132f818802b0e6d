/**
 * Who is called now about the open breaks of one patient. Pure.
 *
 * - A break that opens is told at once; all that is told at one moment goes into one alert.
 * - While nobody answers (`open`), the ladder of the rule rises: a counter on the Task, a wider circle, another owner, a
 *   higher priority; each step is told once. Steps that passed unseen (downtime, a silence) are climbed at once.
 * - Quiet hours hold every call but those of critical breaks; a silence holds every call about its rule. What was held is
 *   told in one alert when the time comes, if it is still open.
 * - What opens while the engine catches up is told in the digest only.
 */
import type { Resource } from '../fhir/index.ts';
import { type Life, textOf } from './lives.ts';
import type { Expectation, PlanInput, Silence } from './plan-input.ts';
import { buildAlert, type Severity } from './resources.ts';
import { type HeldCall, pledgeOf, readMarks, withMarks } from './task-marks.ts';
import { type BreakText, escalatedText } from './texts.ts';

/** A line of the alert. */
export interface Call {
  readonly issueId: string;
  readonly expectation: Expectation;
  readonly text: BreakText;
  readonly recipients: readonly string[];
}

export interface Called {
  readonly life: Life;
  readonly call?: Call;
  /** When this break must be looked at again because of time alone. */
  readonly nextAtMs?: number | undefined;
  readonly isUntold?: true;
}

export function callAbout(input: PlanInput, life: Life): Called {
  const { expectation, task } = life;
  if (life.isSilent === true) return { life, isUntold: true };
  if (expectation === undefined || task === undefined) return { life };
  if (life.state !== 'open') return { life, nextAtMs: pledgeEnd(input, task) };
  return callOpen(input, life, { expectation, task });
}

function pledgeEnd(input: PlanInput, task: Resource): number | undefined {
  const { holdUntilMs, proofUntilMs } = pledgeOf(task, input.proofAwaitedMs);
  return task['status'] === 'on-hold' ? holdUntilMs : task['status'] === 'in-progress' ? proofUntilMs : undefined;
}

interface Open {
  readonly expectation: Expectation;
  readonly task: Resource;
}

function callOpen(input: PlanInput, life: Life, open: Open): Called {
  const { expectation, task } = open;
  const silence = silenceOn(input, expectation);
  const step = silence === undefined ? climb(input, life, open) : undefined;
  const climbed = step === undefined ? life : { ...life, task: step.task, isTaskChanged: true };
  const nextStepMs = nextStep(life, { expectation, task: step?.task ?? task });
  if (!isCallDue(life, task, step)) return { life, nextAtMs: earliest(nextStepMs, silence?.endMs) };
  if (life.isNews === true && input.isUntold(expectation.focus)) {
    return { life: climbed, nextAtMs: nextStepMs, isUntold: true };
  }
  const hold = holdOf(input, expectation, silence);
  if (hold !== undefined) return { life: held(climbed, hold.reason), nextAtMs: earliest(nextStepMs, hold.untilMs) };
  return { life: released(climbed), call: callOf(input, life, { ...open, step }), nextAtMs: nextStepMs };
}

function isCallDue({ isNews }: Life, task: Resource, step: Step | undefined): boolean {
  return isNews === true || step !== undefined || readMarks(task).heldCall !== undefined;
}

/** A step that is taken as the break opens reaches further at once; it reminds nobody. */
function callOf(
  input: PlanInput,
  { issue, opens }: Life,
  { expectation, task, step }: Open & { step: Step | undefined },
): Call {
  const text = textOf(input, expectation);
  return {
    issueId: issue.id ?? '',
    expectation,
    text: step === undefined || opens === true ? text : escalatedText(text, step.level),
    recipients: step?.circle ?? circleAt(expectation, readMarks(task).level),
  };
}

function held(life: Life, reason: HeldCall): Life {
  if (life.task === undefined || readMarks(life.task).heldCall === reason) return life;
  return { ...life, task: withMarks(life.task, { heldCall: reason }), isTaskChanged: true };
}

function released(life: Life): Life {
  if (life.task === undefined || readMarks(life.task).heldCall === undefined) return life;
  return { ...life, task: withMarks(life.task, { heldCall: undefined }), isTaskChanged: true };
}

interface Hold {
  readonly reason: HeldCall;
  readonly untilMs: number;
}

function holdOf(input: PlanInput, { rule }: Expectation, silence: Silence | undefined): Hold | undefined {
  if (silence !== undefined) return { reason: 'silence', untilMs: silence.endMs };
  const { quietUntilMs } = input;
  const isQuiet = quietUntilMs !== undefined && rule.severity !== 'critical';
  return isQuiet ? { reason: 'quiet-hours', untilMs: quietUntilMs } : undefined;
}

/** The silence that ends last of those on this rule now. */
function silenceOn({ silences, nowMs }: PlanInput, { rule }: Expectation): Silence | undefined {
  const now = silences.filter(
    ({ rule: code, startMs, endMs }) => (code === undefined || code === rule.code) && startMs <= nowMs && nowMs < endMs,
  );
  return now.reduce<Silence | undefined>(
    (last, one) => (last !== undefined && last.endMs >= one.endMs ? last : one),
    undefined,
  );
}

interface Step {
  readonly level: number;
  readonly task: Resource;
  readonly circle: readonly string[];
}

/** The highest step whose time has come, when it is higher than where the Task stands. */
function climb(input: PlanInput, life: Life, { expectation, task }: Open): Step | undefined {
  const { level: from } = readMarks(task);
  const openedMs = openedAt(life, task);
  const level = expectation.ladder.filter(({ atMs }) => atMs(openedMs) <= input.nowMs).length;
  if (level <= from) return undefined;
  const step = expectation.ladder[level - 1];
  const circle = circleAt(expectation, level);
  const owner = step?.recipients()[0];
  const raised = {
    ...task,
    priority: higher(String(task['priority']), level - from),
    lastModified: input.dateTime(input.nowMs),
    ...(owner === undefined ? {} : { owner: { reference: owner } }),
    ...(step?.role === undefined ? {} : { performerType: [step.role] }),
  };
  return { level, task: withMarks(raised, { level }), circle };
}

function nextStep(life: Life, { expectation, task }: Open): number | undefined {
  return expectation.ladder[readMarks(task).level]?.atMs(openedAt(life, task));
}

/** Since when nobody answers: a Task that continues another began when the break opened again. */
function openedAt({ issue }: Life, task: Resource): number {
  const text = Array.isArray(task['partOf']) ? task['authoredOn'] : issue['identifiedDateTime'];
  return Date.parse(String(text));
}

/** The new ones first, then who was told before: each step reaches further. */
function circleAt({ ladder, recipients }: Expectation, level: number): readonly string[] {
  const steps = ladder.slice(0, level).reverse();
  return [...new Set([...steps.flatMap((step) => step.recipients()), ...recipients()])];
}

const priorities = ['routine', 'asap', 'urgent', 'stat'];

function higher(priority: string, by: number): string {
  return priorities[Math.min(priorities.indexOf(priority) + by, priorities.length - 1)] ?? priority;
}

function earliest(...instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((instant): instant is number => instant !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

const bySeverity: readonly Severity[] = ['critical', 'high', 'moderate', 'low'];

/** One alert for everything that is told about this patient now. */
export function alertOf(input: PlanInput, calls: readonly Call[]): Resource {
  const severities = calls.map(({ expectation }) => expectation.rule.severity);
  const stays = new Set(
    calls.map(({ expectation }) => expectation.focusKey).filter((key) => key.startsWith('Encounter/')),
  );
  return buildAlert({
    id: input.nextId(),
    patient: input.patient,
    issues: calls.map(({ issueId }) => issueId),
    recipients: [...new Set(calls.flatMap(({ recipients }) => recipients))],
    severity: bySeverity.find((severity) => severities.includes(severity)) ?? 'moderate',
    sent: input.dateTime(input.nowMs),
    lines: calls.map(({ text }) => text),
    encounter: stays.size === 1 ? [...stays][0] : undefined,
  });
}
