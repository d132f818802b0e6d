export { type AnswerInput, answerBreaks, answerExplain } from './answers.ts';
export {
  type Backtest,
  backtestLimits,
  backtestPatient,
  backtestReport,
  emptyTally,
  type Tally,
} from './backtest.ts';
export { createEngine, type EngineParts } from './create-engine.ts';
export { createFollower, createJudgeWork } from './engine.ts';
export { type EngineInput, engineLimits, type EngineMetrics } from './engine-input.ts';
export { createIsolation, type Isolation } from './isolation.ts';
export { countJudgmentsOf } from './breaks.sql.ts';
export {
  createExamine,
  type Examination,
  type Examine,
  examineRuleSet,
  fixtureAnswer,
  type FixtureSetting,
  textOfRules,
} from './fixtures.ts';
export { checkRuleCodes, checkRuleSet, type GuardedWrite } from './guards.ts';
export type { Select } from './judge-patient.ts';
export { checkOverride } from './overrides.ts';
export { createRuleBooks, type RuleBook } from './rule-book.ts';
export { createOwnCheck, installShipped, readShipped } from './shipped.ts';
export { applyVersion, noteReplaced, type Trial, tryVersion } from './versions.ts';
export { countPatients, listPatients } from './versions.sql.ts';
export { createQueryCheck, createSelect } from './select.ts';
export { checkBreakStays, checkTaskMove } from './task-guard.ts';
export { createDigestWork } from './digest.ts';
export { checkSilence, type QuietHours } from './quiet.ts';
export { createPlaces, type Places } from './sites.ts';
