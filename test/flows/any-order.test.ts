/** The same through the whole server: any order, duplicates, corrections, deletions, and restarts between. */
import { describe, expect, it } from '@jest/globals';
import type { DetectedIssue } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp } from '../support/app.ts';
import { episode, gp, person, professionals, stay, transmission } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { extension } from './view.ts';

const discharge = '2026-03-02T16:20:00+01:00';

/** A version of a resource, or its end. */
type Delivery = Resource | string;

/** What is delivered of each resource, in its order: corrections, a withdrawal, a deletion that is taken back. */
function story(): readonly (readonly Delivery[])[] {
  const [left, late] = [person('order-a', 11), person('order-b', 12)];
  const bounced = {
    ...transmission(late.id, `CarePlan/${late.id}-plan`, '2026-03-01T10:00:00+01:00'),
    status: 'not-done',
    recipient: [{ reference: gp }],
  };
  const letter: Resource = {
    resourceType: 'DocumentReference',
    id: 'order-a-letter',
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] },
    subject: { reference: `Patient/${left.id}` },
    date: '2026-03-02T16:25:00+01:00',
    content: [{ attachment: { contentType: 'application/pdf', creation: '2026-03-02T16:25:00+01:00' } }],
    context: { encounter: [{ reference: `Encounter/${left.id}-stay` }] },
  };
  const second = { ...letter, id: 'order-a-second' };
  const people = [...episode(left), ...episode(late)].filter(({ resourceType }) => resourceType !== 'Encounter');
  return [
    ...[...professionals(), ...people, bounced].map((one) => [one]),
    [stay(left.id, '2026-03-02T15:00:00+01:00'), stay(left.id, discharge)],
    [stay(late.id), stay(late.id, '2026-03-03T11:00:00+01:00')],
    [letter, { ...letter, status: 'entered-in-error' }],
    [second, 'DocumentReference/order-a-second', second, 'DocumentReference/order-a-second'],
  ];
}

async function deliver(client: Client, delivery: Delivery): Promise<void> {
  if (typeof delivery !== 'string') return client.putAll(delivery);
  expect((await client.remove(delivery)).status).toBeLessThan(300);
}

/** Delivered before anything is due, restarted after each `restartEvery`th; then ten days pass. */
async function play(deliveries: readonly Delivery[], restartEvery: number): Promise<readonly unknown[]> {
  let test = await startTestApp({ clock: '2026-03-02T16:30:00+01:00' });
  try {
    for (const [index, delivery] of deliveries.entries()) {
      await deliver(test.client, delivery);
      if ((index + 1) % restartEvery === 0) test = await test.restart();
    }
    await test.client.settle();
    await test.client.moveClock('2026-03-06T12:00:00+01:00');
    test = await test.restart();
    await test.client.moveClock('2026-03-12T12:00:00+01:00');
    const issues = await test.client.search<DetectedIssue>('DetectedIssue?_count=100');
    return issues
      .map((issue) => [
        issue.identifier?.[0]?.value,
        issue.status,
        issue.identifiedDateTime,
        ...['break-state', 'break-reason', 'break-due', 'break-occurrence'].map((name) => {
          const { url: _url, ...value } = extension(issue, name) ?? { url: '' };
          return JSON.stringify(value);
        }),
      ])
      .sort();
  } finally {
    await test.close();
  }
}

/** Of the resources in turns, `skip` apart; each version of a resource after the one before it, some twice. */
function mix(versions: readonly (readonly Delivery[])[], skip: number): readonly Delivery[] {
  const left = versions.map((own) => [...own]);
  const mixed: Delivery[] = [];
  for (let turn = 0; left.some((own) => own.length > 0); turn++) {
    const own = left[(turn * skip) % left.length];
    const [next] = own?.splice(0, 1) ?? [];
    if (next === undefined) continue;
    mixed.push(next);
    if (typeof next !== 'string' && turn % 3 === 0) mixed.push(next);
  }
  return mixed;
}

describe('A record in any order, through the server', () => {
  it('with duplicates, corrections, deletions and restarts ends in the same DetectedIssues', async () => {
    const versions = story();
    const straight = await play(versions.flat(), 1000);
    const rules = new Set(straight.map((line) => String((line as unknown[])[0]).slice(0, 6)));
    expect([...rules].sort()).toEqual(expect.arrayContaining(['RUP-20', 'RUP-23', 'RUP-34']));
    expect(await play(mix([...versions].reverse(), 1), 5)).toEqual(straight);
    expect(await play(mix(versions, 5), 7)).toEqual(straight);
  }, 240_000);
});
