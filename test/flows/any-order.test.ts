/** The same through the whole server: any order, duplicates, and restarts between, end in the same DetectedIssues. */
import { describe, expect, it } from '@jest/globals';
import type { DetectedIssue } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp } from '../support/app.ts';
import { episode, gp, person, professionals, stay, transmission } from '../support/builders.ts';
import { extension } from './view.ts';

const discharge = '2026-03-02T16:20:00+01:00';

function story(): readonly Resource[] {
  const [left, late] = [person('order-a', 11), person('order-b', 12)];
  const stays = [stay(left.id, discharge), stay(late.id, '2026-03-03T11:00:00+01:00')];
  const bounced = {
    ...transmission(late.id, `CarePlan/${late.id}-plan`, '2026-03-01T10:00:00+01:00'),
    status: 'not-done',
    recipient: [{ reference: gp }],
  };
  const people = [...episode(left), ...episode(late)].filter(({ resourceType }) => resourceType !== 'Encounter');
  return [...professionals(), ...people, ...stays, bounced];
}

/** Delivered before anything is due, restarted after each `restartEvery`th; then ten days pass. */
async function play(resources: readonly Resource[], restartEvery: number): Promise<readonly unknown[]> {
  let test = await startTestApp({ clock: '2026-03-02T16:30:00+01:00' });
  try {
    for (const [index, resource] of resources.entries()) {
      await test.client.putAll(resource);
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

describe('A record in any order, through the server', () => {
  it('with duplicates and restarts ends in the same DetectedIssues', async () => {
    const resources = story();
    const straight = await play(resources, 1000);
    const rules = new Set(straight.map((line) => String((line as unknown[])[0]).slice(0, 6)));
    expect([...rules].sort()).toEqual(expect.arrayContaining(['RUP-20', 'RUP-23', 'RUP-34']));
    const backward = [...resources, ...resources.slice(3, 6)].reverse();
    const odd = [...resources.filter((_one, index) => index % 2 === 1), ...resources, ...resources.slice(-2)];
    expect(await play(backward, 5)).toEqual(straight);
    expect(await play(odd, 7)).toEqual(straight);
  }, 120_000);
});
