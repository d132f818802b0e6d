-- store_commit: the one write path. All entries are written, or none: the first conflict is returned and nothing is
-- written. One round trip for a single write (a statement of its own is its own transaction), and the same function
-- inside a larger transaction.
--
-- Every parameter that is an array has one element for each entry. The index values of one entry are several, and
-- PostgreSQL has no ragged arrays, so they come as array literals in text: '{1,2,3}'.
--
-- The rows are locked in one order (no deadlocks between bundles), and what is read from them afterwards is read by a
-- later statement, so by a later snapshot (volatile function, READ COMMITTED). One statement with a locking CTE was
-- rejected: it deletes index rows by a snapshot older than the lock it waited for.
--
-- Many small statements instead of one large one: each is planned once (a generic plan), joins nothing that could be
-- hashed against a whole table, and what a new resource does not need is not run.
--
-- The text of a resource comes in two halves, because only the locked row knows the version number:
--   raw = head || '"versionId":"2","lastUpdated":"..."' || tail
create function store_text(head text, version integer, last_updated timestamptz, tail text) returns text
language sql stable return
  head || '"versionId":"' || version || '","lastUpdated":"'
       || to_char(last_updated at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"' || tail;

create function store_commit(
  now timestamptz,
  methods text[],            -- POST | PUT | PATCH | DELETE
  types text[],
  ids text[],
  expect_versions integer[], -- null: any
  expect_new boolean[],
  heads text[],              -- null for DELETE, as is all that follows
  tails text[],
  ords bigint[],
  new_patients text[],       -- literals of text[]
  new_keys text[],           -- literals of bigint[]
  drivers text[],
  date_keys text[],          -- null when no entry has dates; so with strings and numbers
  date_los text[],
  date_his text[],
  string_keys text[],
  string_values text[],
  number_keys text[],
  number_los text[],
  number_his text[]
) returns table (
  place integer,             -- index of the entry, from 0
  outcome text,              -- created | updated | deleted | unchanged | version-conflict | exists
  version integer,
  last_updated timestamptz(3)
)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  entries constant integer := cardinality(ids);
  at constant timestamptz(3) := date_trunc('milliseconds', now);
  old record;
  has_old boolean := false;
  old_rids bigint[] := array_fill(null::bigint, array[entries]);
  old_versions integer[] := array_fill(null::integer, array[entries]);
  was_there boolean[] := array_fill(false, array[entries]);   -- what was deleted has a row, and is not there
  updates timestamptz(3)[] := array_fill(at, array[entries]);
  rids bigint[];
  places integer[];          -- of what is written, from 1: all but "delete what is not there"
begin
  for old in
    select e.place, r.rid, r.version, r.last_updated, r.is_deleted
    from unnest(types, ids) with ordinality as e(type, id, place)
    join resource r on r.type = e.type and r.id = e.id
    order by r.type, r.id
    for update of r
  loop
    has_old := true;
    old_rids[old.place] := old.rid;
    old_versions[old.place] := old.version;
    was_there[old.place] := not old.is_deleted;
    updates[old.place] := greatest(at, old.last_updated);
  end loop;

  return query
  select e.place::integer - 1, case when e.is_new then 'exists' else 'version-conflict' end,
         e.version, null::timestamptz(3)
  from unnest(expect_versions, expect_new, old_versions, was_there) with ordinality
    as e(expected, is_new, version, was_there, place)
  where (e.expected is not null and (not e.was_there or e.version <> e.expected))
     or (e.is_new and e.version is not null)
  order by e.place;
  if found then
    return;
  end if;

  select array_agg(coalesce(e.old_rid, nextval('rid_sequence')) order by e.place),
         array_agg(e.place::integer order by e.place) filter (where e.method <> 'DELETE' or e.was_there)
  into rids, places
  from unnest(old_rids, methods, was_there) with ordinality as e(old_rid, method, was_there, place);

  if has_old then
    -- Whether a key has a row (is a driver) follows from its text, so the old keys tell which rows are there.
    delete from token_index t
    using (
      select r.rid, r.ord, gone.k
      from unnest(places) as w(place) join resource r on r.rid = old_rids[w.place]
      cross join lateral (
        select unnest(r.keys) as k
        except select unnest(new_keys[w.place]::bigint[]) where ords[w.place] = r.ord
      ) as gone
    ) as gone
    where t.k = gone.k and t.ord = gone.ord and t.rid = gone.rid;

    delete from date_index t
    using (
      select old_rids[w.place] as rid, gone.k, gone.lo, gone.hi
      from unnest(places) as w(place)
      cross join lateral (
        select d.k, d.lo, d.hi from date_index d where d.rid = old_rids[w.place]
        except select unnest(date_keys[w.place]::bigint[]), unnest(date_los[w.place]::bigint[]),
                      unnest(date_his[w.place]::bigint[])
      ) as gone
    ) as gone
    where t.k = gone.k and t.lo = gone.lo and t.hi = gone.hi and t.rid = gone.rid;

    delete from string_index t
    using (
      select old_rids[w.place] as rid, gone.k, gone.v
      from unnest(places) as w(place)
      cross join lateral (
        select s.k, s.v from string_index s where s.rid = old_rids[w.place]
        except select unnest(string_keys[w.place]::bigint[]), unnest(string_values[w.place]::text[]) collate "C"
      ) as gone
    ) as gone
    where t.k = gone.k and t.v = gone.v and t.rid = gone.rid;

    delete from number_index t
    using (
      select old_rids[w.place] as rid, gone.k, gone.lo, gone.hi
      from unnest(places) as w(place)
      cross join lateral (
        select n.k, n.lo, n.hi from number_index n where n.rid = old_rids[w.place]
        except select unnest(number_keys[w.place]::bigint[]), unnest(number_los[w.place]::double precision[]),
                      unnest(number_his[w.place]::double precision[])
      ) as gone
    ) as gone
    where t.k = gone.k and t.lo = gone.lo and t.hi = gone.hi and t.rid = gone.rid;
  end if;

  insert into token_index (k, ord, rid)
  select come.k, ords[w.place], rids[w.place]
  from unnest(places) as w(place)
  cross join lateral (
    select unnest(drivers[w.place]::bigint[]) as k
    except select unnest(r.keys) from resource r where r.rid = old_rids[w.place] and r.ord = ords[w.place]
  ) as come
  order by 1, 2, 3;

  if date_keys is not null then
    insert into date_index (k, lo, hi, rid)
    select come.k, come.lo, come.hi, rids[w.place]
    from unnest(places) as w(place)
    cross join lateral (
      select unnest(date_keys[w.place]::bigint[]) as k, unnest(date_los[w.place]::bigint[]) as lo,
             unnest(date_his[w.place]::bigint[]) as hi
      except select d.k, d.lo, d.hi from date_index d where d.rid = old_rids[w.place]
    ) as come
    order by 1, 2, 3;
  end if;

  if string_keys is not null then
    insert into string_index (k, v, rid)
    select come.k, come.v, rids[w.place]
    from unnest(places) as w(place)
    cross join lateral (
      select unnest(string_keys[w.place]::bigint[]) as k, unnest(string_values[w.place]::text[]) collate "C" as v
      except select s.k, s.v from string_index s where s.rid = old_rids[w.place]
    ) as come
    order by 1, 2;
  end if;

  if number_keys is not null then
    insert into number_index (k, lo, hi, rid)
    select come.k, come.lo, come.hi, rids[w.place]
    from unnest(places) as w(place)
    cross join lateral (
      select unnest(number_keys[w.place]::bigint[]) as k, unnest(number_los[w.place]::double precision[]) as lo,
             unnest(number_his[w.place]::double precision[]) as hi
      except select n.k, n.lo, n.hi from number_index n where n.rid = old_rids[w.place]
    ) as come
    order by 1, 2;
  end if;

  -- What the resource was and what it becomes: whose compartment it leaves must hear of it too.
  insert into change (rid, type, id, version, method, at, patients)
  select rids[w.place], types[w.place], ids[w.place], coalesce(old_versions[w.place], 0) + 1, methods[w.place],
         updates[w.place],
         array(select unnest(new_patients[w.place]::text[])
               union select unnest(r.patients) from resource r where r.rid = old_rids[w.place])
  from unnest(places) as w(place) order by w.place;

  if has_old then
    insert into version (rid, version, type, id, last_updated, method, raw)
    select r.rid, r.version, r.type, r.id, r.last_updated, r.method, r.raw
    from unnest(places) as w(place) join resource r on r.rid = old_rids[w.place];

    update resource r
    set version = r.version + 1, last_updated = updates[w.place], method = methods[w.place],
        is_deleted = heads[w.place] is null, ord = coalesce(ords[w.place], 0),
        patients = coalesce(new_patients[w.place]::text[], '{}'), keys = coalesce(new_keys[w.place]::bigint[], '{}'),
        raw = coalesce(store_text(heads[w.place], r.version + 1, updates[w.place], tails[w.place]), '')
    from unnest(places) as w(place) where r.rid = old_rids[w.place];
  end if;

  insert into resource (rid, type, id, version, last_updated, method, is_deleted, ord, patients, keys, raw)
  select rids[w.place], types[w.place], ids[w.place], 1, at, methods[w.place], false, ords[w.place],
         new_patients[w.place]::text[], new_keys[w.place]::bigint[], store_text(heads[w.place], 1, at, tails[w.place])
  from unnest(places) as w(place) where old_rids[w.place] is null order by w.place;

  return query
  select e.place::integer - 1,
         case when e.head is null then case when e.was_there then 'deleted' else 'unchanged' end
              when e.was_there then 'updated' else 'created' end,
         case when e.head is null and not e.was_there then e.version else coalesce(e.version, 0) + 1 end,
         e.updated
  from unnest(heads, was_there, old_versions, updates) with ordinality as e(head, was_there, version, updated, place)
  order by e.place;
end
$$;
