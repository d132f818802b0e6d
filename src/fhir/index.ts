export {
  type BindingStrength,
  type ConstraintDefinition,
  type Definitions,
  type ElementDefinition,
  loadDefinitions,
  type SearchParameterDefinition,
  type SearchParameterType,
  type TypeDefinition,
  type TypeReference,
} from './definitions.ts';
export { parseJson, serializeJson } from './json.ts';
export { prettyJson } from './json-pretty.ts';
export { memberTypeName, rewriteLinks } from './links.ts';
export { toOperationOutcome } from './outcome.ts';
export { isObject, type Members, type Resource } from './resource.ts';
export { beginningOfTime, createDateReader, type DateRange, type DateReader, endOfTime } from './dates.ts';
export { createReferenceReader, type ParsedReference, type ReferenceReader } from './reference.ts';
export {
  type Compilation,
  compileExpression,
  type EvaluatedItem,
  evaluate,
  evaluateBoolean,
  type Evaluation,
  type Expression,
  type ExpressionSetting,
  tryEvaluate,
  type Variables,
} from './fhirpath.ts';
export { type Moment, referenceKey } from './fhirpath-values.ts';
export {
  formatLocal,
  localDay,
  readTimeSpan,
  shiftDay,
  shiftInstant,
  type TimeSpan,
  type TimeUnit,
} from './fhirpath-time.ts';
export { hashSpellings } from './attachment-hash.ts';
export { manyOf, mayBe, oneOf, type Shape } from './fhirpath-types.ts';
export { type FhirXmlLimits, readFhirXml } from './xml/read.ts';
export { writeFhirXml } from './xml/write.ts';
export { applyFhirPathPatch } from './patch/fhirpath-patch.ts';
export { applyJsonPatch } from './patch/json-patch.ts';
export { readElements, selectElements, subsettedTag, summarize, type SummaryMode } from './summary.ts';
export {
  type Canonical,
  compareVersions,
  type ConformanceResource,
  type ConformanceType,
  createLibrary,
  joinLibraries,
  type Library,
  matchesVersion,
  NotAtHand,
  readCanonical,
} from './library.ts';
export {
  createInvariant,
  createSelection,
  type Invariant,
  type InvariantScope,
  type Selection,
} from './fhirpath-invariant.ts';
export { findPatternFault, matchedCharactersMax, shortCostMax, shortTextMax } from './fhirpath-pattern.ts';
export { type CanonicalUnit, createUnitReader, readUnit, ucumSystem, type UnitReader } from './units.ts';
