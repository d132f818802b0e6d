/**
 * Profiles, tags and security labels in use: what `$meta` of a type and of the system tells. Whatever has no such label is passed over
 * by the place at which meta ends in the text; the rest is parsed. It reads every resource of the types: a question that is rarely asked.
 */
import type { Statement } from '../db/index.ts';
import type { Visible } from './store.ts';

export interface LabelRow {
  readonly kind: 'profile' | 'security' | 'tag';
  /** The canonical, or the Coding. */
  readonly item: unknown;
}

/** Versions and times in meta have a fixed length: a comma behind them says that there is more. */
const lastUpdated = '"lastUpdated":"';
const instantLength = '2026-03-02T16:20:00.000Z"'.length;

export function labelStatement(types: readonly string[] | undefined, limit: number, visible: Visible): Statement {
  const values: unknown[] = [types ?? null, limit];
  const condition = visible('r', (value) => `$${values.push(value)}`, 'stored');
  return {
    text: `with labelled as (
        select r.raw::jsonb -> 'meta' as meta from resource r
        where ($1::text[] is null or r.type = any ($1)) and not r.is_deleted and ${condition}
          and substr(r.raw, position('${lastUpdated}' in r.raw) + ${lastUpdated.length + instantLength}, 1) = ',')
      select distinct on (m.key, i.item ->> 'system', coalesce(i.item ->> 'code', i.item #>> '{}')) m.key as kind, i.item
      from labelled cross join lateral jsonb_each(meta) as m(key, list)
      cross join lateral jsonb_array_elements(m.list) as i(item)
      where m.key in ('profile', 'security', 'tag')
      order by m.key, i.item ->> 'system', coalesce(i.item ->> 'code', i.item #>> '{}'), i.item::text limit $2`,
    values,
  };
}
