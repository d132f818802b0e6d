-- On whose behalf a subscription watches (src/access): what it tells of is what its owner may see, when it happens and when it is sent.
-- A subscription without a row is the server's own: it was made where everybody may everything.
create table subscription_owner (
  shard smallint not null default 0,
  subscription text collate "C" not null,
  owner text not null,                       -- who it is, for reading and changing it (callerKey)
  caller jsonb not null,                     -- what he may, as he was when he last wrote it
  primary key (subscription, shard)
);
