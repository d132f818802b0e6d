/**
 * Whether each deadline that passed unanswered made exactly one break, none of them early, and whether those that were answered or
 * called off in time made none that stands (I8 of ../shared/reference/security-reliability.md 4.5).
 */
import { groupBy } from './group.ts';

export interface Deadline {
  /** Id of the focus. */
  readonly id: string;
  readonly dueMs: number;
  /** What is known to be so: an answer by its own date, or the focus called off; `unknown` where the write's answer was lost. */
  readonly fate: 'unanswered' | 'answered' | 'called-off' | 'unknown';
}

export interface Break {
  readonly focus: string;
  readonly state: string;
  /** When it was found. */
  readonly identifiedMs: number;
}

const standing: ReadonlySet<string> = new Set(['open', 'acknowledged', 'in-progress', 'on-hold']);

/** What is wrong, a line each; asked when all has come to rest, at `nowMs`. */
export function checkDeadlines(
  deadlines: readonly Deadline[],
  breaks: readonly Break[],
  { nowMs, toleranceMs }: { readonly nowMs: number; readonly toleranceMs: number },
): readonly string[] {
  const byFocus = groupBy(breaks, ({ focus }) => focus);
  const known = new Set(deadlines.map(({ id }) => id));
  const strangers = [...byFocus.keys()].filter((focus) => !known.has(focus)).map((focus) => `${focus} is no focus`);
  const found = deadlines.flatMap(({ id, dueMs, fate }) => {
    const own = byFocus.get(id) ?? [];
    if (own.length > 1) return [`${id} has ${own.length} breaks`];
    const [one] = own;
    if (one !== undefined && one.identifiedMs < dueMs - toleranceMs)
      return [`${id} was found broken ${dueMs - one.identifiedMs} ms early`];
    const isStanding = one !== undefined && standing.has(one.state);
    if (fate === 'unanswered' && dueMs <= nowMs && !isStanding) return [`${id} is due and has no break that stands`];
    if ((fate === 'answered' || fate === 'called-off') && isStanding) return [`${id} is ${fate} and its break stands`];
    return [];
  });
  return [...found, ...strangers];
}
