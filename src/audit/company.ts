/**
 * Notes of many requests written together: one statement and one flush to disk for all that stand here when it begins. While one is on
 * its way the others gather; and who comes while more requests are still being worked on than stand here waits for them, two
 * milliseconds at most, because a flush costs as much as several reads.
 */
import type { Note } from './note.ts';

export const companyLimits = { batchMax: 200, waitMs: 2 } as const;

export interface Company {
  /** A request that will be noted is being worked on, until what this answers is called. */
  expect(): () => void;
  /** Answers when these are written; throws what the write threw. */
  join(notes: readonly Note[]): Promise<void>;
}

interface Waiting {
  readonly notes: readonly Note[];
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export function createCompany(write: (notes: readonly Note[]) => Promise<void>): Company {
  const waiting: Waiting[] = [];
  let expected = 0;
  let isWriting = false;
  let timer: NodeJS.Timeout | undefined;

  async function writeBatch(): Promise<void> {
    const taken = waiting.splice(0, companyLimits.batchMax);
    try {
      await write(taken.flatMap(({ notes }) => notes));
      for (const { done } of taken) done();
    } catch (error) {
      for (const { failed } of taken) failed(error);
    }
  }

  function begin(): void {
    clearTimeout(timer);
    timer = undefined;
    if (isWriting || waiting.length === 0) return;
    isWriting = true;
    void writeBatch().finally(() => {
      isWriting = false;
      look();
    });
  }

  function look(): void {
    if (isWriting || waiting.length === 0) return;
    if (expected <= waiting.length) begin();
    else timer ??= setTimeout(begin, companyLimits.waitMs);
  }

  return {
    expect() {
      expected += 1;
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        expected -= 1;
        look();
      };
    },
    join: (notes) =>
      new Promise((done, failed) => {
        waiting.push({ notes, done, failed });
        look();
      }),
  };
}
