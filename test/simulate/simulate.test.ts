/** Truth by simulation, small: a hundred patients with each of three seeds (`npm run simulate` plays more). */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { createSimulator } from './simulate.ts';

const folder = new URL('../../profiles/rules/', import.meta.url);
const ruleSets = readdirSync(folder).map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Resource);
const simulator = createSimulator(ruleSets, loadDefinitions());
const count = Number(process.env['SIMULATE_PATIENTS'] ?? 100);

describe('The engine finds every break of the model, no other, each at its instant', () => {
  it.each([1, 2, 3])(
    'seed %i',
    async (seed) => {
      let breaks = 0;
      for (let number = 0; number < count; number++) {
        const { differences, trueBreaks } = await simulator.simulate({ number, seed, days: 365 });
        expect(differences.map(({ arrivals: _arrivals, ...rest }) => rest)).toEqual([]);
        breaks += trueBreaks.length;
      }
      expect(breaks).toBeGreaterThan(count / 3);
    },
    120_000,
  );
});
