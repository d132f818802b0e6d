-- Durable work: one row per (kind, key). Asking again moves it forward in time and changes `stamp`, so that whoever is
-- at work on it knows that it must be done once more. `holder` is the instance at work; it holds an advisory lock
-- as long as it lives, so a lease needs no clock: the work of a dead instance is free at once (src/queue/lease.ts).
create table job (
  kind text collate "C" not null,
  key text collate "C" not null,
  payload jsonb,
  run_at timestamptz(3) not null,
  stamp bigint not null default 0,
  attempts integer not null default 0,
  holder integer,
  is_parked boolean not null default false,  -- gave up: an operator must look
  last_error text,                           -- a category, never content
  primary key (kind, key)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

create index job_due on job (kind, run_at, key) where holder is null and not is_parked;
create index job_held on job (holder) where holder is not null;

-- The position of a manual clock (SUTURE_CLOCK), so that a restart never moves time back. One row, or none.
create table clock (
  is_only boolean primary key default true check (is_only),
  now timestamptz(3) not null
);
