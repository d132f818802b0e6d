-- store_commit() as in 0019, but for how an update takes away the index rows of the keys that went. Joined to what is gone, the planner
-- takes most keys for rare and looks a row up by its key alone, keeping what it has read (memoize): each update read all resources
-- under each such key, every Task with the same status, 20 ms of 22 once there were a few hundred. Without memoize it walks through
-- the whole index where the table was small when statistics were taken. So the lookup stands behind an `offset 0`, by all columns.
create or replace function store_commit(
  now timestamptz,
  is_each boolean,
  methods text[],            -- POST | PUT | PATCH | DELETE
  types text[],
  ids text[],                -- no (type, id) twice
  expect_versions integer[], -- null: any
  expect_new boolean[],
  heads text[],              -- null for DELETE, as are tails, ords, patients and keys
  tails text[],
  ords bigint[],
  new_patients text[],       -- literals of text[]
  new_keys text[],           -- literals of bigint[]
  token_places integer[],    -- the place of the entry, from 1; rows may come in any order
  token_keys bigint[],
  date_places integer[],     -- null when no entry has dates; so with strings and numbers
  date_keys bigint[],
  date_los bigint[],
  date_his bigint[],
  string_places integer[],
  string_keys bigint[],
  string_values text[],
  number_places integer[],
  number_keys bigint[],
  number_los double precision[],
  number_his double precision[]
) returns table (
  place integer,             -- index of the entry, from 0
  outcome text,              -- created | updated | deleted | unchanged | version-conflict | exists | locked
  version integer,
  last_updated timestamptz(3)  -- null: `now`, cut to milliseconds
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
  has_conflict boolean := false;
  is_there integer[];        -- is_each: places that have a row
  mine integer[] := array(select generate_series(1, entries));  -- places whose row, if any, is locked here
  old_rids bigint[] := array_fill(null::bigint, array[entries]);
  old_versions integer[] := array_fill(null::integer, array[entries]);
  was_there boolean[] := array_fill(false, array[entries]);   -- what was deleted has a row, and is not there
  updates timestamptz(3)[] := array_fill(at, array[entries]);
  outcomes text[] := array_fill(null::text, array[entries]);
  rids bigint[] := array_fill(null::bigint, array[entries]);
begin
  if is_each then
    select array_agg(e.place::integer) into is_there
    from unnest(types, ids) with ordinality as e(type, id, place)
    join resource r on r.type = e.type and r.id = e.id;
    -- An array, not a subquery: the lock stands on top of the plan, and what it skips is left out of the array.
    mine := array(
      select e.place
      from unnest(is_there) as e(place)
      join resource r on r.type = types[e.place] and r.id = ids[e.place]
      order by r.type, r.id
      for update of r skip locked
    );
  end if;
  -- Not by a cursor of our own: those are planned for their first rows, here by walking all of resource_identity.
  for old in
    select e.place, r.rid, r.version, r.last_updated, r.is_deleted
    from unnest(mine) as e(place)
    join resource r on r.type = types[e.place] and r.id = ids[e.place]
    order by r.type, r.id
    for update of r
  loop
    has_old := true;
    old_rids[old.place] := old.rid;
    old_versions[old.place] := old.version;
    was_there[old.place] := not old.is_deleted;
    updates[old.place] := greatest(at, old.last_updated);
  end loop;

  for p in 1 .. entries loop
    outcomes[p] := case
      when is_there is not null and old_rids[p] is null and p = any (is_there) then 'locked'
      when expect_new[p] and old_rids[p] is not null then 'exists'
      when expect_versions[p] <> old_versions[p] or (expect_versions[p] is not null and not was_there[p])
        then 'version-conflict'
      when heads[p] is not null then case when was_there[p] then 'updated' else 'created' end
      when was_there[p] then 'deleted'
      else 'unchanged'
    end;
    if outcomes[p] in ('created', 'updated', 'deleted') then
      rids[p] := coalesce(old_rids[p], nextval('rid_sequence'));
    elsif outcomes[p] <> 'unchanged' then
      has_conflict := true;
    end if;
  end loop;
  if has_conflict and not is_each then
    return query
    select e.place::integer - 1, e.outcome, e.version, null::timestamptz(3)
    from unnest(outcomes, old_versions) with ordinality as e(outcome, version, place)
    where e.outcome in ('exists', 'version-conflict') order by e.place;
    return;
  end if;

  if has_old then
    -- Whether a key has a row (is a driver) follows from its text, so the old keys tell which rows are there. Each row is looked up
    -- by all its columns (offset 0, see above), and taken away where it lies: nobody else moves rows of a locked resource.
    delete from token_index t
    where t.ctid = any (array(
      select there.ctid
      from unnest(old_rids, rids) with ordinality as w(old_rid, rid, place) join resource r on r.rid = w.old_rid
      cross join lateral (
        select unnest(r.keys) as k
        except select unnest(new_keys[w.place]::bigint[]) where ords[w.place] = r.ord
      ) as gone
      cross join lateral (
        select i.ctid from token_index i where i.k = gone.k and i.ord = r.ord and i.rid = r.rid offset 0
      ) as there
      where w.rid is not null
    ));

    delete from date_index t
    using (
      select d.rid, d.k, d.lo, d.hi
      from unnest(old_rids, rids) as w(old_rid, rid) join date_index d on d.rid = w.old_rid where w.rid is not null
      except
      select rids[n.p], n.k, n.lo, n.hi from unnest(date_places, date_keys, date_los, date_his) as n(p, k, lo, hi)
    ) as gone
    where t.k = gone.k and t.lo = gone.lo and t.hi = gone.hi and t.rid = gone.rid;

    delete from string_index t
    using (
      select s.rid, s.k, s.v
      from unnest(old_rids, rids) as w(old_rid, rid) join string_index s on s.rid = w.old_rid where w.rid is not null
      except
      select rids[n.p], n.k, n.v collate "C" from unnest(string_places, string_keys, string_values) as n(p, k, v)
    ) as gone
    where t.k = gone.k and t.v = gone.v and t.rid = gone.rid;

    delete from number_index t
    using (
      select d.rid, d.k, d.lo, d.hi
      from unnest(old_rids, rids) as w(old_rid, rid) join number_index d on d.rid = w.old_rid where w.rid is not null
      except
      select rids[n.p], n.k, n.lo, n.hi
      from unnest(number_places, number_keys, number_los, number_his) as n(p, k, lo, hi)
    ) as gone
    where t.k = gone.k and t.lo = gone.lo and t.hi = gone.hi and t.rid = gone.rid;

    insert into token_index (k, ord, rid)
    select n.k, ords[n.p], rids[n.p] from unnest(token_places, token_keys) as n(p, k) where rids[n.p] is not null
    except
    select unnest(r.keys), r.ord, r.rid from unnest(old_rids) as w(rid) join resource r on r.rid = w.rid
    order by 1, 2, 3;

    if date_keys is not null then
      insert into date_index (k, lo, hi, rid)
      select n.k, n.lo, n.hi, rids[n.p]
      from unnest(date_places, date_keys, date_los, date_his) as n(p, k, lo, hi) where rids[n.p] is not null
      except
      select d.k, d.lo, d.hi, d.rid from unnest(old_rids) as w(rid) join date_index d on d.rid = w.rid
      order by 1, 2, 3;
    end if;

    if string_keys is not null then
      insert into string_index (k, v, rid)
      select n.k, n.v collate "C", rids[n.p]
      from unnest(string_places, string_keys, string_values) as n(p, k, v) where rids[n.p] is not null
      except
      select s.k, s.v, s.rid from unnest(old_rids) as w(rid) join string_index s on s.rid = w.rid
      order by 1, 2;
    end if;

    if number_keys is not null then
      insert into number_index (k, lo, hi, rid)
      select n.k, n.lo, n.hi, rids[n.p]
      from unnest(number_places, number_keys, number_los, number_his) as n(p, k, lo, hi) where rids[n.p] is not null
      except
      select d.k, d.lo, d.hi, d.rid from unnest(old_rids) as w(rid) join number_index d on d.rid = w.rid
      order by 1, 2;
    end if;

    -- What the resource was and what it becomes: whose compartment it leaves must hear of it too.
    insert into change (rid, type, id, version, method, at, patients)
    select w.rid, types[w.place], ids[w.place], coalesce(old_versions[w.place], 0) + 1, methods[w.place],
           updates[w.place],
           array(select unnest(new_patients[w.place]::text[])
                 union select unnest(r.patients) from resource r where r.rid = old_rids[w.place])
    from unnest(rids) with ordinality as w(rid, place) where w.rid is not null order by w.place;

    insert into version (rid, version, type, id, last_updated, method, raw)
    select r.rid, r.version, r.type, r.id, r.last_updated, r.method, r.raw
    from unnest(old_rids, rids) as w(old_rid, rid) join resource r on r.rid = w.old_rid where w.rid is not null;

    update resource r
    set version = r.version + 1, last_updated = updates[w.place], method = methods[w.place],
        is_deleted = heads[w.place] is null, ord = coalesce(ords[w.place], 0),
        patients = coalesce(new_patients[w.place]::text[], '{}'), keys = coalesce(new_keys[w.place]::bigint[], '{}'),
        raw = coalesce(store_text(heads[w.place], r.version + 1, updates[w.place], tails[w.place]), '')
    from unnest(old_rids, rids) with ordinality as w(old_rid, rid, place)
    where r.rid = w.old_rid and w.rid is not null;
  else
    insert into token_index (k, ord, rid)
    select n.k, ords[n.p], rids[n.p] from unnest(token_places, token_keys) as n(p, k) where rids[n.p] is not null
    order by 1, 2, 3;

    if date_keys is not null then
      insert into date_index (k, lo, hi, rid)
      select n.k, n.lo, n.hi, rids[n.p]
      from unnest(date_places, date_keys, date_los, date_his) as n(p, k, lo, hi) where rids[n.p] is not null
      order by 1, 2, 3;
    end if;

    if string_keys is not null then
      insert into string_index (k, v, rid)
      select n.k, n.v, rids[n.p]
      from unnest(string_places, string_keys, string_values) as n(p, k, v) where rids[n.p] is not null
      order by 1, 2;
    end if;

    if number_keys is not null then
      insert into number_index (k, lo, hi, rid)
      select n.k, n.lo, n.hi, rids[n.p]
      from unnest(number_places, number_keys, number_los, number_his) as n(p, k, lo, hi) where rids[n.p] is not null
      order by 1, 2;
    end if;

    insert into change (rid, type, id, version, method, at, patients)
    select w.rid, w.type, w.id, 1, w.method, at, w.patients::text[]
    from unnest(rids, types, ids, methods, new_patients) with ordinality as w(rid, type, id, method, patients, place)
    where w.rid is not null order by w.place;
  end if;

  insert into resource (rid, type, id, version, last_updated, method, is_deleted, ord, patients, keys, raw)
  select w.rid, w.type, w.id, 1, at, w.method, false, w.ord, w.patients::text[], w.keys::bigint[],
         store_text(w.head, 1, at, w.tail)
  from unnest(rids, old_rids, types, ids, methods, ords, new_patients, new_keys, heads, tails) with ordinality
    as w(rid, old_rid, type, id, method, ord, patients, keys, head, tail, place)
  where w.rid is not null and w.old_rid is null order by w.place;

  return query
  select e.place::integer - 1, e.outcome,
         case when e.rid is null then e.version else coalesce(e.version, 0) + 1 end,
         nullif(e.updated, at)
  from unnest(outcomes, rids, old_versions, updates) with ordinality as e(outcome, rid, version, updated, place)
  order by e.place;
end
$$;
