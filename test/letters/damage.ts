/** Letters as they must not be: with pieces cut out or put in, or without some of their elements and attributes. */
import fc from 'fast-check';
import { fixture, richLetter } from './letters.ts';

const letters = [richLetter('discharge'), fixture('discharge-pdf.xml'), richLetter('admission')];
const tokens = [
  '',
  ' ',
  '<',
  '>',
  '"',
  '&',
  '<id/>',
  '</name>',
  '<!--',
  ']]>',
  '<?x?>',
  '\u0000',
  '9',
  '-',
  'é',
  'nullFlavor="UNK" ',
];

/** A letter with a few pieces cut out, doubled or replaced. */
export const damaged = fc
  .tuple(
    fc.constantFrom(...letters),
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40), fc.constantFrom(...tokens)), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([letter, cuts]) =>
    cuts.reduce((text, [place, length, by]) => {
      const at = Math.floor(place * text.length);
      return text.slice(0, at) + by + text.slice(at + length);
    }, letter),
  );

/** A letter from which whole elements or attributes are gone: still XML, so it gets past the parser. */
export const depleted = fc
  .tuple(fc.constantFrom(...letters), fc.array(fc.nat(), { minLength: 1, maxLength: 12 }))
  .map(([letter, picks]) =>
    picks.reduce((text, pick) => {
      const parts = [...text.matchAll(/<(\w+)(?: [^>]*)?\/>| \w+="[^"]*"(?=[^<]*>)|<(\w+)[^>]*>[^<]*<\/\2>/g)];
      const part = parts[pick % parts.length];
      return part === undefined ? text : text.slice(0, part.index) + text.slice(part.index + part[0].length);
    }, letter),
  );
