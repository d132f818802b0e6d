/** Index keys: no two values share a text, and the text's hash cannot be chosen. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createKeyHash, keyText } from '../../src/search/keys.ts';

describe('the key of a text', () => {
  test('is the first 64 bits of its SHA-256, signed', () => {
    const hash = createKeyHash();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const expected = createHash('sha256').update(text).digest().readBigInt64BE(0);
        expect(hash(text)).toBe(expected);
        expect(hash(text)).toBe(expected);
      }),
    );
  });
});

describe('no system and code can be taken for others', () => {
  const parts = fc.stringMatching(/^[ab|\n0-9]{0,6}$/);

  test('with a system', () => {
    fc.assert(
      fc.property(parts, parts, parts, parts, (system, code, otherSystem, otherCode) => {
        fc.pre(system !== otherSystem || code !== otherCode);
        expect(keyText.systemCode('P.x', system, code)).not.toBe(keyText.systemCode('P.x', otherSystem, otherCode));
      }),
      { numRuns: 2000 },
    );
  });

  test('across forms', () => {
    fc.assert(
      fc.property(parts, parts, (system, code) => {
        const texts = [
          keyText.systemCode('P.x', system, code),
          keyText.anyCode('P.x', code),
          keyText.noSystem('P.x', code),
          keyText.system('P.x', system),
          keyText.url('P.x', code),
          keyText.exact('P.x', code),
          keyText.versioned('P.x', code),
          keyText.referencePrefix('P.x') + code,
        ];
        expect(new Set(texts).size).toBe(texts.length);
      }),
    );
  });
});
