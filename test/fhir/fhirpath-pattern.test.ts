/** Regular expressions of rules cannot be made slow. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findPatternFault, matchedCharactersMax } from '../../src/fhir/fhirpath-pattern.ts';

describe('A pattern', () => {
  test.each(['^C[0-9]{2}', '^L0[12]', '^C(15|22|25|34|71)', 'IV', '^[A-Z]+-\\d{1,3}$', 'a\\|b', '^(?:ab)?c$', '[(*+]'])(
    'may be %s',
    (pattern) => {
      expect(findPatternFault(pattern)).toBeUndefined();
    },
  );

  test.each([
    ['^(a+)+$', /repeats a group/],
    ['^((a|b)c)*$', /repeats a group/],
    ['(a|a)+', /repeats a group/],
    ['(a?){20}', /repeats a group/],
    ['((a)*)*', /repeats a group/],
    ['a*b*c*', /too many ways/],
    ['a?b?c?d?e?f?g?h?i?j?', /too many ways/],
    ['a{200}', /more than 100 times/],
    ['(a)\\1', /refers back/],
    ['(?=a)b', /looks ahead/],
    ['(?<n>a)', /looks ahead or behind, or names/],
    ['a*b*c?d?', /too many ways/],
    ['(', /not a valid/],
    ['a'.repeat(101), /101 characters/],
  ])('may not be %s', (pattern, fault) => {
    expect(findPatternFault(pattern)).toMatch(fault);
  });

  test('that is allowed is quick on any text that is matched', () => {
    const piece = fc.constantFrom('a', 'b', '[ab]', '(ab)', '(a|b)', 'a*', 'b+', 'a{2,9}', 'b?', '(?:aa)', '.', '\\w+');
    const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => `${pieces.join('')}$`);
    const hostile = ['a'.repeat(matchedCharactersMax), 'ab'.repeat(matchedCharactersMax / 2)];
    fc.assert(
      fc.property(pattern, (written) => {
        if (findPatternFault(written) !== undefined) return;
        const start = performance.now();
        for (const subject of hostile) new RegExp(written, 'us').test(`${subject}!`);
        expect(performance.now() - start).toBeLessThan(2000);
      }),
      { numRuns: 200 },
    );
  });
});
