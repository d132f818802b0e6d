-- What the server remembers of subscriptions beside the Subscription resources: how far each has come, its events, what
-- was sent, and the secrets that the resources only point at. Written by the reader of changes and by deliveries
-- (src/notify), never by a request, except for the secrets.

-- One row for each subscription that was ever seen.
create table subscription_state (
  shard smallint not null default 0,
  subscription text collate "C" not null,    -- logical id of the Subscription
  version integer not null,                  -- of the Subscription in force: as far as the reader of changes has come
  status text not null check (status in ('requested', 'active', 'error', 'off', 'gone')),
  xid xid8 not null default pg_current_xact_id(),  -- who last changed what is watched for: instances catch up by it
  last_number bigint not null default 0,     -- events so far
  delivered_number bigint not null default 0,-- all up to this one were accepted
  is_slow boolean not null default true,     -- delivered apart from those that answer at once; so is one not tried yet
  failures integer not null default 0,       -- since the last success
  failing_since timestamptz(3),
  retry_at timestamptz(3),
  sent_at timestamptz(3),                    -- of the last notification that was accepted
  secrets text[] not null default '{}',      -- handles that the version in force points at
  primary key (subscription, shard)
) with (fillfactor = 70);
create index subscription_state_by_change on subscription_state (xid);

-- Numbers run from 1 without a gap: given under the lock of the row above, in the transaction that moves the reader.
create table subscription_event (
  shard smallint not null default 0,
  subscription text collate "C" not null,
  number bigint not null,
  type text collate "C" not null,
  id text collate "C" not null,
  version integer not null,
  method text not null,
  at timestamptz(3) not null,
  primary key (subscription, number, shard)
);
create index subscription_event_by_age on subscription_event (at);

-- The delivery log: one row for each attempt, without addresses, contents or headers.
create table delivery (
  shard smallint not null default 0,
  seq bigint generated always as identity,
  subscription text collate "C" not null,
  at timestamptz(3) not null,
  kind text not null,                        -- handshake | event-notification | heartbeat
  first_number bigint,
  last_number bigint,
  attempt integer not null,
  outcome text not null,                     -- delivered | no-response | bad-answer | redirect | forbidden-address | gone
  http_status smallint,
  duration_ms integer not null,
  primary key (subscription, seq, shard)
);
create index delivery_by_age on delivery (at);

-- Header values and signing keys. The resource carries `sealed:` and the handle, so that no read, search, history or
-- backup of resources can show them.
create table subscription_secret (
  shard smallint not null default 0,
  handle text collate "C" not null,
  value text not null,
  primary key (handle, shard)
);

alter table subscription_event set (autovacuum_vacuum_insert_scale_factor = 0.02);
alter table delivery set (autovacuum_vacuum_insert_scale_factor = 0.02);
