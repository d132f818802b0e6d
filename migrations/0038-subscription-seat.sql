-- Subscriptions that are not over take a seat each; how many there are is a setting (src/notify/seats.sql.ts). Taken and given back in
-- the transaction of the Subscription, so that a Bundle of them counts itself.
create table subscription_seat (
  shard smallint not null default 0,
  subscription text collate "C" not null,
  owner text,                                -- who took it (callerKey); null where everybody may everything
  primary key (subscription, shard)
);
create index subscription_seat_by_owner on subscription_seat (owner);

insert into subscription_seat (subscription, owner)
select r.id, o.owner
from resource r left join subscription_owner o on o.subscription = r.id
where r.type = 'Subscription' and not r.is_deleted and r.raw::json ->> 'status' in ('requested', 'active', 'error');
