/** Core R4 subscriptions of type rest-hook, from the write to the call (https://hl7.org/fhir/R4/subscription.html). */
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { day, empty, hour, minute, openScene, type Scene, second } from './scene.ts';

let test: TestDatabase;
let receiver: Receiver;
let scene: Scene;

beforeAll(async () => {
  test = await openTestDatabase();
  receiver = await openReceiver();
});
afterAll(async () => {
  await receiver.close();
  await test.close();
});
beforeEach(async () => {
  scene = await openScene(test.database);
});
afterEach(async () => {
  await scene.stop();
  await empty(test.database);
  receiver.forget();
});

interface Terms {
  readonly criteria?: string;
  readonly status?: string;
  readonly end?: string;
  readonly channel?: object;
}

function hook(terms: Terms = {}): object {
  const channel = { type: 'rest-hook', endpoint: `${receiver.url}/hook`, ...terms.channel };
  return { status: 'requested', reason: 'essai', criteria: 'Encounter?status=finished', ...terms, channel };
}

const withPayload = { payload: 'application/fhir+json' };
const stay = (status: string) => ({ status, class: { code: 'IMP' }, subject: { reference: 'Patient/p1' } });

async function finish(id: string): Promise<void> {
  await scene.put('Encounter', id, stay('finished'));
}

