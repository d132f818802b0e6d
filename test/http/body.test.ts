/** How a body becomes bytes: as they came, bounded, and of the length that was said. */
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { readBody } from '../../src/http/body.ts';

const parts = (sizes: readonly number[]): Buffer[] => sizes.map((size, place) => Buffer.alloc(size, place + 1));

describe('A body', () => {
  test.each([
    ['nothing', []],
    ['one part', [10]],
    ['many parts', [1, 3, 100, 7, 0, 50]],
    ['a small part at first', [1, 10_000]],
  ])('of %s is its parts in order, whether its length is said or not', async (_, sizes) => {
    const whole = Buffer.concat(parts(sizes));
    for (const said of [whole.length, undefined]) {
      const body = await readBody(Readable.from(parts(sizes)), { said, bytesMax: 20_000 });
      expect(body.equals(whole)).toBe(true);
    }
  });

  test('that was announced stands in memory of its own and once: it shares none with what it came in', async () => {
    const body = await readBody(Readable.from(parts([4000, 6000])), { said: 10_000, bytesMax: 10_000 });
    expect(body.buffer.byteLength).toBe(10_000);
  });

  test.each([
    ['that says to be too long', [1], { said: 101, bytesMax: 100 }, 'FST_ERR_CTP_BODY_TOO_LARGE'],
    ['that is too long', [60, 60], { said: undefined, bytesMax: 100 }, 'FST_ERR_CTP_BODY_TOO_LARGE'],
    ['shorter than said', [60], { said: 80, bytesMax: 100 }, 'FST_ERR_CTP_INVALID_CONTENT_LENGTH'],
    ['longer than said', [60, 30], { said: 80, bytesMax: 100 }, 'FST_ERR_CTP_INVALID_CONTENT_LENGTH'],
    [
      'longer than said, all of it behind its end',
      [80, 5, 5],
      { said: 80, bytesMax: 100 },
      'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
    ],
  ])('%s is refused', async (_, sizes, limits, code) => {
    await expect(readBody(Readable.from(parts(sizes)), limits)).rejects.toMatchObject({ code });
  });

  test('that is unpacked is as long as it is, and its packed length is held against what was said', async () => {
    const unpacked = (packedBytes: number) =>
      Object.assign(Readable.from(parts([500, 500])), { receivedEncodedLength: packedBytes });
    expect(await readBody(unpacked(40), { said: 40, bytesMax: 1000 })).toHaveLength(1000);
    await expect(readBody(unpacked(39), { said: 40, bytesMax: 1000 })).rejects.toThrow();
    await expect(readBody(unpacked(40), { said: 40, bytesMax: 999 })).rejects.toMatchObject({
      code: 'FST_ERR_CTP_BODY_TOO_LARGE',
    });
  });

  test('that breaks off is the fault of its sender', async () => {
    const broken = new PassThrough();
    const body = readBody(broken, { said: 100, bytesMax: 100 });
    broken.write(Buffer.alloc(50));
    broken.destroy(new Error('aborted'));
    await expect(body).rejects.toMatchObject({ statusCode: 400 });
  });
});
