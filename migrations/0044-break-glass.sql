-- Who sees a patient in an emergency without standing in a relation to him, why, and until when. Rows stay: a glass that was broken was broken.
create table break_glass (
  shard smallint not null default 0,
  id text collate "C" not null,
  owner text not null,                       -- who it is (callerKey)
  patient text collate "C" not null,         -- Patient/id
  reason text not null,
  began_at timestamptz not null,
  until timestamptz not null,
  ended_at timestamptz,                      -- by himself, before its time
  primary key (id, shard)
);
create index break_glass_by_owner on break_glass (owner, began_at);
