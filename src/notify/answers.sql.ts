/** What operations ask about subscriptions: how they stand, for those whom the caller may see. */
import type { Queryable } from '../db/index.ts';
import type { Visible } from '../store/index.ts';

export interface StandingRow {
  readonly id: string;
  readonly raw: string;
  readonly last_number: string;
  /** Of the last attempt, when it failed. */
  readonly outcome: string | null;
  readonly http_status: number | null;
}

export interface AskedStandings {
  readonly visible: Visible;
  /** undefined: all. */
  readonly ids: readonly string[] | undefined;
  readonly statuses: readonly string[] | undefined;
  readonly limit: number;
}

export function listStandings(
  db: { query<R extends object>(statement: { text: string; values: readonly unknown[] }): Promise<readonly R[]> },
  { visible, ids, statuses, limit }: AskedStandings,
): Promise<readonly StandingRow[]> {
  const values: unknown[] = [ids ?? null, statuses ?? null, limit];
  const condition = visible('r', (value) => `$${values.push(value)}`);
  return db.query<StandingRow>({
    text: `select r.id, r.raw, coalesce(s.last_number, 0)::text as last_number, d.outcome, d.http_status
           from resource r
           left join subscription_state s on s.subscription = r.id
           left join lateral (
             select outcome, http_status from delivery d
             where d.subscription = r.id and s.failures > 0 order by d.seq desc limit 1) d on true
           where r.type = 'Subscription' and not r.is_deleted and ${condition}
             and ($1::text[] is null or r.id = any ($1))
             and ($2::text[] is null or r.raw::json ->> 'status' = any ($2))
           order by r.id limit $3`,
    values,
  });
}

/** Puts the place in the events back, so that the next notification begins at `from`, or at the first that is kept; a call that is on its way does not count. */
export async function rewind(
  db: Queryable,
  subscription: string,
  from: number,
): Promise<{ isSlow: boolean } | undefined> {
  const rows = await db.query<{ is_slow: boolean }>({
    name: 'notify-rewind',
    text: `update subscription_state s
           set delivered_number = least(s.delivered_number, (
                 select min(e.number) - 1 from subscription_event e where e.subscription = $1 and e.number >= $2)),
               retry_at = null
           where s.subscription = $1 and s.status = 'active' returning s.is_slow`,
    values: [subscription, from],
  });
  return rows[0] === undefined ? undefined : { isSlow: rows[0].is_slow };
}

export interface Figures {
  /** By status. */
  readonly subscriptions: ReadonlyMap<string, number>;
  /** Events that wait to be delivered, of subscriptions that are active or not yet; and since when the oldest waits. */
  readonly eventsWaiting: number;
  readonly oldestWaitingAtMs: number | undefined;
}

/** For metrics. The oldest event only of those that wait: a join would read all events that are kept, a fifth of a second for a million. */
export async function readFigures(db: Queryable): Promise<Figures> {
  const rows = await db.query<{ status: string; count: number; waiting: string; oldest: Date | null }>({
    name: 'notify-figures',
    text: `select s.status, count(*)::integer as count, sum(s.last_number - s.delivered_number)::text as waiting,
                  min(case when s.status in ('requested', 'active') and s.last_number > s.delivered_number then (
                    select e.at from subscription_event e
                    where e.subscription = s.subscription and e.number = s.delivered_number + 1) end) as oldest
           from subscription_state s where s.status <> 'gone' group by s.status`,
  });
  const live = rows.filter(({ status }) => status === 'requested' || status === 'active');
  const oldest = live.flatMap(({ oldest: at }) => (at === null ? [] : [at.getTime()]));
  return {
    subscriptions: new Map(rows.map(({ status, count }) => [status, count])),
    eventsWaiting: live.reduce((sum, { waiting }) => sum + Number(waiting), 0),
    oldestWaitingAtMs: oldest.length === 0 ? undefined : Math.min(...oldest),
  };
}
