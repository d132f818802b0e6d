/** MLLP frames: row L1 of the hostile inputs, and that no cutting of the stream changes what is read. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createFrameReader, type FrameEvent } from '../../src/listeners/mllp-frames.ts';

const [VT, FS, CR] = ['\u000b', '\u001c', '\r'];
const shown = (events: readonly FrameEvent[]) =>
  events.map((event) => (event.kind === 'message' ? event.bytes.toString() : event.kind));

function read(text: string, sizes: readonly number[] = [Number.MAX_SAFE_INTEGER], max = 1000): string[] {
  const reader = createFrameReader(max);
  const bytes = Buffer.from(text);
  const events: FrameEvent[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    events.push(...reader.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return shown(events);
}

describe('L1: frames', () => {
  test.each([
    ['one message', `${VT}a${FS}${CR}`, ['a']],
    ['two messages', `${VT}a${FS}${CR}${VT}b${FS}${CR}`, ['a', 'b']],
    ['line ends between frames', `\n\r\n${VT}a${FS}${CR}\n${VT}b${FS}${CR}`, ['a', 'b']],
    ['bytes before the first', `GET / HTTP/1.1${VT}a${FS}${CR}`, ['noise', 'a']],
    ['a message that was given up', `${VT}a half${VT}b${FS}${CR}`, ['noise', 'b']],
    ['an end without its CR', `${VT}a${FS}${VT}b${FS}${CR}`, ['a', 'b']],
    ['an empty frame', `${VT}${FS}${CR}`, ['']],
    ['no end', `${VT}a`, []],
    ['line ends inside', `${VT}a\rb\nc${FS}${CR}`, ['a\rb\nc']],
  ])('%s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test('L2: a message without end stops at the limit', () => {
    expect(read(`${VT}${'x'.repeat(1001)}`, [100])).toEqual(['too-long']);
    expect(read(`${VT}${'x'.repeat(1000)}${FS}${CR}`, [100])).toEqual(['x'.repeat(1000)]);
  });

  test('give the same messages however the stream is cut', () => {
    const piece = fc.constantFrom(VT, FS, CR, 'a', 'bc', '\n');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }).map((parts) => parts.join('')),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
        (text, sizes) => {
          const messages = (events: readonly string[]) => events.filter((one) => one !== 'noise');
          expect(messages(read(text, sizes))).toEqual(messages(read(text)));
        },
      ),
    );
  });
});
