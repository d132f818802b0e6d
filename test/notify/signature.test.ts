import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { signatureOf } from '../../src/notify/signature.ts';

describe('the signature', () => {
  it('is a digest over the seconds and the body, as a receiver would make it', () => {
    const expected = createHmac('sha256', 'key').update('1772438400.{"é":1}').digest('hex');
    expect(signatureOf('key', '{"é":1}', 1_772_438_400_999)).toBe(`t=1772438400,v1=${expected}`);
  });

  it('is another one for another key, time or body', () => {
    const all = [
      signatureOf('a', 'b', 1000),
      signatureOf('x', 'b', 1000),
      signatureOf('a', 'x', 1000),
      signatureOf('a', 'b', 9000),
    ];
    expect(new Set(all).size).toBe(4);
  });
});
