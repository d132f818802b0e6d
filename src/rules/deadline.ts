/** The time side of a judgment: from when it counts, until when the thing must be there, when to warn. */
import { formatLocal } from '../fhir/index.ts';
import { beforeMs, canCount, type Delay, dueAtMs } from './calendar.ts';
import { type DatedItem, type EvaluationError, type EvaluationRun, type Facts, isError } from './evaluation.ts';
import type { SetDelay } from './overrides.ts';
import type { Deadline, Rule } from './rule.ts';

export interface Timing {
  /** As written in the record. */
  readonly anchor: string;
  readonly anchorMs: number;
  /** Undefined for a rule without delay: it breaks at once. */
  readonly dueAtMs: number | undefined;
  readonly noticeAtMs: number | undefined;
  /** The delay that was used, after overrides. */
  readonly delay: Delay | undefined;
  /** The version of the resource that set the delay; undefined: the rule itself. */
  readonly setBy?: string | undefined;
}

/** Reads the anchor, and binds `%anchor` and `%due` for the expressions that follow. */
export function readTiming(rule: Rule, facts: Facts, run: EvaluationRun): Timing | EvaluationError {
  const anchor = readAnchor(rule, facts, run);
  if (isError(anchor)) return anchor;
  run.bind({ anchor: anchor.text });
  const at = { anchor: anchor.text, anchorMs: anchor.fromMs };
  if (rule.deadline === undefined) return { ...at, dueAtMs: undefined, noticeAtMs: undefined, delay: undefined };
  const delay = usedDelay(rule.deadline, facts);
  if (!canCount(rule.deadline.calendar, delay.unit)) {
    return run.error('delay', `the calendar ${rule.deadline.calendar} does not count in "${delay.unit}"`);
  }
  const due = dueAtMs(anchor, delay, rule.deadline.calendar, facts.place);
  if (due === undefined) return run.error('anchor', 'the anchor is known to the month only');
  if (rule.uses.has('due')) run.bind({ due: formatLocal(due, facts.place.dates) });
  return {
    ...at,
    dueAtMs: due,
    noticeAtMs: noticeAt(rule.deadline, due, { anchor, facts }),
    delay,
    setBy: delay.source,
  };
}

function readAnchor(rule: Rule, facts: Facts, run: EvaluationRun): DatedItem | EvaluationError {
  if (rule.usesSince && facts.since === undefined)
    return run.error('since', 'it is not known since when the rule starts');
  if (rule.anchor === undefined) {
    const span = facts.place.dates.range(facts.since ?? '');
    if (span === undefined) return run.error('since', 'it is not known since when the rule starts');
    return { precision: 'instant', fromMs: span.lo, toMs: span.lo + 1, text: facts.since ?? '', origin: undefined };
  }
  const dates = run.dates('anchor', rule.anchor);
  if (isError(dates)) return dates;
  const [anchor, ...others] = dates;
  if (anchor === undefined) return run.error('anchor', 'the anchor yields nothing');
  return others.length === 0 ? anchor : run.error('anchor', 'the anchor yields several dates: use min() or max()');
}

function usedDelay({ delay, parameter }: Deadline, { parameters }: Facts): Delay & Partial<SetDelay> {
  const isSet = parameter !== undefined && parameters !== undefined && Object.hasOwn(parameters, parameter);
  return (isSet ? parameters[parameter] : undefined) ?? delay;
}

/** A notice longer than the delay begins with the expectation itself. */
function noticeAt(
  { notice }: Deadline,
  dueMs: number,
  { anchor, facts }: { readonly anchor: DatedItem; readonly facts: Facts },
): number | undefined {
  return notice === undefined ? undefined : Math.max(beforeMs(dueMs, notice, facts.place), anchor.fromMs);
}
