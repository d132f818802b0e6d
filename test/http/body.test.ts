/** How a body becomes bytes: as they came, bounded, and of the length that was said. */
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { Problem } from '../../src/base/index.ts';
import { readBody } from '../../src/http/body.ts';

const parts = (sizes: readonly number[]): Buffer[] => sizes.map((size, place) => Buffer.alloc(size, place + 1));

/** Room enough. */
const hold = (): void => undefined;

describe('A body', () => {
  test.each([
    ['nothing', []],
    ['one part', [10]],
    ['many parts', [1, 3, 100, 7, 0, 50]],
    ['a small part at first', [1, 10_000]],
  ])('of %s is its parts in order, whether its length is said or not', async (_, sizes) => {
    const whole = Buffer.concat(parts(sizes));
    for (const told of [whole.length, undefined]) {
      const body = await readBody(Readable.from(parts(sizes)), { told, bytesMax: 20_000, hold });
      expect(body.equals(whole)).toBe(true);
    }
  });

  test('that was announced stands in memory of its own and once: it shares none with what it came in', async () => {
    const body = await readBody(Readable.from(parts([4000, 6000])), { told: 10_000, bytesMax: 10_000, hold });
    expect(body.buffer.byteLength).toBe(10_000);
  });

  test.each([
    ['that says to be too long', [1], { told: 101, bytesMax: 100 }, 'body-too-long'],
    ['that is too long', [60, 60], { told: undefined, bytesMax: 100 }, 'body-too-long'],
    ['shorter than said', [60], { told: 80, bytesMax: 100 }, 'incorrect'],
    ['longer than said', [60, 30], { told: 80, bytesMax: 100 }, 'incorrect'],
    ['longer than said, all of it behind its end', [80, 5, 5], { told: 80, bytesMax: 100 }, 'incorrect'],
  ])('%s is refused', async (_, sizes, limits, category) => {
    await expect(readBody(Readable.from(parts(sizes)), { ...limits, hold })).rejects.toMatchObject({ category });
  });

  test('that is unpacked is as long as it is, and its packed length is held against what was said', async () => {
    const unpacked = (packedBytes: number) =>
      Object.assign(Readable.from(parts([500, 500])), { receivedEncodedLength: packedBytes });
    expect(await readBody(unpacked(40), { told: 40, bytesMax: 1000, hold })).toHaveLength(1000);
    await expect(readBody(unpacked(39), { told: 40, bytesMax: 1000, hold })).rejects.toThrow();
    await expect(readBody(unpacked(40), { told: 40, bytesMax: 999, hold })).rejects.toMatchObject({
      category: 'body-too-long',
    });
  });

  test('for which there is no room is refused at the part that has none', async () => {
    let room = 100;
    const holdSome = (bytes: number): void => {
      room -= bytes;
      if (room < 0) throw new Problem('unavailable', 'no room');
    };
    const body = readBody(Readable.from(parts([60, 60, 60])), { told: undefined, bytesMax: 1000, hold: holdSome });
    await expect(body).rejects.toMatchObject({ category: 'unavailable' });
    expect(room).toBe(-20);
  });

  test('that breaks off is the fault of its sender', async () => {
    const broken = new PassThrough();
    const body = readBody(broken, { told: 100, bytesMax: 100, hold });
    broken.write(Buffer.alloc(50));
    broken.destroy(new Error('aborted'));
    await expect(body).rejects.toMatchObject({ statusCode: 400 });
  });
});
