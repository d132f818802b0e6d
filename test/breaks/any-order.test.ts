/**
 * Level, not edge (design.md section 2): a record delivered in any order, with duplicates, ends in the same DetectedIssues.
 * What is known before anything falls due is delivered; then time moves on. (With restarts: test/flows/any-order.test.ts.)
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createReplay } from '../../src/breaks/replay.ts';
import { readBreak } from '../../src/breaks/resources.ts';
import { bindBook } from '../../src/breaks/rule-book.ts';
import { createQueryCheck, createSelect } from '../../src/breaks/select.ts';
import { createPlaces } from '../../src/breaks/sites.ts';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { readRuleSet } from '../../src/rules/index.ts';
import { createSearchContext } from '../../src/search/index.ts';
import { situations } from '../simulate/situations/index.ts';
import { createWorld } from '../simulate/world.ts';

const dayMs = 24 * 3_600_000;
const folder = new URL('../../profiles/rules/', import.meta.url);
const definitions = loadDefinitions();
const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl: 'http://test/fhir' });
const book = bindBook(
  readdirSync(folder).map((name) => {
    const reading = readRuleSet(JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Resource, {
      definitions,
      checkQuery: createQueryCheck(search),
    });
    if (reading.kind === 'faults') throw new Error(JSON.stringify(reading.issues));
    return { reference: name, ruleSet: reading.ruleSet };
  }),
);
const context = {
  book,
  select: createSelect(search),
  places: createPlaces('Europe/Paris'),
  lateKnowledgeMs: 30 * dayMs,
  proofAwaitedMs: dayMs,
};

/** The last version of each resource that a story of the model sends. */
function recordOf(number: number): {
  readonly patient: string;
  readonly resources: readonly Resource[];
  readonly startMs: number;
} {
  const world = createWorld({ number, seed: 7, fromMs: Date.parse('2026-01-05T00:00:00+01:00'), days: 300 });
  situations[number % situations.length]?.tell(world);
  const last = new Map<string, Resource>();
  for (const { changes } of [...world.arrivals].sort((a, b) => a.atMs - b.atMs)) {
    for (const change of changes) {
      if ('resource' in change) last.set(`${change.resource.resourceType}/${change.resource.id}`, change.resource);
      else last.delete(change.deleted);
    }
  }
  return { patient: world.patient, resources: [...last.values()], startMs: world.startMs };
}

/** Everything arrives before the stays end; then a year passes. */
async function play(
  number: number,
  order: (resources: readonly Resource[]) => readonly Resource[],
): Promise<readonly unknown[]> {
  const { patient, resources, startMs } = recordOf(number);
  const replay = createReplay({ ...context, patient });
  const atMs = startMs - 10 * dayMs;
  for (const resource of order(resources)) await replay.write([{ resource }], atMs);
  await replay.advanceTo(atMs + 400 * dayMs);
  return replay
    .resources()
    .flatMap((resource) => readBreak(resource) ?? [])
    .map(({ key, occurrence, known, issue }) => ({
      key,
      occurrence,
      ...known,
      identified: issue['identifiedDateTime'],
    }))
    .sort((a, b) => (a.key + a.occurrence < b.key + b.occurrence ? -1 : 1));
}

describe('A record in any order', () => {
  it('with duplicates ends in the same DetectedIssues', async () => {
    const stories = fc.integer({ min: 0, max: situations.length * 2 - 1 });
    const shuffled = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(stories, shuffled, async (number, weights) => {
        const mixed = (resources: readonly Resource[]) => {
          const twice = resources.flatMap((one, index) => ((weights[index] ?? 0) < 0.3 ? [one, one] : [one]));
          return twice
            .map((one, index) => ({ one, by: weights[(index * 7) % weights.length] ?? 0 }))
            .sort((a, b) => a.by - b.by)
            .map(({ one }) => one);
        };
        expect(await play(number, mixed)).toEqual(await play(number, (resources) => resources));
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('finds breaks at all', async () => {
    const all = await Promise.all(Array.from({ length: 32 }, (_one, number) => play(number, (resources) => resources)));
    expect(all.flat().length).toBeGreaterThan(4);
  });
});
