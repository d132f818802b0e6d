-- Versions of rule sets that a newer one has replaced: what they began they go on judging, until somebody applies the newer
-- one ($apply-version, src/breaks/versions.ts). One row for each; the text stands in the history of the PlanDefinition.
create table held_rule_set (
  plan text collate "C" not null,            -- id of the PlanDefinition
  canonical text collate "C" not null,       -- url|version
  version integer not null,                  -- of the resource
  shard smallint not null default 0,
  primary key (plan, canonical, shard)
);

-- By which version a judgment was made; null: before this was kept, whichever is in force.
alter table judgment add column rule_set text collate "C";
