/**
 * SQL pieces that every search statement is made of: bound values, rows of `resource`, conditions.
 *
 * `standing` is the one place where a row of `resource` is let into a statement: it adds that the resource is not
 * deleted and that the caller may see it. Nothing here reads `resource` without it, inner sides of chains included.
 */
import type {
  ChainCondition,
  Condition,
  EitherCondition,
  HasCondition,
  KeysCondition,
  RangesCondition,
  TextsCondition,
} from './condition.ts';
import { earthRadiusKm, latitudeReach } from './near.ts';
import { bestDriver, isSelective, isWideHas, probesBeside } from './plan.ts';
import type { Bound, Range } from './range.ts';

/**
 * A condition on a row of `resource` under an alias; `bind` gives the placeholder of a value. `true`: no condition. Where its types are
 * known the condition is shorter, and holds for them alone.
 */
export type Visible = (
  alias: string,
  bind: (value: unknown) => string,
  row?: 'current' | 'stored' | 'former' | 'usual',
  types?: readonly string[],
) => string;

/** How a condition on index rows is asked of a resource: of each row as the walk meets it, or joined as the database sees fit. */
export type Probing = 'each' | 'joined';

export class SqlBuilder {
  readonly values: unknown[] = [];
  readonly #visible: Visible;
  readonly #probing: Probing;
  #aliases = 0;

  constructor(visible: Visible, probing: Probing) {
    this.#visible = visible;
    this.#probing = probing;
  }

  /**
   * `exists (select from ...)`. A page stops after few rows, and a plan that first joins all rows of the index would not:
   * PostgreSQL turns `exists` into such a join, but leaves a scalar subquery where it stands.
   */
  exists(rows: string): string {
    return this.#probing === 'joined' ? `exists (select from ${rows})` : `(select true from ${rows} limit 1) is true`;
  }

  bind(
    value: unknown,
    type: 'bigint' | 'bigint[]' | 'text' | 'text[]' | 'double precision' | 'timestamptz' | 'integer',
  ): string {
    return `$${this.values.push(value)}::${type}`;
  }

  alias(prefix: string): string {
    return `${prefix}${++this.#aliases}`;
  }

  /** What must hold for any row of `resource` in any statement; of one of these types, where they are known. */
  standing(alias: string, types?: readonly string[]): readonly string[] {
    const bind = (value: unknown) => `$${this.values.push(value)}`;
    const visible = this.#visible(alias, bind, 'current', types?.length === 1 ? types : undefined);
    return [`not ${alias}.is_deleted`, ...(visible === 'true' ? [] : [`(${visible})`])];
  }

  /** Nothing is hidden: index rows alone can be counted. */
  seesAll(): boolean {
    const before = this.values.length;
    const visible = this.#visible('r', (value) => `$${this.values.push(value)}`);
    this.values.length = before;
    return visible === 'true';
  }

  types(alias: string, types: readonly string[]): string {
    return types.length === 1
      ? `${alias}.type = ${this.bind(types[0], 'text')}`
      : `${alias}.type = any (${this.bind(types, 'text[]')})`;
  }
}

/** `join resource r on ...`, from an index row. Its conditions come from `standing`. */
export function joinResource(alias: string, index: string): string {
  return `join resource ${alias} on ${alias}.rid = ${index}.rid and ${alias}.shard = ${index}.shard`;
}

/**
 * Conditions on a row of `resource`. Those on single keys that must all be there are one probe. `start` is the index row that
 * led here, when one did: what is asked of index rows is asked of it, before the resource is fetched.
 */
export function conditionTexts(
  sql: SqlBuilder,
  conditions: readonly Condition[],
  alias: string,
  start = alias,
): readonly string[] {
  const single = conditions.filter(isSingleKey);
  const rest = conditions.filter((condition) => !isSingleKey(condition));
  const keys = single.flatMap((condition) => condition.keys);
  const probe = keys.length === 0 ? [] : [`${alias}.keys @> ${sql.bind(keys, 'bigint[]')}`];
  return [...probe, ...rest.map((condition) => conditionText(sql, condition, { alias, start }))];
}

function isSingleKey(condition: Condition): condition is KeysCondition {
  return condition.kind === 'keys' && condition.match === 'any' && condition.keys.length === 1;
}

interface Asked {
  readonly alias: string;
  readonly start: string;
}

