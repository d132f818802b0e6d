/** What a rule needs to know beside its focus, as searches. */
import { formatInstant } from '../base/index.ts';
import { readTiming } from './deadline.ts';
import { type Facts, isError, startRun } from './evaluation.ts';
import type { Rule } from './rule.ts';
import { fillTemplates } from './templates.ts';

export interface InputQuery {
  /** The variable that gets the result. */
  readonly name: string;
  readonly type: string;
  /** Without the type: `patient=p1&status=active`. */
  readonly query: string;
}

/**
 * Empty when the rule does not start on the focus or its anchor cannot be read: `judge` then answers `none` or the
 * error without reading any input.
 */
export function inputQueries(rule: Rule, facts: Facts): readonly InputQuery[] {
  const run = startRun(rule, facts);
  if (run.condition('starts', rule.starts) !== true) return [];
  const timing = rule.anchorReadsInputs ? undefined : readTiming(rule, facts, run);
  if (isError(timing)) return [];
  const values = {
    'focus.id': facts.focus.id ?? '',
    'patient.id': facts.patient?.id ?? '',
    ...(timing === undefined ? {} : { anchor: formatInstant(timing.anchorMs) }),
    ...(timing?.dueAtMs === undefined ? {} : { due: formatInstant(timing.dueAtMs) }),
  };
  return rule.inputs.map(({ name, type, query }) => ({ name, type, query: fillTemplates(query, values) }));
}
