-- Who did what with whose record (src/audit), a row for each patient concerned; told as AuditEvents when somebody asks. Rows are never
-- changed and never deleted: a month goes as a whole, when it is older than it must be kept.
create table audit_event (
  id text collate "C" not null,
  recorded_at timestamptz(3) not null,
  code text not null,                        -- of http://hl7.org/fhir/restful-interaction, or one of ours
  operation text,                            -- without $
  status smallint not null,                  -- as HTTP says it
  patient text collate "C",                  -- Patient/id
  data text[],                               -- Type/id[/_history/n]
  client text collate "C",
  who text collate "C",                      -- rpps|.., Patient/id
  agent jsonb not null,                      -- what else is known of who asked
  query text,
  request text,
  address text,
  detail jsonb,
  raw text,                                  -- of one that somebody gave us as a resource
  primary key (recorded_at, id)
) partition by range (recorded_at);
create index audit_event_by_patient on audit_event (patient, recorded_at) where patient is not null;
create index audit_event_by_id on audit_event (id);

create function audit_is_kept() returns trigger language plpgsql as $$
begin
  raise exception 'what was audited is never changed';
end
$$;
create trigger audit_is_kept before update or delete on audit_event for each row execute function audit_is_kept();
create trigger audit_is_kept_whole before truncate on audit_event for each statement execute function audit_is_kept();

-- The month of this instant can be written, and the next one; those that ended before `kept_from` go. Answers how many went.
create function audit_months(at timestamptz, kept_from timestamptz) returns integer language plpgsql as $$
declare
  month timestamp;
  name text;
  old text;
  gone integer := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended('audit_months', 0));
  for step in 0 .. 1 loop
    month := date_trunc('month', at at time zone 'UTC') + make_interval(months => step);
    name := 'audit_event_' || to_char(month, 'YYYYMM');
    if to_regclass(name) is null then
      execute format('create table %I partition of audit_event for values from (%L) to (%L)', name,
                     month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
    end if;
  end loop;
  for old in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit_event'::regclass
      and c.relname < 'audit_event_' || to_char(kept_from at time zone 'UTC', 'YYYYMM')
  loop
    execute format('drop table %I', old);
    gone := gone + 1;
  end loop;
  return gone;
end
$$;

-- A row for each patient of the resources that are named, or one without: of what was deleted, those of the version before.
create function audit_write(notes jsonb) returns void language sql as $$
  insert into audit_event (id, recorded_at, code, operation, status, patient, data, client, who, agent, query, request, address, detail, raw)
  select case when coalesce(p.place, 1) = 1 then n.id else n.id || '.' || p.place end, n.recorded_at, n.code, n.operation, n.status,
         p.patient, n.data, n.client, n.who, n.agent, n.query, n.request, n.address, n.detail, n.raw
  from jsonb_to_recordset(notes) as n(
    id text, recorded_at timestamptz, code text, operation text, status smallint, concerns text[], data text[], client text, who text,
    agent jsonb, query text, request text, address text, detail jsonb, raw text)
  left join lateral (
    select one.patient, row_number() over (order by one.patient) as place
    from (
      select distinct case when r.type = 'Patient' then 'Patient/' || r.id else of_it.patient end as patient
      from unnest(n.concerns) as c(reference)
      join resource r on r.type = split_part(c.reference, '/', 1) and r.id = split_part(c.reference, '/', 2)
      left join lateral unnest(
        case when r.is_deleted
          then (select v.patients from version v where v.rid = r.rid and v.version = r.version - 1)
          else r.patients end) as of_it(patient) on r.type <> 'Patient'
    ) as one where one.patient is not null
  ) as p on true
$$;
