-- Which Basic resources set parameters of rules, or have done so: found without looking at every Basic of the record.
-- What they say is read from the resources themselves; a row too many does no harm.
create table rule_parameters (
  id text collate "C" not null,              -- of the Basic
  shard smallint not null default 0,
  primary key (id, shard)
);
