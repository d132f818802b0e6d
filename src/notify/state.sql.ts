/** How far each subscription has come, in the table subscription_state; and the secrets. */
import type { Queryable, Transaction } from '../db/index.ts';
import type { Standing } from './step.ts';
import type { SubscriptionStatus } from './subscription.ts';
import type { TopicRow } from './topics/topics.sql.ts';

export interface WatchedRow {
  readonly subscription: string;
  readonly version: number;
  readonly status: SubscriptionStatus | 'gone';
  /** The Subscription in force; null when it is gone. */
  readonly raw: string | null;
}

/** The Subscription `s` points at, as it was at that version: current or superseded. */
const textInForce = `(
  select coalesce(
    (select r.raw from resource r where r.type = 'Subscription' and r.id = s.subscription and r.version = s.version),
    (select v.raw from version v join resource r on r.rid = v.rid
     where r.type = 'Subscription' and r.id = s.subscription and v.version = s.version)))`;

export interface Look {
  /** Where the next look begins: what commits later has a transaction number at or above it. */
  readonly horizon: string;
  readonly watched: readonly WatchedRow[];
  readonly topics: readonly TopicRow[];
  /** Whether any subscription watches on behalf of somebody. */
  readonly hasOwners: boolean;
}

/**
 * Every subscription and every topic that changed since an earlier look, and the subscriptions in `also`. All in one statement,
 * so in one snapshot: no change is passed over, and a few come twice.
 */
export async function look(tx: Transaction, sinceXid: string, also: readonly string[]): Promise<Look> {
  const rows = await tx.query<{
    horizon: string;
    watched: WatchedRow[] | null;
    topics: TopicRow[] | null;
    has_owners: boolean;
  }>({
    name: 'notify-look',
    text: `select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
                  (select json_agg(json_build_object('subscription', s.subscription, 'version', s.version,
                                                     'status', s.status, 'raw', ${textInForce}))
                   from subscription_state s where s.xid >= $1::xid8 or s.subscription = any ($2)) as watched,
                  (select json_agg(json_build_object('url', t.url, 'raw', t.raw))
                   from subscription_topic t where t.xid >= $1::xid8) as topics,
                  exists (select from subscription_owner) as has_owners`,
    values: [sinceXid, also],
  });
  const [row] = rows;
  const { horizon = '0', watched, topics, has_owners: hasOwners = false } = row ?? {};
  return { horizon, watched: watched ?? [], topics: topics ?? [], hasOwners };
}

export interface StateChange {
  readonly subscription: string;
  readonly version: number;
  readonly status: SubscriptionStatus | 'gone';
  readonly secrets: readonly string[];
}

/**
 * Puts another version of a Subscription in force. Coming back from `off` starts after what has been; coming back from
 * `error` starts where it failed, at once. What is gone begins again at number 1. A version that a delivery wrote is in
 * force already. Secrets that nothing points at any more are deleted.
 */
export async function applyState(tx: Transaction, change: StateChange): Promise<{ readonly isSlow: boolean }> {
  const rows = await tx.query<{ is_slow: boolean }>({
    name: 'notify-apply-state',
    text: `with former as (select secrets from subscription_state where subscription = $1),
           unsealed as (
             delete from subscription_secret x using former f
             where x.handle = any (f.secrets) and not x.handle = any ($4::text[])
           )
           insert into subscription_state as s (subscription, version, status, secrets) values ($1, $2, $3, $4)
           on conflict (subscription, shard) do update
           set version = $2, secrets = $4, xid = pg_current_xact_id(),
               status = $3,
               last_number = case when $3 = 'gone' then 0 else s.last_number end,
               delivered_number = case when $3 = 'gone' then 0
                                       when s.status in ('off', 'gone') then s.last_number
                                       else s.delivered_number end,
               fault = null,
               failures = case when s.version >= $2 then s.failures else 0 end,
               retry_at = case when s.version >= $2 then s.retry_at end,
               failing_since = case when s.version >= $2 or $3 = 'error' then s.failing_since end,
               sent_at = case when $3 = 'gone' then null else s.sent_at end
           returning is_slow`,
    values: [change.subscription, change.version, change.status, change.secrets],
  });
  if (change.status === 'gone') {
    await tx.query({
      name: 'notify-forget-events',
      text: 'delete from subscription_event where subscription = $1',
      values: [change.subscription],
    });
  }
  return { isSlow: rows[0]?.is_slow ?? true };
}

/** Leaves a fault for the delivery of each to tell; answers those that are not over. */
export async function markUnserved(
  tx: Transaction,
  unserved: readonly { readonly subscription: string; readonly fault: string }[],
): Promise<readonly { readonly subscription: string; readonly isSlow: boolean }[]> {
  if (unserved.length === 0) return [];
  const rows = await tx.query<{ subscription: string; is_slow: boolean }>({
    name: 'notify-mark-unserved',
    text: `update subscription_state s set fault = u.fault
           from unnest($1::text[], $2::text[]) as u(subscription, fault)
           where s.subscription = u.subscription and s.status in ('requested', 'active')
           returning s.subscription, s.is_slow`,
    values: [unserved.map(({ subscription }) => subscription), unserved.map(({ fault }) => fault)],
  });
  return rows.map(({ subscription, is_slow }) => ({ subscription, isSlow: is_slow }));
}

export interface StateRow {
  readonly subscription: string;
  readonly fault: string | null;
  readonly status: SubscriptionStatus | 'gone';
  readonly version: number;
  readonly last_number: string;
  readonly delivered_number: string;
  readonly is_slow: boolean;
  readonly failures: number;
  readonly failing_since: Date | null;
  readonly retry_at: Date | null;
  readonly sent_at: Date | null;
  /** It watches on behalf of somebody. */
  readonly is_owned: boolean;
}

