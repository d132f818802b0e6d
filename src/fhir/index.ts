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
export { jsonLimits, parseJson, serializeJson } from './json.ts';
export { memberTypeName, rewriteLinks } from './links.ts';
export { toOperationOutcome } from './outcome.ts';
export type { Resource } from './resource.ts';
export { beginningOfTime, createDateReader, type DateRange, type DateReader, endOfTime } from './dates.ts';
export { createReferenceReader, type ParsedReference, type ReferenceReader } from './reference.ts';
