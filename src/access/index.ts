export {
  type BreakGlass,
  type Caller,
  callerKey,
  clientIdPrefix,
  type CallerKind,
  type Credential,
  hasRight,
  mayEverything,
  nobody,
  type Right,
  rights,
  type Role,
  type Subject,
  systemCaller,
} from './caller.ts';
export {
  formatScope,
  grantScopes,
  type Interaction,
  type ParsedScopes,
  parseScope,
  parseScopes,
  type Scope,
  scopeLimits,
} from './scope.ts';
export { createFactReader, type Facts, type FactReader, factTypes, type Identity, noFacts } from './facts.ts';
export type { FactInput, Relation } from './reading.ts';
export { type Access, type AccessInput, createAccess } from './access.ts';
export { type RowKind, type Visible } from './visible.sql.ts';
export { graceDefaultMs, ownPatient } from './policy.ts';
export {
  type Asked,
  forbidden,
  mayOn,
  policyOf,
  requirePermitted,
  requirePolicies,
  type RoutePolicy,
} from './routes.ts';
export { labelsOf, type PlannedWrite, requireWritable } from './writes.ts';
