/** What a client may not do to the resources that a break is made of: nothing of its story is ever taken away. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { episode, person, professionals, stay } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { type BreakView, theBreak } from './view.ts';

let test: TestApp;
let client: Client;
let view: BreakView;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
  await client.moveClock('2026-03-03T08:00:00+01:00');
  const who = person('guarded', 1);
  await client.putAll(...episode(who), stay(who.id, '2026-03-02T16:20:00+01:00'));
  await client.settle();
  view = await theBreak(client, who.id, 'RUP-20');
});
afterAll(() => test?.close());

const paths = () => [`Task/${view.tasks[0]?.id}`, `DetectedIssue/${view.issue.id}`];

function without(resource: Resource, member: string): Resource {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => name !== member)) as unknown as Resource;
}

describe('The Task and the DetectedIssue of a break', () => {
  it('are not deleted: the answer says why', async () => {
    for (const path of paths()) {
      const reply = await client.remove(path);
      expect([reply.status, reply.json.issue?.[0]?.code]).toEqual([422, 'business-rule']);
      expect(reply.json.issue[0].details.text).toMatch(/break/);
      expect((await client.get(path)).status).toBe(200);
    }
  });

  it('are not deleted by a transaction or by a conditional delete either', async () => {
    for (const path of paths()) {
      const bundle = {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [{ request: { method: 'DELETE', url: path } }],
      };
      expect((await client.post('', bundle)).status).toBe(422);
      const [type, id] = path.split('/');
      expect((await client.remove(`${type}?_id=${id}`)).status).toBeGreaterThanOrEqual(400);
      expect((await client.get(path)).status).toBe(200);
    }
  });

  it('keep what the engine knows them by', async () => {
    const task = view.tasks[0] as unknown as Resource;
    const issue = view.issue as unknown as Resource;
    for (const changed of [
      { ...task, code: { text: 'autre chose' } },
      { ...task, focus: { reference: 'DetectedIssue/another' } },
      { ...task, for: { reference: 'Patient/another' } },
      without(issue, 'identifier'),
      without(issue, 'extension'),
      { ...issue, status: 'cancelled' },
      { ...issue, patient: { reference: 'Patient/another' } },
    ]) {
      expect((await client.put(changed)).status).toBe(422);
    }
  });

  it('may be annotated', async () => {
    const issue = view.issue as unknown as Resource;
    const note = { ...issue, detail: 'vu avec le service' };
    expect((await client.put(note)).status).toBe(200);
  });
});

describe('A DetectedIssue that somebody else wrote', () => {
  it('is changed and deleted as any resource', async () => {
    const issue = {
      resourceType: 'DetectedIssue',
      id: 'theirs',
      status: 'final',
      patient: { reference: 'Patient/guarded' },
    };
    expect((await client.put(issue)).status).toBe(201);
    expect((await client.put({ ...issue, status: 'cancelled' })).status).toBe(200);
    expect((await client.remove('DetectedIssue/theirs')).status).toBe(204);
  });
});
