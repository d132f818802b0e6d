/** Whether a rule starts on a focus as it is, or was: needed to find since when it has. */
import { type Facts, startRun } from './evaluation.ts';
import type { Rule } from './rule.ts';

/** False also where it cannot be decided. */
export function startsOn(rule: Rule, facts: Facts): boolean {
  return startRun(rule, facts).condition('starts', rule.starts) === true;
}