function conditionText(sql: SqlBuilder, condition: Condition, { alias, start }: Asked): string {
  switch (condition.kind) {
    case 'nothing':
      return 'false';
    case 'keys':
      return keysText(sql, condition, alias);
    case 'ranges':
      return rangesText(sql, condition, start);
    case 'texts':
      return textsText(sql, condition, start);
    case 'ids':
      return `${alias}.id = any (${sql.bind(condition.ids, 'text[]')})`;
    case 'updated':
      return updatedText(sql, condition.ranges, alias);
    case 'chain':
      return chainText(sql, condition, alias);
    case 'has':
      return hasText(sql, condition, alias);
    case 'either':
      return anyOf(condition.of.map((list) => allOf(conditionTexts(sql, list, alias, start))));
    case 'not':
      return `not (${allOf(conditionTexts(sql, condition.of, alias, start))})`;
    case 'near': {
      const row = sql.alias('x');
      return existsRow(sql, { table: 'number_index', row, start }, nearText(sql, condition, row));
    }
    case 'words':
      return wordsText(sql, condition, alias);
  }
}

function allOf(texts: readonly string[]): string {
  return texts.length === 0 ? 'true' : texts.join(' and ');
}

/** The haversine of near.ts; the bounds of latitude are what the index can use. */
function nearText(sql: SqlBuilder, { keys, areas }: Extract<Condition, { kind: 'near' }>, row: string): string {
  const inAreas = areas.map((area) => {
    const bind = (value: number) => sql.bind(value, 'double precision');
    const [latitude, reach] = [bind(area.latitude), latitudeReach(area)];
    const half = (a: string, b: string) => `sin(radians(${b} - ${a}) / 2) ^ 2`;
    const across = `cos(radians(${latitude})) * cos(radians(${row}.lo)) * ${half(bind(area.longitude), `${row}.hi`)}`;
    const distance = `2 * ${earthRadiusKm} * asin(sqrt(least(1, ${half(latitude, `${row}.lo`)} + ${across})))`;
    return `${row}.lo between ${bind(area.latitude - reach)} and ${bind(area.latitude + reach)} and ${distance} <= ${bind(area.km)}`;
  });
  return `${row}.k = any (${sql.bind(keys, 'bigint[]')}) and ${anyOf(inAreas)}`;
}

function wordsText(sql: SqlBuilder, { scope, values }: Extract<Condition, { kind: 'words' }>, alias: string): string {
  const words = `words_of(text_of(${alias}.raw, ${sql.bind(scope, 'text')}))`;
  return anyOf(values.map((value) => `${words} @> ${sql.bind(value, 'text[]')}`));
}

function keysText(sql: SqlBuilder, { match, keys }: KeysCondition, alias: string): string {
  const text = `${alias}.keys && ${sql.bind(keys, 'bigint[]')}`;
  return match === 'none' ? `not ${text}` : text;
}

function rangesText(sql: SqlBuilder, { table, alternatives }: RangesCondition, start: string): string {
  const row = sql.alias('x');
  const found = alternatives.map(
    ({ keys, ranges }) => `${row}.k = any (${sql.bind(keys, 'bigint[]')}) and ${rangesOf(sql, { table, ranges }, row)}`,
  );
  return existsRow(sql, { table, row, start }, anyOf(found));
}

export function rangesOf(
  sql: SqlBuilder,
  { table, ranges }: { readonly table: RangesCondition['table']; readonly ranges: readonly Range[] },
  row: string,
): string {
  const type = table === 'date_index' ? 'bigint' : 'double precision';
  return anyOf(ranges.map((range) => range.map((bound) => boundText(sql, bound, { row, type })).join(' and ')));
}

function boundText(
  sql: SqlBuilder,
  { side, operator, value }: Bound,
  { row, type }: { readonly row: string; readonly type: 'bigint' | 'double precision' },
): string {
  return `${row}.${side} ${operator} ${sql.bind(value, type)}`;
}

function textsText(sql: SqlBuilder, condition: TextsCondition, start: string): string {
  const row = sql.alias('x');
  const keys = `${row}.k = any (${sql.bind(condition.keys, 'bigint[]')})`;
  return existsRow(sql, { table: 'string_index', row, start }, `${keys} and ${textsOf(sql, condition, row)}`);
}

