/** What a write must respect so that breaks stay true: a rule set is checked before it counts (see also task-guard.ts). */
import { type Issue, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { isRuleSet, type RuleSet } from '../rules/index.ts';
import type { Examine } from './fixtures.ts';
import type { RuleBook } from './rule-book.ts';

export interface GuardedWrite {
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
}

/**
 * Refuses a rule set with every fault named, also those that its own fixtures find; a draft that is no shadow, or a
 * retired one, may be unfinished. Answers the rule set that is to be judged.
 */
export async function checkRuleSet({ after }: GuardedWrite, examine: Examine): Promise<RuleSet | undefined> {
  if (after === undefined || !isRuleSet(after)) return undefined;
  const isJudged = after['status'] === 'active' || (after['status'] === 'draft' && after['experimental'] === true);
  if (!isJudged) return undefined;
  const { ruleSet, issues } = await examine(after);
  if (ruleSet === undefined || issues.length > 0)
    throw new Problem('unprocessable', 'the rule set has faults', { issues });
  return ruleSet;
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
