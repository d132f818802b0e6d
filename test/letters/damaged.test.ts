/** A damaged letter is read or goes to review; it never brings anything down, nor leaves anything hollow. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fixture, read } from './letters.ts';

const letters = [fixture('discharge.xml'), fixture('discharge-pdf.xml'), fixture('admission.xml')];
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
const damaged = fc
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
const depleted = fc
  .tuple(fc.constantFrom(...letters), fc.array(fc.nat(), { minLength: 1, maxLength: 12 }))
  .map(([letter, picks]) =>
    picks.reduce((text, pick) => {
      const parts = [...text.matchAll(/<(\w+)(?: [^>]*)?\/>| \w+="[^"]*"(?=[^<]*>)|<(\w+)[^>]*>[^<]*<\/\2>/g)];
      const part = parts[pick % parts.length];
      return part === undefined ? text : text.slice(0, part.index) + text.slice(part.index + part[0].length);
    }, letter),
  );

function judge(letter: string): void {
  const result = read(letter);
  if (result.kind === 'review') {
    expect(result.reasons.length).toBeGreaterThan(0);
    expect(result.reasons.every(({ severity }) => severity === 'error')).toBe(true);
  } else {
    const resources = JSON.stringify(result.plan.entries.map(({ resource }) => resource));
    expect(/:(?:null|\{\}|\[\])/.exec(resources)).toBeNull();
  }
}

test('a letter with pieces cut out or put in', () => {
  fc.assert(fc.property(damaged, judge), { numRuns: 200 });
});

test('a letter without some of its elements and attributes', () => {
  fc.assert(fc.property(depleted, judge), { numRuns: 200 });
});
