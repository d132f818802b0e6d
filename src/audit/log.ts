/**
 * The audit log as the rest of the server writes it. A note is in the database, for good, when `note` answers: what was read is shown
 * only then, so that no crash after the answer loses who has seen it. What that costs is shared (company.ts).
 *
 * When a note cannot be written, `note` throws and nothing is shown.
 */
import type { Clock, Ids, Log } from '../base/index.ts';
import type { Database, Queryable } from '../db/index.ts';
import { insertNotes, openMonths } from './audit.sql.ts';
import { type Company, createCompany } from './company.ts';
import type { Note } from './note.ts';

export interface AuditLog extends Pick<Company, 'expect'> {
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

export async function createAuditLog(input: AuditLogInput): Promise<AuditLog> {
  const { db, ids, clock } = input;
  const months = new Set<number>();

  /** A month is made before anything is written into it, outside of every transaction. */
  async function requireMonth(): Promise<void> {
    const nowMs = clock.now();
    const at = new Date(nowMs);
    const month = at.getUTCFullYear() * 12 + at.getUTCMonth();
    if (months.has(month)) return;
    const keptFromMs = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - input.monthsKept);
    const gone = await openMonths(db, nowMs, keptFromMs);
    months.add(month);
    if (gone > 0) input.log.info({ component: 'audit', reason: 'retention', count: gone }, 'months of audit are over');
  }

  const company = createCompany(async (notes) => {
    await requireMonth();
    await insertNotes(db, notes, { ids, nowMs: clock.now() });
  });
  await requireMonth();
  return {
    db,
    expect: company.expect,
    note: company.join,
    within: (tx) => ({
      async note(notes) {
        await requireMonth();
        if (notes.length > 0) await insertNotes(tx, notes, { ids, nowMs: clock.now() });
      },
    }),
  };
}
