/**
 * What persons may do with the resources of a break: move it by its Task where the state machine allows it, annotate,
 * hand over. Nothing of its story is taken away: neither Task nor DetectedIssue is deleted or made another's.
 */
import { isDeepStrictEqual } from 'node:util';
import { formatInstant, type Issue, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Rule } from '../rules/index.ts';
import { everything, type Session } from '../store/index.ts';
import type { GuardedWrite } from './guards.ts';
import { type BreakState, breakStates, personMoves, stateOfTask, taskStatus } from './machine.ts';
import { businessStatus, isBreakTask, readBreak } from './resources.ts';
import type { RuleBook } from './rule-book.ts';
import { holdEndMs, readMarks, withMarks } from './task-marks.ts';

export interface TaskGuardInput {
  readonly nowMs: number;
  readonly session: Session;
  readonly ruleBook: (session: Session) => Promise<RuleBook>;
}

/** Only what the record can never show is repaired by a person's word. */
export function isRepairedByData({ met }: Pick<Rule, 'met'>): boolean {
  return met.text.trim() !== 'false';
}

/**
 * A Task of a break as it shall be stored: its businessStatus follows its status. Throws `unprocessable` for a move that
 * the machine does not have, and names those it has.
 */
export async function checkTaskMove(write: GuardedWrite, input: TaskGuardInput): Promise<Resource | undefined> {
  const { before, after } = write;
  if (before === undefined || !isBreakTask(before)) return undefined;
  if (after === undefined)
    throw refuse('a Task of a break is not deleted: it is part of the story of the break', 'Task');
  requireSame(before, after, ['code', 'focus', 'for', 'partOf', 'intent']);
  const from = stateOf(before);
  if (from === undefined) return undefined;
  const marked = withMarks(after, readMarks(before));
  if (String(before['status']) === String(after['status'])) {
    return { ...marked, businessStatus: before['businessStatus'] };
  }
  const asked = stateOfTask(String(after['status']));
  if (asked === from) return { ...marked, businessStatus: businessStatus(from) };
  if (asked === undefined || !personMoves[from].includes(asked)) throw refuseMove(from, String(after['status']));
  requireReason(after, asked, input.nowMs);
  const moved = withMarks(marked, { declaredAt: undefined });
  const isDeclared = asked === 'repaired' && (await isProofAwaited(after, input));
  if (!isDeclared) return { ...moved, businessStatus: businessStatus(asked) };
  const declared = withMarks(moved, { declaredAt: readMarks(before).declaredAt ?? formatInstant(input.nowMs) });
  return {
    ...declared,
    status: taskStatus['in-progress'],
    businessStatus: businessStatus('in-progress', proofAwaited),
  };
}

export const proofAwaited = 'déclarée réparée, preuve attendue';

async function isProofAwaited(task: Resource, { session, ruleBook }: TaskGuardInput): Promise<boolean> {
  const { reference = '' } = (task['focus'] ?? {}) as { reference?: string };
  const [issue] = await session.readMany([reference], everything);
  const there = issue === undefined ? undefined : readBreak(JSON.parse(issue.raw) as Resource);
  const found = there === undefined ? undefined : (await ruleBook(session)).rule(there.rule);
  return found !== undefined && isRepairedByData(found.rule);
}

/** A DetectedIssue of ours keeps what the engine wrote; only what it says to people may be edited. */
export function checkBreakStays({ before, after }: GuardedWrite): void {
  const there = before === undefined ? undefined : readBreak(before);
  if (before === undefined || there === undefined) {
    if (after !== undefined && readBreak(after) !== undefined)
      throw refuse('a break is raised by a rule: this identifier is kept for them', 'DetectedIssue.identifier');
    return;
  }
  if (after === undefined) {
    throw refuse('a break is not deleted: close it by its Task, with the reason', 'DetectedIssue');
  }
  const kept = [
    'identifier',
    'extension',
    'status',
    'code',
    'severity',
    'patient',
    'author',
    'mitigation',
    'reference',
  ];
  requireSame(before, after, kept);
}

function requireSame(before: Resource, after: Resource, members: readonly string[]): void {
  const changed = members.find((member) => !isDeepStrictEqual(before[member], after[member]));
  if (changed === undefined) return;
  const place = `${before.resourceType}.${changed}`;
  throw refuse(`${place} of a break is written by the server alone: it must stay as it is`, place);
}

function stateOf(task: Resource): BreakState | undefined {
  const status = task['businessStatus'] as { coding?: readonly { code?: string }[] } | undefined;
  const code = status?.coding?.[0]?.code;
  return breakStates.find((state) => state === code);
}

/** To wait needs a reason and an end; to say "this is no break" needs a reason. */
function requireReason(task: Resource, asked: BreakState, nowMs: number): void {
  if (asked !== 'on-hold' && asked !== 'rejected') return;
  const reason = (task['statusReason'] ?? {}) as { text?: string; coding?: readonly object[] };
  if (reason.text === undefined && (reason.coding ?? []).length === 0) {
    throw refuse(`the status ${taskStatus[asked]} needs a reason, found none`, 'Task.statusReason');
  }
  if (asked === 'on-hold' && (holdEndMs(task) ?? nowMs) <= nowMs) {
    const text = 'the status on-hold needs its end, an instant in the future, found none';
    throw refuse(text, 'Task.restriction.period.end');
  }
}

function refuseMove(from: BreakState, asked: string): Problem {
  const allowed = personMoves[from].map((state) => taskStatus[state]);
  const list = allowed.length === 0 ? 'none' : allowed.join(', ');
  return refuse(`the break is ${from}; the status ${asked} cannot follow, allowed: ${list}`, 'Task.status');
}

function refuse(text: string, expression: string): Problem {
  const issue: Issue = { severity: 'error', code: 'business-rule', text, expression };
  return new Problem('unprocessable', text, { issues: [issue] });
}
