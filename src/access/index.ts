export {
  type BreakGlass,
  type Caller,
  callerKey,
  type CallerKind,
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
