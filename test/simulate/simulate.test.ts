/** Truth by simulation, small: a hundred patients with each of three seeds (`npm run simulate` plays more). */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { createSimulator } from './simulate.ts';

const folder = new URL('../../profiles/rules/', import.meta.url);
const ruleSets = readdirSync(folder).map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Resource);
const simulator = createSimulator(ruleSets, loadDefinitions());
const count = 100;
const broken = new Set<string>();

describe('The model', () => {
  it('lives every rule that is shipped', () => {
    const lived = new Set(simulator.situations.flatMap(({ rules }) => rules));
    expect([...lived].sort()).toEqual([...simulator.rules].sort());
    expect(lived.size).toBe(38);
  });
});

describe('The engine finds every break of the model, no other, each at its instant', () => {
  it.each([1, 2, 3])(
    'seed %i',
    async (seed) => {
      for (let number = 0; number < count; number++) {
        const { differences, trueBreaks } = await simulator.simulate({ number, seed, days: 365 });
        expect(differences.map(({ arrivals: _arrivals, ...rest }) => rest)).toEqual([]);
        for (const { rule } of trueBreaks) broken.add(rule);
      }
    },
    120_000,
  );

  it('of every rule at least once', () => {
    expect([...broken].sort()).toEqual([...simulator.rules].sort());
  });
});
