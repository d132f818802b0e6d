export { type AnswerInput, answerBreaks, answerExplain } from './answers.ts';
export { createFollower, createJudgeWork, type EngineInput, engineLimits, type EngineMetrics } from './engine.ts';
export { type FixtureOutcome, type FixtureSetting, runFixtures } from './fixtures.ts';
export { checkRuleCodes, checkRuleSet, checkTaskMove, type GuardedWrite } from './guards.ts';
export type { Select } from './judge-patient.ts';
export { createRuleBooks, type RuleBook } from './rule-book.ts';
export { installShipped } from './shipped.ts';
export { createQueryCheck, createSelect } from './select.ts';
