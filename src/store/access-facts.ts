/**
 * The rows that access is decided by (migrations/0034), kept in the statement of the write itself: what a CareTeam says of who may
 * see a patient is true from the commit on, and gone with it.
 */
import { type FactReader, type Facts, factTypes } from '../access/index.ts';
import type { Database, Queryable, Statement } from '../db/index.ts';
import { type Resource, serializeJson } from '../fhir/index.ts';
import type { IndexValues } from '../search/index.ts';
import type { ReadyEntry, WriteEntry } from './entry.ts';
import type { Session } from './store.ts';
import { walkStored } from './walk.ts';

interface Kept extends Facts {
  /** `Type/id` */
  readonly source: string;
}

/** The same commit, with the rows that its resources give kept behind it for those that were written, if any of them has or had some. */
export function withFacts(
  commit: Statement,
  entries: readonly ReadyEntry[],
  { facts, isEach }: { readonly facts: FactReader | undefined; readonly isEach: boolean },
): Statement {
  if (facts === undefined) return commit;
  const kept = entries.flatMap(({ entry }, place) => {
    const one = factTypes.has(entry.type) ? keptOf(entry, facts) : undefined;
    return one === undefined ? [] : [{ place, kept: one }];
  });
  if (kept.length === 0) return commit;
  const at = `$${(commit.values ?? []).length + 1}`;
  const refused = "outcome in ('exists', 'version-conflict')";
  return {
    name: `${commit.name}${isEach ? '-each' : ''}-facts`,
    text: `with done as materialized (${commit.text}),
             kept as materialized (
               select access_keep(jsonb_agg(n.value -> 'kept')) from jsonb_array_elements(${at}::jsonb) n
               join done d on d.place = (n.value ->> 'place')::integer and d.outcome in ('created', 'updated', 'deleted')
               ${isEach ? '' : `where not exists (select from done where ${refused})`}
               having count(*) > 0)
           select done.*, (select count(*) from kept) as kept from done`,
    values: [...(commit.values ?? []), JSON.stringify(kept)],
  };
}

/** undefined: it has no rows, and had none. */
function keptOf({ type, id, resource, expectNew }: WriteEntry, facts: FactReader): Kept | undefined {
  const source = `${type}/${id}`;
  const found = resource === undefined ? { relations: [], identities: [], contents: [] } : facts({ ...resource, id });
  return expectNew === true && isEmpty(found) ? undefined : { source, ...found };
}

function isEmpty({ relations, identities, contents }: Facts): boolean {
  return relations.length + identities.length + contents.length === 0;
}

/** At start: what was stored before there were such rows is read once, before anybody is served. */
export async function openFacts(db: Database, facts: FactReader): Promise<void> {
  const [state] = await db.query<{ is_complete: boolean }>({ text: 'select is_complete from access_state' });
  if (state?.is_complete === true) return;
  await walkStored(db, [...factTypes], (tx, page) =>
    keep(
      tx,
      page.map(({ type, id, resource }) => ({ source: `${type}/${id}`, ...facts(resource) })),
    ),
  );
  await db.query({ text: 'update access_state set is_complete = true' });
}

async function keep(db: Queryable, kept: readonly Kept[]): Promise<void> {
  await db.query({ text: 'select access_keep($1::jsonb)', values: [JSON.stringify(kept)] });
}

/** What access asks of the database beside reading resources. */
export function accessQueries(
  db: Queryable,
  index: (resource: Resource) => IndexValues,
): Pick<Session, 'sees' | 'knownAs' | 'keepOwner'> {
  return {
    async sees(resource, visible) {
      const { patients, tokens } = index(resource);
      const { resourceType, id } = resource;
      const values: unknown[] = [resourceType, id, patients, serializeJson(resource), tokens.map(String)];
      const condition = visible('s', (value) => `$${values.push(value)}`);
      const text = `select 1 from (
          select $1::text as type, $2::text as id, $3::text[] as patients, access_labels($1, $4) as labels,
                 access_authors($4) as authors, $5::bigint[] as keys) as s
        where ${condition}`;
      return (await db.query({ text, values })).length > 0;
    },
    async knownAs(names, nowMs) {
      const rows = await db.query<{ who: readonly string[] }>({
        name: 'access-known-as',
        text: 'select access_who($1::text[], $2::bigint) as who',
        values: [names, nowMs],
      });
      return rows[0]?.who ?? [];
    },
    async keepOwner(subscription, { key, caller }) {
      await db.query({
        name: 'access-keep-owner',
        text: `insert into subscription_owner (subscription, owner, caller) values ($1, $2, $3)
               on conflict (subscription, shard) do update set owner = excluded.owner, caller = excluded.caller`,
        values: [subscription, key, JSON.stringify(caller)],
      });
    },
  };
}
