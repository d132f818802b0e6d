/**
 * The page of a search that is sorted by values of its own matches: by several, or by what has no index in its order. Its matches
 * are few by the plan, or the index of the first value leads to those that can stand on the page.
 */
import type { SearchContext } from './context.ts';
import type { Page, PageScope, Position } from './page.ts';
import { type ColumnType, oneLegRows, rowTypes, sortColumns, updatedMs } from './pages.ts';
import { probesBeside, type RowsOrder, sortRows, type ValuesOrder } from './plan.ts';
import { isSortedByJson, jsonPaths } from './sort-json.ts';
import { conditionTexts, joinResource, matching, type SqlBuilder } from './sql.ts';
import type { Sort } from './tree.ts';

interface SortColumn {
  readonly text: string;
  readonly type: ColumnType;
  readonly isDescending: boolean;
}

/** All matches with their sort values, or those that the lead leaves; few enough by the plan, or the price of such a sort. */
export function pageOfValues(context: SearchContext, { sorts, lead }: ValuesOrder, scope: PageScope): Page {
  const { sql, after } = scope;
  const sorted = sorts.map((sort, place) =>
    place === 0 && lead !== undefined ? leadColumn(lead) : sortColumn(context, sql, sort),
  );
  const columns: readonly SortColumn[] =
    sorted.length > 0 ? sorted : [{ text: 'r.ord', type: 'bigint', isDescending: true }];
  const order = (row: string) =>
    [
      ...columns.flatMap(({ isDescending }, place) => [
        `${row}.s${place} is null`,
        `${row}.s${place} ${isDescending ? 'desc' : 'asc'}`,
      ]),
      `${row}.rid desc`,
    ].join(', ');
  const sortedValues: Values = { columns, order, keyset: after && valuesKeyset(sql, columns, after) };
  return {
    with: lead === undefined ? allOf(scope, sortedValues) : ledBy(lead, scope, sortedValues),
    columns: sortColumns(columns.length),
    orderBy: order('page'),
  };
}

interface Values {
  readonly columns: readonly SortColumn[];
  readonly order: (row: string) => string;
  readonly keyset: string | undefined;
}

function selectedOf(columns: readonly SortColumn[]): string {
  return [...columns.map(({ text }, place) => `${text} as s${place}`), 'r.rid', 'r.shard'].join(', ');
}

function allOf({ sql, types, conditions, limit }: PageScope, { columns, order, keyset }: Values): string {
  const { from, where } = matching(sql, { types, conditions }, 'r');
  return `page as (select * from (select ${selectedOf(columns)} from ${from} where ${where.join(' and ')}) m${bounded(keyset)}
  order by ${order('m')} limit ${limit})`;
}

/**
 * The index is in the order of the first value: as many of its rows as fill a page, and those that are level with the last of
 * them, are all that the other values are needed of. Resources without the first value come after, when the page has room.
 */
function ledBy(lead: RowsOrder, scope: PageScope, values: Values): string {
  const { limit, after } = scope;
  const page = (from: string) => `page as (select * from (${from}) m order by ${values.order('m')} limit ${limit})`;
  if (after?.values[0] === null) return page(missingText(lead, scope, values));
  const found = `found as materialized (${foundText(lead, scope, values)})`;
  if (!lead.hasMissing) return `${found}, ${page('select * from found')}`;
  const others = `${missingText(lead, scope, values)} ${values.keyset === undefined ? 'where' : 'and'}`;
  return `${found}, ${page(`select * from found union all ${others} (select count(*) from found) < ${limit}`)}`;
}

