/**
 * Arrays as parameters in PostgreSQL's binary form (array_recv): nothing is quoted here and nothing parsed there, which for
 * the texts and keys of a write is a third of its cost in this process. One dimension, from 1; null only in texts and numbers.
 *
 *     int32 dimensions (0 when empty) | int32 1 when it may hold null | int32 type | int32 length | int32 first index
 *     then each element: int32 bytes (-1: null) | bytes
 */

/** Object ids of the element types in PostgreSQL's catalogue. */
const oid = { boolean: 16, bigint: 20, integer: 23, text: 25, double: 701 } as const;

const headBytes = 20;
const emptyHeadBytes = 12;
const twoPow32 = 2 ** 32;

export function textArray(values: readonly (string | null)[]): Buffer {
  if (values.length === 0) return emptyArray(oid.text);
  const sizes = values.map((value) => (value === null ? -1 : Buffer.byteLength(value)));
  const bytes = sizes.reduce((sum, size) => sum + 4 + Math.max(0, size), headBytes);
  const { buffer, view } = openArray(oid.text, values.length, bytes);
  let at = headBytes;
  for (const [place, size] of sizes.entries()) {
    view.setInt32(at, size);
    at += 4;
    if (size > 0) at += buffer.write(values[place] ?? '', at, size);
  }
  return buffer;
}

export function integerArray(values: readonly (number | null)[]): Buffer {
  return fixedArray({ values, type: oid.integer, size: 4 }, (view, at, value) => view.setInt32(at, value));
}

/** Whole numbers up to 2^53, as bigint[]. */
export function wholeNumberArray(values: readonly (number | null)[]): Buffer {
  return fixedArray({ values, type: oid.bigint, size: 8 }, (view, at, value) => {
    const high = Math.floor(value / twoPow32);
    view.setInt32(at, high);
    view.setUint32(at + 4, value - high * twoPow32);
  });
}

export function bigintArray(values: readonly bigint[]): Buffer {
  return fixedArray({ values, type: oid.bigint, size: 8 }, (view, at, value) => view.setBigInt64(at, value));
}

export function doubleArray(values: readonly number[]): Buffer {
  return fixedArray({ values, type: oid.double, size: 8 }, (view, at, value) => view.setFloat64(at, value));
}

export function booleanArray(values: readonly boolean[]): Buffer {
  return fixedArray({ values, type: oid.boolean, size: 1 }, (view, at, value) => view.setUint8(at, value ? 1 : 0));
}

interface Fixed<T> {
  readonly values: readonly (T | null)[];
  readonly type: number;
  /** Bytes of one element. */
  readonly size: number;
}

function fixedArray<T>({ values, type, size }: Fixed<T>, put: (view: DataView, at: number, value: T) => void): Buffer {
  if (values.length === 0) return emptyArray(type);
  const nulls = values.reduce((sum, value) => sum + (value === null ? 1 : 0), 0);
  const bytes = headBytes + values.length * (4 + size) - nulls * size;
  const { buffer, view } = openArray(type, values.length, bytes);
  let at = headBytes;
  for (const value of values) {
    view.setInt32(at, value === null ? -1 : size);
    at += 4;
    if (value === null) continue;
    put(view, at, value);
    at += size;
  }
  return buffer;
}

function openArray(type: number, length: number, bytes: number): { buffer: Buffer; view: DataView } {
  const buffer = Buffer.allocUnsafe(bytes);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  for (const [place, field] of [1, 1, type, length, 1].entries()) view.setInt32(place * 4, field);
  return { buffer, view };
}

function emptyArray(type: number): Buffer {
  const buffer = Buffer.alloc(emptyHeadBytes);
  buffer.writeInt32BE(type, 8);
  return buffer;
}
