/** Outside FHIR: the manual clock, settle, health, metrics (design.md section 5, "clock" to "health", decision 1). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import { episode, person, professionals, stay } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { judgment, theBreak } from '../flows/view.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
});
afterAll(() => test?.close());

const clock = (body: object | string) => client.send('POST', '/admin/clock', { body, type: 'application/json' });

describe('The manual clock', () => {
  it('moves forward and answers where it stands and how many jobs ran', async () => {
    const reply = await clock({ now: '2026-03-02T09:00:00+01:00' });
    expect([reply.status, reply.json]).toEqual([200, { now: '2026-03-02T08:00:00.000Z', fired: 0 }]);
  });

  it('may be moved to where it is', async () => {
    expect((await clock({ now: '2026-03-02T08:00:00Z' })).status).toBe(200);
  });

  it.each<[string, object | string]>([
    ['the past', { now: '2026-03-02T08:59:59+01:00' }],
    ['no instant', { now: 'tomorrow' }],
    ['a day alone', { now: '2026-03-05' }],
    ['a time without zone', { now: '2026-03-05T00:00:00' }],
    ['a day that does not exist', { now: '2026-02-30T00:00:00Z' }],
    ['a number', { now: 1772000000000 }],
    ['nothing', {}],
    ['no JSON', '{"now"'],
  ])('is refused %s', async (_what, body) => {
    const reply = await clock(body);
    expect([reply.status, reply.json.resourceType]).toEqual([400, 'OperationOutcome']);
    expect((await clock({ now: '2026-03-02T09:00:00+01:00' })).status).toBe(200);
  });

  it('stops at each due instant on the way, so that every break is identified at its own deadline', async () => {
    await client.putAll(...professionals());
    const ends = ['2026-03-02T16:20:00+01:00', '2026-03-03T10:00:00+01:00', '2026-03-05T23:59:59+01:00'];
    for (const [index, end] of ends.entries()) {
      const who = person(`c${index}`, 60 + index);
      await client.putAll(...episode(who), stay(who.id, end));
    }
    const reply = await clock({ now: '2026-03-09T12:00:00+01:00' });
    expect(reply.json.fired).toBeGreaterThanOrEqual(6);
    const identified = async (id: string) => (await theBreak(client, id, 'RUP-20')).issue.identifiedDateTime;
    expect([await identified('c0'), await identified('c1'), await identified('c2')]).toEqual([
      '2026-03-03T00:00:00+01:00',
      '2026-03-04T00:00:00+01:00',
      '2026-03-06T00:00:00+01:00',
    ]);
  });

  it('keeps its position over a restart, and is later than the setting', async () => {
    test = await test.restart();
    client = test.client;
    expect((await clock({ now: '2026-03-09T11:59:59+01:00' })).status).toBe(400);
    expect((await clock({ now: '2026-03-09T12:00:00+01:00' })).json).toMatchObject({ now: '2026-03-09T11:00:00.000Z' });
  });

  it('goes on from the setting when that is later', async () => {
    test = await test.restart({ SUTURE_CLOCK: '2026-03-10T00:00:00+01:00' });
    client = test.client;
    await client.settle();
    expect((await clock({ now: '2026-03-09T23:59:59+01:00' })).status).toBe(400);
    expect(await judgment(client, 'c0', 'RUP-23')).toMatchObject({ state: 'broken' });
  });

  it('is not there with a real clock', async () => {
    const real = await startTestApp({ clock: 'real' });
    const now = new Date(8.64e15).toISOString().slice(-24);
    expect((await real.client.post('/admin/clock', { now })).status).toBe(404);
    expect((await real.client.send('POST', '/admin/settle')).status).toBe(200);
    await real.close();
  });
});

describe('settle', () => {
  it('answers when every change is judged', async () => {
    const who = person('settled', 70);
    await client.putAll(...episode(who), stay('settled', '2026-03-10T10:00:00+01:00'));
    const reply = await client.send('POST', '/admin/settle');
    expect([reply.status, reply.json]).toEqual([200, { now: '2026-03-09T23:00:00.000Z' }]);
    expect(await judgment(client, 'settled', 'RUP-20')).toMatchObject({ state: 'waiting' });
    expect((await client.get('/admin/settle')).status).toBe(404);
  });
});

describe('Health and metrics', () => {
  it('says that it lives and is ready', async () => {
    expect((await client.get('/health/live')).json).toEqual({ status: 'live' });
    const ready = await client.get('/health/ready');
    expect([ready.status, ready.json]).toEqual([
      200,
      { status: 'ready', database: 'ok', migrations: 'ok', queue: 'ok', queueAgeSeconds: 0 },
    ]);
  });

  it('counts requests by route, judgments, breaks and jobs, as Prometheus text', async () => {
    await client.get('Patient/c0');
    const { status, headers, text } = await client.get('/metrics');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(text).toMatch(/^suture_http_request_seconds_count\{route="\/fhir\/:type\/:id",status="200"\} [1-9]/m);
    expect(text).toMatch(/^suture_judgments_total [1-9]/m);
    expect(text).toMatch(/^suture_judgments\{rule="RUP-20",state="broken"\} 3$/m);
    expect(text).toMatch(/^suture_jobs\{kind="judge",state="[a-z]+"\} [1-9]/m);
    expect(text).not.toMatch(/c0|VAUQUELIN|Patient\/c/);
  });

  it('tells how long work waits, and is not ready where SUTURE_READY_QUEUE_AGE says so', async () => {
    const dueAt = new Date(test.app.clock.now() - 90_000);
    await test.database.query({
      text: `insert into job (kind, key, run_at) values ('nobody', 'x', $1), ('judge', 'Patient/held', $1)`,
      values: [dueAt],
    });
    await test.database.query({ text: `update job set holder = 1 where key = 'Patient/held'` });
    const ready = await client.get('/health/ready');
    expect([ready.status, ready.json.queue, ready.json.queueAgeSeconds]).toEqual([200, 'ok', 90]);
    const { text } = await client.get('/metrics');
    expect(text).toMatch(/^suture_queue_age_seconds\{kind="nobody"\} 90$/m);
    expect(text).toMatch(/^suture_jobs_due\{kind="nobody"\} 1$/m);
    expect(text).toMatch(/^suture_deadlines_overdue \d+$/m);
    expect(text).toMatch(/^suture_deadlines_late_seconds \d/m);
    expect(text).toMatch(/^suture_deadlines_waiting [1-9]/m);
    expect(text).toMatch(/^suture_changes_age_seconds\{reader="\w+"\} \d/m);
    expect(text).toMatch(/^suture_deliveries\{state="waiting"\} 0$/m);
    test = await test.restart({ SUTURE_READY_QUEUE_AGE: '60' });
    client = test.client;
    const late = await client.get('/health/ready');
    expect([late.status, late.json.status, late.json.queue]).toEqual([503, 'not ready', 'late']);
    await test.database.query({ text: `delete from job where key in ('x', 'Patient/held')` });
    expect((await client.get('/health/ready')).status).toBe(200);
  });

  it('is not ready while a migration is missing', async () => {
    const [last] = await test.database.query<{ number: number; name: string; checksum: string }>({
      text: 'delete from schema_migration where number = (select max(number) from schema_migration) returning *',
    });
    const ready = await client.get('/health/ready');
    expect([ready.status, ready.json.migrations]).toEqual([503, 'missing']);
    await test.database.query({
      text: 'insert into schema_migration values ($1, $2, $3)',
      values: [last?.number, last?.name, last?.checksum],
    });
    expect((await client.get('/health/ready')).status).toBe(200);
  });

  it('counts the breaks that open and close', async () => {
    const who = person('counted', 71);
    await client.putAll(...episode(who), stay('counted', '2026-03-10T10:00:00+01:00'));
    await client.moveClock('2026-03-11T00:00:00+01:00');
    await client.put({ ...stay('counted', '2026-03-10T10:00:00+01:00'), status: 'entered-in-error' });
    await client.settle();
    const { text } = await client.get('/metrics');
    expect(text).toMatch(/^suture_breaks_opened_total\{rule="RUP-20"\} [1-9]/m);
    expect(text).toMatch(/^suture_breaks_closed_total\{rule="RUP-20"\} [1-9]/m);
  });
});
