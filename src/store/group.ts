/**
 * Group commit: single writes that come while others are being committed go together in the next transaction, because
 * starting one, and waiting for the disk, costs more than the rows of a write. Nothing waits for company: a write that finds
 * a free place goes at once.
 *
 * Each writer keeps its own result and is answered after the commit. A conflict concerns its own entry (`is_each` of
 * store_commit). Two writes of one resource never stand in one group, nor in two at a time: the second waits for the
 * first, as for its lock. A row that somebody else holds is left out, and its write goes alone, where it waits and delays
 * nobody. When PostgreSQL refuses a group, nothing of it was written, and each goes alone. When nobody knows whether it was
 * written (the connection broke), nothing is repeated, and each writer is told so.
 */
import type { FactReader } from '../access/index.ts';
import { type Database, isUndone } from '../db/index.ts';
import { commitEach, commitEntries, type Committed, type Moment, type Written } from './commit.ts';
import type { ReadyEntry } from './entry.ts';

export const groupLimits = {
  /** Groups on their way at the same time: while one waits for the disk, the other uses the processor. */
  groupsAtOnce: 2,
  entriesMax: 64,
  /** Characters of a text that goes with others; a larger one goes alone, and delays nobody. */
  textMax: 64_000,
  /** Index rows of an entry that goes with others. */
  rowsMax: 1_000,
} as const;

interface Waiting {
  readonly ready: ReadyEntry;
  readonly resolve: (written: Written) => void;
  readonly reject: (error: unknown) => void;
}

export class Groups {
  readonly #db: Database;
  readonly #moment: () => Moment;
  #waiting: Waiting[] = [];
  /** `Type/id` of what is on its way. */
  readonly #underWay = new Set<string>();
  #running = 0;

  constructor({ db, now, facts }: { readonly db: Database; readonly now: () => number; readonly facts?: FactReader }) {
    this.#db = db;
    this.#moment = () => ({ nowMs: now(), facts });
  }

  /** Throws what store_commit() refuses it for, as `commitEntries` does. */
  commit(ready: ReadyEntry): Promise<Written> {
    if (isLarge(ready)) return this.#alone(ready);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ready, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    while (this.#running < groupLimits.groupsAtOnce) {
      const group = this.#takeGroup();
      if (group.length === 0) return;
      this.#running++;
      void this.#run(group);
    }
  }

  #takeGroup(): readonly Waiting[] {
    const group: Waiting[] = [];
    const left: Waiting[] = [];
    for (const one of this.#waiting) {
      const target = targetOf(one.ready);
      if (group.length === groupLimits.entriesMax || this.#underWay.has(target)) left.push(one);
      else {
        group.push(one);
        this.#underWay.add(target);
      }
    }
    this.#waiting = left;
    return group;
  }

  async #run(group: readonly Waiting[]): Promise<void> {
    const ready = group.map((one) => one.ready);
    const outcome = await commitEach(this.#db, ready, this.#moment()).catch((error: unknown) => ({ error }));
    for (const [place, one] of group.entries()) {
      this.#end(one, 'error' in outcome ? this.#repeat(one, outcome.error) : this.#result(one, outcome[place]));
    }
    this.#running--;
    this.#start();
  }

  async #repeat({ ready }: Waiting, error: unknown): Promise<Written> {
    if (!isUndone(error)) throw error;
    return this.#alone(ready);
  }

  #result({ ready }: Waiting, committed: Committed | undefined): Promise<Written> {
    switch (committed?.kind) {
      case 'written':
        return Promise.resolve(committed.written);
      case 'refused':
        return Promise.reject(committed.problem);
      case 'locked':
        return this.#alone(ready);
      case undefined:
        return Promise.reject(new Error('store_commit did not answer for an entry'));
    }
  }

  async #alone(ready: ReadyEntry): Promise<Written> {
    const [written] = await commitEntries(this.#db, [ready], this.#moment());
    if (written === undefined) throw new Error('a commit of one entry answered none');
    return written;
  }

  /** Answers the writer; then whoever waits for the same resource is let go. */
  #end({ ready, resolve, reject }: Waiting, result: Promise<Written>): void {
    void result.then(resolve, reject).finally(() => {
      this.#underWay.delete(targetOf(ready));
      this.#start();
    });
  }
}

function targetOf({ entry }: ReadyEntry): string {
  return `${entry.type}/${entry.id}`;
}

function isLarge({ text, values }: ReadyEntry): boolean {
  if ((text?.tail.length ?? 0) > groupLimits.textMax) return true;
  if (values === undefined) return false;
  const { tokens, dates, strings, numbers } = values;
  return tokens.length + dates.length + strings.length + numbers.length > groupLimits.rowsMax;
}
