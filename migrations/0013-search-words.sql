-- Words of a resource's texts, for _text and _content (src/search/content.ts): read from the stored JSON when they are asked for.
-- The fold is that of src/search/fold.ts: without case, marks and ligatures.
create function text_of(raw text, scope text) returns text
language sql immutable strict parallel safe as $$
  select regexp_replace(
    case scope
      when 'narrative' then coalesce(raw::jsonb #>> '{text,div}', '')
      else coalesce((select string_agg(t #>> '{}', ' ') from jsonb_path_query(raw::jsonb, 'lax $.** ? (@.type() == "string")') as t), '')
    end,
    '<[^>]*>', ' ', 'g')
$$;

create function words_of(content text) returns text[]
language sql immutable strict parallel safe as $$
  select regexp_split_to_array(
    regexp_replace(
      lower(normalize(replace(replace(replace(translate(content, 'ŒÆØŁĐøłđ', 'œæoldold'), 'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'), nfkd)),
      '[\u0300-\u036f]', '', 'g'),
    '[\u0001-/:-@[-`{-\u00bf\u2000-\u206f\u3000-\u303f]+')
$$;
