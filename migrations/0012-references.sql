-- Who points at whom: kept by src/store/pointers.ts while references are enforced (SUTURE_REFERENCES), so that a deletion can be
-- refused. While they are only recorded nothing is written here; pointer_state says whether the rows are complete.
create table pointer (
  target_type text collate "C" not null,
  target_id text collate "C" not null,
  source_type text collate "C" not null,
  source_id text collate "C" not null,
  primary key (target_type, target_id, source_type, source_id)
);
create index pointer_by_source on pointer (source_type, source_id);

create table pointer_state (
  is_only boolean primary key default true check (is_only),
  is_complete boolean not null
);
insert into pointer_state (is_complete) values (false);

-- Bulk jobs (src/interactions/bulk): an export or an import, how far it has come, and its files in parts.
create table bulk_job (
  id text collate "C" primary key,
  kind text not null,                        -- export | import
  state text not null,                       -- active | completed | failed
  request jsonb not null,
  progress jsonb not null default '{}',
  created_at timestamptz(3) not null,
  expires_at timestamptz(3)
);

create table bulk_file (
  job text collate "C" not null references bulk_job (id) on delete cascade,
  number integer not null,
  kind text not null,                        -- input | output | deleted | error
  type text collate "C" not null,            -- resource type of the lines
  lines integer not null,
  content text not null,                     -- NDJSON
  primary key (job, number)
);
