-- The rarer parts of the decision on a row (src/access/visible.sql.ts), so that the text of a search stays short. The usual row, of one
-- patient and without labels, is decided in the text itself.

-- What somebody who asks is to patients: as src/access/visible.sql.ts puts it together.
create type access_asker as (
  names text[],              -- rpps|.., finess|..
  grounds text[],            -- of access_relation that count
  own text,                  -- Patient/id whom he is or represents
  emergency text,            -- Patient/id for whom the glass is broken
  at bigint,
  grace bigint,              -- how long a stay counts after its end
  sees_patients boolean      -- every patient
);

create function access_related(patient text, asker access_asker) returns boolean language plpgsql stable as $$
declare
  names constant text[] := access_who(asker.names, asker.at) || '*'::text;
  is_related boolean;
  is_refused boolean;
  is_refused_ever boolean;
begin
  if asker.sees_patients or patient = asker.own then
    return true;
  end if;
  select coalesce(bool_or(x.ground = any (asker.grounds)), false), coalesce(bool_or(x.ground = 'objection'), false),
         coalesce(bool_or(x.ground = 'emergency-objection'), false)
  into is_related, is_refused, is_refused_ever
  from access_relation x
  where x.patient = access_related.patient and x.who = any (names) and x.lo <= asker.at
    and x.hi > asker.at - case when x.ground like 'stay%' or x.ground like 'place%' then asker.grace else 0 end;
  return (is_related and not is_refused)
      or (patient is not distinct from asker.emergency and not is_refused and not is_refused_ever);
end
$$;

-- A patient by himself, not by those whom he is linked to; all patients of everything else; what is of nobody is not seen.
create function access_of_record(type text, id text, patients text[], asker access_asker) returns boolean
language plpgsql stable as $$
declare
  patient text;
begin
  if asker.sees_patients then
    return true;
  end if;
  if type = 'Patient' then
    return access_related('Patient/' || id, asker);
  end if;
  if coalesce(cardinality(patients), 0) = 0 then
    return false;
  end if;
  foreach patient in array patients loop
    if not access_related(patient, asker) then
      return false;
    end if;
  end loop;
  return true;
end
$$;

-- Labels that are not all seen: by the author, or in the emergency of the one patient whose record it is.
create function access_of_label(
  labels text[], authors text[], patients text[], seen text[], seen_in_emergency text[], is_person boolean, asker access_asker
) returns boolean language plpgsql stable as $$
begin
  if labels <@ seen then
    return true;
  end if;
  if exists (select from unnest(authors) as a(who)
             where not (is_person and a.who like 'Organization/%') and a.who = any (access_who(asker.names, asker.at))) then
    return true;
  end if;
  return asker.emergency is not null and patients = array[asker.emergency] and labels <@ seen_in_emergency
     and access_related(asker.emergency, asker);
end
$$;
