-- store_commit: the one write path. All entries are written, or none: the first conflict is returned and nothing is
-- written. One round trip for a single write (a statement of its own is its own transaction), and the same function
-- inside a larger transaction.
--
-- Two steps, each with its own snapshot (volatile function, READ COMMITTED): first the rows are locked in one order
-- (no deadlocks between bundles), then everything is computed from the locked rows. One statement with a locking CTE
-- was rejected: it deletes index rows by a snapshot older than the lock it waited for.
--
-- The text of a resource comes in two halves, because only the locked row knows the version number:
--   raw = head || '"versionId":"2","lastUpdated":"..."' || tail
create type commit_result as (
  place integer,             -- index of the entry, from 0
  outcome text,              -- created | updated | deleted | unchanged | version-conflict | exists
  version integer,
  last_updated timestamptz(3),
  raw text
);

create function store_commit(entries json, now timestamptz) returns setof commit_result
language plpgsql as $$
declare
  conflicts commit_result[];
begin
  perform 1
  from resource r
  join json_to_recordset(entries) as e(type text, id text) on r.type = e.type and r.id = e.id
  order by r.type, r.id
  for update of r;

  select array_agg(row(e.place,
                       case when e.expect_new then 'exists' else 'version-conflict' end,
                       r.version, r.last_updated, null)::commit_result order by e.place)
  into conflicts
  from json_to_recordset(entries) as e(place integer, type text, id text, expect_version integer, expect_new boolean)
  left join resource r on r.type = e.type and r.id = e.id
  where (e.expect_version is not null and (r.rid is null or r.is_deleted or r.version <> e.expect_version))
     or (e.expect_new and r.rid is not null);
  if conflicts is not null then
    return query select * from unnest(conflicts);
    return;
  end if;

  return query
  with entry as materialized (
    select e.place, e.method, e.type, e.id, e.head, e.tail, coalesce(e.ord, 0) as ord,
           coalesce(e.patients, '{}') as patients, coalesce(e.keys, '{}') as keys,
           coalesce(e.drivers, '{}') as drivers,
           e.dates, e.strings, e.numbers,
           e.method = 'DELETE' as deletes,
           r.rid as old_rid, r.version as old_version, r.keys as old_keys, r.ord as old_ord, r.raw as old_raw,
           r.method as old_method, r.last_updated as old_last_updated, r.patients as old_patients,
           coalesce(r.is_deleted, true) as was_absent,
           coalesce(r.rid, nextval('rid_sequence')) as rid,
           coalesce(r.version, 0) + 1 as version,
           greatest(date_trunc('milliseconds', now), r.last_updated)::timestamptz(3) as last_updated
    from json_to_recordset(entries) as e(place integer, method text, type text, id text, head text, tail text,
      ord bigint, patients text[], keys bigint[], drivers bigint[], dates json, strings json, numbers json)
    left join resource r on r.type = e.type and r.id = e.id
  ),
  written as materialized (
    select *, case when deletes then '' else
      head || '"versionId":"' || version || '","lastUpdated":"'
        || to_char(last_updated at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"' || tail end as raw
    from entry
    where not (deletes and was_absent)      -- deleting what is not there changes nothing
  ),
  superseded as (
    insert into version (rid, version, type, id, last_updated, method, raw)
    select old_rid, old_version, type, id, old_last_updated, old_method, old_raw from written where old_rid is not null
  ),
  inserted as (
    insert into resource (rid, type, id, version, last_updated, method, is_deleted, ord, patients, keys, raw)
    select rid, type, id, version, last_updated, method, deletes, ord, patients, keys, raw
    from written where old_rid is null order by rid
  ),
  replaced as (
    update resource r
    set version = w.version, last_updated = w.last_updated, method = w.method, is_deleted = w.deletes,
        ord = w.ord, patients = w.patients, keys = w.keys, raw = w.raw
    from written w where w.old_rid is not null and r.rid = w.rid
  ),
  -- Whether a key has a row (is a driver) follows from its text, so the old keys tell which rows are there.
  tokens_out as (
    delete from token_index t using written w, unnest(w.old_keys) as old(k)
    where w.old_rid is not null and t.k = old.k and t.ord = w.old_ord and t.rid = w.rid
      and (w.ord <> w.old_ord or not (old.k = any (w.keys)))
  ),
  tokens_in as (
    insert into token_index (k, ord, rid)
    select new.k, w.ord, w.rid from written w, unnest(w.drivers) as new(k)
    where w.old_rid is null or w.ord <> w.old_ord or not (new.k = any (w.old_keys))
    order by 1, 2, 3
  ),
  -- Dates, strings and numbers: rows that stay are kept, so that delete and insert never meet on one key.
  new_dates as (
    select distinct w.rid, (d ->> 0)::bigint as k, (d ->> 1)::bigint as lo, (d ->> 2)::bigint as hi
    from written w, json_array_elements(w.dates) as d
  ),
  dates_out as (
    delete from date_index t using written w
    where w.old_rid is not null and t.rid = w.rid
      and not exists (select from new_dates n where n.rid = t.rid and n.k = t.k and n.lo = t.lo and n.hi = t.hi)
  ),
  dates_in as (
    insert into date_index (k, lo, hi, rid)
    select n.k, n.lo, n.hi, n.rid from new_dates n
    where not exists (select from date_index t where t.rid = n.rid and t.k = n.k and t.lo = n.lo and t.hi = n.hi)
    order by 1, 2, 3
  ),
  new_strings as (
    select distinct w.rid, (s ->> 0)::bigint as k, (s ->> 1) collate "C" as v
    from written w, json_array_elements(w.strings) as s
  ),
  strings_out as (
    delete from string_index t using written w
    where w.old_rid is not null and t.rid = w.rid
      and not exists (select from new_strings n where n.rid = t.rid and n.k = t.k and n.v = t.v)
  ),
  strings_in as (
    insert into string_index (k, v, rid)
    select n.k, n.v, n.rid from new_strings n
    where not exists (select from string_index t where t.rid = n.rid and t.k = n.k and t.v = n.v)
    order by 1, 2
  ),
  new_numbers as (
    select distinct w.rid, (n ->> 0)::bigint as k, (n ->> 1)::double precision as lo, (n ->> 2)::double precision as hi
    from written w, json_array_elements(w.numbers) as n
  ),
  numbers_out as (
    delete from number_index t using written w
    where w.old_rid is not null and t.rid = w.rid
      and not exists (select from new_numbers n where n.rid = t.rid and n.k = t.k and n.lo = t.lo and n.hi = t.hi)
  ),
  numbers_in as (
    insert into number_index (k, lo, hi, rid)
    select n.k, n.lo, n.hi, n.rid from new_numbers n
    where not exists (select from number_index t where t.rid = n.rid and t.k = n.k and t.lo = n.lo and t.hi = n.hi)
    order by 1, 2
  ),
  changed as (
    insert into change (rid, type, id, version, method, at, patients)
    select rid, type, id, version, method, last_updated,
           array(select distinct p from unnest(patients || coalesce(old_patients, '{}')) as p)
    from written order by place
  )
  select e.place,
         case when e.deletes and e.was_absent then 'unchanged'
              when e.deletes then 'deleted'
              when e.was_absent then 'created'
              else 'updated' end,
         coalesce(w.version, e.old_version),
         coalesce(w.last_updated, e.old_last_updated),
         w.raw
  from entry e left join written w on w.place = e.place
  order by e.place;
end
$$;
