/**
 * Random single changes of valid resources, judged the same by the schemas and by an independent judge of the published
 * snapshots (`snapshot-check.ts`). Bindings and invariants are left out of the comparison: the judge knows none.
 * `SUTURE_MUTATIONS=100000 npm test -- test/validation/mutation` asks more of them.
 */
import { describe, expect, it } from '@jest/globals';
import { loadDefinitions } from '../../../src/fhir/index.ts';
import { createValidator } from '../../../src/validation/index.ts';
import { allSamples } from '../samples.ts';
import { createRandom, mutate } from './mutations.ts';
import { findFault } from './snapshot-check.ts';

const rounds = Number(process.env['SUTURE_MUTATIONS'] ?? 3000);
const structural: ReadonlySet<string> = new Set(['structure', 'required', 'value']);

describe('a resource with one change', () => {
  it('is judged as by an independent judge of the published snapshots', async () => {
    const validator = await createValidator({ definitions: loadDefinitions() });
    const random = createRandom(20260302);
    const samples = Object.values(allSamples);
    const differing: unknown[] = [];
    let refused = 0;
    for (let round = 0; round < rounds; round++) {
      const sample = samples[Math.floor(random() * samples.length)] as object;
      const { resource, told } = mutate(sample, random);
      const theirs = findFault(resource);
      const ours = validator.validate(resource).filter(({ code }) => structural.has(code));
      if (theirs !== undefined) refused++;
      if ((theirs !== undefined) !== ours.length > 0)
        differing.push([told, theirs, ours.map(({ expression, text }) => `${expression ?? ''}: ${text}`)]);
    }
    expect(differing.slice(0, 10)).toEqual([]);
    // Neither all nor none: the changes are of both kinds.
    expect(refused).toBeGreaterThan(rounds / 3);
    expect(refused).toBeLessThan((rounds * 9) / 10);
  }, 120_000);

  it('is left alone where nothing is changed', () => {
    expect(Object.values(allSamples).map((sample) => findFault(sample))).toEqual(
      Object.values(allSamples).map(() => undefined),
    );
  });
});
