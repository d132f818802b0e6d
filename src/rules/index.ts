export {
  afterMs,
  beforeMs,
  type Calendar,
  createPlace,
  type Delay,
  dueAtMs,
  isWorkingDay,
  type Place,
  readDelay,
} from './calendar.ts';
export { breakRuleSystem } from './code-systems.ts';
export type { Timing } from './deadline.ts';
export type { EvaluationError, Facts, TraceEntry } from './evaluation.ts';
export type { Case, Evidence } from './evidence.ts';
export { type HolidayRegion, regionOfZone } from './holidays.ts';
export { type Beginning, beginJudgment, type InputQuery, inputQueries } from './input-queries.ts';
export {
  type EndReason,
  type Judgment,
  type JudgmentReason,
  type JudgmentResult,
  type JudgmentState,
  judge,
  type NoJudgment,
} from './judge.ts';
export { elementKeys, elementOf, focusKeyOf } from './elements.ts';
export { type Fixture, type FixtureReading, type FixtureState, readFixtures } from './read-fixtures.ts';
export { canonicalOf, isRuleSet, readRuleSet, type RuleSetReading } from './read-rule-set.ts';
export {
  findOverrideFaults,
  isOverride,
  type Override,
  parametersAt,
  readOverride,
  type SetDelay,
} from './overrides.ts';
export type { RuleSetting } from './reading.ts';
export { type Circle, nationalNumbers, type Recipient, resolveGp, resolveRecipients } from './recipients.ts';
export type {
  Deadline,
  EscalationStep,
  Priority,
  Role,
  Rule,
  RuleInput,
  RuleSet,
  Severity,
  Text,
  Window,
} from './rule.ts';
export { mayStartOn, startsOn } from './starts.ts';
