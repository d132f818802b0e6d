/** The page of what refers to resources that meet conditions (`patient.name=...`), newest first. */
import type { ChainCondition } from './condition.ts';
import type { Page, PageScope } from './page.ts';
import { probesBeside } from './plan.ts';
import { chainKeys, conditionTexts, joinResource } from './sql.ts';

/**
 * All rows of all keys, read from the index alone and sorted, before a single resource is fetched; or, where every row is a
 * match, only a page of each key.
 */
export function pageOfChain(driver: ChainCondition, scope: PageScope): Page {
  const { sql, types, conditions, limit, after } = scope;
  const rest = probesBeside(conditions, driver);
  const keys = `array(${chainKeys(sql, driver)})`;
  const bound =
    after === undefined
      ? ''
      : ` and (d.ord, d.rid) < (${sql.bind(after.values[0] ?? null, 'bigint')}, ${sql.bind(after.rid, 'bigint')})`;
  const order = 'order by s0 desc, rid desc';
  const each = `select d.ord as s0, d.rid, d.shard from token_index d where d.k =`;
  const pages = `select distinct w.s0, w.rid, w.shard from unnest(${keys}) as leg(k) cross join lateral (
  ${each} leg.k${bound} order by d.ord desc, d.rid desc limit ${limit}) w ${order} limit ${limit}`;
  const found = (): string => {
    const where = [...sql.standing('r', types), ...conditionTexts(sql, rest, 'r', 'd')];
    return `select d.s0, d.rid, d.shard from (select distinct d.ord as s0, d.rid, d.shard from token_index d
    where d.k = any (${keys})${bound} ${order}) d ${joinResource('r', 'd')} where ${where.join(' and ')}
  order by d.s0 desc, d.rid desc limit ${limit}`;
  };
  return {
    with: `page as (${rest.length === 0 && sql.seesAll() ? pages : found()})`,
    columns: ['s0'],
    orderBy: 'page.s0 desc, page.rid desc',
  };
}
