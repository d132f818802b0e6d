/**
 * Pointers: which resource refers to which, kept in the transaction of each write while references are enforced. A row's lock
 * decides races: whoever refers to a resource holds its row in share mode until the commit, whoever deletes it needs it alone.
 */
import type { Database, Queryable } from '../db/index.ts';
import type { Resource } from '../fhir/index.ts';
import { walkStored } from './walk.ts';

export interface Pointers {
  /** After a write of these resources; undefined where one was deleted. `references` are `Type/id`. */
  readonly source: { readonly type: string; readonly id: string };
  readonly references: readonly string[];
}

export async function keepPointers(db: Queryable, pointers: readonly Pointers[]): Promise<void> {
  const types = pointers.map(({ source }) => source.type);
  const ids = pointers.map(({ source }) => source.id);
  await db.query({
    name: 'drop-pointers',
    text: `delete from pointer p using unnest($1::text[], $2::text[]) as s(type, id)
           where p.source_type = s.type and p.source_id = s.id`,
    values: [types, ids],
  });
  const rows = pointers.flatMap(({ source, references }) =>
    references.map((reference) => [...reference.split('/'), source.type, source.id]),
  );
  const column = (at: number): readonly (string | undefined)[] => rows.map((row) => row[at]);
  await db.query({
    name: 'keep-pointers',
    text: `insert into pointer (target_type, target_id, source_type, source_id)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) on conflict do nothing`,
    values: [column(0), column(1), column(2), column(3)],
  });
}

/** Those of `references` (`Type/id`) that are not there; the others stay there until the end of this transaction. */
export async function missingOf(db: Queryable, references: readonly string[]): Promise<readonly string[]> {
  if (references.length === 0) return [];
  const pairs = references.map((reference) => reference.split('/'));
  const rows = await db.query<{ reference: string }>({
    name: 'hold-references',
    text: `select r.type || '/' || r.id as reference from resource r
           join unnest($1::text[], $2::text[]) as w(type, id) on r.type = w.type and r.id = w.id
           where not r.is_deleted order by r.type, r.id for share of r`,
    values: [pairs.map(([type]) => type), pairs.map(([, id]) => id)],
  });
  const found = new Set(rows.map(({ reference }) => reference));
  return references.filter((reference) => !found.has(reference));
}

/** Whether anything else points at one of these (`Type/id`). */
export async function arePointedAt(db: Queryable, references: readonly string[]): Promise<boolean> {
  const pairs = references.map((reference) => reference.split('/'));
  const rows = await db.query({
    name: 'any-pointer',
    text: `select 1 from pointer p join unnest($1::text[], $2::text[]) as w(type, id)
             on p.target_type = w.type and p.target_id = w.id
           where (p.source_type, p.source_id) <> (p.target_type, p.target_id) limit 1`,
    values: [pairs.map(([type]) => type), pairs.map(([, id]) => id)],
  });
  return rows.length > 0;
}

/**
 * At start. Recorded: the rows are no longer complete from the first write on. Enforced: what was written meanwhile is read
 * once, page by page, before anybody is served.
 */
export async function openPointers(
  db: Database,
  mode: 'recorded' | 'enforced',
  referencesOf: (resource: Resource) => readonly string[],
): Promise<void> {
  if (mode === 'recorded') {
    await db.query({ text: 'update pointer_state set is_complete = false where is_complete' });
    return;
  }
  const [state] = await db.query<{ is_complete: boolean }>({ text: 'select is_complete from pointer_state' });
  if (state?.is_complete === true) return;
  await db.query({ text: 'truncate pointer' });
  await walkStored(db, undefined, (tx, page) =>
    keepPointers(
      tx,
      page.map(({ type, id, resource }) => ({ source: { type, id }, references: referencesOf(resource) })),
    ),
  );
  await db.query({ text: 'update pointer_state set is_complete = true' });
}
