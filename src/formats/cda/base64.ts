/**
 * Base64 as letters carry it: broken into lines, and sometimes without padding (5 of the official samples), but no
 * character outside the alphabet. Node's own decoder would drop such characters in silence.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  return isBase64(text) ? Buffer.from(text, 'base64') : undefined;
}

const alphabet: ReadonlySet<number> = new Set(
  [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].map((char) => char.charCodeAt(0)),
);
const isDigit = Uint8Array.from({ length: 128 }, (_zero, code) => (alphabet.has(code) ? 1 : 0));
const equalsSign = 0x3d;

/** In one pass: a scanned letter has megabytes of it, which a copy without line ends would double. */
export function isBase64(text: string): boolean {
  let digits = 0;
  let padding = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isDigit[code] === 1 && padding === 0) digits++;
    else if (code === equalsSign) padding++;
    else if (!isSpace(code)) return false;
  }
  return digits > 0 && digits % 4 !== 1 && padding <= 2;
}

/** Of XML. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
