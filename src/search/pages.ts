/**
 * The page of each order (plan.ts): a common table expression `page` with the sort values s0, s1, ..., rid and shard of at
 * most one page, and the order in which its rows are given.
 */
import type { Condition, KeysCondition, RangesCondition, TextsCondition } from './condition.ts';
import { identityKeyset, identityOrder } from './identity-page.ts';
import type { Page, PageScope, Position } from './page.ts';
import { probesBeside, type RowsOrder } from './plan.ts';
import type { Bound, Range } from './range.ts';
import {
  conditionTexts,
  joinResource,
  prefixBounds,
  rangesOf,
  type SqlBuilder,
  textsOf,
  timestampText,
} from './sql.ts';

export type ColumnType = 'bigint' | 'text' | 'double precision';

/** One ordered walk over index rows under one key or several. */
interface Walk {
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly direction: 'asc' | 'desc';
  /** For several keys, `unnest(...) as leg(...)`: each is walked for one page, and the pages are merged. */
  readonly legs: string | undefined;
  /** Conditions on the index row d. */
  readonly rows: readonly string[];
  readonly conditions: readonly Condition[];
}

function walkText(scope: PageScope, walk: Walk): string {
  const { sql, types, limit, after } = scope;
  const { columns, direction } = walk;
  const names = columns.map(({ name }) => `d.${name}`);
  const key = [...names, 'd.rid'];
  const bound = after === undefined ? [] : [keysetText(sql, { key, walk, after })];
  const where = [
    ...walk.rows,
    ...bound,
    ...sql.standing('r', types),
    ...conditionTexts(sql, walk.conditions, 'r', 'd'),
  ];
  const selected = names.map((name, place) => `${name} as s${place}`).join(', ');
  const leg = `select ${selected}, d.rid, d.shard from ${walk.table} d ${joinResource('r', 'd')}
  where ${where.join(' and ')} order by ${key.map((name) => `${name} ${direction}`).join(', ')} limit ${limit}`;
  if (walk.legs === undefined) return leg;
  const merged = [...sortColumns(columns.length), 'rid'];
  return `select distinct ${merged.map((name) => `w.${name}`).join(', ')}, w.shard from ${walk.legs} cross join lateral (
  ${leg}) w order by ${merged.map((name) => `w.${name} ${direction}`).join(', ')} limit ${limit}`;
}

function keysetText(
  sql: SqlBuilder,
  { key, walk, after }: { readonly key: readonly string[]; readonly walk: Walk; readonly after: Position },
): string {
  const bounds = walk.columns.map(({ type }, place) => sql.bind(after.values[place] ?? null, type));
  return `(${key.join(', ')}) ${walk.direction === 'desc' ? '<' : '>'} (${[...bounds, sql.bind(after.rid, 'bigint')].join(', ')})`;
}

export function sortColumns(count: number): readonly string[] {
  return Array.from({ length: count }, (_, place) => `s${place}`);
}

export function pageOfOrd(driver: KeysCondition, scope: PageScope): Page {
  const { sql, conditions } = scope;
  const keys = driver.drivers ?? [];
  const isOne = keys.length === 1;
  const legs = isOne ? undefined : `unnest(${sql.bind(keys, 'bigint[]')}) as leg(k)`;
  const rows = [`d.k = ${isOne ? sql.bind(keys[0], 'bigint') : 'leg.k'}`, ...ordBounds(sql, conditions)];
  const walk: Walk = {
    table: 'token_index',
    columns: [{ name: 'ord', type: 'bigint' }],
    direction: 'desc',
    legs,
    rows,
    conditions: probesBeside(conditions, driver),
  };
  return { with: `page as (${walkText(scope, walk)})`, columns: ['s0'], orderBy: 'page.s0 desc, page.rid desc' };
}

/** date = lt x -> ord < x as well, where ord is the lo of that only date: the walk begins there. */
function ordBounds(sql: SqlBuilder, conditions: readonly Condition[]): readonly string[] {
  return conditions.flatMap((condition) => {
    if (condition.kind !== 'ranges' || !condition.isOrd || !condition.isSingle) return [];
    return startBounds(condition.alternatives.flatMap(({ ranges }) => ranges)).map(
      ({ operator, value }) => `d.ord ${operator} ${sql.bind(value, 'bigint')}`,
    );
  });
}

