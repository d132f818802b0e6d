/** Where a criterion is read: the types that it is asked of, and how many references led there. */
import type { SearchContext } from './context.ts';

export interface Scope {
  readonly context: SearchContext;
  readonly types: readonly string[];
  readonly now: number;
  readonly depth: number;
}
