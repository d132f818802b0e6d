-- Search parameters that were stored as resources (src/store/search-parameters.sql.ts), and the writing of index rows for what was stored
-- before them (src/store/reindex.ts).
create table search_parameter (
  id text primary key,                       -- of the SearchParameter
  url text not null,
  definition jsonb not null,                 -- what src/search/custom.ts made of it
  is_whole boolean not null default false,   -- everything stored has been indexed by it
  started_at timestamptz(3) not null,        -- what was written since knows it, or is looked at in the second pass
  pass integer not null default 1,           -- 1: everything by type and id; 2: what changed meanwhile, by time
  place jsonb,                               -- the last resource done in this pass
  done bigint not null default 0,
  total bigint
);

-- Every instance reads the parameters again; those that are away read them when they come back.
create function announce_search_parameters() returns trigger language plpgsql as $$
begin
  perform pg_notify('search_parameter', '');
  return null;
end
$$;
create trigger search_parameter_changed after insert or update of definition, is_whole or delete on search_parameter
  for each statement execute function announce_search_parameters();

-- The index rows of resources as they are now: what is missing is written, what is too much goes. A resource that has another version
-- meanwhile is left out: its write knew the parameters. Arrays as in store_commit().
create function store_reindex(
  rids bigint[],
  versions integer[],
  new_keys text[],
  drivers text[],
  date_keys text[],
  date_los text[],
  date_his text[],
  string_keys text[],
  string_values text[],
  number_keys text[],
  number_los text[],
  number_his text[]
) returns integer
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  resource_found record;
  place integer;
  count integer := 0;
begin
  for resource_found in
    select r.rid, r.ord, r.keys, e.place::integer as place
    from unnest(rids, versions) with ordinality as e(rid, version, place)
    join resource r on r.rid = e.rid and r.version = e.version and not r.is_deleted
    order by r.type, r.id
    for update of r
  loop
    place := resource_found.place;
    count := count + 1;
    delete from token_index t
    where t.rid = resource_found.rid and t.ord = resource_found.ord
      and t.k in (select unnest(resource_found.keys) except select unnest(drivers[place]::bigint[]));
    insert into token_index (k, ord, rid)
    select k, resource_found.ord, resource_found.rid from unnest(drivers[place]::bigint[]) as t(k) order by k
    on conflict do nothing;

    delete from date_index t
    where t.rid = resource_found.rid and (t.k, t.lo, t.hi) not in (
      select * from unnest(date_keys[place]::bigint[], date_los[place]::bigint[], date_his[place]::bigint[]));
    insert into date_index (k, lo, hi, rid)
    select k, lo, hi, resource_found.rid
    from unnest(date_keys[place]::bigint[], date_los[place]::bigint[], date_his[place]::bigint[]) as t(k, lo, hi)
    on conflict do nothing;

    delete from string_index t
    where t.rid = resource_found.rid and (t.k, t.v) not in (
      select k, v collate "C" from unnest(string_keys[place]::bigint[], string_values[place]::text[]) as n(k, v));
    insert into string_index (k, v, rid)
    select k, v, resource_found.rid from unnest(string_keys[place]::bigint[], string_values[place]::text[]) as t(k, v)
    on conflict do nothing;

    delete from number_index t
    where t.rid = resource_found.rid and (t.k, t.lo, t.hi) not in (
      select * from unnest(number_keys[place]::bigint[], number_los[place]::double precision[],
                           number_his[place]::double precision[]));
    insert into number_index (k, lo, hi, rid)
    select k, lo, hi, resource_found.rid
    from unnest(number_keys[place]::bigint[], number_los[place]::double precision[],
                number_his[place]::double precision[]) as t(k, lo, hi)
    on conflict do nothing;

    update resource r set keys = new_keys[place]::bigint[]
    where r.rid = resource_found.rid and r.keys <> new_keys[place]::bigint[];
  end loop;
  return count;
end
$$;
