-- What indicators count: when an expectation began and was met, where it belongs, and the life of each break. Kept by the
-- judgment that knows it, in its transaction, so that an indicator is one query over two narrow tables.
alter table judgment
  add column anchor_at timestamptz(3),
  add column met_at timestamptz(3),
  add column is_known_late boolean not null default false,  -- met in time, learned after the deadline
  add column site text collate "C",                         -- Organization/id
  add column pathway text collate "C";                      -- of the care plan
create index judgment_by_anchor on judgment (rule, anchor_at);

alter table break
  add column rule text collate "C",
  add column patient text collate "C",
  add column site text collate "C",
  add column pathway text collate "C",
  add column state text,
  add column reason text,
  add column owner text collate "C",
  add column opened_at timestamptz(3),
  add column acknowledged_at timestamptz(3),
  add column closed_at timestamptz(3),
  add column reopened integer not null default 0;
create index break_by_opening on break (opened_at) where opened_at is not null;
