/**
 * Base64 as letters carry it: broken into lines, and sometimes without padding (5 of the official samples), but no
 * character outside the alphabet. Node's own decoder would drop such characters in silence.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const packed = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return undefined;
  const digits = packed.endsWith('==') ? packed.length - 2 : packed.endsWith('=') ? packed.length - 1 : packed.length;
  return digits % 4 === 1 ? undefined : Buffer.from(packed, 'base64');
}
