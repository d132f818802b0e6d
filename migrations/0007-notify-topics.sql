-- Topics that administrators added (R4 Basic with the content of a SubscriptionTopic), by canonical URL; written in the
-- transaction of the Basic. Those of Suture itself are in the program (src/notify/topics/shipped.ts).
create table subscription_topic (
  shard smallint not null default 0,
  url text collate "C" not null,
  raw text not null,                         -- the Basic; '' when it is gone
  xid xid8 not null default pg_current_xact_id(),
  primary key (url, shard)
);
create index subscription_topic_by_change on subscription_topic (xid);

-- Why a subscription cannot be served any more (its topic lost a filter, a search parameter is gone): told by its delivery.
alter table subscription_state add column fault text;
