/**
 * The record is corrected and the judgment follows (design.md section 2: "A correction is only another present"); and each
 * shipped rule through its life.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DocumentReference } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import {
  careTeam,
  dischargeLetter,
  episode,
  gp,
  nurse,
  patient,
  type Person,
  person,
  practitioner,
  professionals,
  stay,
  transmission,
} from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { breaks, extension, judgment, judgments, theBreak } from './view.ts';

let test: TestApp;
let client: Client;
let number = 0;

const discharge = '2026-03-02T16:20:00+01:00';

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
  await client.moveClock('2026-03-03T09:00:00+01:00');
});
afterAll(() => test?.close());

async function discharged(end = discharge, more: object = {}): Promise<Person> {
  const who = person(`k${++number}`, number);
  await client.putAll(...episode(who), stay(who.id, end, more));
  await client.settle();
  return who;
}

async function change(...resources: readonly Resource[]): Promise<void> {
  await client.putAll(...resources);
  await client.settle();
}

async function ingest(who: Person, effectiveTime: string, end = discharge): Promise<DocumentReference> {
  const reply = await client.ingest(dischargeLetter(who, end, effectiveTime));
  expect(reply.status).toBe(201);
  await client.settle();
  return reply.json.entry[0].resource as DocumentReference;
}

describe('An open break', () => {
  it.each<[string, (who: Person) => Resource, string]>([
    [
      'the stay was entered in error',
      ({ id }) => ({ ...stay(id, discharge), status: 'entered-in-error' }),
      'entered-in-error',
    ],
    ['the patient has died', (who) => patient(who, { deceasedDateTime: '2026-03-02T23:00:00+01:00' }), 'deceased'],
    [
      'the patient left the stay dead',
      ({ id }) => stay(id, discharge, { hospitalization: { dischargeDisposition: { coding: [{ code: 'exp' }] } } }),
      'premise-changed',
    ],
    ['the stay goes on', ({ id }) => stay(id), 'premise-changed'],
    [
      'the stay was none of that kind',
      ({ id }) =>
        stay(id, discharge, { class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' } }),
      'premise-changed',
    ],
  ])('becomes moot when %s', async (_what, correct, reason) => {
    const who = await discharged();
    expect((await theBreak(client, who.id, 'RUP-20')).state).toBe('open');
    await change(correct(who));
    const after = await theBreak(client, who.id, 'RUP-20');
    expect([after.state, after.reason, after.issue.status, after.tasks.map(({ status }) => status)]).toEqual([
      'moot',
      reason,
      'cancelled',
      ['cancelled'],
    ]);
  });

  it('becomes moot when its stay is deleted', async () => {
    const who = await discharged();
    await client.remove(`Encounter/${who.id}-stay`);
    await client.settle();
    const after = await theBreak(client, who.id, 'RUP-20');
    expect([after.state, after.reason]).toEqual(['moot', 'entered-in-error']);
  });

  it('waits again when the discharge moves to today, and is the same break when the day ends', async () => {
    const who = await discharged();
    const { issue, tasks } = await theBreak(client, who.id, 'RUP-20');
    await change(stay(who.id, '2026-03-03T08:30:00+01:00'));
    expect(await judgment(client, who.id, 'RUP-20')).toMatchObject({
      state: 'waiting',
      dueAt: '2026-03-04T00:00:00+01:00',
    });
    expect((await theBreak(client, who.id, 'RUP-20')).state).toBe('moot');
    await client.moveClock('2026-03-04T09:00:00+01:00');
    const after = await theBreak(client, who.id, 'RUP-20');
    expect([after.issue.id, after.state, after.due]).toEqual([issue.id, 'open', '2026-03-04T00:00:00+01:00']);
    expect(after.tasks.filter(({ status }) => status === 'requested')).toHaveLength(1);
    const former = after.tasks.find(({ id }) => id === tasks[0]?.id);
    expect(former?.status === 'cancelled' || former?.status === 'requested').toBe(true);
    expect(after.alerts).toHaveLength(2);
  });

  it('takes over a deadline that moves further into the past', async () => {
    const who = await discharged();
    await change(stay(who.id, '2026-03-01T10:00:00+01:00'));
    const after = await theBreak(client, who.id, 'RUP-20');
    expect([after.state, after.due]).toEqual(['open', '2026-03-02T00:00:00+01:00']);
  });
});

describe('A repaired break', () => {
  it('opens again as the same one when its letter is deleted: amended, with a new Task for the former', async () => {
    const who = await discharged();
    const letter = await ingest(who, '2026-03-03T08:00:00+01:00');
    const closed = await theBreak(client, who.id, 'RUP-20');
    expect(closed.state).toBe('auto-closed');
    await client.remove(`DocumentReference/${letter.id}`);
    await client.settle();
    const again = await theBreak(client, who.id, 'RUP-20');
    expect([again.issue.id, again.state, again.issue.status, again.reason]).toEqual([
      closed.issue.id,
      'open',
      'amended',
      undefined,
    ]);
    const fresh = again.tasks.find(({ status }) => status === 'requested');
    expect(fresh?.partOf?.[0]?.reference).toBe(`Task/${closed.tasks[0]?.id}`);
    expect(again.alerts).toHaveLength(2);
  });

  it('opens again when its letter turns out to be an error, and closes with the next one', async () => {
    const who = await discharged();
    const letter = await ingest(who, '2026-03-03T08:00:00+01:00');
    await change({ ...(letter as unknown as Resource), status: 'entered-in-error' });
    expect((await theBreak(client, who.id, 'RUP-20')).state).toBe('open');
    await change({ ...(letter as unknown as Resource), status: 'current' });
    const after = await theBreak(client, who.id, 'RUP-20');
    expect([after.state, after.reason]).toEqual(['auto-closed', 'late']);
    expect(after.tasks.map(({ status }) => status)).toEqual(['completed', 'completed']);
  });

  it('is another occurrence after the window in which it may open again', async () => {
    const who = await discharged();
    const letter = await ingest(who, '2026-03-03T08:00:00+01:00');
    await client.moveClock('2026-03-12T12:00:00+01:00');
    await client.remove(`DocumentReference/${letter.id}`);
    await client.settle();
    const both = await breaks(client, who.id, 'RUP-20');
    const told = both.map(({ issue, state }) => [extension(issue, 'break-occurrence')?.valuePositiveInt, state]);
    expect(told.sort()).toEqual([
      [1, 'auto-closed'],
      [2, 'open'],
    ]);
    expect(new Set(both.map(({ issue }) => issue.identifier?.[0]?.value)).size).toBe(1);
  });
});

describe('What is learned long after it was due', () => {
  it('is recorded without Task and without alert', async () => {
    const who = await discharged('', {
      period: { start: '2026-01-12T08:00:00+01:00', end: '2026-01-15T10:00:00+01:00' },
    });
    const { state, tasks, alerts } = await theBreak(client, who.id, 'RUP-20');
    expect([state, tasks, alerts]).toEqual(['open', [], []]);
  });
});

describe('The order of arrival', () => {
  it('does not matter: letter and message before the stay end as after it', async () => {
    const forward = await discharged();
    const letter = await ingest(forward, '2026-03-02T18:00:00+01:00');
    await change(transmission(forward.id, `DocumentReference/${letter.id}`, '2026-03-02T19:00:00+01:00'));
    const backward = person(`k${++number}`, number);
    await client.putAll(patient(backward));
    const early = await ingest(backward, '2026-03-02T18:00:00+01:00');
    await client.putAll(
      transmission(backward.id, `DocumentReference/${early.id}`, '2026-03-02T19:00:00+01:00'),
      careTeam(backward.id),
    );
    await client.settle();
    const states = async ({ id }: Person) =>
      (await judgments(client, id))
        .filter(({ rule }) => ['RUP-20', 'RUP-21'].includes(rule))
        .map(({ rule, state, metAt }) => [rule, state, metAt]);
    expect(await states(backward)).toEqual(await states(forward));
    expect(await states(forward)).toEqual([
      ['RUP-20', 'met', '2026-03-02T18:00:00+01:00'],
      ['RUP-21', 'met', '2026-03-02T19:00:00+01:00'],
    ]);
  });
});

describe('Breaks of one patient at one moment', () => {
  it('share one alert', async () => {
    const who = person('k-alert', 800);
    const { extension: _reliability, ...unqualified } = patient(who);
    await change(unqualified, { ...careTeam(who.id, { gp }), period: { start: '2026-03-12' } });
    await client.moveClock('2026-03-20T00:00:00+01:00');
    const [team] = await breaks(client, who.id, 'RUP-33');
    const [identity] = await breaks(client, who.id, 'RUP-38');
    expect([team?.state, identity?.state, team?.due]).toEqual(['open', 'open', identity?.due]);
    expect(team?.alerts.map(({ id }) => id)).toEqual(identity?.alerts.map(({ id }) => id));
    expect(team?.alerts[0]?.payload).toHaveLength(2);
  });

  it('close one by one: the identity is qualified, the circle completed', async () => {
    const who = person('k-alert', 800);
    await change(patient(who));
    expect((await theBreak(client, who.id, 'RUP-38')).state).toBe('auto-closed');
    await change({ ...careTeam(who.id), period: { start: '2026-03-12' } });
    const after = await theBreak(client, who.id, 'RUP-33');
    expect([after.state, after.reason]).toEqual(['auto-closed', 'late']);
  });
});

describe('RUP-34, a secure message that did not arrive', () => {
  const bounced = (id: string, more: object = {}): Resource => ({
    ...transmission(id, `CarePlan/${id}-plan`, '2026-03-20T00:00:00+01:00'),
    status: 'not-done',
    statusReason: { text: 'boîte aux lettres inconnue' },
    ...more,
  });

  it('breaks at once, and is repaired by the same message sent again to the same doctor', async () => {
    const who = person('k-mail', 801);
    await change(...episode(who), bounced(who.id));
    expect((await theBreak(client, who.id, 'RUP-34')).state).toBe('open');
    const again = {
      ...transmission(who.id, `CarePlan/${who.id}-plan`, '2026-03-20T00:00:00+01:00'),
      id: `${who.id}-again`,
    };
    await change({ ...again, id: `${who.id}-other`, recipient: [{ reference: nurse }] });
    expect((await theBreak(client, who.id, 'RUP-34')).state).toBe('open');
    await client.moveClock('2026-03-20T01:00:00+01:00');
    await change({ ...again, sent: '2026-03-20T00:30:00+01:00' });
    expect((await theBreak(client, who.id, 'RUP-34')).state).toBe('auto-closed');
  });
});

describe('RUP-21, the letter to the GP', () => {
  it.each<[string, string, readonly Resource[]]>([
    [
      'his role',
      'PractitionerRole/dr-lescop-cabinet',
      [{ resourceType: 'PractitionerRole', id: 'dr-lescop-cabinet', practitioner: { reference: gp } }],
    ],
    [
      'another record of the same RPPS',
      'Practitioner/lescop-bis',
      [practitioner('lescop-bis', 'LESCOP', 'Yann', '10009900029')],
    ],
  ])('is sent when it reached him under %s', async (_what, recipient, known) => {
    const who = await discharged('2026-03-19T15:00:00+01:00');
    const letter = await ingest(who, '2026-03-19T16:00:00+01:00', '2026-03-19T15:00:00+01:00');
    expect((await judgment(client, who.id, 'RUP-21')).state).toBe('broken');
    const sent = transmission(who.id, `DocumentReference/${letter.id}`, '2026-03-20T00:40:00+01:00');
    await change(...known, { ...sent, recipient: [{ reference: recipient }] });
    expect((await judgment(client, who.id, 'RUP-21')).state).toBe('repaired');
  });

  it('is sent when the message names him and the letter by their full URLs', async () => {
    const who = await discharged('2026-03-19T15:00:00+01:00');
    const letter = await ingest(who, '2026-03-19T16:00:00+01:00', '2026-03-19T15:00:00+01:00');
    const sent = transmission(who.id, `${client.baseUrl}/DocumentReference/${letter.id}`, '2026-03-20T00:40:00+01:00');
    await change({ ...sent, recipient: [{ reference: `${client.baseUrl}/${gp}` }] });
    expect((await judgment(client, who.id, 'RUP-21')).state).toBe('repaired');
  });

  it('is expected of nobody while the patient has no GP', async () => {
    const who = person('k-nogp', 802);
    await change(
      patient(who),
      careTeam(who.id, { coordinator: nurse }),
      stay(who.id),
      stay(who.id, '2026-03-19T15:00:00+01:00'),
    );
    await ingest(who, '2026-03-19T16:00:00+01:00', '2026-03-19T15:00:00+01:00');
    expect(await breaks(client, who.id, 'RUP-21')).toEqual([]);
  });
});

describe('RUP-23, the visit in town', () => {
  const visit = (id: string, start: string, more: object = {}): Resource => ({
    resourceType: 'Encounter',
    id: `${id}-visit`,
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${id}` },
    period: { start, end: start.replace(':00:00', ':30:00') },
    ...more,
  });

  it.each([
    ['met', 'a visit on the seventh day', '2026-03-26T23:00:00+01:00'],
    ['repaired', 'a visit on the eighth day', '2026-03-27T08:00:00+01:00'],
    ['broken', 'no visit but one before the discharge', '2026-03-18T08:00:00+01:00'],
  ])('is %s by %s', async (state, _what, start) => {
    const who = await discharged('2026-03-19T15:00:00+01:00');
    await client.moveClock('2026-03-27T09:00:00+01:00');
    await change(visit(who.id, start));
    expect(await judgment(client, who.id, 'RUP-23')).toMatchObject({ state, dueAt: '2026-03-27T00:00:00+01:00' });
  });
});
