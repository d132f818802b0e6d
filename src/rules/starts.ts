/** Whether a rule starts on a focus as it is, or was: needed to find since when it has. */
import { codeSystemVariables } from './code-systems.ts';
import { type Facts, startRun } from './evaluation.ts';
import type { Rule } from './rule.ts';

/** False also where it cannot be decided. */
export function startsOn(rule: Rule, facts: Facts): boolean {
  return startRun(rule, facts).condition('starts', rule.starts) === true;
}

/**
 * Whether the rule may start on a resource, told from the resource alone: true also where more would have to be known (other
 * variables, parts of the focus) and where it cannot be decided.
 */
export function mayStartOn(rule: Rule, focus: Facts['focus'], when: Pick<Facts, 'nowMs' | 'place'>): boolean {
  const isOnItsOwn = [...rule.starts.uses].every(
    (name) => name === 'focus' || Object.hasOwn(codeSystemVariables, name),
  );
  if (!isOnItsOwn || rule.each !== undefined) return true;
  const run = startRun(rule, { ...when, focus, patient: undefined, team: [], gp: [] });
  return run.condition('starts', rule.starts) !== false;
}
