/** Secrets of a Subscription over HTTP: whoever makes it reads them back once; nobody reads them again. Row U8 of the hostile inputs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Subscription } from 'fhir/r4.js';
import { startTestApp, type TestApp } from '../support/app.ts';
import { restHook } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';

let test: TestApp;
let client: Client;
let receiver: Receiver;
const secret = 'Bearer ZZSESAME';
const key = 'ZZSIGNINGKEY';
const keyUrl = 'https://suture.example/fhir/StructureDefinition/subscription-key';

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  receiver = await openReceiver();
});
afterAll(async () => {
  await receiver?.close();
  await test?.close();
});

function subscription(id: string): Subscription {
  const made = restHook(
    id,
    'Encounter?status=finished',
    `${receiver.url}/hook`,
    'application/fhir+json',
  ) as unknown as Subscription;
  return {
    ...made,
    channel: {
      ...made.channel,
      header: [`Authorization: ${secret}`, 'X-Where: ward'],
      extension: [{ url: keyUrl, valueString: key }],
    },
  };
}

const hasSecrets = (text: string): boolean => text.includes('ZZSESAME') || text.includes('ZZSIGNINGKEY');

describe('the secrets of a Subscription (U8)', () => {
  it('are in the 201 of whoever makes it, by POST as by PUT', async () => {
    const posted = await client.post('Subscription', { ...subscription('x'), id: undefined });
    const put = await client.put(subscription('put') as never);
    for (const { status, json } of [posted, put]) {
      expect(status).toBe(201);
      expect((json as Subscription).channel).toMatchObject({
        header: [`Authorization: ${secret}`, 'X-Where: ward'],
        extension: [{ url: keyUrl, valueString: key }],
      });
    }
  });

  it('come with a key that the server has made when the client brings none, so that it can check signatures', async () => {
    const { channel, ...rest } = subscription('keyless');
    const { extension: _extension, ...keyless } = channel;
    const { json } = await client.put({ ...rest, channel: keyless } as never);
    const made = (json as Subscription).channel.extension?.find(({ url }) => url === keyUrl)?.valueString;
    expect(made).toMatch(/^\w{8,}$/);
    expect((await client.get('Subscription/keyless')).text).not.toContain(made);
  });

  it('are in nothing that is read later', async () => {
    const made = await client.put(subscription('s1') as never);
    await client.settle();
    const read = await client.read<Subscription>('Subscription/s1');
    const entries = (...urls: string[]) => urls.map((url) => ({ request: { method: 'GET', url } }));
    const write = (id: string) => ({
      request: { method: 'PUT', url: `Subscription/${id}` },
      resource: subscription(id),
    });
    const bundle = (type: string, entry: object[]) => ({ resourceType: 'Bundle', type, entry });
    const representation = { prefer: 'return=representation' };
    const replies = await Promise.all([
      client.get('Subscription/s1'),
      client.get('Subscription/s1/_history/1'),
      client.get('Subscription/s1/_history'),
      client.get('Subscription?_id=s1'),
      client.get('Subscription?url:below=http'),
      client.get('Subscription/s1/$status'),
      client.get('Subscription/s1/$events'),
      client.put({ ...read, reason: 'autre' } as never),
      client.post('', bundle('batch', entries('Subscription/s1', 'Subscription?_id=s1', 'Subscription/s1/_history'))),
      client.post('', bundle('transaction', [write('s2')]), representation),
      client.post('', bundle('batch', [write('s3')]), representation),
      client.get('/metrics'),
    ]);
    expect(made.status).toBe(201);
    for (const { text } of replies) expect(hasSecrets(text)).toBe(false);
    expect(read.channel.header).toEqual([
      expect.stringMatching(/^Authorization: sealed:/),
      expect.stringMatching(/^X-Where: sealed:/),
    ]);
    expect(hasSecrets(test.logged.join('\n'))).toBe(false);
  });

  it('still go with each notification', async () => {
    await client.put(subscription('told') as never);
    await client.settle();
    receiver.forget();
    await client.put({
      resourceType: 'Encounter',
      id: 'e1',
      status: 'finished',
      class: { code: 'IMP' },
    });
    await client.settle();
    const headers = receiver.received.map((one) => one.headers['authorization']);
    expect(headers.length).toBeGreaterThan(0);
    expect(new Set(headers)).toEqual(new Set([secret]));
  });

  it('are not given to another address: a sealed value stays at its origin', async () => {
    await client.put(subscription('moved') as never);
    const read = await client.read<Subscription>('Subscription/moved');
    const elsewhere = { ...read, channel: { ...read.channel, endpoint: 'https://evil.example/' } };
    expect((await client.put(elsewhere as never)).status).toBe(422);
  });
});

describe('the capability statement', () => {
  it('names the profile, the topics and the operations of subscriptions', async () => {
    const topic = 'https://suture.example/fhir/SubscriptionTopic/';
    const { json } = await client.get('metadata');
    const [part] = json.rest[0].resource.filter(({ type }: { type: string }) => type === 'Subscription');
    const urls = part.extension.map(({ valueCanonical }: { valueCanonical: string }) => valueCanonical);
    expect(urls).toEqual(expect.arrayContaining([`${topic}break-opened`, `${topic}message-undelivered`]));
    const operations = part.operation.map(({ name }: { name: string }) => name);
    expect(operations.sort()).toEqual(['events', 'get-ws-binding-token', 'resend', 'status', 'validate']);
  });
});

describe('metrics', () => {
  it('count subscriptions, events that wait, and attempts', async () => {
    await client.settle();
    receiver.answer(() => ({ status: 500 }));
    await client.put({ resourceType: 'Encounter', id: 'e2', status: 'finished', class: { code: 'IMP' } });
    await client.settle();
    const { text } = await client.get('/metrics');
    expect(text).toMatch(/^suture_subscriptions\{status="active"\} [1-9]/m);
    expect(text).toMatch(/^suture_subscription_events_waiting [1-9]/m);
    expect(text).toMatch(/^suture_subscription_oldest_event_seconds \d/m);
    expect(text).toMatch(
      /^suture_delivery_attempt_seconds_count\{kind="event-notification",outcome="bad-answer"\} [1-9]/m,
    );
  });
});
