/**
 * A walk over everything stored, at start: for rows that are kept beside resources and were not from the beginning. Page by
 * page, each in a transaction of its own, so that a crash repeats one page.
 */
import type { Database, Transaction } from '../db/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';

export interface StoredResource {
  readonly type: string;
  readonly id: string;
  readonly resource: Resource;
}

const pageSize = 500;

/** Each current resource once, of all types or of some. No resource of a page changes until `take` has ended. */
export async function walkStored(
  db: Database,
  types: readonly string[] | undefined,
  take: (tx: Transaction, page: readonly StoredResource[]) => Promise<void>,
): Promise<void> {
  let after: string | undefined = '0';
  while (after !== undefined) {
    const from: string = after;
    after = await db.transaction(async (tx) => {
      const rows = await readPage(tx, from, types);
      if (rows.length > 0)
        await take(
          tx,
          rows.map(({ type, id, raw }) => ({ type, id, resource: read(raw) })),
        );
      return rows.at(-1)?.rid;
    });
  }
}

function read(raw: string): Resource {
  return parseJson(raw) as Resource;
}

// Ordered by the column: the bare name would mean the text selected, in which 1000 comes before 999.
function readPage(tx: Transaction, after: string, types: readonly string[] | undefined) {
  return tx.query<{ readonly rid: string; readonly type: string; readonly id: string; readonly raw: string }>({
    text: `select r.rid::text as rid, r.type, r.id, r.raw from resource r
           where r.rid > $1::bigint and ($2::text[] is null or r.type = any ($2)) and not r.is_deleted
           order by r.rid limit ${pageSize} for share of r`,
    values: [after, types ?? null],
  });
}
