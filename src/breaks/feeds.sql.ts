/** What is kept of feeds (migrations/0026). */
import type { Queryable } from '../db/index.ts';

export interface Feed {
  /** `Organization/id` */
  readonly site: string;
  readonly type: string;
}

export interface FeedHour extends Feed {
  readonly hourMs: number;
}

/** Notes the hours; where one is new, the feed is silent no longer, and whoever waited for it is judged again. */
export async function keepArrivals(tx: Queryable, arrivals: readonly FeedHour[], nowMs: number): Promise<void> {
  if (arrivals.length === 0) return;
  await tx.query({
    name: 'keep-arrivals',
    text: `with come as (
             insert into feed_hour (site, type, hour)
             select site, type, hour from unnest($1::text[], $2::text[], $3::timestamptz[]) as a(site, type, hour)
             order by site, type, hour
             on conflict do nothing returning site, type),
           silent as (
             delete from feed_silence s using come where s.site = come.site and s.type = come.type),
           held as (
             delete from held_deadline h using come where h.site = come.site and h.type = come.type returning h.patient)
           insert into job (kind, key, run_at)
           select distinct 'judge', patient, $4::timestamptz from held order by patient
           on conflict (kind, key) do update
           set run_at = least(job.run_at, excluded.run_at), stamp = job.stamp + 1, is_parked = false`,
    values: [
      arrivals.map(({ site }) => site),
      arrivals.map(({ type }) => type),
      arrivals.map(({ hourMs }) => new Date(hourMs)),
      new Date(nowMs),
    ],
  });
}

/** The hours of these feeds since then, each feed with its own. */
export async function readHours(
  tx: Queryable,
  feeds: readonly Feed[],
  sinceMs: number,
): Promise<readonly (Feed & { readonly hours: readonly number[] })[]> {
  const rows = await tx.query<Feed & { hours: readonly Date[] }>({
    name: 'read-feed-hours',
    text: `select h.site, h.type, array_agg(h.hour order by h.hour) as hours
           from unnest($1::text[], $2::text[]) as w(site, type)
           join feed_hour h on h.site = w.site and h.type = w.type
           where h.hour > $3 group by h.site, h.type`,
    values: [feeds.map(({ site }) => site), feeds.map(({ type }) => type), new Date(sinceMs)],
  });
  return rows.map(({ hours, ...feed }) => ({ ...feed, hours: hours.map((hour) => hour.getTime()) }));
}

/** Those that were not known to be silent before. */
export async function keepSilences(
  tx: Queryable,
  silences: readonly (Feed & { readonly sinceMs: number })[],
): Promise<readonly Feed[]> {
  return tx.query<Feed>({
    name: 'keep-silences',
    text: `insert into feed_silence (site, type, since)
           select site, type, since from unnest($1::text[], $2::text[], $3::timestamptz[]) as s(site, type, since)
           order by site, type
           on conflict do nothing returning site, type`,
    values: [
      silences.map(({ site }) => site),
      silences.map(({ type }) => type),
      silences.map(({ sinceMs }) => new Date(sinceMs)),
    ],
  });
}

export async function keepHeldDeadlines(tx: Queryable, patient: string, feeds: readonly Feed[]): Promise<void> {
  await tx.query({
    name: 'keep-held-deadlines',
    text: `insert into held_deadline (site, type, patient)
           select site, type, $3 from unnest($1::text[], $2::text[]) as f(site, type)
           on conflict do nothing`,
    values: [feeds.map(({ site }) => site), feeds.map(({ type }) => type), patient],
  });
}

/** Those of the feeds that the patient's deadlines did wait for. */
export async function dropHeldDeadlines(
  tx: Queryable,
  patient: string,
  feeds: readonly Feed[],
): Promise<readonly Feed[]> {
  return tx.query<Feed>({
    name: 'drop-held-deadlines',
    text: `delete from held_deadline h using unnest($1::text[], $2::text[]) as f(site, type)
           where h.site = f.site and h.type = f.type and h.patient = $3 returning h.site, h.type`,
    values: [feeds.map(({ site }) => site), feeds.map(({ type }) => type), patient],
  });
}

/** Feeds that deadlines of this patient wait for. */
export async function readHeldFeeds(db: Queryable, patient: string): Promise<readonly Feed[]> {
  return db.query<Feed>({
    name: 'read-held-feeds',
    text: 'select site, type from held_deadline where patient = $1',
    values: [patient],
  });
}

/** Hours that no pattern needs any more. */
export async function trimHours(tx: Queryable, feeds: readonly Feed[], beforeMs: number): Promise<void> {
  await tx.query({
    name: 'trim-feed-hours',
    text: `delete from feed_hour h using unnest($1::text[], $2::text[]) as w(site, type)
           where h.site = w.site and h.type = w.type and h.hour < $3`,
    values: [feeds.map(({ site }) => site), feeds.map(({ type }) => type), new Date(beforeMs)],
  });
}
