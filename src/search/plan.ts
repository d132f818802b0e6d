/**
 * Where a search starts and in which order it walks. Decided from the conditions alone, so that the same query always has
 * the same statement and the same page keys; the database's statistics have no say.
 *
 * A search that starts from index rows walks them in the order of their index: tokens by (ord, rid) newest first, dates
 * newest first, texts by alphabet. The first page is then found without looking at the rest, however many match.
 */
import {
  type ChainCondition,
  type Condition,
  type EitherCondition,
  type HasCondition,
  type KeysCondition,
  type RangesCondition,
  type Rank,
  ranks,
  selectiveMax,
  type TextsCondition,
} from './condition.ts';
import type { SearchContext } from './context.ts';
import { keyText } from './keys.ts';
import type { SearchParameter } from './parameters.ts';
import { isPlainText } from './text.ts';
import type { Sort } from './tree.ts';

export type Order =
  /** Along token_index, newest ord first. */
  | { readonly kind: 'ord'; readonly driver: KeysCondition }
  | RowsOrder
  /** Along `resource` by type and id. */
  | { readonly kind: 'identity'; readonly isDescending: boolean }
  | { readonly kind: 'updated'; readonly isDescending: boolean }
  /** Along token_index under the keys of all that a chain leads to, newest ord first. */
  | { readonly kind: 'chain'; readonly driver: ChainCondition }
  | ValuesOrder;

/** What a page key belongs to: after a change of this program, an old page link may meet another order. */
export function nameOrder(order: Order): string {
  switch (order.kind) {
    case 'ord':
    case 'chain':
      return order.kind;
    case 'rows':
      return `${order.table} ${order.isDescending}`;
    case 'identity':
    case 'updated':
      return `${order.kind} ${order.isDescending}`;
    case 'values':
      return `values ${order.sorts.length}`;
  }
}

/** Along a narrow table in its own order. */
export interface RowsOrder {
  readonly kind: 'rows';
  readonly table: 'date_index' | 'number_index' | 'string_index';
  readonly isDescending: boolean;
  readonly keys: readonly bigint[];
  /** The condition whose rows are walked; it needs no probe. */
  readonly inside: RangesCondition | TextsCondition | undefined;
  /** A resource has one row at most, so it cannot come twice. */
  readonly isSingle: boolean;
  /** Resources without such a row come last; otherwise they do not match. */
  readonly hasMissing: boolean;
}

/** All matches, sorted by these; by ord, newest first, when there are none. */
export interface ValuesOrder {
  readonly kind: 'values';
  readonly sorts: readonly Sort[];
  /** The walk along the first of them, where matches may be many. */
  readonly lead?: RowsOrder | undefined;
}

type Driver =
  | KeysCondition
  | RangesCondition
  | TextsCondition
  | EitherCondition
  | Extract<Condition, { kind: 'chain' | 'near' }>;

/** The condition to start from; `undefined` when `resource` itself is the best start. */
export function bestDriver(conditions: readonly Condition[]): Driver | undefined {
  let best: Driver | undefined;
  for (const condition of conditions) {
    if (!isDriver(condition)) continue;
    if (best === undefined || rankOf(condition) < rankOf(best)) best = condition;
  }
  return best !== undefined && rankOf(best) <= resourceRank(conditions) ? best : undefined;
}

/** How well `resource` itself leads to the matches, by its own indexes: identity, and time of update. */
function resourceRank(conditions: readonly Condition[]): number {
  const ranksFound = conditions.map((condition) => {
    if (condition.kind === 'ids') return ranks.id;
    if (condition.kind === 'has' && hasCandidates(condition)) return rankOfHas(condition);
    return condition.kind === 'updated' ? ranks.updated : Infinity;
  });
  return Math.min(Infinity, ...ranksFound);
}

function rankOfHas({ of }: HasCondition): Rank {
  return isSelective(of) ? ranks.chain : ranks.wideHas;
}

