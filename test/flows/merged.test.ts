/**
 * Merged patients (design.md section 2; https://hl7.org/fhir/R4/patient.html#links): two records are judged as one, breaks follow
 * the survivor, and go back when the merge is undone.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DetectedIssue, Task } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { episode, patient, person, professionals, stay } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { type BreakView, breaks, judgments, theBreak } from './view.ts';

let test: TestApp;
let client: Client;
const former = person('double', 1);
const survivor = person('survivor', 2);
const discharge = '2026-03-02T16:20:00+01:00';
let issueId: string | undefined;

const merged = () =>
  patient(former, { active: false, link: [{ type: 'replaced-by', other: { reference: 'Patient/survivor' } }] });

const letter = (id: string, of: string, at: string): Resource => ({
  resourceType: 'DocumentReference',
  id,
  status: 'current',
  type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] },
  subject: { reference: `Patient/${of}` },
  date: at,
  content: [{ attachment: { contentType: 'application/pdf', creation: at } }],
  context: { encounter: [{ reference: 'Encounter/double-stay' }] },
});

/** The break of the first stay, where it stands now. */
async function theFirst(of: string): Promise<BreakView> {
  const found = (await breaks(client, of, 'RUP-20')).filter(({ issue }) => issue.id === issueId);
  expect(found).toHaveLength(1);
  return found[0] as BreakView;
}

const ofFirst = async (of: string) =>
  (await judgments(client, of)).filter(({ rule, focus }) => rule === 'RUP-20' && focus === 'Encounter/double-stay');

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals(), ...episode(former), stay('double', discharge), patient(survivor));
  await client.moveClock('2026-03-03T09:00:00+01:00');
  issueId = (await theBreak(client, 'double', 'RUP-20')).issue.id;
});
afterAll(() => test?.close());

describe('A patient who is replaced by another', () => {
  it('hands over the open break: the same DetectedIssue and Task, of the survivor', async () => {
    await client.putAll(merged());
    await client.settle();
    expect(await breaks(client, 'double', 'RUP-20')).toEqual([]);
    const { issue, state, tasks, alerts } = await theBreak(client, 'survivor', 'RUP-20');
    expect([issue.id, state]).toEqual([issueId, 'open']);
    expect(issue.identifier?.[0]?.value).toBe('RUP-20:Patient/survivor:Encounter/double-stay');
    expect(tasks.map(({ for: subject, status }) => [subject?.reference, status])).toEqual([
      ['Patient/survivor', 'requested'],
    ]);
    // Nobody is called a second time.
    expect(alerts).toEqual([]);
  });

  it('is judged with the survivor, whichever of them is asked', async () => {
    const told = (await judgments(client, 'survivor')).find(({ rule }) => rule === 'RUP-20');
    expect(told).toMatchObject({ focus: 'Encounter/double-stay', state: 'broken', issue: `DetectedIssue/${issueId}` });
    expect((await judgments(client, 'double')).find(({ rule }) => rule === 'RUP-20')).toEqual(told);
  });

  it('is answered for by what comes under either name', async () => {
    await client.putAll(letter('l1', 'survivor', '2026-03-02T17:00:00+01:00'));
    await client.settle();
    const { issue, state, reason } = await theBreak(client, 'survivor', 'RUP-20');
    expect([issue.id, state, reason]).toEqual([issueId, 'auto-closed', 'met-in-time-known-late']);
    await client.remove('DocumentReference/l1');
    await client.settle();
    expect((await theBreak(client, 'survivor', 'RUP-20')).state).toBe('open');
  });

  it('opens no break of its own any more, also not at a deadline', async () => {
    await client.putAll({
      ...stay('double', '2026-03-03T08:00:00+01:00'),
      id: 'double-second',
      identifier: [{ value: 'S2' }],
    });
    await client.moveClock('2026-03-04T09:00:00+01:00');
    const second = await breaks(client, 'survivor', 'RUP-20');
    expect(second.map(({ issue }) => issue.implicated?.[0]?.reference).sort()).toEqual([
      'Encounter/double-second',
      'Encounter/double-stay',
    ]);
    expect(await client.search(`DetectedIssue?patient=Patient/double`)).toEqual([]);
    await client.remove('Encounter/double-second');
    await client.settle();
  });

  it('stays merged over a restart', async () => {
    test = await test.restart();
    client = test.client;
    await client.putAll(stay('double', discharge));
    await client.settle();
    expect((await ofFirst('survivor')).map(({ state }) => state)).toEqual(['broken']);
  });

  it('gets its breaks back when the link is taken away', async () => {
    await client.putAll(patient(former));
    await client.settle();
    const { state, tasks } = await theFirst('double');
    expect(state).toBe('open');
    expect(tasks.every(({ for: subject }) => subject?.reference === 'Patient/double')).toBe(true);
    const left = await client.search<DetectedIssue>('DetectedIssue?patient=Patient/survivor&_count=50');
    expect(left.filter(({ id }) => id === issueId)).toEqual([]);
    expect(await ofFirst('survivor')).toEqual([]);
    expect((await ofFirst('double')).map(({ state: now }) => now)).toEqual(['broken']);
  });

  it('may be named by the survivor instead', async () => {
    await client.putAll(patient(survivor, { link: [{ type: 'replaces', other: { reference: 'Patient/double' } }] }));
    await client.settle();
    expect((await theFirst('survivor')).state).toBe('open');
    const open = await client.search<Task>('Task?patient=Patient/survivor&status=requested&_count=50');
    expect(open.map(({ focus }) => focus?.reference)).toContain(`DetectedIssue/${issueId}`);
  });

  it('may be the last but one of a chain', async () => {
    await client.putAll(
      patient(person('last', 3)),
      patient(survivor, {
        link: [
          { type: 'replaces', other: { reference: 'Patient/double' } },
          { type: 'replaced-by', other: { reference: 'Patient/last' } },
        ],
      }),
    );
    await client.settle();
    expect((await theFirst('last')).state).toBe('open');
  });

  it('does no harm in a circle', async () => {
    await client.putAll(
      patient(person('last', 3), { link: [{ type: 'replaced-by', other: { reference: 'Patient/double' } }] }),
    );
    await client.settle();
    const found = await client.search<DetectedIssue>('DetectedIssue?_count=100');
    expect(found.filter(({ id }) => id === issueId)).toHaveLength(1);
  });
});
