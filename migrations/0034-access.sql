-- What access is decided by, derived at each write like index rows (src/access). Three things stand on the resource and on each of its
-- versions: the patients whose record it is part of, its security labels, and who wrote what is labelled. Three tables say who stands
-- in which relation to which patient, who a person or an organisation is on this server, and which documents a Binary belongs to.

alter table resource
  add column labels text[] not null default '{}',   -- system|code of each security label; an unreadable one is '|'
  add column authors text[] not null default '{}';  -- Type/id of who wrote it; only where it has labels

alter table version
  add column patients text[],                       -- null: not known, so nobody's but those who may see every patient
  add column labels text[] not null default '{}',
  add column authors text[] not null default '{}';

-- meta.security, DocumentReference.securityLabel, Composition.confidentiality. A label without a code is one that nobody knows.
create function access_labels(type text, raw text) returns text[] language sql immutable as $$
  select coalesce(array_agg(distinct coalesce(label ->> 'system', '') || '|' || coalesce(label ->> 'code', '')), '{}')
  from (
    select jsonb_path_query(raw::jsonb, 'lax $.meta.security[*]') as label
    union all
    select jsonb_path_query(raw::jsonb, 'lax $.securityLabel[*].coding[*]') where type <> 'Consent'
    union all
    select '{}' from jsonb_path_query(raw::jsonb, 'lax $.securityLabel[*] ? (!exists (@.coding))')
    union all
    select jsonb_build_object('system', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
                              'code', raw::jsonb ->> 'confidentiality')
    where type = 'Composition' and raw::jsonb ? 'confidentiality'
  ) as found
$$;

create function access_authors(raw text) returns text[] language sql immutable as $$
  select coalesce(array_agg(distinct author #>> '{}'), '{}')
  from (
    select jsonb_path_query(raw::jsonb, 'lax $.author[*].reference') as author
    union all select jsonb_path_query(raw::jsonb, 'lax $.recorder[*].reference')
    union all select jsonb_path_query(raw::jsonb, 'lax $.sender[*].reference')
  ) as found
$$;

create function access_mark() returns trigger language plpgsql as $$
begin
  new.labels := case when new.raw = '' then '{}' else access_labels(new.type, new.raw) end;
  new.authors := case when new.labels = '{}' then '{}' else access_authors(new.raw) end;
  return new;
end
$$;

-- Looking for the word costs next to nothing; few resources have it.
create trigger access_mark_new before insert on resource for each row
  when (position('"security' in new.raw) > 0 or new.type = 'Composition') execute function access_mark();
create trigger access_mark_changed before update of raw on resource for each row
  when (position('"security' in new.raw) > 0 or new.type = 'Composition' or new.labels <> '{}')
  execute function access_mark();

-- A version is superseded while the row still holds it: its marks go with it.
create function access_mark_version() returns trigger language plpgsql as $$
begin
  select r.patients, r.labels, r.authors into new.patients, new.labels, new.authors
  from resource r where r.rid = new.rid and r.shard = new.shard and r.version = new.version;
  new.labels := coalesce(new.labels, '{}');
  new.authors := coalesce(new.authors, '{}');
  return new;
end
$$;
create trigger access_mark_version before insert on version for each row execute function access_mark_version();

update resource set labels = access_labels(type, raw), authors = access_authors(raw)
where raw <> '' and (position('"security' in raw) > 0 or type = 'Composition') and access_labels(type, raw) <> '{}';
update version set labels = access_labels(type, raw), authors = access_authors(raw)
where raw <> '' and (position('"security' in raw) > 0 or type = 'Composition') and access_labels(type, raw) <> '{}';

-- Who (Type/id, or `rpps|number`, `finess|number`) is what to which patient (Patient/id), in [lo, hi) in ms.
create table access_relation (
  shard smallint not null default 0,
  patient text collate "C" not null,
  who text collate "C" not null,             -- '*' in an objection: everybody
  ground text not null,                      -- src/access/facts.ts
  lo bigint not null,
  hi bigint not null,
  source text collate "C" not null,          -- Type/id of the resource that says so
  primary key (patient, who, ground, lo, hi, source, shard)
);
create index access_relation_by_who on access_relation (who, patient);
create index access_relation_by_source on access_relation (source);

-- Under which references somebody is known here: `rpps|number` is Practitioner/1, Practitioner/1 is PractitionerRole/2.
create table access_identity (
  shard smallint not null default 0,
  known_as text collate "C" not null,
  reference text collate "C" not null,
  organisation text collate "C" not null,    -- of a role: Organization/id in which alone it counts; '' otherwise
  lo bigint not null,
  hi bigint not null,
  source text collate "C" not null,
  primary key (known_as, reference, organisation, lo, hi, source, shard)
);
create index access_identity_by_source on access_identity (source);

-- Which documents (Type/id) have the content of which Binary.
create table access_content (
  shard smallint not null default 0,
  binary_id text collate "C" not null,
  source text collate "C" not null,
  primary key (binary_id, source, shard)
);
create index access_content_by_source on access_content (source);

-- Whether all that was stored before these tables has its rows.
create table access_state (
  is_only boolean primary key default true check (is_only),
  is_complete boolean not null
);
insert into access_state (is_complete) values (false);

-- What these resources say now, in place of what they said before: [{source, relations, identities, contents}].
create function access_keep(facts jsonb) returns void language plpgsql as $$
declare
  sources constant text[] := array(select f ->> 'source' from jsonb_array_elements(facts) as f);
begin
  delete from access_relation where source = any (sources);
  delete from access_identity where source = any (sources);
  delete from access_content where source = any (sources);
  insert into access_relation (patient, who, ground, lo, hi, source)
  select x.patient, x.who, x.ground, x.lo, x.hi, f ->> 'source'
  from jsonb_array_elements(facts) as f
  cross join lateral jsonb_to_recordset(f -> 'relations') as x(patient text, who text, ground text, lo bigint, hi bigint)
  on conflict do nothing;
  insert into access_identity (known_as, reference, organisation, lo, hi, source)
  select x.known_as, x.reference, x.organisation, x.lo, x.hi, f ->> 'source'
  from jsonb_array_elements(facts) as f
  cross join lateral jsonb_to_recordset(f -> 'identities')
    as x(known_as text, reference text, organisation text, lo bigint, hi bigint)
  on conflict do nothing;
  insert into access_content (binary_id, source)
  select x.id, f ->> 'source'
  from jsonb_array_elements(facts) as f cross join lateral jsonb_array_elements_text(f -> 'contents') as x(id)
  on conflict do nothing;
end
$$;

-- All that these names (`rpps|...`, `finess|...`) stand for at this instant: themselves, the person or organisation, the person's roles in
-- it. With an organisation, a role elsewhere does not count.
create function access_who(names text[], at bigint) returns text[] language sql stable as $$
  with direct as (
    select i.reference from access_identity i where i.known_as = any (names) and i.lo <= at and i.hi > at
  ), organisations as (
    select array_agg(reference) as list from direct where reference like 'Organization/%'
  ), roles as (
    select i.reference from access_identity i, organisations o
    where i.known_as in (select reference from direct where reference like 'Practitioner/%')
      and i.lo <= at and i.hi > at
      and (i.organisation = '' or o.list is null or i.organisation = any (o.list))
  )
  select names || array(select reference from direct union select reference from roles)
$$;