/** The bounds of lo that all alternatives keep: the part of the index to look at. */
function startBounds(ranges: readonly Range[]): readonly Pick<Bound, 'operator' | 'value'>[] {
  const below = ranges.map((range) => range.filter(({ side, operator }) => side === 'lo' && operator.startsWith('<')));
  const above = ranges.map((range) => range.filter(({ side, operator }) => side === 'lo' && operator.startsWith('>')));
  const most = Math.max(...below.map((bounds) => Math.min(Infinity, ...bounds.map(({ value }) => value))));
  const least = Math.min(...above.map((bounds) => Math.max(-Infinity, ...bounds.map(({ value }) => value))));
  return [
    ...(Number.isFinite(most) ? [{ operator: '<=' as const, value: most }] : []),
    ...(Number.isFinite(least) ? [{ operator: '>=' as const, value: least }] : []),
  ];
}

export function pageOfRows(order: RowsOrder, scope: PageScope): Page {
  const columns = sortColumns(rowColumns[order.table].length);
  const direction = order.isDescending ? 'desc' : 'asc';
  const sorted = [...columns, 'rid'].map((column) => `page.${column} ${direction}`);
  if (!order.hasMissing) {
    return { with: `page as (${walkText(scope, rowsWalk(order, scope))})`, columns, orderBy: sorted.join(', ') };
  }
  const isPast = scope.after !== undefined && scope.after.values[0] === null;
  const first = isPast ? undefined : walkText(scope, rowsWalk(order, scope));
  const missing = missingText(order, scope, { columns, isPast });
  const found = first === undefined ? '' : `found as materialized (${first}), `;
  const together = first === undefined ? missing : `select * from found union all (${missing})`;
  const rid = 'case when page.s0 is null then null else page.rid end';
  return {
    with: `${found}page as (${together})`,
    columns,
    orderBy: `page.s0 is null, ${columns.map((column) => `page.${column} ${direction}`).join(', ')}, ${rid} ${direction}, r.type desc, r.id desc`,
  };
}

function rowsWalk(order: RowsOrder, { sql, conditions }: PageScope): Walk {
  const { table, keys, inside, isDescending } = order;
  const texts = inside?.kind === 'texts' ? inside : undefined;
  const several = isOneLeg(order) ? undefined : severalLegs(sql, keys, texts);
  return {
    table,
    columns: rowColumns[table].map((name) => ({ name, type: rowTypes[table] })),
    direction: isDescending ? 'desc' : 'asc',
    legs: several?.from,
    rows: several === undefined ? oneLegRows(sql, order) : rowTexts(sql, order, several.rows),
    conditions: probesBeside(conditions, inside),
  };
}

/** Conditions on the index row d of a walk under one key. */
export function oneLegRows(sql: SqlBuilder, order: RowsOrder): readonly string[] {
  const { keys, inside } = order;
  const key = `d.k = ${sql.bind(keys[0], 'bigint')}`;
  return rowTexts(sql, order, inside?.kind === 'texts' ? [key, textsOf(sql, inside, 'd')] : [key]);
}

/** `leg`: what finds its rows; the ranges that they are within, and that of one resource only the first comes. */
function rowTexts(sql: SqlBuilder, order: RowsOrder, leg: readonly string[]): readonly string[] {
  const ranges = order.inside?.kind === 'ranges' ? rangeTexts(sql, order.inside, 'd') : [];
  return [...leg, ...ranges, ...(order.isSingle && isOneLeg(order) ? [] : [firstText(sql, order)])];
}

function isOneLeg({ keys, inside }: RowsOrder): boolean {
  return keys.length === 1 && (inside?.kind !== 'texts' || inside.texts.length === 1);
}

const rowColumns = { date_index: ['lo', 'hi'], number_index: ['lo', 'hi'], string_index: ['v'] } as const;
export const rowTypes = { date_index: 'bigint', number_index: 'double precision', string_index: 'text' } as const;

interface Legs {
  readonly from: string;
  readonly rows: readonly string[];
}

