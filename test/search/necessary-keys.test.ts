/** Keys that a match must have: whoever looks only at resources with one of them misses none. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPredicate, necessaryKeys, parseSearch } from '../../src/search/index.ts';
import { context, index, now } from './record.ts';
import { type Parameters, randomQueries, records } from './samples.ts';

const keysOf = (type: string, ...parameters: Parameters) =>
  necessaryKeys(context, parseSearch(context, type, parameters, { now }));

describe('the necessary keys of a search', () => {
  it('are those of a match, whatever the search and the resource', () => {
    let [matched, narrowed] = [0, 0];
    fc.assert(
      fc.property(records, fc.array(randomQueries, { minLength: 20, maxLength: 20 }), (resources, queries) => {
        for (const { type, parameters } of queries) {
          const search = parseSearch(context, type, parameters, { now });
          const keys = necessaryKeys(context, search);
          if (keys === undefined) continue;
          narrowed++;
          const matches = createPredicate(context, search);
          for (const resource of resources) {
            if (!matches(resource)) continue;
            matched++;
            const { tokens } = index(resource);
            expect(keys.some((key) => tokens.includes(key))).toBe(true);
          }
        }
      }),
      { numRuns: 40 },
    );
    expect(narrowed).toBeGreaterThan(50);
    expect(matched).toBeGreaterThan(20);
  });

  it('come from the condition that leaves fewest, and are unknown without one', () => {
    const patient = keysOf('Encounter', ['patient', 'Patient/p1']);
    expect(patient).toBeDefined();
    expect(keysOf('Encounter', ['status', 'finished'], ['patient', 'Patient/p1'])).toEqual(patient);
    expect(keysOf('Encounter', ['status', 'finished'])).toHaveLength(1);
    expect(keysOf('Encounter', ['date', 'ge2026-01-01'])).toBeUndefined();
    expect(keysOf('Encounter', ['status:not', 'finished'])).toBeUndefined();
    expect(keysOf('Encounter')).toBeUndefined();
  });
});
