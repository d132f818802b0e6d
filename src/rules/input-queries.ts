/** What a rule needs to know beside its focus, as searches; and what was worked out on the way, for the judgment. */
import { formatInstant } from '../base/index.ts';
import { readTiming, type Timing } from './deadline.ts';
import { type EvaluationError, type EvaluationRun, type Facts, isError, startRun } from './evaluation.ts';
import type { Rule } from './rule.ts';
import { fillTemplates } from './templates.ts';

export interface InputQuery {
  /** The variable that gets the result. */
  readonly name: string;
  readonly type: string;
  /** Without the type: `patient=p1&status=active`. */
  readonly query: string;
}

/** A rule on a focus, as far as it can be told without inputs. */
export interface Beginning {
  readonly run: EvaluationRun;
  readonly starts: boolean | EvaluationError;
  /** Undefined where the rule does not start, and where the anchor is read from inputs. */
  readonly timing: Timing | EvaluationError | undefined;
}

export function beginJudgment(rule: Rule, facts: Facts): Beginning {
  const run = startRun(rule, facts);
  const starts = run.condition('starts', rule.starts);
  const isTimed = starts === true && !rule.anchorReadsInputs;
  return { run, starts, timing: isTimed ? readTiming(rule, facts, run) : undefined };
}

/**
 * Empty when the rule does not start on the focus or its anchor cannot be read: `judge` then answers `none` or the
 * error without reading any input.
 */
export function inputQueries(
  rule: Rule,
  facts: Facts,
  { starts, timing } = beginJudgment(rule, facts),
): readonly InputQuery[] {
  if (starts !== true || isError(timing)) return [];
  const values = {
    'focus.id': facts.focus.id ?? '',
    'patient.id': facts.patient?.id ?? '',
    ...(timing === undefined ? {} : { anchor: formatInstant(timing.anchorMs) }),
    ...(timing?.dueAtMs === undefined ? {} : { due: formatInstant(timing.dueAtMs) }),
  };
  return rule.inputs.map(({ name, type, query }) => ({ name, type, query: fillTemplates(query, values) }));
}
