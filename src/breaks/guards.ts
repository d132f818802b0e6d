/**
 * What a write must respect so that breaks stay true: a rule set is checked before it counts, and a person moves a break
 * only where the state machine allows it.
 */
import { type Issue, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { isRuleSet, readRuleSet, type RuleSet, type RuleSetting } from '../rules/index.ts';
import { type BreakState, breakStates, personMoves, stateOfTask, taskStatus } from './machine.ts';
import { businessStatus, isBreakTask } from './resources.ts';
import type { RuleBook } from './rule-book.ts';

export interface GuardedWrite {
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
}

/**
 * Refuses a rule set with every fault named; a draft that is no shadow, or a retired one, may be unfinished. Answers the
 * rule set that is to be judged.
 */
export function checkRuleSet({ after }: GuardedWrite, setting: RuleSetting): RuleSet | undefined {
  if (after === undefined || !isRuleSet(after)) return undefined;
  const isJudged = after['status'] === 'active' || (after['status'] === 'draft' && after['experimental'] === true);
  if (!isJudged) return undefined;
  const reading = readRuleSet(after, setting);
  if (reading.kind === 'faults')
    throw new Problem('unprocessable', 'the rule set has faults', { issues: reading.issues });
  return reading.ruleSet;
}

/** Refuses a rule that another rule set in force has already: a site changes a rule by putting that rule set anew. */
export function checkRuleCodes({ after }: GuardedWrite, { rules }: RuleSet, book: RuleBook): void {
  const own = `PlanDefinition/${after?.id}`;
  const issues = rules.flatMap(({ code }, index): Issue[] => {
    const holder = book.holder(code);
    if (holder === undefined || holder === own) return [];
    const text = `the rule ${code} stands in ${holder} already: change it there, retire that one, or give this one another code`;
    return [{ severity: 'error', code: 'duplicate', text, expression: `PlanDefinition.action[${index}].code` }];
  });
  if (issues.length > 0) throw new Problem('unprocessable', 'the rule set has rules of another one', { issues });
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
