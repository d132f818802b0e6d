-- FHIR packages that were loaded: versions stand side by side, a package is there as a whole or not at all.
create table package (
  name text collate "C" not null,             -- hl7.fhir.fr.core
  version text collate "C" not null,
  canonical text,
  title text,
  dependencies jsonb not null,                -- name -> version, as the package states them
  content_hash bytea not null,                -- SHA-256 of the file it came from
  loaded_at timestamptz(3) not null,
  primary key (name, version)
);

-- The definitions of a package that have a canonical URL, as they were published.
create table package_resource (
  package_name text collate "C" not null,
  package_version text collate "C" not null,
  type text collate "C" not null,
  url text collate "C" not null,
  version text collate "C" not null default '',
  body text not null,
  primary key (type, url, version, package_name, package_version),
  foreign key (package_name, package_version) references package on delete cascade
) with (toast_tuple_target = 8160);
create index package_resource_package on package_resource (package_name, package_version);
