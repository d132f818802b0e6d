-- Whether a site still sends (src/breaks/feeds.ts). An hour in which resources of a type came from a site leaves one row,
-- whatever their number; four weeks of them are its usual pattern.
create table feed_hour (
  site text collate "C" not null,            -- Organization/id
  type text collate "C" not null,            -- DocumentReference
  hour timestamptz(3) not null,
  shard smallint not null default 0,
  primary key (site, type, hour, shard)
);

-- Feeds that are silent for longer than usual, told once.
create table feed_silence (
  site text collate "C" not null,
  type text collate "C" not null,
  since timestamptz(3) not null,             -- the last hour in which something came
  shard smallint not null default 0,
  primary key (site, type, shard)
);

-- Patients with a deadline that passed while its feed was silent: judged again when something comes.
create table held_deadline (
  site text collate "C" not null,
  type text collate "C" not null,
  patient text collate "C" not null,
  shard smallint not null default 0,
  primary key (site, type, patient, shard)
);
