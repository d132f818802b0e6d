export { signatureAlgorithms } from './access-settings.ts';
export { type Clock, createManualClock, createRealClock, formatInstant, type ManualClock } from './clock.ts';
export { type Config, type Environment, readConfig, settingsTable } from './config.ts';
export { createCountedIds, createRandomIds, type Ids } from './ids.ts';
export { createLifecycle, type Lifecycle, within } from './lifecycle.ts';
export {
  databaseLimits,
  evaluationLimits,
  expressionLimits,
  fhirPathPatchLimits,
  fhirXmlLimits,
  hl7Limits,
  httpLimits,
  interactionLimits,
  isolationLimits,
  jsonLimits,
  jsonPatchLimits,
  limits,
  mailLimits,
  mllpLimits,
  overrunLimits,
  searchLimits,
  stopLimits,
  xmlLimits,
  zipLimits,
} from './limits.ts';
export { bufferOf } from './bytes.ts';
export { type ClientTls, readClientTls } from './client-tls.ts';
export { createLog, type Log, type LogFields, type LogLevel } from './log.ts';
export { type Issue, Problem, type ProblemCategory, problemCategories, type ProblemDetail } from './problem.ts';
