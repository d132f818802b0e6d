-- What the engine remembers of its judgments. The judgment itself is a function of the record and the clock and could
-- be thrown away; three things could not: since when an expectation without a clinical date has held (`since_at`), that
-- it was known before it ceased to be (`cancelled`), and which occurrence of a break is the last.
create table judgment (
  patient text collate "C" not null,         -- Patient/id
  rule text collate "C" not null,            -- RUP-20
  focus text collate "C" not null,           -- Encounter/id, or CarePlan/id#activity
  shard smallint not null default 0,
  state text not null,                       -- waiting | met | broken | repaired | cancelled
  due_at timestamptz(3),
  since_at timestamptz(3) not null,
  primary key (patient, rule, focus, shard)
);

-- One DetectedIssue for each occurrence of a break, whatever races: the key decides.
create table break (
  key text collate "C" not null,             -- RULE:Patient/id:Type/id
  occurrence integer not null,
  shard smallint not null default 0,
  issue_id text collate "C" not null,
  primary key (key, occurrence, shard)
);
