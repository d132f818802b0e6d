/**
 * Base64 in the bytes of a letter: what is valid, and where so much of it stands that it is kept as bytes. Letters break it
 * into lines, and sometimes leave the padding away (5 of the official samples), but hold no character outside the alphabet.
 * Node's own decoder would drop such characters in silence.
 */

/** Shorter ones are read like any text. */
const longMin = 64 * 1024;

const [tagOpen, tagClose, equalsSign] = [0x3c, 0x3e, 0x3d];

const isDigit = new Uint8Array(256);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') isDigit[char.charCodeAt(0)] = 1;

/** Of XML. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** So many characters of a string are looked at as bytes at once. */
const pieceLength = 64 * 1024;

/** Whether it is base64 with something in it. */
export function isBase64(text: Uint8Array | string): boolean {
  const count = { digits: 0, padding: 0 };
  if (typeof text !== 'string') return countBase64(text, count) && isWhole(count);
  for (let at = 0; at < text.length; at += pieceLength) {
    if (!countBase64(Buffer.from(text.slice(at, at + pieceLength)), count)) return false;
  }
  return isWhole(count);
}

interface Count {
  digits: number;
  padding: number;
}

function isWhole({ digits, padding }: Count): boolean {
  return digits > 0 && digits % 4 !== 1 && padding <= 2;
}

/** Answers whether there is no other character, and no digit behind the padding. */
function countBase64(bytes: Uint8Array, count: Count): boolean {
  let { digits, padding } = count;
  // By index: an iterator takes ten times as long, which for a scanned letter is half of the work.
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes[at] ?? 0;
    if (isDigit[code] === 1 && padding === 0) digits++;
    else if (code === equalsSign) padding++;
    else if (!isSpace(code)) return false;
  }
  count.digits = digits;
  count.padding = padding;
  return true;
}

export function decodeBase64(text: string): Uint8Array | undefined {
  return isBase64(text) ? Buffer.from(text, 'base64') : undefined;
}

/** From behind a `>` to the next `<`: the places of what is long and valid base64. */
export function* findLongBase64(bytes: Buffer): Generator<readonly [start: number, end: number]> {
  for (let open = bytes.indexOf(tagOpen); open >= 0; ) {
    const next = bytes.indexOf(tagOpen, open + 1);
    if (next < 0) return;
    const start = next - open > longMin ? bytes.indexOf(tagClose, open) + 1 : 0;
    if (start > 0 && next - start > longMin && isBase64(bytes.subarray(start, next))) yield [start, next];
    open = next;
  }
}