/** So many may refer to patients that listing these is worth it only where nothing else leads to them. */
export function isWideHas(condition: Condition): condition is HasCondition {
  return condition.kind === 'has' && condition.isByPatient && !isSelective(condition.of);
}

/** The resources that the inner matches refer to can be listed: they are few, or the patients that they know. */
function hasCandidates({ isByPatient, of }: HasCondition): boolean {
  return isByPatient || isSelective(of);
}

function isDriver(condition: Condition): condition is Driver {
  switch (condition.kind) {
    case 'keys':
      return condition.match === 'any' && condition.drivers !== undefined;
    case 'ranges':
    case 'texts':
    case 'near':
      return true;
    case 'either':
      return rankOfEither(condition) <= ranks.coded;
    case 'chain':
      // What can be asked of each resource need not be listed first.
      return !condition.isByPatient || isSelective(condition.of);
    case 'ids':
    case 'updated':
    case 'has':
    case 'not':
    case 'words':
    case 'nothing':
      return false;
  }
}

function rankOf(driver: Driver): number {
  switch (driver.kind) {
    case 'keys':
      return driver.rank;
    case 'ranges':
      return driver.isDay ? ranks.day : ranks.range;
    case 'texts':
      return driver.match === 'contains' || driver.match === 'suffix' ? ranks.contains : ranks.text;
    case 'near':
      return ranks.range;
    case 'either':
      return rankOfEither(driver);
    case 'chain':
      return isSelective(driver.of) ? ranks.chain : ranks.wideChain;
  }
}

/** As many as the least selective of its lists leaves; each list must have a start. */
function rankOfEither({ of }: EitherCondition): number {
  const found = of.map((conditions) => {
    const driver = bestDriver(conditions);
    return driver === undefined ? Infinity : rankOf(driver);
  });
  return Math.max(...found);
}

/** So few match that they can all be looked at. */
export function isSelective(conditions: readonly Condition[]): boolean {
  if (conditions.some(({ kind }) => kind === 'ids')) return true;
  const driver = bestDriver(conditions);
  return driver !== undefined && rankOf(driver) <= selectiveMax;
}

/** What is still to be asked of each resource when the search starts from one of the conditions. */
export function probesBeside(conditions: readonly Condition[], started: Condition | undefined): readonly Condition[] {
  return conditions.filter((condition) => {
    if (condition !== started) return true;
    return condition.kind === 'either' || (condition.kind === 'keys' && condition.drivers !== condition.keys);
  });
}

export function chooseOrder(context: SearchContext, conditions: readonly Condition[], sorts: readonly Sort[]): Order {
  const driver = bestDriver(conditions);
  const [sort, ...others] = sorts;
  if (sort === undefined) return driver === undefined ? resourceOrder(conditions) : naturalOrder(driver);
  const byOrd = others.length === 0 && isNewestOrd(sort) ? orderByOrd(driver) : undefined;
  if (byOrd !== undefined) return byOrd;
  if (isSelective(conditions)) return { kind: 'values', sorts };
  if (others.length > 0) return { kind: 'values', sorts, lead: leadOf(context, conditions, sort) };
  switch (sort.parameter.column) {
    case 'id':
      return { kind: 'identity', isDescending: sort.isDescending };
    case 'lastUpdated':
      return { kind: 'updated', isDescending: sort.isDescending };
    case undefined:
      return sortedRows(context, conditions, sort);
  }
}

/** Index rows of tokens are in this order already. */
function orderByOrd(driver: Driver | undefined): Order | undefined {
  if (driver?.kind === 'keys') return { kind: 'ord', driver };
  return driver?.kind === 'chain' ? { kind: 'chain', driver } : undefined;
}

/** Who asks for what changed since a moment finds it at the end of the index by update; identity never moves. */
function resourceOrder(conditions: readonly Condition[]): Order {
  const isByUpdate = resourceRank(conditions) === ranks.updated;
  return { kind: isByUpdate ? 'updated' : 'identity', isDescending: true };
}

