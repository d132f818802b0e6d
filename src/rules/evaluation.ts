/** One pass of a rule's expressions over one record: binds the variables, reads dates, keeps the trace. */
import {
  formatLocal,
  type Expression,
  evaluateBoolean,
  readTimeSpan,
  type Resource,
  type TimeSpan,
  tryEvaluate,
} from '../fhir/index.ts';
import { daysOf, type Delay, type Place } from './calendar.ts';
import { elementOf } from './elements.ts';
import type { SetDelay } from './overrides.ts';
import type { Rule, Window } from './rule.ts';

/** What a rule may read before its inputs are known. */
export interface Facts {
  readonly focus: Resource;
  /** Of a rule with `each`: which part of the focus is judged (`elementKeys`). */
  readonly elementKey?: string | undefined;
  readonly patient: Resource | undefined;
  /** The active care plan that matters to the focus. */
  readonly plan?: Resource | undefined;
  /** Active care teams of the patient. */
  readonly team: readonly Resource[];
  /** References that stand for the patient's GP (`resolveGp`). */
  readonly gp: readonly string[];
  /** `lastUpdated` of the first version of the present unbroken run in which `starts` held. */
  readonly since?: string | undefined;
  readonly nowMs: number;
  /** `nowMs` as text in the place, where somebody has it at hand: it is costly to make. */
  readonly now?: string | undefined;
  readonly place: Place;
  /** Delays that plan, pathway, site or territory set, by parameter name. */
  readonly parameters?: Readonly<Record<string, Delay & Partial<SetDelay>>> | undefined;
}

export interface TraceEntry {
  /** Name of the part: `starts`, `met`, `anchor`, ... */
  readonly name: string;
  readonly expression: string;
  readonly value: readonly unknown[];
}

export interface EvaluationError {
  readonly kind: 'error';
  /** Name of the part that failed. */
  readonly expression: string;
  /** Free of patient data. */
  readonly message: string;
  readonly trace: readonly TraceEntry[];
}

/** A date that an expression yielded. */
export interface DatedItem extends TimeSpan {
  /** As written. */
  readonly text: string;
  /** The resource it was read from. */
  readonly origin: Resource | undefined;
}

export interface EvaluationRun {
  readonly trace: TraceEntry[];
  /** Binds more variables for what follows. */
  bind(variables: Readonly<Record<string, unknown>>): void;
  condition(name: string, expression: Expression): boolean | EvaluationError;
  /** Dates of day precision or finer; a coarser one is an error. */
  dates(name: string, expression: Expression): readonly DatedItem[] | EvaluationError;
  error(name: string, message: string): EvaluationError;
}

export function startRun(rule: Rule, facts: Facts): EvaluationRun {
  const { focus, nowMs, place } = facts;
  const moment = { nowMs, dates: place.dates };
  const trace: TraceEntry[] = [];
  const variables = surroundings(rule, facts);
  const error = (name: string, message: string): EvaluationError => ({
    kind: 'error',
    expression: name,
    message,
    trace,
  });
  return {
    trace,
    error,
    bind: (more) => void Object.assign(variables, more),
    condition(name, expression) {
      const value = evaluateBoolean(expression, focus, variables, moment);
      trace.push({ name, expression: expression.text, value: typeof value === 'boolean' ? [value] : [] });
      return typeof value === 'boolean' ? value : error(name, value.error);
    },
    dates(name, expression) {
      const result = tryEvaluate(expression, focus, variables, moment);
      if (result.kind === 'error') return error(name, result.text);
      trace.push({ name, expression: expression.text, value: result.items.map((item) => item.value) });
      const dates: DatedItem[] = [];
      for (const { value, origin } of result.items) {
        const span = typeof value === 'string' ? readTimeSpan(value, place.dates) : undefined;
        if (span === undefined) return error(name, 'a date does not exist');
        if (span.precision === 'month' || span.precision === 'year')
          return error(name, 'a date is known to the month only');
        dates.push({ ...span, text: value as string, origin });
      }
      return dates;
    },
  };
}

/** The text of the present is costly to make: only for rules that read it. */
function surroundings(rule: Rule, facts: Facts): Record<string, unknown> {
  const { focus, patient, plan, team, gp, since } = facts;
  const now = rule.uses.has('now') ? (facts.now ?? formatLocal(facts.nowMs, facts.place.dates)) : undefined;
  const element = rule.each === undefined ? undefined : elementOf(rule, facts);
  const window = rule.window === undefined ? undefined : windowOf(rule.window, facts);
  return { focus, element, window, patient, plan, team, gp, since, now, anchor: undefined, due: undefined };
}

/** A site may set another window, in days or weeks. */
function windowOf({ days, parameter }: Window, { parameters }: Facts): number {
  const set =
    parameter !== undefined && Object.hasOwn(parameters ?? {}, parameter) ? parameters?.[parameter] : undefined;
  return (set && daysOf(set)) ?? days;
}

export function isError(value: unknown): value is EvaluationError {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'error';
}