/** Folded texts hold letters, digits and spaces only: nothing that `like` could take for a wildcard. */
export function textsOf(sql: SqlBuilder, { match, texts }: TextsCondition, row: string): string {
  switch (match) {
    case 'equals':
      return `${row}.v = any (${sql.bind(texts, 'text[]')})`;
    case 'contains':
      return `${row}.v like any (${sql.bind(
        texts.map((text) => `%${text}%`),
        'text[]',
      )})`;
    case 'suffix':
      return `${row}.v like any (${sql.bind(
        texts.map((text) => `%${text}`),
        'text[]',
      )})`;
    case 'prefix':
      return anyOf(
        texts.map((text) => {
          const { from, to } = prefixBounds(text);
          return `${row}.v >= ${sql.bind(from, 'text')} and ${row}.v <= ${sql.bind(to, 'text')}`;
        }),
      );
  }
}

/** In the byte order of collation "C", nothing that begins with the text comes after it with the last code point. */
export function prefixBounds(text: string): { readonly from: string; readonly to: string } {
  return { from: text, to: `${text}\u{10FFFF}` };
}

function existsRow(
  sql: SqlBuilder,
  { table, row, start }: { readonly table: string; readonly row: string; readonly start: string },
  condition: string,
): string {
  return sql.exists(
    `${table} ${row} where ${row}.rid = ${start}.rid and ${row}.shard = ${start}.shard and ${condition}`,
  );
}

function updatedText(sql: SqlBuilder, ranges: readonly Range[], alias: string): string {
  return anyOf(ranges.map((range) => range.map((bound) => updatedBound(sql, bound, alias)).join(' and ')));
}

/** A moment t is the range [t, t + 1): hi > x is t >= x, hi <= x is t < x. */
function updatedBound(sql: SqlBuilder, { side, operator, value }: Bound, alias: string): string {
  const ofStart = side === 'lo' ? operator : operator === '>' ? '>=' : '<';
  return `${alias}.last_updated ${ofStart} ${sql.bind(timestampText(value), 'timestamptz')}`;
}

const timestampMinMs = -62_135_596_800_000;
const timestampMaxMs = 253_402_300_799_999;

/** As PostgreSQL reads it; nothing was updated outside the years 1 to 9999. */
export function timestampText(ms: number): string {
  return new Date(Math.min(Math.max(ms, timestampMinMs), timestampMaxMs)).toISOString();
}

/** The keys under which something refers to the resource, computed as keys.ts does. */
function referenceKey(prefix: string, alias: string): string {
  const text = `convert_to(${prefix} || ${alias}.type || '/' || ${alias}.id, 'UTF8')`;
  return `('x' || encode(substring(sha256(${text}) from 1 for 8), 'hex'))::bit(64)::bigint`;
}

function chainText(sql: SqlBuilder, chain: ChainCondition, alias: string): string {
  return chain.isByPatient ? patientChainText(sql, chain, alias) : keyChainText(sql, chain, alias);
}

/** The resource knows its patients: each is looked up and asked. */
function patientChainText(sql: SqlBuilder, { prefixes, of }: ChainCondition, alias: string): string {
  const [inner, patient, prefix] = [sql.alias('r'), sql.alias('p'), sql.alias('p')];
  const source = sql.bind(prefixes, 'text[]');
  const where = [
    `${alias}.keys @> array[${referenceKey(`${prefix}.text`, inner)}]`,
    ...sql.standing(inner),
    ...conditionTexts(sql, of, inner),
  ];
  return sql.exists(`unnest(${alias}.patients) as ${patient}(text) cross join unnest(${source}) as ${prefix}(text)
    join resource ${inner} on ${inner}.type = 'Patient' and ${inner}.id = ${patientId(patient)}
    where ${where.join(' and ')}`);
}

function patientId(alias: string): string {
  return `substring(${alias}.text from ${'Patient/'.length + 1})`;
}

/** All inner matches are found once, then each resource's keys are held against their keys. */
function keyChainText(sql: SqlBuilder, chain: ChainCondition, alias: string): string {
  const held = sql.alias('h');
  return `exists (select from unnest(${alias}.keys) as ${held}(k) where ${held}.k in (${chainKeys(sql, chain)}))`;
}

/** The keys of references to all resources that meet the inner conditions. */
export function chainKeys(sql: SqlBuilder, { prefixes, types, of }: ChainCondition): string {
  const [inner, prefix] = [sql.alias('r'), sql.alias('p')];
  const source = sql.bind(prefixes, 'text[]');
  const { from, where } = matching(sql, { types, conditions: of }, inner);
  return `select ${referenceKey(`${prefix}.text`, inner)} from ${from} cross join unnest(${source}) as ${prefix}(text) where ${where.join(' and ')}`;
}

