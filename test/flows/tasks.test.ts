/** What a person may do with a break, by ordinary updates of its Task (design.md section 2; src/breaks/machine.ts). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Task } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { dischargeLetter, episode, type Person, person, professionals, stay } from '../support/builders.ts';
import type { Client, Reply } from '../support/client.ts';
import { type BreakView, breaks, theBreak } from './view.ts';

/** A rule that only a person's word repairs. */
const byHandRules: Resource = {
  resourceType: 'PlanDefinition',
  id: 'by-hand',
  url: 'urn:test:by-hand',
  version: '1',
  status: 'active',
  type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }] },
  action: [
    {
      id: 'HAND-01',
      prefix: 'HAND-01',
      title: 'À expliquer par une personne',
      priority: 'routine',
      code: [{ coding: [{ system: 'https://suture.example/fhir/CodeSystem/break-rule', code: 'HAND-01' }] }],
      trigger: [{ type: 'data-changed', data: [{ type: 'Encounter' }] }],
      condition: [
        { kind: 'start', expression: { language: 'text/fhirpath', expression: "status = 'finished'" } },
        { kind: 'stop', expression: { language: 'text/fhirpath', expression: 'false' } },
      ],
    },
  ],
};

let test: TestApp;
let client: Client;
let number = 0;

const discharge = '2026-03-02T16:20:00+01:00';

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
  await client.moveClock('2026-03-03T08:00:00+01:00');
});
afterAll(() => test?.close());

/** A patient whose discharge letter is missing, and the Task about it. */
async function openBreak(): Promise<{ readonly who: Person; readonly task: Task; look(): Promise<BreakView> }> {
  const who = person(`t${++number}`, number);
  await client.putAll(...episode(who), stay(who.id, discharge));
  await client.settle();
  const look = () => theBreak(client, who.id, 'RUP-20');
  const { tasks } = await look();
  return { who, task: tasks[0] as Task, look };
}

const reason = { text: 'vu avec le service' };
const tomorrow = '2026-03-04T08:00:00+01:00';

/** What a status asks for beside itself. */
const needed: Readonly<Record<string, object>> = {
  rejected: { statusReason: reason },
  'on-hold': { statusReason: reason, restriction: { period: { end: tomorrow } } },
};

async function move(task: Task, status: string, more: object = needed[status] ?? {}): Promise<Reply> {
  const reply = await client.put({ ...(task as unknown as Resource), status, ...more });
  await client.settle();
  return reply;
}

