-- The record: current rows, superseded versions, index rows, and the log of changes.
-- Written only by store_commit() (0002), read by src/store and src/search. `shard` is 0 on one machine; it stands in
-- every key so that the tables can be distributed by patient compartment later (src/decisions/0004).

-- No cache: each connection would count in a block of its own, and what is created later would come earlier.
create sequence rid_sequence;

-- The current version of each resource. `raw` is the exact text that is served; '' when deleted.
create table resource (
  shard smallint not null default 0,
  rid bigint not null,                       -- internal, time-ordered, never reused
  type text collate "C" not null,
  id text collate "C" not null,
  version integer not null,
  last_updated timestamptz(3) not null,
  method text not null,                      -- POST | PUT | PATCH | DELETE: what made this version
  is_deleted boolean not null,
  ord bigint not null,                       -- main clinical instant in ms: the order of token pages
  patients text[] not null,                  -- Patient/id: the patient compartments it stands in
  keys bigint[] not null,                    -- every key of this version, sorted: what a probe asks
  raw text not null,
  primary key (rid, shard)
) with (toast_tuple_target = 8160, fillfactor = 90);

create unique index resource_identity on resource (type, id, shard);
create index resource_by_update on resource (type, last_updated desc, rid desc) where not is_deleted;

-- Former versions; the current one lives in resource only, so that a create writes its text once.
create table version (
  shard smallint not null default 0,
  rid bigint not null,
  version integer not null,
  type text collate "C" not null,
  id text collate "C" not null,
  last_updated timestamptz(3) not null,
  method text not null,
  raw text not null,
  primary key (rid, version, shard)
) with (toast_tuple_target = 8160);

-- k: 64-bit hash of a key text (src/search/keys.ts); only the keys that a search may start from have rows here.
-- One ordered index serves equality, newest-first pages and counts.
create table token_index (
  k bigint not null,
  ord bigint not null,
  rid bigint not null,
  shard smallint not null default 0,
  primary key (k, ord, rid, shard)
);

-- Half-open ranges [lo, hi) in ms since 1970.
create table date_index (
  k bigint not null,
  lo bigint not null,
  hi bigint not null,
  rid bigint not null,
  shard smallint not null default 0,
  primary key (k, lo, hi, rid, shard)
);
create index date_index_by_resource on date_index (rid, k, lo, hi);

-- Folded text (accents and case removed), cut to 200 characters; a prefix is a range.
create table string_index (
  k bigint not null,
  v text collate "C" not null,
  rid bigint not null,
  shard smallint not null default 0,
  primary key (k, v, rid, shard)
);
create index string_index_by_resource on string_index (rid, k);

create table number_index (
  k bigint not null,
  lo double precision not null,
  hi double precision not null,
  rid bigint not null,
  shard smallint not null default 0,
  primary key (k, lo, hi, rid, shard)
);
create index number_index_by_resource on number_index (rid, k);

-- One row per committed version, left by the write itself. Readers take rows below the snapshot horizon in the order
-- (xid, seq): `seq > last` alone would lose rows of transactions that commit late.
create table change (
  xid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity,
  shard smallint not null default 0,
  rid bigint not null,
  type text collate "C" not null,
  id text collate "C" not null,
  version integer not null,
  method text not null,
  at timestamptz(3) not null,
  patients text[] not null,                  -- of this version and of the one before
  primary key (xid, seq, shard)
);

-- Where each reader of changes stands.
create table reader (
  name text primary key,
  xid xid8 not null default '0',
  seq bigint not null default 0
);

alter table token_index set (autovacuum_vacuum_insert_scale_factor = 0.02);
alter table change set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
