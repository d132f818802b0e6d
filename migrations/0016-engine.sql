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

-- What arrives from each site, by type of resource: when the last one came, how many came, and the longest silence that
-- was usual between two (src/breaks/feeds.ts). A row is written at most once in some minutes.
create table feed (
  site text collate "C" not null,            -- Organization/id
  type text collate "C" not null,
  shard smallint not null default 0,
  last_at timestamptz(3) not null,
  arrivals integer not null default 1,
  usual_gap interval not null default '0',   -- decays with each arrival
  silent_since timestamptz(3),               -- set while deadlines are held; the alert has been sent
  primary key (site, type, shard)
);
