/**
 * Reading the log of changes. Every commit leaves its changes in its own transaction; each reader follows them.
 *
 * A transaction that began early may commit late, with a smaller number than one already read. So a reader takes only
 * rows whose transaction is older than every transaction still running (below the snapshot horizon), in the order
 * (xid, seq), and keeps its place in the same transaction as what it did with them: seen at least once, overtaken never.
 */
import type { Transaction } from '../db/index.ts';
import type { Queryable } from '../db/index.ts';

export interface Change {
  readonly xid: string;
  readonly seq: string;
  readonly rid: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly at: Date;
  readonly patients: readonly string[];
}

/** Makes the reader known; it starts at the beginning of what is kept. */
export async function openReader(db: Queryable, name: string): Promise<void> {
  await db.query({ text: 'insert into reader (name) values ($1) on conflict (name) do nothing', values: [name] });
}

/**
 * The next changes for this reader, locked for this transaction; undefined when there are none, or another instance reads just now.
 * The caller handles them and calls `advanceReader` with the last one, in the same transaction.
 */
export async function readChanges(
  tx: Transaction,
  name: string,
  limit: number,
): Promise<readonly Change[] | undefined> {
  // Ordered by the columns: bare names would mean the texts selected, among which 1000 comes before 999. The place stands in
  // subqueries, not in a join: so the index gives the order, and a long backlog is not read to its end each time.
  const changes = await tx.query<Change>({
    name: 'read-changes',
    text: `with place as materialized (select xid, seq from reader where name = $1 for update skip locked)
           select xid::text as xid, seq::text as seq, rid::text as rid, type, id, version, method, at, patients
           from change
           where (xid, seq) > ((select xid from place), (select seq from place))
             and xid < pg_snapshot_xmin(pg_current_snapshot())
           order by change.xid, change.seq limit $2`,
    values: [name, limit],
  });
  return changes.length === 0 ? undefined : changes;
}

export async function advanceReader(tx: Transaction, name: string, last: Change): Promise<void> {
  await tx.query({
    name: 'advance-reader',
    text: 'update reader set xid = $2::xid8, seq = $3::bigint where name = $1',
    values: [name, last.xid, last.seq],
  });
}

/** Whether this reader, or any, has changes before it, horizon or not: what `settle` waits for. */
export async function hasUnreadChanges(db: Queryable, name?: string): Promise<boolean> {
  const rows = await db.query<{ unread: boolean }>({
    name: 'has-unread-changes',
    text: `select exists (
             select from reader r where ($1::text is null or r.name = $1)
               and exists (select from change c where (c.xid, c.seq) > (r.xid, r.seq))) as unread`,
    values: [name ?? null],
  });
  return rows[0]?.unread ?? false;
}

/** Deletes changes that every reader has passed and that are older than `beforeMs`. */
export async function trimChanges(db: Queryable, beforeMs: number): Promise<void> {
  await db.query({
    name: 'trim-changes',
    text: `delete from change c
           where c.at < $1 and not exists (select from reader r where (r.xid, r.seq) < (c.xid, c.seq))`,
    values: [new Date(beforeMs)],
  });
}
