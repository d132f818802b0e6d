/** The page along `resource` by type and id, and what tells where to look first when others refer to what is sought. */
import type { Condition } from './condition.ts';
import type { Page, PageScope, Position } from './page.ts';
import { bestDriver, isWideHas, probesBeside } from './plan.ts';
import { candidatesText, conditionTexts, type SqlBuilder } from './sql.ts';

export function pageOfIdentity(isDescending: boolean, scope: PageScope): Page {
  const { sql, types, conditions, limit, after } = scope;
  const where = [
    sql.types('r', types),
    ...(after === undefined ? [] : [identityKeyset(sql, types, { after, isDescending })]),
    ...sql.standing('r', types),
    ...conditionTexts(sql, conditions, 'r'),
  ];
  const order = identityOrder(types, isDescending);
  const page = (more: readonly string[]) =>
    `select r.rid, r.shard from resource r where ${[...more, ...where].join(' and ')} order by ${order} limit ${limit}`;
  return { ...identityPage(sql, conditions, page), columns: [], orderBy: order };
}

/**
 * Who has something frequent is found soon by asking one after another; who has something rare, from its list. Which of the
 * two it is, the index tells before: the branch that does not hold is not run.
 */
function identityPage(
  sql: SqlBuilder,
  conditions: readonly Condition[],
  page: (more: readonly string[]) => string,
): Pick<Page, 'with'> {
  const wide = conditions.filter(isWideHas);
  const listed = wide.map((has) => candidatesText(sql, has, 'r'));
  const [first] = wide;
  const driver = first && bestDriver(first.of);
  const isOnlyStart = driver?.kind === 'keys' && probesBeside(first?.of ?? [], driver).length === 0;
  if (!isOnlyStart) return { with: `page as (${page(listed)})` };
  const count = `select d.rid from token_index d where d.k = any (${sql.bind(driver.drivers, 'bigint[]')}) limit ${frequentMin}`;
  return {
    with: `seen as materialized (select count(*) = ${frequentMin} as are_frequent from (${count}) d),
page as ((${page(['not (select are_frequent from seen)', ...listed])})
  union all (${page(['(select are_frequent from seen)'])}))`,
  };
}

/** Resources that refer to patients and may be looked at before the patients are asked one after another. */
const frequentMin = 2000;

export function identityOrder(types: readonly string[], isDescending: boolean): string {
  const direction = isDescending ? 'desc' : 'asc';
  return types.length === 1 ? `r.id ${direction}` : `r.type ${direction}, r.id ${direction}`;
}

export function identityKeyset(
  sql: SqlBuilder,
  types: readonly string[],
  { after, isDescending }: { readonly after: Position; readonly isDescending: boolean },
): string {
  const operator = isDescending ? '<' : '>';
  if (types.length === 1) return `r.id ${operator} ${sql.bind(after.id, 'text')}`;
  return `(r.type, r.id) ${operator} (${sql.bind(after.type, 'text')}, ${sql.bind(after.id, 'text')})`;
}
