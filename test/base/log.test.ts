/** Where the lines of the log go, and what happens when there is no room for them (F-6 of the fault plan). */
import { openSync, writeSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createLineWriter } from '../../src/base/log.ts';

const failure = (code: string) => Object.assign(new Error(code), { code });

/** Takes what it has room for; `room` undefined: all. */
function openTaker() {
  const taken: string[] = [];
  const state: { room: number | undefined; refusals: number } = { room: undefined, refusals: 0 };
  const write = createLineWriter((bytes) => {
    if (state.refusals > 0) {
      state.refusals--;
      throw failure('EAGAIN');
    }
    if (state.room === 0) throw failure('ENOSPC');
    const part = bytes.subarray(0, state.room);
    if (state.room !== undefined) state.room -= part.length;
    taken.push(Buffer.from(part).toString());
    return part.length;
  });
  return { write, state, text: () => taken.join('') };
}

describe('The log', () => {
  it('writes each line', () => {
    const taker = openTaker();
    taker.write('one\n');
    taker.write('two\n');
    expect(taker.text()).toBe('one\ntwo\n');
  });

  it('drops lines that find no room, and says how many when there is room again', () => {
    const taker = openTaker();
    taker.state.room = 2;
    for (const line of ['one\n', 'two\n', 'three\n']) taker.write(line);
    taker.state.room = undefined;
    taker.write('four\n');
    taker.write('five\n');
    const [cut, four, told, five] = taker.text().split('\n');
    expect([cut, four, five]).toEqual(['on', 'four', 'five']);
    expect(JSON.parse(told ?? '')).toMatchObject({ component: 'log', count: 3 });
  });

  it('waits a moment for a reader that is behind, and not for ever', () => {
    const taker = openTaker();
    taker.state.refusals = 5;
    taker.write('one\n');
    taker.state.refusals = 1_000;
    taker.write('two\n');
    taker.state.refusals = 0;
    taker.write('three\n');
    expect(taker.text()).toMatch(/^one\n\nthree\n\{.*"count":1.*\}\n$/);
  });

  it('does not end the process on a full disk', () => {
    const full = openSync('/dev/full', 'w');
    const write = createLineWriter((bytes) => writeSync(full, bytes));
    expect(() => write('one\n')).not.toThrow();
  });
});
