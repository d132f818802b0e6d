/**
 * MLLP (HL7 Transport: Minimal Lower Layer Protocol, release 1): bytes of a connection -> messages.
 *
 *   outside a frame: everything up to 0x0B is left out       inside: until 0x1C, which 0x0D should follow
 *   0x0B inside a frame: the sender has given up what it had begun; the message starts here
 *   0x1C and then 0x0D, 0x0A, 0x0B or nothing more: the message is complete; any other byte is left out like those between frames
 *
 * Chunks are kept as they come and joined once, so that work is linear and memory is that of one message.
 */
export type FrameEvent =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** Bytes that belong to no frame, or a frame that was begun and given up; `count` of them. */
  | { readonly kind: 'noise'; readonly count: number }
  | { readonly kind: 'too-long' };

export interface FrameReader {
  push(chunk: Buffer): readonly FrameEvent[];
  /** A message has begun and not ended. */
  isInside(): boolean;
}

const [start, end] = [0x0b, 0x1c];
const lineEnds: ReadonlySet<number> = new Set([0x0a, 0x0d]);

export function createFrameReader(bytesMax: number): FrameReader {
  let parts: Buffer[] | undefined;
  let length = 0;

  function keep(part: Buffer): void {
    if (part.length === 0) return;
    parts?.push(part);
    length += part.length;
  }

  function drop(): number {
    const dropped = length;
    parts = undefined;
    length = 0;
    return dropped;
  }

  /** Answers where to go on. */
  function readOutside(chunk: Buffer, from: number, events: FrameEvent[]): number {
    const at = chunk.indexOf(start, from);
    const to = at < 0 ? chunk.length : at;
    const count = chunk.subarray(from, to).filter((byte) => !lineEnds.has(byte)).length;
    if (count > 0) events.push({ kind: 'noise', count });
    if (at < 0) return chunk.length;
    parts = [];
    return at + 1;
  }

  function readInside(chunk: Buffer, from: number, events: FrameEvent[]): number {
    const stop = chunk.indexOf(end, from);
    const body = chunk.subarray(from, stop < 0 ? chunk.length : stop);
    const restart = body.lastIndexOf(start);
    if (restart >= 0) {
      events.push({ kind: 'noise', count: drop() + restart });
      parts = [];
    }
    keep(body.subarray(restart + 1));
    if (length > bytesMax) {
      drop();
      events.push({ kind: 'too-long' });
      return chunk.length;
    }
    if (stop < 0) return chunk.length;
    const bytes = Buffer.concat(parts ?? [], length);
    drop();
    events.push({ kind: 'message', bytes });
    return stop + 1;
  }

  return {
    push(chunk) {
      const events: FrameEvent[] = [];
      for (let at = 0; at < chunk.length; ) {
        at = parts === undefined ? readOutside(chunk, at, events) : readInside(chunk, at, events);
      }
      return events;
    },
    isInside: () => parts !== undefined,
  };
}

export function framed(text: string): Buffer {
  return Buffer.concat([Buffer.of(start), Buffer.from(text, 'utf8'), Buffer.of(end, 0x0d)]);
}
