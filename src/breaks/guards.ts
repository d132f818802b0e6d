/**
 * What a write must respect so that breaks stay true: a rule set is checked before it counts, and a person moves a break
 * only where the state machine allows it.
 */
import { type Issue, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { isRuleSet, readRuleSet, type RuleSetting } from '../rules/index.ts';
import { type BreakState, breakStates, personMoves, stateOfTask, taskStatus } from './machine.ts';
import { businessStatus, isBreakTask } from './resources.ts';

export interface GuardedWrite {
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
}

/** Refuses a rule set with every fault named; a draft that is no shadow, or a retired one, may be unfinished. */
export function checkRuleSet({ after }: GuardedWrite, setting: RuleSetting): void {
  if (after === undefined || !isRuleSet(after)) return;
  const isJudged = after['status'] === 'active' || (after['status'] === 'draft' && after['experimental'] === true);
  if (!isJudged) return;
  const reading = readRuleSet(after, setting);
  if (reading.kind === 'faults')
    throw new Problem('unprocessable', 'the rule set has faults', { issues: reading.issues });
}

/**
 * A Task of a break as it shall be stored: its businessStatus follows its status. Throws `unprocessable` for a move that
 * the machine does not have, and names those it has.
 */
export function checkTaskMove({ before, after }: GuardedWrite): Resource | undefined {
  if (before === undefined || after === undefined || !isBreakTask(before)) return undefined;
  const from = stateOf(before);
  const asked = stateOfTask(String(after['status']));
  if (from === undefined || !isBreakTask(after)) return undefined;
  if (String(before['status']) === String(after['status']))
    return { ...after, businessStatus: before['businessStatus'] };
  const isMove = asked !== undefined && (asked === from || personMoves[from].includes(asked));
  if (!isMove) throw refuseMove(from, String(after['status']));
  return { ...after, businessStatus: businessStatus(asked) };
}

function stateOf(task: Resource): BreakState | undefined {
  const status = task['businessStatus'] as { coding?: readonly { code?: string }[] } | undefined;
  const code = status?.coding?.[0]?.code;
  return breakStates.find((state) => state === code);
}

function refuseMove(from: BreakState, asked: string): Problem {
  const allowed = personMoves[from].map((state) => taskStatus[state]);
  const list = allowed.length === 0 ? 'none' : allowed.join(', ');
  const text = `the break is ${from}; the status ${asked} cannot follow, allowed: ${list}`;
  const issue: Issue = { severity: 'error', code: 'business-rule', text, expression: 'Task.status' };
  return new Problem('unprocessable', text, { issues: [issue] });
}