describe('a subscription', () => {
  it('is active at once and calls without body when something matches', async () => {
    expect(await scene.put('Subscription', 's1', hook())).toMatchObject({ status: 'active' });
    await finish('e1');
    await scene.settle();
    expect(receiver.received).toMatchObject([
      {
        method: 'POST',
        path: '/hook',
        body: '',
        headers: { 'x-suture-subscription': 'Subscription/s1', 'x-suture-event-number': '1' },
      },
    ]);
  });

  it('sends the resource as an update when it has a payload', async () => {
    await scene.put('Subscription', 's1', hook({ channel: { ...withPayload, endpoint: `${receiver.url}/fhir/` } }));
    await finish('e1');
    await scene.settle();
    expect(receiver.received).toMatchObject([
      { method: 'PUT', path: '/fhir/Encounter/e1', headers: { 'content-type': 'application/fhir+json' } },
    ]);
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toEqual(await scene.read('Encounter', 'e1'));
  });

  it('sends each matching version as it was, in order, though the resource went on', async () => {
    await scene.put('Subscription', 's1', hook({ channel: withPayload }));
    await scene.settle();
    await scene.workers.stop();
    await scene.put('Encounter', 'e1', stay('in-progress'));
    for (const code of ['AMB', 'EMER', 'IMP'])
      await scene.put('Encounter', 'e1', { ...stay('finished'), class: { code } });
    await scene.put('Encounter', 'e1', stay('cancelled'));
    const next = await scene.another(2);
    await next.settle();
    await next.stop();
    const sent = receiver.received.map(({ body }) => JSON.parse(body) as { meta: object; class: object });
    expect(sent).toMatchObject([
      { class: { code: 'AMB' }, meta: { versionId: '2' } },
      { class: { code: 'EMER' }, meta: { versionId: '3' } },
      { class: { code: 'IMP' }, meta: { versionId: '4' } },
    ]);
    expect(receiver.received.map(({ headers }) => headers['x-suture-event-number'])).toEqual(['1', '2', '3']);
  });

  it('is not called for what does not match, nor for a deletion, nor for what was there before it', async () => {
    await finish('e0');
    await scene.put('Subscription', 's1', hook());
    await scene.put('Encounter', 'e1', stay('in-progress'));
    await scene.put('Patient', 'p1', {});
    await scene.remove('Encounter', 'e0');
    await scene.settle();
    expect(receiver.received).toEqual([]);
  });

  it('is found by a token, a reference, a date and a text', async () => {
    const criteria = [
      'DetectedIssue?code=https://suture.example/fhir/CodeSystem/break-rule|RUP-20',
      'DetectedIssue?patient=Patient/p1&identified=ge2026-03-02',
      'Patient?name=mart',
      'Patient',
    ];
    for (const [index, one] of criteria.entries())
      await scene.put('Subscription', `s${index}`, hook({ criteria: one }));
    const code = { coding: [{ system: 'https://suture.example/fhir/CodeSystem/break-rule', code: 'RUP-20' }] };
    const issue = {
      status: 'final',
      code,
      patient: { reference: 'Patient/p1' },
      identifiedDateTime: '2026-03-03T00:00:00+01:00',
    };
    await scene.put('DetectedIssue', 'd1', issue);
    await scene.put('Patient', 'p1', { name: [{ family: 'Martín' }] });
    await scene.put('DetectedIssue', 'd2', {
      ...issue,
      code: { text: 'RUP-20' },
      patient: { reference: 'Patient/p2' },
    });
    await scene.settle();
    const called = receiver.received.map(({ headers }) => headers['x-suture-subscription']);
    expect(called.sort()).toEqual(['Subscription/s0', 'Subscription/s1', 'Subscription/s2', 'Subscription/s3']);
  });

  it('carries its headers and a signature that its key verifies', async () => {
    const channel = { ...withPayload, header: ['Authorization: Bearer sesame', 'X-Key: 1:2'] };
    const extension = [
      { url: 'https://suture.example/fhir/StructureDefinition/subscription-key', valueString: 'my key' },
    ];
    await scene.put('Subscription', 's1', hook({ channel: { ...channel, extension } }));
    await finish('e1');
    await scene.settle();
    const { headers = {}, body } = receiver.received[0] ?? {};
    expect(headers).toMatchObject({ authorization: 'Bearer sesame', 'x-key': '1:2' });
    const [, seconds, digest] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String((headers as Record<string, unknown>)['x-suture-signature'])) ?? [];
    expect(digest).toBe(createHmac('sha256', 'my key').update(`${seconds}.${body}`).digest('hex'));
    expect(Number(seconds)).toBe(scene.clock.now() / 1000);
  });

  it('is turned off at its end, and is called no more', async () => {
    await scene.put('Subscription', 's1', hook({ end: '2026-03-02T10:00:00Z' }));
    await finish('e1');
    await scene.pass(2 * hour - 1);
    expect(await scene.read('Subscription', 's1')).toMatchObject({ status: 'active' });
    await scene.pass(1);
    expect(await scene.read('Subscription', 's1')).toMatchObject({ status: 'off', end: '2026-03-02T10:00:00Z' });
    await finish('e2');
    await scene.settle();
    expect(receiver.received).toHaveLength(1);
  });

  it('that a client turns off and on again is not told what happened in between', async () => {
    await scene.put('Subscription', 's1', hook());
    receiver.answer(() => ({ status: 500 }));
    await finish('e1');
    await scene.settle();
    receiver.forget();
    await scene.put('Subscription', 's1', hook({ status: 'off' }));
    await finish('e2');
    await scene.put('Subscription', 's1', hook());
    await finish('e3');
    await scene.settle();
    expect(receiver.received.map(({ headers }) => headers['x-suture-event-number'])).toEqual(['2']);
  });

  it('that is deleted leaves nothing behind but what the log of deliveries says', async () => {
    await scene.put('Subscription', 's1', hook({ channel: { header: ['Authorization: Bearer sesame'] } }));
    await finish('e1');
    await scene.settle();
    await scene.remove('Subscription', 's1');
    await finish('e2');
    await scene.settle();
    expect(receiver.received).toHaveLength(1);
    expect(await test.database.query({ text: 'select * from delivery' })).toHaveLength(1);
    await scene.pass(day);
    for (const table of ['subscription_secret', 'subscription_event', 'job']) {
      expect(await test.database.query({ text: `select * from ${table}` })).toEqual([]);
    }
  });
});