/** With the terms of the version in force. */
export interface TermsRow extends StateRow {
  readonly raw: string | null;
  /** By handle. */
  readonly secrets: Readonly<Record<string, string>> | null;
}

const stateColumns = `s.subscription, s.fault, s.status, s.version, s.last_number, s.delivered_number, s.is_slow, s.failures,
                  s.failing_since, s.retry_at, s.sent_at,
                  exists (select from subscription_owner o where o.subscription = s.subscription) as is_owned`;

export function readStates(db: Queryable, subscriptions: readonly string[]): Promise<readonly StateRow[]> {
  return db.query<StateRow>({
    name: 'notify-states',
    text: `select ${stateColumns} from subscription_state s where s.subscription = any ($1)`,
    values: [subscriptions],
  });
}

/** In one snapshot: a secret belongs to the version beside it. */
export function readTerms(db: Queryable, subscriptions: readonly string[]): Promise<readonly TermsRow[]> {
  return db.query<TermsRow>({
    name: 'notify-terms',
    text: `select ${stateColumns}, ${textInForce} as raw,
                  (select json_object_agg(x.handle, x.value) from subscription_secret x
                   where x.handle = any (s.secrets)) as secrets
           from subscription_state s where s.subscription = any ($1)`,
    values: [subscriptions],
  });
}

export interface Mark {
  readonly version: number;
  readonly status: SubscriptionStatus | 'gone';
  readonly lastNumber: number;
  readonly deliveredNumber: number;
}

interface MarkRow {
  readonly subscription: string;
  readonly last_number: string;
  readonly delivered_number: string;
}

/** How far these subscriptions are, by id. */
export async function readMarks(db: Queryable, ids: readonly string[]): Promise<ReadonlyMap<string, Mark>> {
  const rows = await db.query<Pick<Mark, 'version' | 'status'> & MarkRow>({
    name: 'notify-marks',
    text: `select subscription, version, status, last_number, delivered_number
           from subscription_state where subscription = any ($1)`,
    values: [ids],
  });
  return new Map(
    rows.map(({ subscription, version, status, last_number, delivered_number }) => [
      subscription,
      { version, status, lastNumber: Number(last_number), deliveredNumber: Number(delivered_number) },
    ]),
  );
}

/** Moves the subscription on to a version that says another status. */
export async function setStatus(
  tx: Transaction,
  { id, version }: { readonly id: string; readonly version: number },
  to: { readonly status: Standing['status']; readonly version: number },
  nowMs: number,
): Promise<void> {
  await tx.query({
    name: 'notify-set-status',
    text: `update subscription_state set status = $3, version = $4, failing_since = coalesce(failing_since, $5)
           where subscription = $1 and version = $2`,
    values: [id, version, to.status, to.version, new Date(nowMs)],
  });
}

/**
 * Forgets what is older than `beforeMs`, up to a number of rows of each kind: events that were delivered or whose subscription is
 * over, and the log of deliveries. Answers whether there may be more.
 */
export async function trim(db: Queryable, beforeMs: number, rowsMax: number): Promise<boolean> {
  const rows = await db.query<{ has_more: boolean }>({
    name: 'notify-trim',
    text: `with events as (
             delete from subscription_event e using (
               select e.subscription, e.number
               from subscription_event e join subscription_state s using (subscription)
               where e.at < $1 and (e.number <= s.delivered_number or s.status in ('off', 'gone'))
               limit $2) old
             where e.subscription = old.subscription and e.number = old.number
             returning 1
           ),
           attempts as (
             delete from delivery d using (select subscription, seq from delivery where at < $1 limit $2) old
             where d.subscription = old.subscription and d.seq = old.seq
             returning 1
           )
           select (select count(*) from events) = $2 or (select count(*) from attempts) = $2 as has_more`,
    values: [new Date(beforeMs), rowsMax],
  });
  return rows[0]?.has_more ?? false;
}

/** Whether any subscription is not over. */
export async function hasLive(db: Queryable): Promise<boolean> {
  const rows = await db.query({
    name: 'notify-has-live',
    text: `select 1 from subscription_state where status in ('requested', 'active', 'error') limit 1`,
  });
  return rows.length > 0;
}

/** The current version of the Subscription, locked until the end of the transaction; undefined when it is deleted. */
export async function lockSubscription(
  tx: Transaction,
  id: string,
): Promise<{ version: number; raw: string } | undefined> {
  const rows = await tx.query<{ version: number; raw: string; is_deleted: boolean }>({
    name: 'notify-lock-subscription',
    text: `select version, raw, is_deleted from resource where type = 'Subscription' and id = $1 for update`,
    values: [id],
  });
  const row = rows[0];
  return row === undefined || row.is_deleted ? undefined : row;
}

/** Written in the transaction of the Subscription that points at them. */
export async function insertSecrets(
  session: { query(statement: { text: string; values: readonly unknown[] }): Promise<unknown> },
  secrets: readonly { readonly handle: string; readonly value: string }[],
): Promise<void> {
  if (secrets.length === 0) return;
  await session.query({
    text: 'insert into subscription_secret (handle, value) select * from unnest($1::text[], $2::text[])',
    values: [secrets.map(({ handle }) => handle), secrets.map(({ value }) => value)],
  });
}

export async function readSecrets(db: Queryable, handles: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (handles.length === 0) return new Map();
  const rows = await db.query<{ handle: string; value: string }>({
    name: 'notify-secrets',
    text: 'select handle, value from subscription_secret where handle = any ($1)',
    values: [handles],
  });
  return new Map(rows.map(({ handle, value }) => [handle, value]));
}
