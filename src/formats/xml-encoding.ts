/**
 * XML bytes -> text. The encoding comes from the byte order mark, else from the shape of the first bytes, else from the
 * XML declaration (https://www.w3.org/TR/xml/#sec-guessing), and must be on a short list; bytes that are not valid in
 * it are refused, never replaced. A byte order mark is proof and wins over a declaration that says otherwise: tools
 * that re-encode a letter forget the declaration. As in the WHATWG Encoding Standard, iso-8859-1 is read as
 * windows-1252, of which it is a subset.
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
  try {
    return { kind: 'text', text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding };
  } catch {
    return { kind: 'refused', text: `des octets ne sont pas valides dans l'encodage ${encoding} du document` };
  }
}

function encodingByShape(bytes: Uint8Array): XmlEncoding | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  // A UTF-32 mark begins like the UTF-16 one; two zero bytes tell it, and UTF-16 then fails on U+0000 in the parser.
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0x3c && b === 0 && c !== 0 && d === 0) return 'utf-16le';
  if (a === 0 && b === 0x3c && c === 0 && d !== 0) return 'utf-16be';
  return undefined;
}

/** `undefined` when the declaration names an encoding that is not on the list (a 16-bit one cannot be true here). */
function encodingByDeclaration(bytes: Uint8Array): XmlEncoding | undefined {
  const start = new TextDecoder('windows-1252').decode(bytes.subarray(0, declarationBytesMax));
  const declaration = /^<\?xml\s[^>]*\?>/.exec(start)?.[0];
  const name = declaration && /\sencoding\s*=\s*["']([^"']*)["']/.exec(declaration)?.[1];
  return name ? declared.get(name.toLowerCase()) : 'utf-8';
}
