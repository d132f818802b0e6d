/** The feed-health guard (issue 4): no deadline fires for a site that has fallen silent; one technical message instead. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Communication } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { episode, person, professionals, stay } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { breaks, judgment, theBreak } from './view.ts';

let test: TestApp;
let client: Client;
const site = 'Organization/hopital-silencieux';
const other = 'Organization/hopital-bavard';

/** A letter of the site, about somebody who has no stay. */
const letter = (id: string, from: string): Resource => ({
  resourceType: 'DocumentReference',
  id,
  status: 'current',
  type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] },
  subject: { reference: 'Patient/anyone' },
  date: '2026-03-02T08:00:00+01:00',
  custodian: { reference: from },
  content: [{ attachment: { contentType: 'text/plain', creation: '2026-03-02T08:00:00+01:00' } }],
});

const discharged = async (id: string, number: number, at: { end: string; from: string }): Promise<void> => {
  await client.putAll(...episode(person(id, number)), stay(id, at.end, { serviceProvider: { reference: at.from } }));
  await client.settle();
};

const technical = async (): Promise<readonly Communication[]> =>
  (await client.search<Communication>(`Communication?recipient=${site}&_count=50`)).filter(({ payload = [] }) =>
    payload.some(({ contentString = '' }) => contentString.startsWith('Alerte technique')),
  );

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  const organisations = [site, other].map((reference) => ({
    resourceType: 'Organization',
    id: reference.replace('Organization/', ''),
    name: reference,
  }));
  await client.putAll(...professionals(), ...organisations, { resourceType: 'Patient', id: 'anyone' });
  // Three letters a day for nine days, from both hospitals.
  for (let day = 2; day <= 10; day++) {
    for (const time of ['09', '12', '17']) {
      await client.moveClock(`2026-03-${String(day).padStart(2, '0')}T${time}:00:00+01:00`);
      await client.putAll(letter('l1', site), letter('l2', other), letter(`l-${day}-${time}`, site));
      await client.settle();
    }
  }
});
afterAll(() => test?.close());

describe('A deadline of a site whose letters have stopped', () => {
  beforeAll(async () => {
    // The other hospital goes on.
    for (const day of ['11', '12', '13']) {
      await client.moveClock(`2026-03-${day}T16:00:00+01:00`);
      await client.putAll(letter('l2', other), letter(`l2-${day}`, other));
    }
    await discharged('f1', 1, { end: '2026-03-13T15:00:00+01:00', from: site });
    await discharged('f2', 2, { end: '2026-03-13T15:00:00+01:00', from: site });
    await discharged('f3', 3, { end: '2026-03-13T15:00:00+01:00', from: other });
    await client.moveClock('2026-03-14T09:00:00+01:00');
  });

  it('does not fire, and goes on waiting', async () => {
    expect((await breaks(client, 'f1', 'RUP-20')).filter(({ state }) => state === 'open')).toEqual([]);
    expect(await judgment(client, 'f1', 'RUP-20')).toMatchObject({ state: 'waiting', reason: 'feed-silent' });
  });

  it('is told to the site in one technical message, not to those who care for the patients', async () => {
    const [message, ...more] = await technical();
    expect(more).toEqual([]);
    expect(message?.payload?.[0]?.contentString).toContain('DocumentReference');
    expect(message?.subject).toBeUndefined();
  });

  it('fires for the hospital that goes on sending', async () => {
    expect((await theBreak(client, 'f3', 'RUP-20')).state).toBe('open');
  });

  it('keeps waiting over a restart', async () => {
    test = await test.restart();
    client = test.client;
    await client.moveClock('2026-03-15T09:00:00+01:00');
    expect((await breaks(client, 'f2', 'RUP-20')).filter(({ state }) => state === 'open')).toEqual([]);
    expect(await technical()).toHaveLength(1);
  });

  it('fires when the letters come again, for those whose letter is not among them', async () => {
    const own: Resource = {
      ...letter('l-f1', site),
      subject: { reference: 'Patient/f1' },
      date: '2026-03-13T15:30:00+01:00',
      context: { encounter: [{ reference: 'Encounter/f1-stay' }] },
      content: [{ attachment: { contentType: 'text/plain', creation: '2026-03-13T15:30:00+01:00' } }],
    };
    await client.putAll(own);
    await client.settle();
    expect((await judgment(client, 'f1', 'RUP-20')).state).toBe('met');
    const { state, due, alerts } = await theBreak(client, 'f2', 'RUP-20');
    expect([state, due, alerts.length]).toEqual(['open', '2026-03-14T00:00:00+01:00', 1]);
    expect((await test.database.query({ text: 'select * from held_deadline' })).length).toBe(0);
  });
});

describe('A feed that never returns', () => {
  beforeAll(async () => {
    // The last letter of the site came on 15 March between nine and ten.
    await client.moveClock('2026-03-20T12:00:00+01:00');
    await discharged('f4', 4, { end: '2026-03-20T15:00:00+01:00', from: site });
    await client.moveClock('2026-03-28T12:00:00+01:00');
  });

  it('holds its deadlines for two weeks', async () => {
    expect(await judgment(client, 'f4', 'RUP-20')).toMatchObject({ state: 'waiting', reason: 'feed-silent' });
    expect(await technical()).toHaveLength(2);
  });

  it('has ended then: they break at that instant, in one digest, not in a call for each', async () => {
    await client.moveClock('2026-03-29T11:30:00+02:00');
    const { state, due, alerts } = await theBreak(client, 'f4', 'RUP-20');
    expect([state, due, alerts.length]).toEqual(['open', '2026-03-21T00:00:00+01:00', 0]);
    expect((await judgment(client, 'f4', 'RUP-20')).state).toBe('broken');
    expect(await test.database.query({ text: 'select * from held_deadline' })).toEqual([]);
    await client.moveClock('2026-03-30T09:00:00+02:00');
    const messages = await client.search<Communication>(`Communication?recipient=${site}&_count=50`);
    const [digest] = messages.filter(({ payload = [] }) =>
      payload.some(({ contentString = '' }) => contentString.includes('RUP-20')),
    );
    expect(digest?.sent).toBe('2026-03-30T08:00:00+02:00');
  });

  it('holds no deadline that comes later', async () => {
    await discharged('f5', 5, { end: '2026-03-30T15:00:00+02:00', from: site });
    await client.moveClock('2026-03-31T09:00:00+02:00');
    const { state, alerts } = await theBreak(client, 'f5', 'RUP-20');
    expect([state, alerts.length]).toEqual(['open', 1]);
  });
});