function hasText(sql: SqlBuilder, has: HasCondition, alias: string): string {
  const [row, inner, prefix] = [sql.alias('x'), sql.alias('r'), sql.alias('p')];
  const source = sql.bind(has.prefixes, 'text[]');
  const where = [...sql.standing(inner), ...conditionTexts(sql, has.of, inner)];
  const exists = sql.exists(`unnest(${source}) as ${prefix}(text)
    join token_index ${row} on ${row}.k = ${referenceKey(`${prefix}.text`, alias)} ${joinResource(inner, row)}
    where ${where.join(' and ')}`);
  return isSelective(has.of) ? `${candidatesText(sql, has, alias)} and ${exists}` : exists;
}

/**
 * Ids that the inner matches may refer to: the patients that they know, or whatever stands in their text as a reference to one of the
 * types. Few enough to look at, where walking along all resources of the type would be long; the exact question follows.
 */
export function candidatesText(
  sql: SqlBuilder,
  { type, targets, of, isByPatient }: HasCondition,
  alias: string,
): string {
  const [inner, found] = [sql.alias('r'), sql.alias('p')];
  const { from, where } = matching(sql, { types: [type], conditions: of }, inner);
  const form = `"reference":"(?:[^"]*/)?(?:${targets.join('|')})/([A-Za-z0-9.-]{1,64})[/"]`;
  const [id, source] = isByPatient
    ? [patientId(found), `unnest(${inner}.patients) as ${found}(text)`]
    : [`${found}.text[1]`, `regexp_matches(${inner}.raw, ${sql.bind(form, 'text')}, 'g') as ${found}(text)`];
  return `${alias}.id = any (array(select ${id} from ${from} cross join ${source} where ${where.join(' and ')}))`;
}

/** Rows of `resource` that meet the conditions, in no order: from the most selective condition, the others as probes. */
export function matching(
  sql: SqlBuilder,
  { types, conditions }: { readonly types: readonly string[]; readonly conditions: readonly Condition[] },
  alias: string,
): { readonly from: string; readonly where: readonly string[] } {
  const driver = bestDriver(conditions);
  const rows = driver === undefined ? undefined : driverRows(sql, driver);
  if (driver === undefined || rows === undefined) {
    const wide = conditions.filter(isWideHas).map((has) => candidatesText(sql, has, alias));
    const where = [
      sql.types(alias, types),
      ...sql.standing(alias, types),
      ...wide,
      ...conditionTexts(sql, conditions, alias),
    ];
    return { from: `resource ${alias}`, where };
  }
  const start = sql.alias('d');
  const where = [...sql.standing(alias, types), ...conditionTexts(sql, probesBeside(conditions, driver), alias, start)];
  return { from: `(${rows}) ${start} ${joinResource(alias, start)}`, where };
}

/** The index rows of a condition, each resource once. */
export function driverRows(sql: SqlBuilder, driver: NonNullable<ReturnType<typeof bestDriver>>): string {
  const row = sql.alias('d');
  const rows = (table: string, where: string) =>
    `select distinct ${row}.rid, ${row}.shard from ${table} ${row} where ${where}`;
  switch (driver.kind) {
    case 'keys':
      return rows('token_index', `${row}.k = any (${sql.bind(driver.drivers, 'bigint[]')})`);
    case 'chain':
      return rows('token_index', `${row}.k = any (array(${chainKeys(sql, driver)}))`);
    case 'near':
      return rows('number_index', nearText(sql, driver, row));
    case 'either':
      return eitherRows(sql, driver);
    case 'texts':
      return rows(
        'string_index',
        `${row}.k = any (${sql.bind(driver.keys, 'bigint[]')}) and ${textsOf(sql, driver, row)}`,
      );
    case 'ranges': {
      const { table, alternatives } = driver;
      const found = alternatives.map(
        ({ keys, ranges }) =>
          `${row}.k = any (${sql.bind(keys, 'bigint[]')}) and ${rangesOf(sql, { table, ranges }, row)}`,
      );
      return rows(table, anyOf(found));
    }
  }
}

function eitherRows(sql: SqlBuilder, { of }: EitherCondition): string {
  const lists = of.map((conditions) => {
    const driver = bestDriver(conditions);
    if (driver === undefined) throw new Error('each list of the driver has a start');
    return driverRows(sql, driver);
  });
  return lists.join(' union ');
}

export function anyOf(texts: readonly string[]): string {
  return texts.length === 1 ? (texts[0] ?? 'false') : `(${texts.map((text) => `(${text})`).join(' or ')})`;
}
