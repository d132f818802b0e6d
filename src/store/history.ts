/**
 * History of a resource, of types, of everything, as one statement: newest first, a page found by the key (last_updated, rid,
 * version) of the version before it. What is written meanwhile has a later key, and a current version that becomes a
 * former one keeps its own: pages neither repeat nor lose a version that was there.
 *
 * Each type is asked by its indexes for no more than a page, keys first; the texts are fetched for the page alone.
 */
import type { Statement } from '../db/index.ts';
import type { DateRange } from '../fhir/index.ts';
import type { Visible } from './store.ts';

export interface HistoryRequest {
  /** One resource, or all of these types. */
  readonly of: { readonly type: string; readonly id: string } | { readonly types: readonly string[] };
  readonly limit: number;
  readonly after?: HistoryPosition;
  readonly sinceMs?: number;
  /** Only what was current at some instant of this range. */
  readonly at?: DateRange;
}

export interface HistoryPosition {
  readonly lastUpdatedMs: number;
  readonly rid: string;
  readonly version: number;
}

interface Draft {
  readonly request: HistoryRequest;
  readonly visible: Visible;
  readonly values: unknown[];
  readonly bind: (value: unknown) => string;
}

const keyOrder = 'last_updated desc, rid desc, version desc';

export function historyStatement(request: HistoryRequest, visible: Visible): Statement {
  const values: unknown[] = [];
  const draft: Draft = { request, visible, values, bind: (value) => `$${values.push(value)}` };
  const limit = `limit ${draft.bind(request.limit)}`;
  const keys = keysOf(draft, limit);
  return {
    text: `with page as (${keys} order by ${keyOrder} ${limit})
           select coalesce(r.type, v.type) as type, coalesce(r.id, v.id) as id, page.version, page.last_updated,
             coalesce(r.method, v.method) as method, coalesce(r.raw, v.raw) as raw,
             coalesce(r.is_deleted, v.method = 'DELETE') as is_deleted, page.rid::text as rid
           from page
           left join resource r on r.rid = page.rid and r.version = page.version
           left join version v on v.rid = page.rid and v.version = page.version and r.rid is null
           order by page.last_updated desc, page.rid desc, page.version desc`,
    values,
  };
}

/** Answers one row with `count`. */
export function historyCountStatement(request: HistoryRequest, visible: Visible): Statement {
  const values: unknown[] = [];
  const draft: Draft = { request, visible, values, bind: (value) => `$${values.push(value)}` };
  return { text: `select count(*)::integer as count from (${keysOf(draft, '')}) as all_of_it`, values };
}

/** Keys of at most a page of each kind of row, of each type. */
function keysOf(draft: Draft, limit: string): string {
  const { of } = draft.request;
  if ('id' in of) {
    const [type, id] = [draft.bind(of.type), draft.bind(of.id)];
    return `(${part(draft, 'r', { where: `r.type = ${type} and r.id = ${id}`, limit })})
      union all (${part(draft, 'v', { where: `v.rid = (select rid from resource where type = ${type} and id = ${id})`, limit })})`;
  }
  return `select h.* from unnest(${draft.bind(of.types)}::text[]) as t(type) cross join lateral (
      (${part(draft, 'r', { where: 'r.type = t.type and not r.is_deleted', limit })})
      union all (${part(draft, 'r', { where: 'r.type = t.type and r.is_deleted', limit })})
      union all (${part(draft, 'v', { where: 'v.type = t.type', limit })})) as h`;
}

function part(draft: Draft, alias: 'r' | 'v', { where, limit }: { where: string; limit: string }): string {
  const conditions = [
    where,
    draft.visible(alias, draft.bind, alias === 'r' ? 'stored' : 'former'),
    ...conditionsOf(draft, alias),
  ];
  const order = limit === '' ? '' : `order by ${keyOrder.replace(/\b(?=last|rid|version)/g, `${alias}.`)} ${limit}`;
  return `select ${alias}.rid, ${alias}.version, ${alias}.last_updated from ${alias === 'r' ? 'resource' : 'version'} ${alias}
      where ${conditions.join(' and ')} ${order}`;
}

function conditionsOf({ request, bind }: Draft, alias: 'r' | 'v'): readonly string[] {
  const { after, sinceMs, at } = request;
  const conditions: string[] = [];
  if (after !== undefined) {
    const key = [
      `${bind(new Date(after.lastUpdatedMs))}::timestamptz`,
      `${bind(after.rid)}::bigint`,
      bind(after.version),
    ];
    conditions.push(`(${alias}.last_updated, ${alias}.rid, ${alias}.version) < (${key.join(', ')})`);
  }
  if (sinceMs !== undefined) conditions.push(`${alias}.last_updated >= ${bind(new Date(sinceMs))}`);
  if (at !== undefined) {
    conditions.push(`${alias}.last_updated < ${bind(new Date(at.hi))}`);
    // A former version was current until the next one came.
    if (alias === 'v') conditions.push(`${nextUpdate} > ${bind(new Date(at.lo))}`);
  }
  return conditions;
}

const nextUpdate = `coalesce(
        (select n.last_updated from version n where n.rid = v.rid and n.version = v.version + 1),
        (select c.last_updated from resource c where c.rid = v.rid))`;
