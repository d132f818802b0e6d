/**
 * Level, not edge (design.md section 2): a record delivered in any order ends in the same DetectedIssues. The versions of one
 * resource keep their order, as a sender writes them; corrections, deletions and deaths are among them, and each is delivered
 * once or more. What is known before anything falls due is delivered; then time moves on. A break that has lost its object
 * is left out, and so is one that was found and closed while the record was still arriving: whether it was ever there, and so how many
 * there were before, depends on what was seen first. (With restarts: test/flows/any-order.test.ts.)
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ReplayedChange } from '../../src/breaks/replay.ts';
import { readBreak } from '../../src/breaks/resources.ts';
import { situations } from '../simulate/situations/index.ts';
import { createWorld, mayDie, type World } from '../simulate/world.ts';
import { dayMs, replayOf } from './support.ts';

function worldOf(number: number): World {
  const world = createWorld({ number, seed: 7, fromMs: Date.parse('2026-01-05T00:00:00+01:00'), days: 300 });
  situations[number % situations.length]?.tell(world);
  mayDie(world);
  return world;
}

function keyOf(change: ReplayedChange): string {
  return 'deleted' in change ? change.deleted : `${change.resource.resourceType}/${change.resource.id ?? ''}`;
}

/** The versions of each resource that the story sends, in their order; what came twice in a row is one. */
function versionsOf(world: World): readonly (readonly ReplayedChange[])[] {
  const versions = new Map<string, ReplayedChange[]>();
  for (const { changes } of [...world.arrivals].sort((a, b) => a.atMs - b.atMs)) {
    for (const change of changes) {
      const own = versions.get(keyOf(change)) ?? [];
      versions.set(keyOf(change), own);
      if (JSON.stringify(own.at(-1)) !== JSON.stringify(change)) own.push(change);
    }
  }
  return [...versions.values()];
}

/** One by one from resources that chance picks; some versions come again at once, or before their next. */
function mix(versions: readonly (readonly ReplayedChange[])[], draw: () => number): readonly ReplayedChange[] {
  const left = versions.map((own) => [...own]);
  const mixed: ReplayedChange[] = [];
  const sent: ReplayedChange[][] = versions.map(() => []);
  for (;;) {
    const open = left.flatMap((own, index) => (own.length > 0 ? [index] : []));
    const index = open[Math.floor(draw() * open.length)];
    if (index === undefined) return mixed;
    const repeated = sent[index]?.at(-1);
    if (repeated !== undefined && draw() < 0.4) mixed.push(repeated);
    const [next] = left[index]?.splice(0, 1) ?? [];
    if (next === undefined) continue;
    sent[index]?.push(next);
    mixed.push(next);
    if (draw() < 0.3) mixed.push(next);
  }
}

/** Everything arrives before the story begins; then more than a year passes. */
async function play({ patient, startMs }: World, changes: readonly ReplayedChange[]): Promise<readonly unknown[]> {
  const replay = replayOf(patient);
  const atMs = startMs - 10 * dayMs;
  await replay.advanceTo(atMs);
  for (const change of changes) await replay.write([change], atMs);
  await replay.advanceTo(atMs + 400 * dayMs);
  return replay
    .resources()
    .flatMap((resource) => readBreak(resource) ?? [])
    .filter(({ known }) => known.state !== 'moot')
    .map(({ key, known: { state, reason, dueAtMs }, issue }) => {
      return { key, state, reason, dueAtMs, identified: String(issue['identifiedDateTime']) };
    })
    .filter(({ state, identified }) => state !== 'auto-closed' || Date.parse(identified) > atMs)
    .sort((a, b) => (a.key + a.identified < b.key + b.identified ? -1 : 1));
}

describe('A record in any order', () => {
  it('with duplicates, corrections and deletions ends in the same DetectedIssues', async () => {
    const stories = fc.integer({ min: 0, max: situations.length * 3 - 1 });
    const draws = fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true }));
    await fc.assert(
      fc.asyncProperty(stories, draws, async (number, stream) => {
        const world = worldOf(number);
        const versions = versionsOf(world);
        const mixed = mix(versions, () => stream.next().value ?? 0);
        expect(await play(world, mixed)).toEqual(await play(world, versions.flat()));
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('has corrections and deletions in it, and breaks', async () => {
    const worlds = Array.from({ length: situations.length }, (_one, number) => worldOf(number));
    const changes = worlds.flatMap((world) => versionsOf(world).flatMap((own) => own.slice(1)));
    expect(changes.some((change) => 'deleted' in change)).toBe(true);
    expect(changes.some((change) => 'resource' in change && change.resource['status'] === 'entered-in-error')).toBe(
      true,
    );
    const ends = await Promise.all(worlds.slice(0, 8).map((world) => play(world, versionsOf(world).flat())));
    expect(ends.flat().length).toBeGreaterThan(4);
  });
});
