/**
 * The judgments of one patient's record. The rules that Suture ships are judged here: their expressions are known, and
 * every evaluation has a budget of steps. Rules that somebody else wrote are judged in a thread of its own, with a deadline
 * and a limit of memory (isolation.ts, decision 0025); what they answer is put together here.
 */
import type { Resource } from '../fhir/index.ts';
import { elementKeys, focusKeyOf, type Rule, type RuleSet } from '../rules/index.ts';
import type { Session } from '../store/index.ts';
import type { Isolation } from './isolation.ts';
import {
  concludeJudgments,
  type Judged,
  type JudgeInput,
  judgeRules,
  type KnownJudgment,
  restoreJudgments,
  type Select,
} from './judge-patient.ts';
import type { PatientRecord } from './record.ts';
import type { RuleBook } from './rule-book.ts';
import { findSince } from './since.ts';
import type { Places } from './sites.ts';

export interface JudgeSetting {
  readonly select: Select;
  readonly places: Places;
  /** Undefined: all rules are judged here (in the thread itself; for rules that are on trial by their own author). */
  readonly isolation?: Isolation;
}

export interface JudgeRecord {
  readonly record: PatientRecord;
  readonly book: Pick<RuleBook, 'ruleSets' | 'former' | 'overrides' | 'outside' | 'texts'>;
  readonly known: readonly KnownJudgment[];
  readonly nowMs: number;
}

type Histories = Pick<Session, 'history'>;

/** Judges a loaded record; reads the history only where a rule asks since when it holds. */
export async function judgeRecord(
  setting: JudgeSetting,
  session: Histories,
  { record, book, known, nowMs }: JudgeRecord,
): Promise<readonly Judged[]> {
  const { isolation, select, places } = setting;
  const before = new Map(known.map((one) => [`${one.rule} ${one.focus}`, one]));
  const input = {
    ...{ record, select, places, nowMs, ruleSets: book.ruleSets, former: book.former, overrides: book.overrides },
    known: (rule: Rule, focusKey: string) => before.get(`${rule.code} ${focusKey}`),
  };
  const isHere = (ruleSet: RuleSet): boolean => isolation === undefined || !book.outside.has(ruleSet);
  const here = await judgeHere(session, { ...input, isHere });
  const isAll = isolation === undefined || book.outside.size === 0;
  const told = isAll ? [] : await isolation.judge({ record, book, known, nowMs }, session);
  const judged = [...here, ...restoreJudgments(input, told)];
  return concludeJudgments({ ...input, since: () => undefined }, judged);
}

/** Those that `isHere` says, in this thread. */
export async function judgeHere(session: Histories, input: Omit<JudgeInput, 'since'>): Promise<readonly Judged[]> {
  const since = new Map<string, string | undefined>();
  const { record, places, nowMs } = input;
  for (const { rule, ruleSet, focus } of timedFoci(input)) {
    const place = places.of(record, focus);
    for (const elementKey of elementKeys(rule, { focus, nowMs, place })) {
      const focusKey = focusKeyOf(focus, elementKey);
      input.begins?.(rule, ruleSet);
      const known = input.known(rule, focusKey);
      const expectation = { rule, focus, elementKey, place, nowMs, patient: record.patient, known };
      since.set(keyOf(ruleSet, rule, focusKey), await findSince(session, expectation));
    }
  }
  return judgeRules({
    ...input,
    since: (rule, focusKey, ruleSet) => (rule.usesSince ? since.get(keyOf(ruleSet, rule, focusKey)) : undefined),
  });
}

function keyOf({ canonical }: RuleSet, { code }: Rule, focusKey: string): string {
  return `${canonical} ${code} ${focusKey}`;
}

interface Timed {
  readonly rule: Rule;
  readonly ruleSet: RuleSet;
  readonly focus: Resource;
}

/** The foci of rules that ask since when they hold. */
export function timedFoci({
  ruleSets,
  former = [],
  isHere,
  without,
  record: { byType },
}: Pick<JudgeInput, 'ruleSets' | 'former' | 'isHere' | 'without' | 'record'>): readonly Timed[] {
  return [...ruleSets, ...former]
    .filter((ruleSet) => isHere?.(ruleSet) !== false)
    .flatMap((ruleSet) =>
      ruleSet.rules
        .filter((rule) => rule.usesSince && without?.has(rule) !== true)
        .flatMap((rule) => (byType.get(rule.focusType) ?? []).map((focus) => ({ rule, ruleSet, focus }))),
    );
}
