/**
 * From judgments to writes: which DetectedIssues, Tasks and Communications a patient's verdicts ask for, given those that
 * are there. Pure. What differs is written, what agrees is left alone, so that judging twice writes once.
 *
 * - What a person did with a Task comes first: it moves the break, then the verdict looks at it (lives.ts).
 * - Breaks that are told in one run share one alert (calls.ts).
 * - A break learned of long after it was due, or together with its repair, is recorded and counted; nobody is called.
 */
import type { Resource } from '../fhir/index.ts';
import { alertOf, callAbout, type Called } from './calls.ts';
import { endOrphan, type Life, liveOn } from './lives.ts';
import type { Plan, PlanInput } from './plan-input.ts';
import { buildProvenance } from './provenance.ts';
import { type Reference, readBreak } from './resources.ts';

export type { Expectation, LadderStep, Orphan, Plan, PlanInput, RuleFacts, Silence, Untold } from './plan-input.ts';

export function planBreaks(input: PlanInput): Plan {
  const lives = [
    ...input.expectations.flatMap((expectation) => liveOn(input, expectation) ?? []),
    ...input.orphans.map((orphan) => endOrphan(input, orphan)),
  ];
  const called = lives.map((life) => callAbout(input, life));
  const calls = called.flatMap(({ call }) => call ?? []);
  const written = called.flatMap(({ life }) => [
    ...(life.isIssueChanged ? [life.issue] : []),
    ...(life.isTaskChanged && life.task !== undefined ? [life.task] : []),
    ...moveOf(input, life),
  ]);
  const instants = called.flatMap(({ nextAtMs }) => nextAtMs ?? []).filter((atMs) => atMs > input.nowMs);
  return {
    resources: calls.length === 0 ? written : [...written, alertOf(input, calls)],
    raised: lives.flatMap(({ raised }) => raised ?? []),
    opened: lives.flatMap(({ rule, opens }) => (opens === true ? [rule] : [])),
    closed: lives.flatMap(({ rule, closes }) => (closes === true ? [rule] : [])),
    untold: called.flatMap(untoldOf),
    lives: called.flatMap(({ life }) => lifeRow(input, life)),
    nextAtMs: instants.length === 0 ? undefined : Math.min(...instants),
  };
}

/** The state that was, and the one that is: what happened in between, in one run, is one move. */
function moveOf(input: PlanInput, { issue, isIssueChanged, task, mover }: Life): readonly Resource[] {
  const now = isIssueChanged ? readBreak(issue) : undefined;
  const there = now === undefined ? undefined : input.breaks.get(now.key);
  const from = there?.issue.id === issue.id ? there?.known.state : undefined;
  if (now === undefined || now.known.state === from) return [];
  const { state: to, reason } = now.known;
  const { patient, dateTime, nowMs } = input;
  return [buildProvenance({ issue, task, patient, from, to, reason, at: dateTime(nowMs), mover })];
}

function untoldOf({ life, isUntold }: Called): Plan['untold'] {
  if (isUntold !== true) return [];
  return [{ issueId: life.issue.id ?? '', rule: life.rule, organisation: life.expectation?.organisation }];
}

function lifeRow(
  { patient }: PlanInput,
  { issue, isIssueChanged, isTaskChanged, task, expectation }: Life,
): Plan['lives'] {
  const now = isIssueChanged || isTaskChanged ? readBreak(issue) : undefined;
  if (now === undefined) return [];
  const { key, rule, occurrence, known } = now;
  const owner = (task?.['owner'] as Reference | undefined)?.reference;
  const { organisation: site, pathway } = expectation ?? {};
  return [{ key, occurrence, rule, patient, site, pathway, state: known.state, reason: known.reason, owner }];
}
