-- What hospitals' messages (HL7 v2 ADT) have said of a stay: all of it, so that the Encounter is a function of the whole and
-- not of the order in which messages came. `report` is letters/admission/stay.ts.
create table stay_report (
  encounter text collate "C" not null,        -- Encounter id
  key text collate "C" not null,              -- SHA-256 of the message
  recorded_at timestamptz(3) not null,        -- EVN-2
  report jsonb not null,
  shard smallint not null default 0,
  primary key (encounter, key, shard)
);

-- The newest message that has said who a patient is: what is older changes nothing any more.
create table patient_report (
  patient text collate "C" not null,          -- Patient id
  recorded_at timestamptz(3) not null,
  shard smallint not null default 0,
  primary key (patient, shard)
);
