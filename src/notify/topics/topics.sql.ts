/** Topics that administrators added, in the table subscription_topic. */
import type { Queryable } from '../../db/index.ts';

export interface TopicRow {
  readonly url: string;
  /** The Basic; '' when it is gone. */
  readonly raw: string;
}

export async function findTopicRow(db: Queryable, url: string): Promise<string | undefined> {
  const rows = await db.query<TopicRow>({
    name: 'notify-topic',
    text: `select url, raw from subscription_topic where url = $1 and raw <> ''`,
    values: [url],
  });
  return rows[0]?.raw;
}

export async function listTopicRows(db: Queryable): Promise<readonly TopicRow[]> {
  return db.query<TopicRow>({
    name: 'notify-topic-list',
    text: `select url, raw from subscription_topic where raw <> '' order by url`,
  });
}

export async function saveTopicRow(db: Queryable, { url, raw }: TopicRow): Promise<void> {
  await db.query({
    name: 'notify-save-topic',
    text: `insert into subscription_topic (url, raw) values ($1, $2)
           on conflict (url, shard) do update set raw = $2, xid = pg_current_xact_id()`,
    values: [url, raw],
  });
}

/** Whether a subscription that is not over names the topic, with or without version. */
export async function isTopicFollowed(db: Queryable, url: string): Promise<boolean> {
  const rows = await db.query({
    name: 'notify-topic-followed',
    text: `select 1 from subscription_state s join resource r on r.type = 'Subscription' and r.id = s.subscription
           where s.status in ('requested', 'active', 'error') and not r.is_deleted
             and split_part(r.raw::json ->> 'criteria', '|', 1) = $1
           limit 1`,
    values: [url],
  });
  return rows.length > 0;
}