/** The cheapest order that stays the same while a client pages. */
function naturalOrder(driver: Driver): Order {
  switch (driver.kind) {
    case 'keys':
      return { kind: 'ord', driver };
    case 'ranges': {
      const [alternative, ...others] = driver.alternatives;
      if (alternative === undefined || others.length > 0) return { kind: 'values', sorts: [] };
      const { table, isSingle } = driver;
      return {
        kind: 'rows',
        table,
        isDescending: true,
        keys: alternative.keys,
        inside: driver,
        isSingle,
        hasMissing: false,
      };
    }
    case 'texts': {
      if (driver.match === 'contains' || driver.match === 'suffix') return { kind: 'values', sorts: [] };
      const isSingle = driver.isSingle && driver.texts.length === 1;
      return {
        kind: 'rows',
        table: 'string_index',
        isDescending: false,
        keys: driver.keys,
        inside: driver,
        isSingle,
        hasMissing: false,
      };
    }
    case 'chain':
      return { kind: 'chain', driver };
    case 'near':
    case 'either':
      return { kind: 'values', sorts: [] };
  }
}

/** Newest first by the date that ord holds: resources without it have the least ord, so they come last by themselves. */
function isNewestOrd({ parameter, isDescending }: Sort): boolean {
  return isDescending && parameter.paths.length > 0 && parameter.paths.every((path) => path.isOrd);
}

/** A value that stands under one key is in the order of its index; times of update and what is read from the text are not. */
function leadOf(context: SearchContext, conditions: readonly Condition[], sort: Sort): RowsOrder | undefined {
  const { column, paths, type } = sort.parameter;
  const isIndexed = column === undefined && paths.length === 1 && orderedTypes.has(type);
  return isIndexed ? sortedRows(context, conditions, sort) : undefined;
}

const orderedTypes: ReadonlySet<string> = new Set(['date', 'string', 'number', 'quantity']);

function sortedRows(
  context: SearchContext,
  conditions: readonly Condition[],
  { parameter, isDescending }: Sort,
): RowsOrder {
  const { table, keys } = sortRows(context, parameter);
  const [path, ...others] = parameter.paths;
  const isOnePath = others.length === 0 && path?.isSingle === true;
  const isSingle = isOnePath && (table !== 'string_index' || path.types.every(isPlainText));
  // A condition on the very values that are sorted by is a range of the walk; its matches are not missing.
  const inside = isSingle ? conditions.find((condition) => isInside(condition, table, keys)) : undefined;
  return { kind: 'rows', table, isDescending, keys, inside, isSingle, hasMissing: inside === undefined };
}

function isInside(
  condition: Condition,
  table: RowsOrder['table'],
  keys: readonly bigint[],
): condition is RangesCondition | TextsCondition {
  if (condition.kind === 'ranges') {
    const { alternatives } = condition;
    return condition.table === table && alternatives.length === 1 && alternatives[0]?.keys.join() === keys.join();
  }
  return (
    condition.kind === 'texts' &&
    table === 'string_index' &&
    condition.match !== 'contains' &&
    condition.match !== 'suffix' &&
    condition.keys.join() === keys.join()
  );
}

/** The rows that hold the values of a parameter of type date, string, number or quantity. */
export function sortRows(
  { readers }: SearchContext,
  { type, paths }: SearchParameter,
): { readonly table: RowsOrder['table']; readonly keys: readonly bigint[] } {
  const keysOf = (text: (path: string) => string) => paths.map(({ name }) => readers.hash(text(name)));
  if (type === 'date') return { table: 'date_index', keys: keysOf(keyText.dates) };
  if (type === 'string') return { table: 'string_index', keys: keysOf(keyText.strings) };
  return { table: 'number_index', keys: keysOf(keyText.numbers) };
}
