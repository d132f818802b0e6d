-- The data of a large Binary, on its way into store_commit() in pieces: as one parameter it would stand several times in the
-- memory of the server (src/store/content.ts). The rows live within one transaction, which alone sees them: they are written
-- before the commit and deleted by it.
create unlogged table staged_content (
  place integer not null,  -- of the entry, from 1
  part integer not null,
  bytes bytea not null
);
alter table staged_content alter column bytes set storage external;

-- The tails of the entries, in those that have staged content the data as the last member.
create function store_filled(tails text[]) returns text[]
language sql volatile as $$
  with taken as (delete from staged_content returning place, part, bytes),
       -- PostgreSQL breaks base64 into lines.
       whole as (
         select place, replace(encode(string_agg(bytes, '' order by part), 'base64'), E'\n', '') as data
         from taken group by place)
  select array_agg(
           case when w.data is null then t.tail else left(t.tail, -1) || ',"data":"' || w.data || '"}' end
           order by t.place)
  from unnest(tails) with ordinality as t(tail, place) left join whole w on w.place = t.place
$$;
