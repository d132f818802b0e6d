/** Search parameters as a condition on one row of `resource`: the constraint of a scope. */
import { Problem } from '../base/index.ts';
import type { KeysCondition } from './condition.ts';
import type { SearchContext } from './context.ts';
import { parseSearch } from './parse.ts';
import { rewrite } from './rewrite.ts';
import type { Visible } from './sql.ts';

/** Undefined where a parameter is unknown, or asks more than the keys of the resource itself tell (dates, texts, other resources). */
export function rowCondition(
  context: SearchContext,
  type: string,
  parameters: readonly (readonly [string, string])[],
): Visible | undefined {
  // Of every type: what every type has can be read as of any.
  const keys = keysOf(context, type === '*' ? 'Patient' : type, parameters);
  if (keys === undefined || keys.length === 0) return undefined;
  return (alias, bind) => keys.map((one) => `${alias}.keys && ${bind(one.keys.map(String))}::bigint[]`).join(' and ');
}

function keysOf(
  context: SearchContext,
  type: string,
  parameters: readonly (readonly [string, string])[],
): readonly KeysCondition[] | undefined {
  try {
    const conditions = rewrite(context, parseSearch(context, type, parameters, { now: 0 }).criteria);
    const keys = conditions.filter((one): one is KeysCondition => one.kind === 'keys' && one.match === 'any');
    return keys.length === conditions.length ? keys : undefined;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}