function severalLegs(sql: SqlBuilder, keys: readonly bigint[], texts: TextsCondition | undefined): Legs {
  if (texts === undefined) {
    return { from: `unnest(${sql.bind(keys, 'bigint[]')}) as leg(k)`, rows: ['d.k = leg.k'] };
  }
  const bounds = texts.texts.map((text) => (texts.match === 'equals' ? { from: text, to: text } : prefixBounds(text)));
  const pairs = keys.flatMap((key) => bounds.map((bound) => ({ key, ...bound })));
  const bound = [
    sql.bind(
      pairs.map(({ key }) => key),
      'bigint[]',
    ),
    sql.bind(
      pairs.map(({ from }) => from),
      'text[]',
    ),
    sql.bind(
      pairs.map(({ to }) => to),
      'text[]',
    ),
  ];
  const rows = ['d.k = leg.k', 'd.v >= leg.low', 'd.v <= leg.high'];
  return { from: `unnest(${bound.join(', ')}) as leg(k, low, high)`, rows };
}

/** The walk's own condition, with the bounds of lo apart so that the index can use them. */
function rangeTexts(sql: SqlBuilder, { table, alternatives }: RangesCondition, row: string): readonly string[] {
  const ranges = alternatives.flatMap((alternative) => alternative.ranges);
  const type = rowTypes[table];
  // One range has its bounds in itself.
  const starts = ranges.length > 1 ? startBounds(ranges) : [];
  const bounds = starts.map(({ operator, value }) => `${row}.lo ${operator} ${sql.bind(value, type)}`);
  return [...bounds, rangesOf(sql, { table, ranges }, row)];
}

/** A resource with several such rows comes once, at the first of them in the order of the walk. */
function firstText(sql: SqlBuilder, { table, keys, inside, isDescending }: RowsOrder): string {
  const list = (row: string) => `(${rowColumns[table].map((column) => `${row}.${column}`).join(', ')})`;
  const within =
    inside === undefined ? [] : inside.kind === 'texts' ? [textsOf(sql, inside, 'o')] : rangeTexts(sql, inside, 'o');
  const where = [
    'o.rid = d.rid and o.shard = d.shard',
    `o.k = any (${sql.bind(keys, 'bigint[]')})`,
    ...within,
    `${list('o')} ${isDescending ? '>' : '<'} ${list('d')}`,
  ];
  return `not ${sql.exists(`${table} o where ${where.join(' and ')}`)}`;
}

/** Resources without a value to sort by, by identity; looked for only when the others do not fill the page. */
function missingText(
  { table, keys }: RowsOrder,
  scope: PageScope,
  { columns, isPast }: { readonly columns: readonly string[]; readonly isPast: boolean },
): string {
  const { sql, types, conditions, limit, after } = scope;
  const type = rowTypes[table];
  const where = [
    sql.types('r', types),
    `not r.keys && ${sql.bind(keys, 'bigint[]')}`,
    ...(isPast && after !== undefined ? [identityKeyset(sql, types, { after, isDescending: true })] : []),
    ...(isPast ? [] : [`(select count(*) from found) < ${limit}`]),
    ...sql.standing('r', types),
    ...conditionTexts(sql, conditions, 'r'),
  ];
  return `select ${columns.map((column) => `null::${type} as ${column}`).join(', ')}, r.rid, r.shard from resource r
  where ${where.join(' and ')} order by ${identityOrder(types, true)} limit ${limit}`;
}

export function pageOfUpdates(isDescending: boolean, scope: PageScope): Page {
  const { sql, types, conditions, limit, after } = scope;
  const direction = isDescending ? 'desc' : 'asc';
  const bound = after === undefined ? [] : [updatedKeyset(sql, after, isDescending)];
  const where = [sql.types('r', types), ...bound, ...sql.standing('r', types), ...conditionTexts(sql, conditions, 'r')];
  return {
    with: `page as (select ${updatedMs} as s0, r.rid, r.shard from resource r where ${where.join(' and ')}
  order by r.last_updated ${direction}, r.rid ${direction} limit ${limit})`,
    columns: ['s0'],
    orderBy: `page.s0 ${direction}, page.rid ${direction}`,
  };
}

export const updatedMs = '(extract(epoch from r.last_updated) * 1000)::bigint';

function updatedKeyset(sql: SqlBuilder, after: Position, isDescending: boolean): string {
  const moment = sql.bind(timestampText(Number(after.values[0] ?? 0)), 'timestamptz');
  return `(r.last_updated, r.rid) ${isDescending ? '<' : '>'} (${moment}, ${sql.bind(after.rid, 'bigint')})`;
}
