-- Breaks that nobody was called about (learned of long after, a rule set just activated, catching up after downtime): one
-- digest for each organisation tells of them and takes them away (src/breaks/digest.ts).
create table untold_break (
  issue_id text collate "C" not null,
  shard smallint not null default 0,
  rule text collate "C" not null,
  organisation text collate "C" not null,    -- Organization/id, or '-' where none is known
  at timestamptz(3) not null,
  primary key (issue_id, shard)
);
create index untold_break_by_organisation on untold_break (organisation);
