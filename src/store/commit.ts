/** store_commit() from this side: one call, and what its rows mean. */
import { Problem } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import type { FactReader } from '../access/index.ts';
import { withFacts } from './access-facts.ts';
import { commitParameters } from './commit-parameters.ts';
import { stageContents } from './content.ts';
import { completeText, type ReadyEntry } from './entry.ts';

export interface Written {
  readonly outcome: 'created' | 'updated' | 'deleted' | 'unchanged';
  readonly type: string;
  readonly id: string;
  /** 0 when a deletion found nothing. */
  readonly version: number;
  readonly lastUpdated: Date;
  /** Without the data of a Binary that was given as large content. */
  readonly raw: string;
}

/** What became of one entry; `locked`: another writer holds its row, and nothing was written. */
export type Committed =
  | { readonly kind: 'written'; readonly written: Written }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'locked' };

interface CommitRow {
  readonly place: number;
  readonly outcome: Written['outcome'] | 'exists' | 'version-conflict' | 'locked';
  readonly version: number | null;
  /** null: the time that was sent. */
  readonly last_updated: Date | null;
}

const parameterCount = 25;
const commitText = `select * from store_commit(${Array.from({ length: parameterCount }, (_one, at) => `$${at + 1}`).join(', ')})`;
/** The ninth are the tails. */
const stagedText = commitText.replace('$9,', 'store_filled($9),');

export interface Moment {
  readonly nowMs: number;
  /** What a resource says of who may see what, kept with it. */
  readonly facts: FactReader | undefined;
}

/** All entries or none (large content: in a transaction of the caller): throws the first conflict, `precondition` or `conflict`. */
export async function commitEntries(
  db: Queryable,
  entries: readonly ReadyEntry[],
  moment: Moment,
): Promise<readonly Written[]> {
  const committed = await send(db, entries, { ...moment, isEach: false });
  return committed.map((one) => {
    if (one.kind === 'refused') throw one.problem;
    if (one.kind === 'locked') throw new Error('store_commit did not wait for a lock');
    return one.written;
  });
}

/** Each entry for itself, in one transaction; in the order of the entries. No (type, id) twice. */
export function commitEach(
  db: Queryable,
  entries: readonly ReadyEntry[],
  moment: Moment,
): Promise<readonly Committed[]> {
  return send(db, entries, { ...moment, isEach: true });
}

async function send(
  db: Queryable,
  entries: readonly ReadyEntry[],
  how: Moment & { readonly isEach: boolean },
): Promise<readonly Committed[]> {
  if (entries.length === 0) return [];
  const values = commitParameters(entries, how);
  const isStaged = await stageContents(db, entries);
  const commit = isStaged
    ? { name: 'commit-staged', text: stagedText, values }
    : { name: 'commit', text: commitText, values };
  const rows = await db.query<CommitRow>(withFacts(commit, entries, how));
  return rows.map((row) => {
    const ready = entries[row.place];
    if (ready === undefined) throw new Error('store_commit answered for an entry that was not sent');
    return toCommitted(ready, row, how.nowMs);
  });
}

function toCommitted({ entry, text }: ReadyEntry, row: CommitRow, nowMs: number): Committed {
  const { outcome } = row;
  switch (outcome) {
    case 'locked':
      return { kind: 'locked' };
    case 'exists': {
      const problem = new Problem('conflict', `${entry.type}/${entry.id} exists already`);
      return { kind: 'refused', problem };
    }
    case 'version-conflict': {
      const found = row.version === null ? 'no version' : `version ${row.version}`;
      const told = `expected version ${entry.expectVersion} to be current, found ${found}`;
      return { kind: 'refused', problem: new Problem('precondition', told) };
    }
    case 'created':
    case 'updated':
    case 'deleted':
    case 'unchanged': {
      const version = row.version ?? 0;
      const lastUpdated = row.last_updated ?? new Date(nowMs);
      const raw = text === undefined ? '' : completeText(text, version, lastUpdated);
      return { kind: 'written', written: { outcome, type: entry.type, id: entry.id, version, lastUpdated, raw } };
    }
  }
}
