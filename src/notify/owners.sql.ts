/** On whose behalf subscriptions watch (migrations/0035), and which versions such a caller may see. */
import type { Caller } from '../access/index.ts';
import type { Queryable } from '../db/index.ts';
import type { Visible } from '../store/index.ts';

export async function readOwners(
  db: Queryable,
  subscriptions: readonly string[],
): Promise<ReadonlyMap<string, Caller>> {
  const rows = await db.query<{ subscription: string; caller: Caller }>({
    name: 'notify-owners',
    text: 'select subscription, caller from subscription_owner where subscription = any ($1)',
    values: [subscriptions],
  });
  return new Map(rows.map(({ subscription, caller }) => [subscription, caller]));
}

export interface VersionName {
  readonly type: string;
  readonly id: string;
  readonly version: number;
}

/** Those of these versions that may be seen, as `Type/id/version`; of a deletion by what was deleted. */
export async function seenVersions(
  db: Queryable,
  versions: readonly VersionName[],
  visible: Visible,
): Promise<ReadonlySet<string>> {
  if (versions.length === 0) return new Set();
  const values: unknown[] = [
    versions.map(({ type }) => type),
    versions.map(({ id }) => id),
    versions.map(({ version }) => version),
  ];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const rows = await db.query<{ name: string }>({
    text: `select w.type || '/' || w.id || '/' || w.version as name
           from unnest($1::text[], $2::text[], $3::integer[]) as w(type, id, version)
           join resource r on r.type = w.type and r.id = w.id
           left join version v on v.rid = r.rid and v.version = w.version and r.version <> w.version
           where case when r.version = w.version then ${visible('r', bind, 'stored')}
                      else v.rid is not null and ${visible('v', bind, 'former')} end`,
    values,
  });
  return new Set(rows.map(({ name }) => name));
}
