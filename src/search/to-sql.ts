/**
 * Tree -> one SQL statement for a page, and one for an exact count.
 *
 * A page is found by its key, the sort values and the rid of the last resource of the page before: never by an offset, so
 * page 50 costs what page 1 costs, and what others write meanwhile neither repeats nor hides a resource that stays.
 * The statement yields one row more than the page holds when there is a next page.
 */
import { hash } from 'node:crypto';
import { Problem } from '../base/index.ts';
import type { Condition } from './condition.ts';
import { requireFewTexts } from './content.ts';
import type { SearchContext } from './context.ts';
import { pageOfChain } from './chain-page.ts';
import { pageOfIdentity } from './identity-page.ts';
import type { Page, PageScope, Position } from './page.ts';
import { pageOfOrd, pageOfRows, pageOfUpdates } from './pages.ts';
import { requireFewSorted } from './sort-json.ts';
import { bestDriver, chooseOrder, nameOrder, type Order, probesBeside } from './plan.ts';
import { rewrite } from './rewrite.ts';
import { driverRows, matching, SqlBuilder, type Visible } from './sql.ts';
import type { Search } from './tree.ts';
import { pageOfValues } from './values-page.ts';

export interface SearchStatement {
  /** The same for all statements with this text: they can be prepared under it. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface PageStatement extends SearchStatement {
  /** The key of the page that follows this row. */
  positionOf(row: PageRow): Position;
}

/** `s0`, `s1`, ... are the sort values. */
export interface PageRow {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly last_updated: Date;
  readonly raw: string;
  readonly rid: string;
  readonly [sortValue: `s${number}`]: string | number | null;
}

export interface PageRequest {
  readonly visible: Visible;
  readonly count: number;
  readonly after?: Position | undefined;
}

export function toSql(context: SearchContext, search: Search, { visible, count, after }: PageRequest): PageStatement {
  const conditions = rewrite(context, search.criteria);
  requireFewTexts(conditions);
  requireFewSorted(conditions, search.result.sorts);
  const order = chooseOrder(context, conditions, search.result.sorts);
  if (after !== undefined && after.order !== nameOrder(order)) {
    throw new Problem('incorrect', 'parameter _cursor: the page link is too old: start again from the first page');
  }
  const sql = new SqlBuilder(visible, 'each');
  const scope: PageScope = { sql, types: search.types, conditions, limit: sql.bind(count + 1, 'integer'), after };
  const page = pageOf(context, order, scope);
  const columns = page.columns.map((column) => `, page.${column}`).join('');
  const text = `with ${page.with}
select r.type, r.id, r.version, r.last_updated, r.raw, page.rid${columns}
from page join resource r on r.rid = page.rid and r.shard = page.shard
order by ${page.orderBy} limit ${scope.limit}`;
  return {
    ...nameStatement(text, sql),
    positionOf: (row) => ({
      order: nameOrder(order),
      values: page.columns.map((column) => sortValue(row[column as `s${number}`])),
      rid: String(row.rid),
      type: row.type,
      id: row.id,
    }),
  };
}

function sortValue(value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function pageOf(context: SearchContext, order: Order, scope: PageScope): Page {
  switch (order.kind) {
    case 'ord':
      return pageOfOrd(order.driver, scope);
    case 'chain':
      return pageOfChain(order.driver, scope);
    case 'rows':
      return pageOfRows(order, scope);
    case 'identity':
      return pageOfIdentity(order.isDescending, scope);
    case 'updated':
      return pageOfUpdates(order.isDescending, scope);
    case 'values':
      return pageOfValues(context, order, scope);
  }
}

/** Answers one row with `count`: how many resources match, exactly. */
export function toCountSql(context: SearchContext, search: Search, visible: Visible): SearchStatement {
  const conditions = rewrite(context, search.criteria);
  requireFewTexts(conditions);
  const sql = new SqlBuilder(visible, 'joined');
  return nameStatement(countByIndex(sql, conditions) ?? countRows(sql, search.types, conditions), sql);
}

/** One condition and nothing hidden: the index alone knows the number. Deleted resources have no index rows. */
function countByIndex(sql: SqlBuilder, conditions: readonly Condition[]): string | undefined {
  const driver = bestDriver(conditions);
  if (driver === undefined || probesBeside(conditions, driver).length > 0 || !sql.seesAll()) return undefined;
  const [key, ...others] = driver.kind === 'keys' ? (driver.drivers ?? []) : [];
  return key !== undefined && others.length === 0
    ? `select count(*) as count from token_index d where d.k = ${sql.bind(key, 'bigint')}`
    : `select count(*) as count from (${driverRows(sql, driver)}) d`;
}

function countRows(sql: SqlBuilder, types: readonly string[], conditions: readonly Condition[]): string {
  const { from, where } = matching(sql, { types, conditions }, 'r');
  return `select count(*) as count from ${from} where ${where.join(' and ')}`;
}

function nameStatement(text: string, { values }: SqlBuilder): SearchStatement {
  return { name: `search-${hash('sha256', text).slice(0, 24)}`, text, values };
}
