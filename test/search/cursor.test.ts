/** Page links: opaque, bound to the query and the caller (hostile inputs, row F7). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cursorBinding, decodeCursor, encodeCursor, parseSearch, type Position } from '../../src/search/index.ts';
import { context, now } from './record.ts';

const secret = Buffer.alloc(32, 7);
const position: Position = {
  order: 'string_index false',
  values: ['dupont', null],
  rid: '42',
  type: 'Patient',
  id: 'p1',
};

describe('a cursor', () => {
  test('gives back its position', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.string({ unit: 'grapheme' }))), fc.string(), (values, binding) => {
        const stated = { ...position, values };
        expect(decodeCursor(secret, binding, encodeCursor(secret, binding, stated))).toEqual(stated);
      }),
    );
  });

  test('is the same for the same page, and shows nothing of it', () => {
    const text = encodeCursor(secret, 'q', position);
    expect(encodeCursor(secret, 'q', position)).toBe(text);
    expect(text).toMatch(/^[\w-]+$/);
    expect(Buffer.from(text, 'base64url').toString('latin1')).not.toContain('dupont');
  });

  test('is refused with another query, another caller, another secret, or any change', () => {
    const text = encodeCursor(secret, 'q', position);
    const flipped = `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`;
    expect(() => decodeCursor(secret, 'r', text)).toThrow('no page link');
    expect(() => decodeCursor(Buffer.alloc(32, 8), 'q', text)).toThrow('no page link');
    for (const other of ['', 'x', text.slice(1), `A${text}`, flipped, '%%%']) {
      expect(() => decodeCursor(secret, 'q', other)).toThrow('no page link');
    }
  });

  test('is bound to what is asked and by whom, not to the size of pages', () => {
    const binding = (caller: string, ...pairs: readonly (readonly [string, string])[]) =>
      cursorBinding(parseSearch(context, 'Encounter', pairs, { now }), caller);
    const plain = binding('a', ['status', 'finished']);
    expect(binding('a', ['status', 'finished'], ['_count', '5'], ['_cursor', 'x'], ['_total', 'accurate'])).toBe(plain);
    expect(binding('b', ['status', 'finished'])).not.toBe(plain);
    expect(binding('a', ['status', 'planned'])).not.toBe(plain);
    expect(binding('a', ['status', 'finished'], ['_sort', 'date'])).not.toBe(plain);
  });
});
