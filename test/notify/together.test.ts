/** Asks that go together: each has its own answer, and none waits for company. */
import { describe, expect, it } from '@jest/globals';
import { createTogether } from '../../src/notify/together.ts';

function groups(itemsMax = 3) {
  const seen: (readonly number[])[] = [];
  const open: (() => void)[] = [];
  const ask = createTogether({
    itemsMax,
    async run(items: readonly number[]) {
      seen.push(items);
      await new Promise<void>((resolve) => open.push(resolve));
      if (items.includes(13)) throw new Error('no');
      return items.map((item) => item * 10);
    },
  });
  // A group goes at the end of a turn, and the next one at the end of the turn after its answer.
  const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return { seen, ask, turn, release: () => open.shift()?.() };
}

describe('asks that come together', () => {
  it('go in one group, each with its own answer; what comes meanwhile goes next, in groups of a limited size', async () => {
    const { seen, ask, turn, release } = groups();
    const first = [1, 2].map(ask);
    await turn();
    const next = [3, 4, 5, 6].map(ask);
    await turn();
    expect(seen).toEqual([[1, 2]]);
    for (let n = 0; n < 3; n++) {
      release();
      await turn();
    }
    expect(seen).toEqual([[1, 2], [3, 4, 5], [6]]);
    expect(await Promise.all([...first, ...next])).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it('fail together, and those after them do not', async () => {
    const { ask, turn, release } = groups();
    const failing = Promise.allSettled([ask(13), ask(1)]);
    await turn();
    const after = ask(2);
    release();
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await turn();
    release();
    expect(await after).toBe(20);
  });
});
