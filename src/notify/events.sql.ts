/** Events: a change that a subscription is told of, under the next number of that subscription. And the texts of changes. */
import type { Queryable, Transaction } from '../db/index.ts';
import type { Change } from '../queue/index.ts';

/** By `rid/version`; '' for a deletion; what is not kept is left out. */
export type Texts = ReadonlyMap<string, string>;

export async function readTexts(
  db: Queryable,
  versions: readonly { readonly rid: string; readonly version: number }[],
): Promise<Texts> {
  if (versions.length === 0) return new Map();
  const rows = await db.query<{ rid: string; version: number; raw: string | null }>({
    name: 'notify-texts',
    text: `select w.rid::text as rid, w.version, coalesce(r.raw, v.raw) as raw
           from unnest($1::bigint[], $2::integer[]) as w(rid, version)
           left join resource r on r.rid = w.rid and r.version = w.version
           left join version v on v.rid = w.rid and v.version = w.version`,
    values: [versions.map(({ rid }) => rid), versions.map(({ version }) => version)],
  });
  return new Map(rows.flatMap(({ rid, version, raw }) => (raw === null ? [] : [[`${rid}/${version}`, raw] as const])));
}

export interface NewEvent {
  readonly subscription: string;
  readonly change: Change;
  /** `Type/id/version` of what goes with the resource. */
  readonly context: readonly string[];
}

export interface Told {
  readonly subscription: string;
  readonly isSlow: boolean;
  readonly retryAtMs: number | undefined;
}

/**
 * Numbers the events of each subscription in the order given, and keeps them; answers which subscriptions have some. A
 * subscription that is off or gone by now gets none. Numbers have no gap, because the row that counts is locked until
 * the events are committed, or not.
 */
export async function insertEvents(tx: Transaction, events: readonly NewEvent[]): Promise<readonly Told[]> {
  if (events.length === 0) return [];
  const rows = await tx.query<{ subscription: string; is_slow: boolean; retry_at: Date | null }>({
    name: 'notify-insert-events',
    text: `with new as materialized (
             select * from json_to_recordset($1) as n(
               place integer, subscription text, type text, id text, version integer, method text, at timestamptz,
               context text[])
           ),
           counted as (
             update subscription_state s
             set last_number = s.last_number + c.events
             from (select subscription, count(*) as events from new group by subscription) c
             where s.subscription = c.subscription and s.status in ('requested', 'active', 'error')
             returning s.subscription, s.last_number - c.events as base, s.is_slow, s.retry_at
           ),
           numbered as (
             insert into subscription_event (subscription, number, type, id, version, method, at, context)
             select n.subscription, c.base + row_number() over (partition by n.subscription order by n.place),
                    n.type, n.id, n.version, n.method, n.at, n.context
             from new n join counted c using (subscription)
           )
           select subscription, is_slow, retry_at from counted`,
    values: [
      JSON.stringify(
        events.map(({ subscription, change: { type, id, version, method, at }, context }, place) => ({
          ...{ place, subscription, type, id, version, method, at },
          ...(context.length === 0 ? {} : { context }),
        })),
      ),
    ],
  });
  return rows.map(({ subscription, is_slow, retry_at }) => ({
    subscription,
    isSlow: is_slow,
    retryAtMs: retry_at?.getTime(),
  }));
}

export interface Event {
  readonly number: number;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly method: Change['method'];
  readonly at: Date;
  /** The version of the event; undefined for a deletion. */
  readonly raw: string | undefined;
  /** What goes with it, each in the version of then. */
  readonly context: readonly Companion[];
  /** The owner of the subscription does not see it any more: only its number is told. */
  readonly isHidden?: true;
}

export interface Companion {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** undefined: no longer kept. */
  readonly raw: string | undefined;
}

export interface EventRange {
  readonly subscription: string;
  /** Both inclusive. */
  readonly from: number;
  readonly until: number;
  readonly limit: number;
  /** Whether the texts of the resources are wanted; without, `raw` is undefined. */
  readonly hasTexts: boolean;
  /** Whether the subscription watches on behalf of somebody, or may. */
  readonly isOwned: boolean;
}

type EventRow = Omit<Event, 'number' | 'raw' | 'context'> & {
  readonly place: number;
  readonly number: string;
  readonly raw: string | null;
  readonly context: readonly string[] | null;
};

/** The events of each range, in order. */
export async function readEvents(db: Queryable, ranges: readonly EventRange[]): Promise<readonly (readonly Event[])[]> {
  const rows = await db.query<EventRow>({
    name: 'notify-events',
    text: `select w.place::integer as place, e.number, e.type, e.id, e.version, e.method, e.at, e.context,
                  case when w.has_texts then (
                    select case when r.version = e.version then r.raw
                                else (select v.raw from version v where v.rid = r.rid and v.version = e.version) end
                    from resource r where r.type = e.type and r.id = e.id) end as raw
           from unnest($1::text[], $2::bigint[], $3::bigint[], $4::integer[], $5::boolean[])
                  with ordinality as w(subscription, first, last, count_max, has_texts, place)
           cross join lateral (
             select * from subscription_event
             where subscription = w.subscription and number between w.first and w.last
             order by number limit w.count_max) e
           order by w.place, e.number`,
    values: [
      ranges.map(({ subscription }) => subscription),
      ranges.map(({ from }) => from),
      ranges.map(({ until }) => until),
      ranges.map(({ limit }) => limit),
      ranges.map(({ hasTexts }) => hasTexts),
    ],
  });
  const wanted = rows.flatMap(({ place, context }) => (ranges[place - 1]?.hasTexts === true ? (context ?? []) : []));
  const companions = await readCompanions(db, [...new Set(wanted)]);
  const all: Event[][] = ranges.map(() => []);
  for (const { place, number, raw, context, ...row } of rows) {
    all[place - 1]?.push({
      ...row,
      number: Number(number),
      raw: raw === null || raw === '' ? undefined : raw,
      context: (context ?? []).map((key) => companions.get(key) ?? companionOf(key)),
    });
  }
  return all;
}

/** Of a key, without text. */
function companionOf(key: string): Companion {
  const [type = '', id = '', version] = key.split('/');
  return { type, id, version: Number(version), raw: undefined };
}

/** By `Type/id/version`. */
async function readCompanions(db: Queryable, keys: readonly string[]): Promise<ReadonlyMap<string, Companion>> {
  if (keys.length === 0) return new Map();
  const asked = keys.map((key) => key.split('/'));
  const rows = await db.query<Omit<Companion, 'raw'> & { raw: string | null }>({
    name: 'notify-companions',
    text: `select w.type, w.id, w.version, case when r.version = w.version then r.raw else v.raw end as raw
           from unnest($1::text[], $2::text[], $3::integer[]) as w(type, id, version)
           left join resource r on r.type = w.type and r.id = w.id
           left join version v on v.rid = r.rid and v.version = w.version`,
    values: [asked.map(([type]) => type), asked.map(([, id]) => id), asked.map(([, , version]) => Number(version))],
  });
  return new Map(
    rows.map(({ raw, ...one }) => [`${one.type}/${one.id}/${one.version}`, { ...one, raw: raw || undefined }]),
  );
}
