/** Notes that go together (src/audit/company.ts): who waits for whom, and what becomes of each when a write fails. */
import { describe, expect, it } from '@jest/globals';
import { systemCaller } from '../../src/access/index.ts';
import { createCompany } from '../../src/audit/company.ts';
import type { Note } from '../../src/audit/index.ts';

const note = (id: string): Note => ({ id, code: 'read', status: 200, caller: systemCaller, concerns: [] });

/** All that follows from what was done is done. */
const turn = () => new Promise<void>((done) => setImmediate(done));

/** Writes that end when they are told to. */
function held() {
  const batches: string[][] = [];
  const ends: ((error?: Error) => void)[] = [];
  const company = createCompany(
    (notes) =>
      new Promise<void>((resolve, reject) => {
        batches.push(notes.map(({ id = '' }) => id));
        ends.push((error) => (error === undefined ? resolve() : reject(error)));
      }),
  );
  return { company, batches, end: (place: number, error?: Error) => ends[place]?.(error) };
}

describe('a note', () => {
  it('goes at once when nobody else is on his way', async () => {
    const { company, batches, end } = held();
    const written = company.join([note('a')]);
    expect(batches).toEqual([['a']]);
    end(0);
    await written;
  });

  it('that comes while others are being written goes with all that gather meanwhile', async () => {
    const { company, batches, end } = held();
    const written = ['a', 'b', 'c'].map((id) => company.join([note(id)]));
    expect(batches).toEqual([['a']]);
    end(0);
    await written[0];
    await turn();
    expect(batches).toEqual([['a'], ['b', 'c']]);
    end(1);
    await Promise.all(written);
  });

  it('waits for more than stand here, until half of them have come', async () => {
    const { company, batches, end } = held();
    const ready = ['a', 'b', 'c', 'd'].map(() => company.expect());
    const first = company.join([note('a')]);
    ready[0]?.();
    expect(batches).toEqual([]);
    const second = company.join([note('b')]);
    ready[1]?.();
    expect(batches).toEqual([['a', 'b']]);
    end(0);
    await Promise.all([first, second]);
  });

  it('does not wait for who gives up, nor longer than two milliseconds', async () => {
    const { company, batches, end } = held();
    const ready = [company.expect(), company.expect(), company.expect()];
    const first = company.join([note('a')]);
    ready[0]?.();
    ready[1]?.();
    ready[1]?.();
    expect(batches).toEqual([['a']]);
    end(0);
    await first;
    await turn();
    company.expect();
    const second = company.join([note('b')]);
    const third = company.join([note('c')]);
    for (let turn = 0; turn < 1000 && batches.length < 2; turn++) await new Promise((next) => setTimeout(next, 1));
    expect(batches[1]?.[0]).toBe('b');
    end(1);
    end(2);
    await second;
    void third.catch(() => undefined);
  });

  it('whose write fails fails, and the next one is written', async () => {
    const { company, batches, end } = held();
    const first = company.join([note('a')]);
    const second = company.join([note('b')]);
    end(0, new Error('the disk is full'));
    await expect(first).rejects.toThrow('the disk is full');
    await turn();
    expect(batches).toEqual([['a'], ['b']]);
    end(1);
    await second;
  });

  it('goes with 200 requests at most', async () => {
    const { company, batches, end } = held();
    const written = Array.from({ length: 302 }, (_one, at) => company.join([note(`${at}`)]));
    end(0);
    await written[0];
    await turn();
    expect(batches.map(({ length }) => length)).toEqual([1, 200]);
    end(1);
    await written[1];
    await turn();
    expect(batches[2]).toHaveLength(101);
    end(2);
    await Promise.all(written);
  });
});
