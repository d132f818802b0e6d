/** Which rules went over their limits again and again: they are suspended for a while, so that they cost no more threads. */
import { type Log, overrunLimits } from '../base/index.ts';
import type { Rule, RuleSet } from '../rules/index.ts';

export interface Overruns {
  passed(ruleSet: RuleSet, rule: Rule): void;
  failed(ruleSet: RuleSet, rule: Rule): void;
  /** Why it is not judged now; undefined where it is. */
  suspension(ruleSet: RuleSet, rule: Rule): string | undefined;
}

interface Count {
  inSequence: number;
  untilMs: number | undefined;
}

/** Of this instance, in real time: how long a rule may cost threads has nothing to do with the clock of the record. */
export function createOverruns(log: Log, now: () => number = () => performance.now()): Overruns {
  const counts = new Map<string, Count>();
  const keyOf = ({ canonical }: RuleSet, { code, focusType }: Rule): string => `${canonical} ${code} ${focusType}`;
  return {
    passed: (ruleSet, rule) => void counts.delete(keyOf(ruleSet, rule)),
    failed(ruleSet, rule) {
      const key = keyOf(ruleSet, rule);
      const count = counts.get(key) ?? { inSequence: 0, untilMs: undefined };
      counts.set(key, count);
      count.inSequence++;
      if (count.inSequence < overrunLimits.inSequenceMax) return;
      count.untilMs = now() + overrunLimits.suspendedMs;
      log.error(
        { component: 'rules', rule: rule.code, reason: 'limits' },
        'a rule is suspended: it goes over its limits',
      );
    },
    suspension(ruleSet, rule) {
      const count = counts.get(keyOf(ruleSet, rule));
      if (count?.untilMs === undefined) return undefined;
      if (now() < count.untilMs) return 'the rule is suspended: it went over its limits';
      count.untilMs = undefined;
      return undefined;
    },
  };
}
