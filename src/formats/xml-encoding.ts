/**
 * XML bytes -> text. The encoding comes from the byte order mark, else from the shape of the first bytes, else from the
 * XML declaration (https://www.w3.org/TR/xml/#sec-guessing), and must be on a short list; bytes that are not valid in
 * it are refused, never replaced. A byte order mark is proof and wins over a declaration that says otherwise: tools
 * that re-encode a letter forget the declaration. As in the WHATWG Encoding Standard, iso-8859-1 is read as
 * windows-1252, which puts letters and signs where the former has control characters nobody means.
 */
import { isUtf8 } from 'node:buffer';
import { bufferOf } from '../base/index.ts';
import { findLongBase64 } from './base64.ts';

export type XmlEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'iso-8859-1' | 'iso-8859-15' | 'windows-1252';

export type DecodedXml =
  | {
      readonly kind: 'text';
      /** In order, cut between characters: a letter of megabytes is never one string beside its bytes. */
      readonly pieces: () => Iterable<string | LongRun>;
      readonly encoding: XmlEncoding;
      /** Where the text stands first, as the text before it; undefined: nowhere. Only for ASCII. */
      readonly before: (ascii: string) => string | undefined;
    }
  | { readonly kind: 'refused'; readonly text: string };

/** Bytes from the end of a tag to the next `<` that are base64 and nothing else, and so many that nobody wants them as a string. */
export interface LongRun {
  readonly run: Uint8Array;
  readonly asText: () => Iterable<string>;
}

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
  const buffer = bufferOf(bytes);
  const decode = decoders[encoding](buffer);
  if (decode === undefined)
    return { kind: 'refused', text: `des octets ne sont pas valides dans l’encodage ${encoding} du document` };
  const before = (ascii: string): string | undefined => {
    const at = decode.indexOf(ascii);
    return at < 0 ? undefined : [...decode.pieces(0, at)].join('');
  };
  const pieces = () => (decode.hasRuns ? piecesAndRuns(decode, buffer) : decode.pieces(0, decode.length));
  return { kind: 'text', pieces, encoding, before };
}

/** A text that is decoded piece by piece; lengths and places in units of its own. */
interface Decoding {
  readonly length: number;
  /** Places are those of the bytes, so that long runs of base64 can be told from the bytes. */
  readonly hasRuns: boolean;
  indexOf(ascii: string): number;
  /** The text from one place to another. */
  pieces(start: number, end: number): Iterable<string>;
}

function* piecesAndRuns(decode: Decoding, bytes: Buffer): Generator<string | LongRun> {
  let done = 0;
  for (const [start, end] of findLongBase64(bytes)) {
    yield* decode.pieces(done, start);
    yield { run: bytes.subarray(start, end), asText: () => decode.pieces(start, end) };
    done = end;
  }
  yield* decode.pieces(done, bytes.length);
}

const pieceLength = 64 * 1024;

/** For each encoding, undefined when bytes are not valid in it. */
const decoders: Readonly<Record<XmlEncoding, (bytes: Buffer) => Decoding | undefined>> = {
  'utf-8': (bytes) => (isUtf8(bytes) ? byBytes(bytes, utf8Pieces) : undefined),
  'iso-8859-1': decode1252,
  'windows-1252': decode1252,
  'iso-8859-15': (bytes) => atOnce(bytes, 'iso-8859-15'),
  'utf-16le': (bytes) => atOnce(bytes, 'utf-16le'),
  'utf-16be': (bytes) => atOnce(bytes, 'utf-16be'),
};

/** In these encodings a byte below 80 (hex) is that character of ASCII and nothing else. */
function byBytes(bytes: Buffer, pieces: (bytes: Buffer) => Iterable<string>): Decoding {
  return {
    length: bytes.length,
    hasRuns: true,
    indexOf: (ascii) => bytes.indexOf(ascii, 0, 'latin1'),
    pieces: (start, end) => pieces(bytes.subarray(start, end)),
  };
}

/** Rare encodings: the whole text. */
function atOnce(bytes: Buffer, encoding: XmlEncoding): Decoding | undefined {
  const text = decodeWhole(bytes, encoding);
  if (text === undefined) return undefined;
  return {
    length: text.length,
    hasRuns: false,
    indexOf: (ascii) => text.indexOf(ascii),
    pieces: (start, end) => [text.slice(start, end)],
  };
}

function decodeWhole(bytes: Uint8Array, encoding: XmlEncoding): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Not by TextDecoder: what that gives in pieces has two bytes for each character, also of base64. */
function* utf8Pieces(bytes: Buffer): Generator<string> {
  const hasMark = bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf;
  for (let from = hasMark ? 3 : 0; from < bytes.length; ) {
    let to = Math.min(from + pieceLength, bytes.length);
    while (isContinuation(bytes[to])) to--;
    yield bytes.toString('utf8', from, to);
    from = to;
  }
}

/** What windows-1252 has at 80 to 9F (hex); five places are empty. */
const high1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** By hand: the TextDecoder of Node 20 takes windows-1252 for Latin 1 and turns € into a control character. */
function decode1252(bytes: Buffer): Decoding | undefined {
  const isEmpty = [...high1252].some(
    (char, place) => char.charCodeAt(0) === 0x80 + place && bytes.includes(0x80 + place),
  );
  return isEmpty ? undefined : byBytes(bytes, pieces1252);
}

function* pieces1252(bytes: Buffer): Generator<string> {
  for (let from = 0; from < bytes.length; from += pieceLength) {
    const latin = bytes.toString('latin1', from, Math.min(from + pieceLength, bytes.length));
    yield latin.replace(/[\u0080-\u009f]/g, (char) => high1252[char.charCodeAt(0) - 0x80] ?? char);
  }
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
