/**
 * XML bytes -> text. The encoding comes from the byte order mark, else from the shape of the first bytes, else from the
 * XML declaration (https://www.w3.org/TR/xml/#sec-guessing), and must be on a short list; bytes that are not valid in
 * it are refused, never replaced. A byte order mark is proof and wins over a declaration that says otherwise: tools
 * that re-encode a letter forget the declaration. As in the WHATWG Encoding Standard, iso-8859-1 is read as
 * windows-1252, which puts letters and signs where the former has control characters nobody means.
 */
export type XmlEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'iso-8859-1' | 'iso-8859-15' | 'windows-1252';

export type DecodedXml =
  | { readonly kind: 'text'; readonly text: string; readonly encoding: XmlEncoding }
  | { readonly kind: 'refused'; readonly text: string };

/** The XML declaration is looked for in so many first bytes. */
const declarationBytesMax = 256;

const declared: ReadonlyMap<string, XmlEncoding> = new Map([
  ['utf-8', 'utf-8'],
  ['iso-8859-1', 'iso-8859-1'],
  ['iso-8859-15', 'iso-8859-15'],
  ['windows-1252', 'windows-1252'],
]);

export function decodeXml(bytes: Uint8Array): DecodedXml {
  const encoding = encodingByShape(bytes) ?? encodingByDeclaration(bytes);
  if (encoding === undefined) {
    return {
      kind: 'refused',
      text: 'encodage XML non admis : attendu UTF-8, UTF-16, ISO-8859-1, ISO-8859-15 ou windows-1252',
    };
  }
  const text = encoding === 'windows-1252' || encoding === 'iso-8859-1' ? decode1252(bytes) : decode(bytes, encoding);
  if (text !== undefined) return { kind: 'text', text, encoding };
  return { kind: 'refused', text: `des octets ne sont pas valides dans l’encodage ${encoding} du document` };
}

function decode(bytes: Uint8Array, encoding: XmlEncoding): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** What windows-1252 has at 80 to 9F (hex); five places are empty. */
const high1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** By hand: the TextDecoder of Node 20 takes windows-1252 for Latin 1 and turns € into a control character. */
function decode1252(bytes: Uint8Array): string | undefined {
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const text = latin.replace(/[\u0080-\u009f]/g, (char) => high1252[char.charCodeAt(0) - 0x80] ?? char);
  return /[\u0080-\u009f]/.test(text) ? undefined : text;
}

/** Byte order marks, and how `<?` or `<a` looks in 16 bits. A UTF-32 mark begins like a UTF-16 one: the parser then meets U+0000. */
const shapes: readonly (readonly [start: RegExp, encoding: XmlEncoding])[] = [
  [/^\xef\xbb\xbf/, 'utf-8'],
  [/^\xff\xfe/, 'utf-16le'],
  [/^\xfe\xff/, 'utf-16be'],
  [/^<\0[^\0]\0/, 'utf-16le'],
  [/^\0<\0[^\0]/, 'utf-16be'],
];

function encodingByShape(bytes: Uint8Array): XmlEncoding | undefined {
  const start = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  return shapes.find(([shape]) => shape.test(start))?.[1];
}

/** `undefined` when the declaration names an encoding that is not on the list (a 16-bit one cannot be true here). */
function encodingByDeclaration(bytes: Uint8Array): XmlEncoding | undefined {
  const start = Buffer.from(bytes.subarray(0, declarationBytesMax)).toString('latin1');
  const declaration = /^<\?xml\s[^>]*\?>/.exec(start)?.[0];
  const name = declaration && /\sencoding\s*=\s*["']([^"']*)["']/.exec(declaration)?.[1];
  return name ? declared.get(name.toLowerCase()) : 'utf-8';
}
