/**
 * The compartment of a patient or a stay page by page, in the order in which its resources came: what $everything reads. Its rows are
 * gathered and sorted first: told only "in the compartment, by rid", PostgreSQL may walk through all resources.
 */
import type { Statement } from '../db/index.ts';
import { noOrd } from '../search/index.ts';
import type { Visible } from './store.ts';

export interface RecordRequest {
  /** `Patient/id` or `Encounter/id`; itself it is not among the answers. */
  readonly of: string;
  readonly types: readonly string[];
  readonly limit: number;
  readonly afterRid?: string;
  readonly sinceMs?: number;
  /** Of the main clinical instant; what has none is not bound by it. */
  readonly fromMs?: number;
  readonly untilMs?: number;
}

export function recordStatement(request: RecordRequest, keys: readonly string[], visible: Visible): Statement {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const { of, types, limit, afterRid, sinceMs, fromMs, untilMs } = request;
  const rows = [
    `k = any (${bind(keys)}::bigint[])`,
    ...(afterRid === undefined ? [] : [`rid > ${bind(afterRid)}::bigint`]),
  ];
  const conditions = [
    'not r.is_deleted',
    `r.type = any (${bind(types)}::text[])`,
    `not (r.type = ${bind(of.split('/')[0])} and r.id = ${bind(of.split('/')[1])})`,
    visible('r', bind),
  ];
  if (sinceMs !== undefined) conditions.push(`r.last_updated >= ${bind(new Date(sinceMs))}`);
  const clinical = [
    ...(fromMs === undefined ? [] : [`r.ord >= ${bind(fromMs)}`]),
    ...(untilMs === undefined ? [] : [`r.ord < ${bind(untilMs)}`]),
  ];
  if (clinical.length > 0) conditions.push(`(r.ord = ${bind(noOrd)} or (${clinical.join(' and ')}))`);
  return {
    text: `select r.rid::text as rid, r.type, r.id, r.version, r.last_updated, r.method, r.raw, r.is_deleted
           from (select distinct rid, shard from token_index where ${rows.join(' and ')} order by rid) d
           cross join lateral (
             select * from resource r
             where r.rid = d.rid and r.shard = d.shard and ${conditions.join(' and ')} offset 0) r
           order by d.rid limit ${bind(limit)}`,
    values,
  };
}
