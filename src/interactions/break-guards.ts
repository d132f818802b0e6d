/** What the engine asks of writes: rule sets, Tasks of breaks, silences, parameters of rules, breaks themselves. */
import {
  checkBreakStays,
  checkOverride,
  checkRuleCodes,
  checkRuleSet,
  checkSilence,
  checkTaskMove,
  type EngineInput,
  noteReplaced,
} from '../breaks/index.ts';
import type { WriteGuard } from './context.ts';

export function breakGuards({ ruleBook, clock, places, examine }: EngineInput): readonly WriteGuard[] {
  return [
    {
      types: ['PlanDefinition'],
      async check(session, write) {
        const ruleSet = await checkRuleSet(write, examine);
        if (ruleSet !== undefined) checkRuleCodes(write, ruleSet, await ruleBook(session));
        await noteReplaced(session, write);
        return undefined;
      },
    },
    {
      types: ['Task'],
      check: (session, write) => checkTaskMove(write, { session, ruleBook, nowMs: clock.now() }),
    },
    {
      types: ['Basic'],
      async check(session, write) {
        checkSilence(write, places.usual);
        checkOverride(write, await ruleBook(session));
        return undefined;
      },
    },
    {
      types: ['DetectedIssue'],
      check(_session, write) {
        checkBreakStays(write);
        return Promise.resolve(undefined);
      },
    },
  ];
}
