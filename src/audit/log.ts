/**
 * The audit log as the rest of the server writes it. A note is in the database, for good, when `note` answers: what was read is shown
 * only then, so that no crash after the answer loses who has seen it. What that costs is shared: the notes of all requests that come
 * while others are being written go together, one statement and one flush to disk for all of them.
 *
 * When a note cannot be written, `note` throws and nothing is shown.
 */
import type { Clock, Ids, Log } from '../base/index.ts';
import type { Database, Queryable } from '../db/index.ts';
import { insertNotes, openMonths } from './audit.sql.ts';
import type { Note } from './note.ts';

export interface AuditLog {
  note(notes: readonly Note[]): Promise<void>;
  /** Into the caller's transaction: kept if and only if it is committed. */
  within(tx: Queryable): Pick<AuditLog, 'note'>;
  readonly db: Queryable;
}

export interface AuditLogInput {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  /** How many whole months are kept. */
  readonly monthsKept: number;
}

export const auditLimits = { batchMax: 200, batchesAtOnce: 2 } as const;

interface Waiting {
  readonly notes: readonly Note[];
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export async function createAuditLog(input: AuditLogInput): Promise<AuditLog> {
  const { db, ids, clock } = input;
  const months = new Set<number>();
  const waiting: Waiting[] = [];
  let writers = 0;

  /** A month is made before anything is written into it, outside of every transaction. */
  async function requireMonth(): Promise<void> {
    const nowMs = clock.now();
    const at = new Date(nowMs);
    const month = at.getUTCFullYear() * 12 + at.getUTCMonth();
    if (months.has(month)) return;
    const keptFromMs = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - input.monthsKept);
    const gone = await openMonths(db, nowMs, keptFromMs);
    months.add(month).add(month + 1);
    if (gone > 0) input.log.info({ component: 'audit', reason: 'retention', count: gone }, 'months of audit are over');
  }

  async function write(): Promise<void> {
    writers += 1;
    for (let taken = take(waiting); taken.length > 0; taken = take(waiting)) {
      try {
        await requireMonth();
        await insertNotes(
          db,
          taken.flatMap(({ notes }) => notes),
          { ids, nowMs: clock.now() },
        );
        for (const { done } of taken) done();
      } catch (error) {
        for (const { failed } of taken) failed(error);
      }
    }
    writers -= 1;
  }

  await requireMonth();
  return {
    db,
    note: (notes) =>
      new Promise((done, failed) => {
        waiting.push({ notes, done, failed });
        if (writers < auditLimits.batchesAtOnce) void write();
      }),
    within: (tx) => ({
      async note(notes) {
        await requireMonth();
        if (notes.length > 0) await insertNotes(tx, notes, { ids, nowMs: clock.now() });
      },
    }),
  };
}

function take(waiting: Waiting[]): readonly Waiting[] {
  return waiting.splice(0, auditLimits.batchMax);
}
