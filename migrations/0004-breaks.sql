-- What the engine remembers of its judgments. A judgment is a function of the record and the clock and could be thrown
-- away. Kept are: that an expectation was known before it ceased to be (`cancelled`), and what would otherwise be read
-- from the history again and again: since when an expectation without a clinical date has held.
create table judgment (
  patient text collate "C" not null,         -- Patient/id
  rule text collate "C" not null,            -- RUP-20
  focus text collate "C" not null,           -- Encounter/id, or CarePlan/id#activity
  shard smallint not null default 0,
  state text not null,                       -- waiting | met | broken | repaired | cancelled
  due_at timestamptz(3),
  since_at timestamptz(3),                   -- lastUpdated of the first version in which the rule starts, unbroken
  focus_version integer not null,            -- up to which version of the focus since_at was looked for
  met_since timestamptz(3),                  -- when it was first found met, for rules that read no date of it
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
