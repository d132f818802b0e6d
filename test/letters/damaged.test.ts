/** A damaged letter is read or goes to review; it never brings anything down, nor leaves anything hollow. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { damaged, depleted } from './damage.ts';
import { read } from './letters.ts';

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
