-- The same answer as in 0034, by statements that are planned once in a session: a function of SQL is planned again at each call, which
-- cost more than what it looks up.
create or replace function access_who(names text[], at bigint) returns text[] language plpgsql stable as $$
declare
  direct text[];
  people text[];
  organisations text[];
  roles text[];
begin
  select array_agg(distinct i.reference),
         array_agg(distinct i.reference) filter (where i.reference like 'Practitioner/%'),
         array_agg(distinct i.reference) filter (where i.reference like 'Organization/%')
  into direct, people, organisations
  from access_identity i where i.known_as = any (names) and i.lo <= at and i.hi > at;
  if people is null then
    return names || coalesce(direct, '{}');
  end if;
  select array_agg(distinct i.reference) into roles
  from access_identity i
  where i.known_as = any (people) and i.lo <= at and i.hi > at and not (i.reference = any (direct))
    and (i.organisation = '' or organisations is null or i.organisation = any (organisations));
  return names || direct || coalesce(roles, '{}');
end
$$;

-- audit_write() of 0043 stays for an instance of before that still runs: who audits now asks by a statement of its own, for the same reason
-- (src/audit/audit.sql.ts).