describe('A Task of a break', () => {
  it.each<[readonly string[], string, string | undefined, string]>([
    [['accepted'], 'acknowledged', undefined, 'final'],
    [['in-progress'], 'in-progress', undefined, 'final'],
    [['accepted', 'in-progress', 'on-hold', 'in-progress'], 'in-progress', undefined, 'final'],
    [['rejected'], 'rejected', 'false-positive', 'entered-in-error'],
    [['accepted', 'cancelled'], 'moot', 'premise-changed', 'cancelled'],
  ])('moves by %j to %s', async (path, state, reason, issueStatus) => {
    const { task, look } = await openBreak();
    for (const status of path) expect((await move(task, status)).status).toBe(200);
    const after = await look();
    expect([after.state, after.reason, after.issue.status]).toEqual([state, reason, issueStatus]);
    const code = after.tasks[0]?.businessStatus?.coding?.[0]?.code;
    expect([after.tasks[0]?.status, code]).toEqual([path.at(-1), state]);
  });

  it.each<[readonly string[], string]>([
    [[], 'completed'],
    [[], 'draft'],
    [[], 'on-hold'],
    [[], 'failed'],
    [['accepted'], 'requested'],
    [['accepted', 'in-progress'], 'accepted'],
    [['rejected'], 'requested'],
    [['accepted', 'cancelled'], 'completed'],
  ])('that stands at %j is not moved to %s: the answer names what is possible', async (path, status) => {
    const { task, look } = await openBreak();
    for (const step of path) await move(task, step);
    const before = await look();
    const reply = await move(task, status);
    expect([reply.status, reply.json.issue[0].code, reply.json.issue[0].expression]).toEqual([
      422,
      'business-rule',
      ['Task.status'],
    ]);
    expect(reply.json.issue[0].details.text).toMatch(/allowed: /);
    const after = await look();
    expect([after.state, after.tasks[0]?.meta?.versionId]).toEqual([before.state, before.tasks[0]?.meta?.versionId]);
  });

  it('before its deadline is moved by nobody', async () => {
    const who = person('t-early', 900);
    await client.putAll(...episode(who), stay(who.id, '2026-03-03T07:00:00+01:00'));
    await client.moveClock('2026-03-03T22:30:00+01:00');
    const { tasks } = await theBreak(client, who.id, 'RUP-20');
    expect(tasks[0]?.status).toBe('draft');
    expect((await move(tasks[0] as Task, 'accepted')).status).toBe(422);
  });

  it('may be handed to another owner and annotated without being moved', async () => {
    const { task, look } = await openBreak();
    const more = { owner: { reference: 'Practitioner/dr-lescop' }, note: [{ text: 'je m’en occupe demain' }] };
    expect((await move(task, 'requested', more)).status).toBe(200);
    const { tasks, state } = await look();
    expect([tasks[0]?.owner?.reference, tasks[0]?.note?.[0]?.text, state]).toEqual([
      'Practitioner/dr-lescop',
      'je m’en occupe demain',
      'open',
    ]);
  });

  it('keeps the state that the server says, whatever businessStatus the client writes', async () => {
    const { task, look } = await openBreak();
    const businessStatus = {
      coding: [{ system: 'https://suture.example/fhir/CodeSystem/break-state', code: 'repaired' }],
    };
    await move(task, 'requested', { businessStatus });
    expect((await look()).tasks[0]?.businessStatus?.coding?.[0]?.code).toBe('open');
    expect((await look()).state).toBe('open');
  });

  it.each<[string, string, object]>([
    ['rejected', 'Task.statusReason', {}],
    ['on-hold', 'Task.statusReason', { restriction: { period: { end: tomorrow } } }],
    ['on-hold', 'Task.restriction.period.end', { statusReason: reason }],
    [
      'on-hold',
      'Task.restriction.period.end',
      { statusReason: reason, restriction: { period: { end: '2026-03-03' } } },
    ],
  ])('is not %s without what that needs: %s', async (status, place, more) => {
    const { task } = await openBreak();
    await move(task, 'accepted');
    const reply = await move(task, status, more);
    expect([reply.status, reply.json.issue?.[0]?.expression]).toEqual([422, [place]]);
  });

  it('says who closed by hand a break that the record can never show repaired', async () => {
    await client.putAll(byHandRules);
    const { who } = await openBreak();
    const { tasks } = await theBreak(client, who.id, 'HAND-01');
    await move(tasks[0] as Task, 'accepted');
    await move(tasks[0] as Task, 'completed', { owner: { reference: 'Practitioner/idec-morvan' } });
    const { issue, state } = await theBreak(client, who.id, 'HAND-01');
    expect(state).toBe('repaired');
    expect(issue.mitigation).toMatchObject([
      { action: { coding: [{ code: 'done-by-hand' }] }, author: { reference: 'Practitioner/idec-morvan' } },
    ]);
    await client.putAll({ ...byHandRules, status: 'retired' });
  });

  it('that was rejected stays so while the deadline is the same, and is asked anew when that moves', async () => {
    const { who, task, look } = await openBreak();
    await move(task, 'rejected');
    await client.putAll(stay(who.id, discharge, { length: { value: 7, unit: 'd' } }));
    await client.settle();
    expect((await look()).state).toBe('rejected');
    await client.putAll(stay(who.id, '2026-03-01T10:00:00+01:00'));
    await client.settle();
    const all = await breaks(client, who.id, 'RUP-20');
    expect(all.map(({ state }) => state)).toContain('open');
    expect(all.flatMap(({ tasks }) => tasks.filter(({ status }) => status === 'requested'))).toHaveLength(1);
  });

  it('is completed by the server when the thing is done after all, with what the person had made of it', async () => {
    const { who, task, look } = await openBreak();
    await move(task, 'in-progress');
    await client.ingest(dischargeLetter(who, discharge, '2026-03-03T21:00:00+01:00'));
    await client.settle();
    const after = await look();
    expect([after.state, after.reason, after.tasks[0]?.status]).toEqual(['repaired', 'late', 'completed']);
  });

  it('loses no move when a person and the server move it at the same time', async () => {
    const { who, task, look } = await openBreak();
    const letter = dischargeLetter(who, discharge, '2026-03-03T21:00:00+01:00');
    await Promise.all([client.put({ ...(task as unknown as Resource), status: 'accepted' }), client.ingest(letter)]);
    await client.settle();
    const after = await look();
    expect(['auto-closed', 'repaired']).toContain(after.state);
    expect(after.tasks.map(({ status }) => status)).toEqual(['completed']);
    expect(after.tasks[0]?.businessStatus?.coding?.[0]?.code).toBe(after.state);
  });
});

describe('A repair that a person declares', () => {
  it('waits for its proof: in progress, marked, and repaired when the letter comes', async () => {
    const { who, task, look } = await openBreak();
    await move(task, 'accepted');
    const reply = await move(task, 'completed');
    expect([reply.status, reply.json.status, reply.json.businessStatus.text]).toEqual([
      200,
      'in-progress',
      'déclarée réparée, preuve attendue',
    ]);
    expect((await look()).state).toBe('in-progress');
    await client.ingest(dischargeLetter(who, discharge, '2026-03-03T07:30:00+01:00'));
    await client.settle();
    const after = await look();
    expect([after.state, after.reason, after.tasks[0]?.status]).toEqual(['repaired', 'late', 'completed']);
  });

  it('that is never proved opens the break again, and somebody is called again', async () => {
    const { task, look } = await openBreak();
    await move(task, 'accepted');
    await move(task, 'completed');
    const endMs = test.app.clock.now() + 72 * 3_600_000;
    await client.moveClock(new Date(endMs - 1000).toISOString());
    expect((await look()).state).toBe('in-progress');
    await client.moveClock(new Date(endMs).toISOString());
    const after = await look();
    expect([after.state, after.tasks.map(({ status }) => status), after.alerts.length]).toEqual([
      'open',
      ['requested'],
      2,
    ]);
    expect(JSON.stringify(after.tasks[0]?.extension ?? [])).not.toContain('break-declared');
  });
});

describe('A Task on hold', () => {
  it('is in progress again at its date, and not before', async () => {
    const { task, look } = await openBreak();
    await move(task, 'accepted');
    const end = '2026-03-09T10:00:00+01:00';
    await move(task, 'on-hold', { statusReason: reason, restriction: { period: { end } } });
    await client.moveClock('2026-03-09T09:59:59+01:00');
    expect((await look()).state).toBe('on-hold');
    await client.moveClock(end);
    const after = await look();
    expect([after.state, after.tasks[0]?.status, after.tasks[0]?.businessStatus?.coding?.[0]?.code]).toEqual([
      'in-progress',
      'in-progress',
      'in-progress',
    ]);
  });
});
