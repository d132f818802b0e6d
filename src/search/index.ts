export { createSearchContext, type SearchContext, type SearchSettings } from './context.ts';
export { cursorBinding, decodeCursor, encodeCursor, formatQuery } from './cursor.ts';
export { canonicalIdentifier, canonicalSystem } from './identifier-systems.ts';
export { type IncludeRequest, toIncludeSql } from './include.ts';
export { compartmentKeys, createIndexer, type Indexer, unsupportedParameters } from './indexer.ts';
export { rowCondition } from './row-condition.ts';
export type { Position } from './page.ts';
export { necessaryKeys } from './necessary-keys.ts';
export { parseSearch, type SearchOptions } from './parse.ts';
export { includeNames } from './parse-result.ts';
export { createPredicate, type Predicate } from './predicate.ts';
export type { Visible } from './sql.ts';
export { definedTerminology, type Terminology } from './terminology.ts';
export {
  type PageRequest,
  type PageRow,
  type PageStatement,
  type SearchStatement,
  toCountSql,
  toSql,
} from './to-sql.ts';
export type { Criterion, Include, Search, SearchResult, Sort } from './tree.ts';
export { type IndexValues, noOrd } from './values.ts';
export { type CustomDefinition, readCustomParameter, typesOfBase } from './custom.ts';
export type { CustomParameter } from './parameters.ts';
