/**
 * Keys of which a resource must have one to match a search: what lets thousands of standing searches be found from one resource
 * by look-ups, instead of asking each. The condition that leaves fewest is chosen, by the ranks that SQL starts from.
 */
import type { SearchContext } from './context.ts';
import { rewrite } from './rewrite.ts';
import type { Search } from './tree.ts';

/** Of `IndexValues.tokens`; empty when nothing can match, undefined when the search has no such condition. */
export function necessaryKeys(context: SearchContext, search: Search): readonly bigint[] | undefined {
  const conditions = rewrite(context, search.criteria);
  if (conditions.some(({ kind }) => kind === 'nothing')) return [];
  const [best] = conditions
    .flatMap((condition) => (condition.kind === 'keys' && condition.match === 'any' ? [condition] : []))
    .sort((a, b) => a.rank - b.rank || a.keys.length - b.keys.length);
  return best?.keys;
}
