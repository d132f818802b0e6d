-- Patients whose records are one (Patient.link replaced-by, replaces; src/breaks/merged.ts). One row for each Patient that
-- says so, so that each may take back what it said.
create table merged_patient (
  patient text collate "C" not null,         -- Patient/id: the one that was replaced
  survivor text collate "C" not null,
  said_by text collate "C" not null,
  shard smallint not null default 0,
  primary key (patient, survivor, said_by, shard)
);
create index merged_patient_by_survivor on merged_patient (survivor);
create index merged_patient_by_source on merged_patient (said_by);

-- Breaks that must follow: to the survivor, or back when a merge is undone. Done by the next judgment of either.
create table patient_move (
  seq bigint generated always as identity primary key,
  from_patient text collate "C" not null,
  to_patient text collate "C" not null,
  is_undo boolean not null
);