describe('a receiver that fails', () => {
  it('is called again later and later, with the same number, and holds back what follows', async () => {
    await scene.put('Subscription', 's1', hook({ channel: withPayload }));
    receiver.answer((_one, index) => ({ status: index < 3 ? 500 : 200 }));
    await finish('e1');
    await finish('e2');
    await scene.settle();
    expect(receiver.received).toHaveLength(1);
    await scene.pass(5 * second - 1);
    expect(receiver.received).toHaveLength(1);
    await scene.pass(1);
    expect(receiver.received).toHaveLength(2);
    await scene.pass(10 * second);
    expect(receiver.received).toHaveLength(3);
    await scene.pass(20 * second);
    expect(receiver.received.map(({ path, headers }) => [path, headers['x-suture-event-number']])).toEqual([
      ['/hook/Encounter/e1', '1'],
      ['/hook/Encounter/e1', '1'],
      ['/hook/Encounter/e1', '1'],
      ['/hook/Encounter/e1', '1'],
      ['/hook/Encounter/e2', '2'],
    ]);
  });

  it('is not called sooner because something new happens', async () => {
    await scene.put('Subscription', 's1', hook());
    receiver.answer(() => ({ status: 500 }));
    await finish('e1');
    await scene.settle();
    await finish('e2');
    await scene.pass(4 * second);
    expect(receiver.received).toHaveLength(1);
  });

  it('is obeyed when it says when to come back (U7)', async () => {
    await scene.put('Subscription', 's1', hook());
    receiver.answer((_one, index) =>
      index === 0 ? { status: 429, headers: { 'retry-after': '600' } } : { status: 200 },
    );
    await finish('e1');
    await scene.pass(10 * minute - 1);
    expect(receiver.received).toHaveLength(1);
    await scene.pass(1);
    expect(receiver.received).toHaveLength(2);
  });

  it('for a day puts the subscription in error; the update of its client brings what was missed', async () => {
    await scene.put('Subscription', 's1', hook());
    receiver.answer(() => ({ status: 503 }));
    await finish('e1');
    await scene.pass(2 * day);
    const stored = await scene.read('Subscription', 's1');
    expect(stored).toMatchObject({ status: 'error', error: 'the endpoint answered with HTTP status 503' });
    await finish('e2');
    await scene.pass(day);
    const attempts = receiver.received.length;
    expect(attempts).toBeGreaterThan(20);
    expect(attempts).toBeLessThan(40);
    receiver.forget();
    expect(await scene.put('Subscription', 's1', { ...stored, status: 'requested' })).toMatchObject({
      status: 'active',
    });
    expect(await scene.read('Subscription', 's1')).not.toHaveProperty('error');
    await scene.settle();
    expect(receiver.received.map(({ headers }) => headers['x-suture-event-number'])).toEqual(['1', '2']);
  });

  it('and that nobody comes back for is turned off after 30 days', async () => {
    await scene.put('Subscription', 's1', hook());
    receiver.answer(() => ({ status: 503 }));
    await finish('e1');
    await scene.pass(30 * day - hour);
    expect(await scene.read('Subscription', 's1')).toMatchObject({ status: 'error' });
    await scene.pass(hour);
    expect(await scene.read('Subscription', 's1')).toMatchObject({ status: 'off' });
    await scene.pass(2 * day);
    for (const table of ['subscription_event', 'job']) {
      expect(await test.database.query({ text: `select * from ${table}` })).toEqual([]);
    }
  });

  it('with 410 turns the subscription off (U7)', async () => {
    await scene.put('Subscription', 's1', hook());
    receiver.answer(() => ({ status: 410 }));
    await finish('e1');
    await scene.settle();
    expect(await scene.read('Subscription', 's1')).toMatchObject({
      status: 'off',
      error: 'the endpoint answered that it is gone (410)',
    });
    await finish('e2');
    await scene.pass(day);
    expect(receiver.received).toHaveLength(1);
  });

  it('delays nobody else (U14)', async () => {
    for (let index = 0; index < 40; index++) {
      await scene.put('Subscription', `slow${index}`, hook({ channel: { endpoint: `${receiver.url}/slow` } }));
    }
    await scene.put('Subscription', 'well', hook({ channel: { endpoint: `${receiver.url}/well` } }));
    await finish('e1');
    await scene.settle();
    receiver.forget();
    receiver.answer(({ path }) => (path === '/slow' ? 'hang' : { status: 200 }));
    await test.database.query({ text: `update subscription_state set is_slow = subscription <> 'well'` });
    await finish('e2');
    await scene.workers.settle(2000);
    expect(receiver.received.filter(({ path }) => path === '/well')).toHaveLength(1);
    expect(receiver.received.filter(({ path }) => path === '/slow')).toHaveLength(16);
    receiver.answer(() => ({ status: 200 }));
    receiver.release();
    await scene.settle();
    expect(receiver.received.filter(({ path }) => path === '/slow')).toHaveLength(40);
  });

  it('is described by the delivery log, without its address or what was sent', async () => {
    await scene.put('Subscription', 's1', hook());
    receiver.answer((_one, index) => ({ status: index === 0 ? 500 : 200 }));
    await finish('e1');
    await scene.pass(minute);
    const rows = await test.database.query({
      text: 'select subscription, kind, first_number, last_number, attempt, outcome, http_status from delivery order by seq',
    });
    const about = { subscription: 's1', kind: 'event-notification', first_number: '1', last_number: '1' };
    expect(rows).toEqual([
      { ...about, attempt: 1, outcome: 'bad-answer', http_status: 500 },
      { ...about, attempt: 2, outcome: 'delivered', http_status: 200 },
    ]);
  });
});