function foundText(
  lead: RowsOrder,
  { sql, types, conditions, limit, after }: PageScope,
  { columns, keyset }: Values,
): string {
  const { table, inside, isDescending } = lead;
  const [first] = columns;
  const from = after?.values[0];
  const rows = [
    ...oneLegRows(sql, lead),
    ...(from === undefined ? [] : [`${first?.text} ${isDescending ? '<=' : '>='} ${sql.bind(from, rowTypes[table])}`]),
    ...sql.standing('r', types),
    ...conditionTexts(sql, probesBeside(conditions, inside), 'r', 'd'),
  ];
  return `select * from (select ${selectedOf(columns)} from ${table} d ${joinResource('r', 'd')}
    where ${rows.join(' and ')}) m${bounded(keyset)}
    order by m.s0 ${isDescending ? 'desc' : 'asc'} fetch first (${limit}) rows with ties`;
}

/** Those that the first value is missing of. */
function missingText(lead: RowsOrder, { sql, types, conditions }: PageScope, { columns, keyset }: Values): string {
  const [, ...others] = columns;
  const none = { text: `null::${rowTypes[lead.table]}`, type: rowTypes[lead.table], isDescending: lead.isDescending };
  const where = [
    sql.types('r', types),
    `not r.keys && ${sql.bind(lead.keys, 'bigint[]')}`,
    ...sql.standing('r', types),
    ...conditionTexts(sql, conditions, 'r'),
  ];
  const all = `select ${selectedOf([none, ...others])} from resource r where ${where.join(' and ')}`;
  return `select * from (${all}) m${bounded(keyset)}`;
}

function bounded(keyset: string | undefined): string {
  return keyset === undefined ? '' : ` where ${keyset}`;
}

/** Read from the row of the index that leads. */
function leadColumn({ table, isDescending }: RowsOrder): SortColumn {
  return { text: `d.${table === 'string_index' ? 'v' : 'lo'}`, type: rowTypes[table], isDescending };
}

/** Of several values the one that comes first in the order asked (https://hl7.org/fhir/R4/search.html#sort). */
function sortColumn(context: SearchContext, sql: SqlBuilder, { parameter, isDescending }: Sort): SortColumn {
  if (parameter.column === 'id') return { text: 'r.id', type: 'text', isDescending };
  if (parameter.column === 'lastUpdated') return { text: updatedMs, type: 'bigint', isDescending };
  if (isSortedByJson(parameter))
    return { text: jsonText(sql, { parameter, isDescending }), type: 'text', isDescending };
  const { table, keys } = sortRows(context, parameter);
  const row = sql.alias('x');
  const column = table === 'string_index' ? 'v' : 'lo';
  const text = `(select ${isDescending ? 'max' : 'min'}(${row}.${column}) from ${table} ${row}
    where ${row}.rid = r.rid and ${row}.shard = r.shard and ${row}.k = any (${sql.bind(keys, 'bigint[]')}))`;
  const type = rowTypes[table];
  return { text, type, isDescending };
}

function jsonText(sql: SqlBuilder, { parameter, isDescending }: Sort): string {
  const [path, value] = [sql.alias('p'), sql.alias('v')];
  return `(select ${isDescending ? 'max' : 'min'}(lower(${value}.v #>> '{}') collate "C")
    from unnest(${sql.bind(jsonPaths(parameter), 'text[]')}) as ${path}(text)
    cross join lateral jsonb_path_query(r.raw::jsonb, ${path}.text::jsonpath) as ${value}(v))`;
}

/** s0 after v0, or s0 = v0 and (s1 after v1, or ...); what is missing comes after everything. */
function valuesKeyset(sql: SqlBuilder, columns: readonly SortColumn[], after: Position): string {
  return columns.reduceRight(
    (rest, { type, isDescending }, place) => {
      const value = after.values[place] ?? null;
      const column = `m.s${place}`;
      if (value === null) return `(${column} is null and ${rest})`;
      const bound = sql.bind(value, type);
      const beyond = `${column} ${isDescending ? '<' : '>'} ${bound} or ${column} is null`;
      return `(${beyond} or (${column} = ${bound} and ${rest}))`;
    },
    `m.rid < ${sql.bind(after.rid, 'bigint')}`,
  );
}