describe('secrets', () => {
  const channel = { header: ['Authorization: Bearer sesame'] };

  it('are in no resource, no version and no line of the log', async () => {
    const stored = await scene.put('Subscription', 's1', hook({ channel }));
    receiver.answer(() => ({ status: 500 }));
    await finish('e1');
    await scene.pass(2 * day);
    expect(stored).toMatchObject({ channel: { header: [expect.stringMatching(/^Authorization: sealed:/)] } });
    const texts = await test.database.query({ text: 'select raw from resource union all select raw from version' });
    expect(JSON.stringify(texts)).not.toContain('sesame');
    expect(scene.logged.join('')).not.toContain('sesame');
    expect(scene.logged.join('')).not.toContain(new URL(receiver.url).port);
  });

  it('stay when the subscription is read and written back', async () => {
    const stored = await scene.put('Subscription', 's1', hook({ channel }));
    await scene.put('Subscription', 's1', { ...stored, reason: 'autre' });
    await finish('e1');
    await scene.settle();
    expect(receiver.received[0]?.headers.authorization).toBe('Bearer sesame');
  });

  it('do not follow to another origin', async () => {
    const stored = await scene.put('Subscription', 's1', hook({ channel }));
    const elsewhere = { ...(stored['channel'] as object), endpoint: 'http://127.0.0.1:1/' };
    await expect(scene.put('Subscription', 's1', { ...stored, channel: elsewhere })).rejects.toMatchObject({
      category: 'unprocessable',
      issues: [{ expression: 'Subscription.channel.header[0]' }, { expression: 'Subscription.channel.extension' }],
    });
  });

  it('of another subscription cannot be taken by their handle', async () => {
    const stored = await scene.put('Subscription', 's1', hook({ channel }));
    const { header } = stored['channel'] as { header: readonly string[] };
    await expect(scene.put('Subscription', 's2', hook({ channel: { header } }))).rejects.toMatchObject({
      category: 'unprocessable',
    });
  });

  it('that are replaced are forgotten', async () => {
    const stored = await scene.put('Subscription', 's1', hook({ channel }));
    await scene.put('Subscription', 's1', {
      ...stored,
      ...hook({ channel: { header: ['Authorization: Bearer other'] } }),
    });
    await scene.settle();
    const values = await test.database.query<{ value: string }>({ text: 'select value from subscription_secret' });
    expect(values.map(({ value }) => value)).toEqual(expect.arrayContaining(['Bearer other']));
    expect(values).toHaveLength(2);
  });
});

describe('a crash', () => {
  it('between the call and its record sends the same again under the same number', async () => {
    await scene.put('Subscription', 's1', hook({ channel: withPayload }));
    await scene.settle();
    await scene.workers.stop();
    await finish('e1');
    // An instance that takes the job, calls, and dies before it records: its place stays held until somebody sees it dead.
    const dying = await scene.another(7);
    receiver.answer(() => ({ status: 200 }));
    await dying.settle();
    await dying.stop();
    await test.database.query({ text: 'update subscription_state set delivered_number = 0' });
    await test.database.query({
      text: `insert into job (kind, key, run_at, holder) values ('deliver', 's1', $1, 7)`,
      values: [new Date(scene.clock.now())],
    });
    const next = await scene.another(8);
    await next.settle();
    await next.stop();
    const [first, second, ...more] = receiver.received;
    expect(more).toEqual([]);
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['x-suture-event-number']).toBe('1');
  });
});

describe('two instances', () => {
  it('give one event and one call per change, and know each other’s subscriptions', async () => {
    const other = await scene.another(2);
    await scene.put('Subscription', 's1', hook());
    await other.put('Subscription', 's2', hook());
    for (let index = 0; index < 20; index++)
      await (index % 2 === 0 ? scene : other).put('Encounter', `e${index}`, stay('finished'));
    await scene.settle();
    await other.stop();
    for (const subscription of ['s1', 's2']) {
      const numbers = receiver.received
        .filter(({ headers }) => headers['x-suture-subscription'] === `Subscription/${subscription}`)
        .map(({ headers }) => Number(headers['x-suture-event-number']));
      expect(numbers).toEqual(Array.from({ length: 20 }, (_none, index) => index + 1));
    }
  });
});
