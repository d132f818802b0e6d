/**
 * Subscriptions to topics, from the handshake to $events (Subscriptions R5 Backport guide 1.1 for R4). Numbers in titles are the
 * requirements of the guide, as ../shared/reference/subscriptions.md 1.6 counts them.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { backport } from '../../src/notify/channel-terms.ts';
import { writeTopic } from '../../src/notify/topics/basic.ts';
import type { Topic } from '../../src/notify/topics/topic.ts';
import { everything } from '../../src/store/index.ts';
import { createValidator, type Validator } from '../../src/validation/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { baseUrl, day, empty, hour, minute, openScene, type Scene, second } from './scene.ts';

let test: TestDatabase;
let receiver: Receiver;
let scene: Scene;
let validator: Validator;

beforeAll(async () => {
  test = await openTestDatabase();
  receiver = await openReceiver();
  validator = await createValidator({ definitions: loadDefinitions() });
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

const discharged = 'https://suture.example/fhir/SubscriptionTopic/encounter-discharged';

interface Terms {
  readonly topic?: string;
  readonly content?: string;
  readonly filters?: readonly string[];
  readonly heartbeat?: number;
  readonly max?: number;
  readonly timeout?: number;
  readonly status?: string;
  readonly header?: readonly string[];
}

function subscription(terms: Terms = {}): object {
  const { topic = discharged, content = 'id-only', filters = [], header } = terms;
  const number = (name: string, value: number | undefined, type: string) =>
    value === undefined ? [] : [{ url: `${backport}backport-${name}`, [type]: value }];
  const extension = [
    ...number('heartbeat-period', terms.heartbeat, 'valueUnsignedInt'),
    ...number('timeout', terms.timeout, 'valueUnsignedInt'),
    ...number('max-count', terms.max, 'valuePositiveInt'),
  ];
  const criteria = filters.map((valueString) => ({ url: `${backport}backport-filter-criteria`, valueString }));
  return {
    meta: { profile: [`${backport}backport-subscription`] },
    status: terms.status ?? 'requested',
    reason: 'essai',
    criteria: topic,
    ...(criteria.length === 0 ? {} : { _criteria: { extension: criteria } }),
    channel: {
      ...(extension.length === 0 ? {} : { extension }),
      type: 'rest-hook',
      endpoint: `${receiver.url}/hook`,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${backport}backport-payload-content`, valueCode: content }] },
      ...(header === undefined ? {} : { header }),
    },
  };
}

async function discharge(id: string, patient = 'p1'): Promise<void> {
  const subject = { reference: `Patient/${patient}` };
  await scene.put('Encounter', id, { status: 'finished', class: { code: 'IMP' }, subject });
}

interface Entry {
  readonly fullUrl: string;
  readonly resource?: Resource;
  readonly request: { readonly method: string; readonly url: string };
  readonly response: { readonly status: string };
}

interface Bundle {
  readonly type: string;
  readonly entry: readonly Entry[];
}

/** Every notification that came, checked against base R4 and the profile of the guide (14, 15, 28, 69, 70, 138, 139). */
function notifications(): readonly Bundle[] {
  return receiver.received.map(({ method, body }) => {
    expect(method).toBe('POST');
    return checked(body, 'history');
  });
}

function checked(text: string, type: string): Bundle {
  const bundle = JSON.parse(text) as Bundle & Resource;
  expect(validator.validate(bundle)).toEqual([]);
  expect(bundle.type).toBe(type);
  const [first] = bundle.entry;
  expect(first?.resource?.resourceType).toBe('Parameters');
  if (type === 'history') {
    expect(first?.request.method).toBe('GET');
    expect(first?.request.url).toMatch(/Subscription\/[^/]+\/\$status$/);
    for (const entry of bundle.entry) expect([entry.request, entry.response]).not.toContain(undefined);
  }
  return bundle;
}

interface Parameter {
  readonly name: string;
  readonly part?: readonly Parameter[];
  readonly [value: string]: unknown;
}

/** Values of the status entry by name; events as lists of their parts. */
function statusOf(
  bundle: Bundle | undefined,
  place = 0,
): Record<string, unknown> & { readonly events: readonly Record<string, unknown>[] } {
  const parameters = (bundle?.entry[place]?.resource?.['parameter'] ?? []) as readonly Parameter[];
  const value = (parameter: Parameter) => Object.entries(parameter).find(([name]) => name.startsWith('value'))?.[1];
  const toObject = (some: readonly Parameter[]) => Object.fromEntries(some.map((one) => [one.name, value(one)]));
  const [events, others] = [true, false].map((wanted) =>
    parameters.filter(({ part }) => (part !== undefined) === wanted),
  );
  return { ...toObject(others ?? []), events: (events ?? []).map(({ part = [] }) => toObject(part)) };
}

const types = () => notifications().map((bundle) => statusOf(bundle)['type']);

describe('a subscription to a topic', () => {
  it('is requested until its endpoint has answered the handshake (7, 20, 29, 30)', async () => {
    expect(await scene.put('Subscription', 's1', subscription())).toMatchObject({ status: 'requested' });
    await scene.settle();
    const [handshake, ...others] = notifications();
    expect(others).toEqual([]);
    expect(statusOf(handshake)).toEqual({
      subscription: { reference: `${baseUrl}/Subscription/s1` },
      topic: discharged,
      status: 'requested',
      type: 'handshake',
      'events-since-subscription-start': '0',
      events: [],
    });
    expect(await scene.read('Subscription', 's1')).toMatchObject({ status: 'active' });
  });

  it('whose handshake fails is in error, and stays so until its client comes back (21, 31)', async () => {
    receiver.answer(() => ({ status: 500 }));
    await scene.put('Subscription', 's1', subscription());
    await scene.pass(day);
    expect(receiver.received).toHaveLength(1);
    const failed = await scene.read('Subscription', 's1');
    expect(failed).toMatchObject({ status: 'error', error: 'the endpoint answered with HTTP status 500' });
    receiver.forget();
    expect(await scene.put('Subscription', 's1', { ...failed, status: 'active' })).toMatchObject({
      status: 'requested',
    });
    await scene.settle();
    expect(types()).toEqual(['handshake']);
    expect(await scene.read('Subscription', 's1')).toMatchObject({ status: 'active' });
  });

  it('is told of an event without any resource at the level empty (38, 39, 25, 26, 27)', async () => {
    await scene.put('Subscription', 's1', subscription({ content: 'empty', header: ['Authorization: Bearer sesame'] }));
    await discharge('e1');
    await scene.settle();
    const [, event] = notifications();
    expect(event?.entry).toHaveLength(1);
    expect(statusOf(event)).toEqual({
      subscription: { reference: `${baseUrl}/Subscription/s1` },
      status: 'active',
      type: 'event-notification',
      'events-since-subscription-start': '1',
      events: [{ 'event-number': '1', timestamp: new Date(scene.clock.now()).toISOString() }],
    });
    expect(receiver.received[1]).toMatchObject({
      path: '/hook',
      headers: {
        'content-type': 'application/fhir+json',
        authorization: 'Bearer sesame',
        'x-suture-event-number': '1',
      },
    });
  });

  it('is told of the focus at the level id-only (40, 42, 35, 67)', async () => {
    await scene.put('Subscription', 's1', subscription());
    await discharge('e1');
    await scene.settle();
    const [, event] = notifications();
    expect(statusOf(event).events).toMatchObject([{ focus: { reference: `${baseUrl}/Encounter/e1` } }]);
    expect(JSON.stringify(event)).not.toContain('Patient/p1');
  });

  it('is sent the resource at the level full-resource (43, 44, 45)', async () => {
    await scene.put('Subscription', 's1', subscription({ content: 'full-resource' }));
    await discharge('e1');
    await scene.settle();
    const [, event] = notifications();
    expect(statusOf(event)).toMatchObject({
      topic: discharged,
      events: [{ focus: { reference: `${baseUrl}/Encounter/e1` } }],
    });
    expect(event?.entry[1]).toEqual({
      fullUrl: `${baseUrl}/Encounter/e1`,
      resource: await scene.read('Encounter', 'e1'),
      request: { method: 'POST', url: 'Encounter' },
      response: { status: '201', etag: 'W/"1"' },
    });
  });

  it('learns of a deletion without the resource, which is no more (45)', async () => {
    const topic = 'https://suture.example/fhir/SubscriptionTopic/care-plan-changed';
    await scene.put(
      'Subscription',
      's1',
      subscription({ topic, content: 'full-resource', filters: ['patient=Patient/p1'] }),
    );
    for (const patient of ['p1', 'p2']) {
      const subject = { reference: `Patient/${patient}` };
      await scene.put('CarePlan', patient, { status: 'active', intent: 'plan', subject });
      await scene.remove('CarePlan', patient);
    }
    await scene.settle();
    const [, , event, ...others] = notifications();
    expect(others).toEqual([]);
    expect(event?.entry[1]).toEqual({
      fullUrl: `${baseUrl}/CarePlan/p1`,
      request: { method: 'DELETE', url: 'CarePlan/p1' },
      response: { status: '204', etag: 'W/"2"' },
    });
  });

  it('is told only of what meets all its filters (74, 95, 136)', async () => {
    const filters = ['patient=Patient/p1', 'Encounter?class=http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP'];
    await scene.put('Subscription', 's1', subscription({ filters }));
    const inpatient = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' };
    for (const [id, patient, code] of [
      ['e1', 'p1', inpatient],
      ['e2', 'p2', inpatient],
      ['e3', 'p1', { code: 'IMP' }],
    ] as const) {
      await scene.put('Encounter', id, {
        status: 'finished',
        class: code,
        subject: { reference: `Patient/${patient}` },
      });
    }
    await scene.settle();
    const [, ...events] = notifications();
    expect(events.flatMap((event) => statusOf(event).events)).toMatchObject([
      { focus: { reference: `${baseUrl}/Encounter/e1` } },
    ]);
  });

  it('is told of several events at once, up to its maximum (98, 102, 103)', async () => {
    await scene.put('Subscription', 's1', subscription({ max: 3, content: 'full-resource' }));
    receiver.answer((_one, index) => ({ status: index === 1 ? 503 : 200 }));
    for (let index = 1; index <= 8; index++) await discharge(`e${index}`);
    await scene.pass(minute);
    const [, ...told] = notifications();
    const numbers = told.map((event) => statusOf(event).events.map((one) => Number(one['event-number'])));
    expect(numbers.every((some) => some.length <= 3)).toBe(true);
    expect([...new Set(numbers.flat())]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(numbers.some((some) => some.length === 3)).toBe(true);
    for (const event of told) {
      expect(event.entry).toHaveLength(1 + statusOf(event).events.length);
      expect(statusOf(event)['events-since-subscription-start']).toBe(statusOf(event).events.at(-1)?.['event-number']);
    }
  });

  it('hears a heartbeat when nothing else was heard, which counts as no event (93, 94)', async () => {
    await scene.put('Subscription', 's1', subscription({ heartbeat: 60 }));
    await scene.put('Subscription', 's2', subscription());
    await scene.pass(30 * second);
    await discharge('e1');
    await scene.pass(59 * second);
    const heard = () =>
      notifications().flatMap((bundle) => {
        const { type, subscription: whose } = statusOf(bundle) as unknown as {
          type: string;
          subscription: { reference: string };
        };
        return whose.reference.endsWith('/s1') ? [type] : [];
      });
    expect(heard()).toEqual(['handshake', 'event-notification']);
    await scene.pass(second);
    expect(heard()).toEqual(['handshake', 'event-notification', 'heartbeat']);
    expect(statusOf(notifications().at(-1))).toMatchObject({
      'events-since-subscription-start': '1',
      status: 'active',
      events: [],
    });
    await scene.pass(3 * minute);
    expect(heard().filter((type) => type === 'heartbeat')).toHaveLength(4);
    expect(types().filter((type) => type === 'heartbeat')).toHaveLength(4);
  });

  it('waits no longer for an answer than its timeout says (97)', async () => {
    await scene.put('Subscription', 's1', subscription({ timeout: 1 }));
    await scene.settle();
    receiver.answer(() => 'hang');
    await discharge('e1');
    const started = performance.now();
    await scene.settle();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await test.database.query({ text: 'select outcome from delivery order by seq desc limit 1' })).toEqual([
      { outcome: 'no-response' },
    ]);
  });

  it('in error goes on counting; after its client’s update come the handshake and what was missed, in order (77, 78, 79)', async () => {
    await scene.put('Subscription', 's1', subscription({ max: 2 }));
    await scene.settle();
    receiver.answer(() => ({ status: 500 }));
    for (const id of ['e1', 'e2']) await discharge(id);
    await scene.pass(2 * day);
    await discharge('e3');
    await scene.settle();
    const status = checked(await scene.notify.answers.statusOf({ visible: everything, id: 's1' }), 'searchset');
    expect(statusOf(status)).toMatchObject({
      status: 'error',
      type: 'query-status',
      'events-since-subscription-start': '3',
      error: { text: 'the endpoint answered with HTTP status 500' },
    });
    receiver.forget();
    await scene.put('Subscription', 's1', { ...(await scene.read('Subscription', 's1')), status: 'requested' });
    await scene.settle();
    expect(types()).toEqual(['handshake', 'event-notification', 'event-notification']);
    const numbers = notifications().map((bundle) => statusOf(bundle).events.map((event) => event['event-number']));
    expect(numbers).toEqual([[], ['1', '2'], ['3']]);
  });

  it('is asked anew whether it wants to hear when its terms change', async () => {
    await scene.put('Subscription', 's1', subscription());
    await scene.settle();
    const active = await scene.read('Subscription', 's1');
    await scene.put('Subscription', 's1', { ...active, reason: 'autre' });
    await scene.settle();
    expect(types()).toEqual(['handshake']);
    const channel = { ...(active['channel'] as object), endpoint: `${receiver.url}/elsewhere` };
    expect(await scene.put('Subscription', 's1', { ...active, channel })).toMatchObject({ status: 'requested' });
    await scene.settle();
    expect(receiver.received.map(({ path }) => path)).toEqual(['/hook', '/elsewhere']);
    expect(types()).toEqual(['handshake', 'handshake']);
  });

  it.each<[string, Terms]>([
    ['an unknown topic (75)', { topic: 'https://elsewhere.example/SubscriptionTopic/x' }],
    ['a filter that the topic does not allow (63)', { filters: ['Encounter?status=finished'] }],
    ['a filter on another type', { filters: ['Patient?name=a'] }],
    ['a filter whose value cannot be read', { filters: ['patient=Martian/1'] }],
    ['an unknown content level (66)', { content: 'all' }],
    ['a status that is not for clients to say', { status: 'active' }],
  ])('is refused with %s', async (_title, terms) => {
    await expect(scene.put('Subscription', 's1', subscription(terms))).rejects.toMatchObject({
      category: 'unprocessable',
    });
  });
});

describe('$status (47, 106, 107, 108, 109, 110, 111, 112, 121)', () => {
  it('answers for one, for those named, for those in a state, for all', async () => {
    for (const id of ['s1', 's2', 's3']) await scene.put('Subscription', id, subscription());
    await scene.put('Subscription', 's4', subscription({ status: 'off' }));
    await scene.settle();
    const ask = async (asked: { ids?: readonly string[]; statuses?: readonly string[] }) => {
      const bundle = checked(await scene.notify.answers.status({ visible: everything, ...asked }), 'searchset');
      return bundle.entry
        .map((_entry, place) => statusOf(bundle, place))
        .map(({ subscription: whose, type }) => [whose, type]);
    };
    const said = (...ids: string[]) =>
      ids.map((id) => [{ reference: `${baseUrl}/Subscription/${id}` }, 'query-status']);
    expect(await ask({})).toEqual(said('s1', 's2', 's3', 's4'));
    expect(await ask({ ids: ['s2', 's4', 'none'] })).toEqual(said('s2', 's4'));
    expect(await ask({ statuses: ['off', 'error'] })).toEqual(said('s4'));
    expect(await ask({ ids: ['s1', 's4'], statuses: ['active'] })).toEqual(said('s1'));
    await expect(scene.notify.answers.statusOf({ visible: everything, id: 'none' })).rejects.toMatchObject({
      category: 'not-found',
    });
  });

  it('shows nothing to whom nothing is visible', async () => {
    await scene.put('Subscription', 's1', subscription());
    const text = await scene.notify.answers.status({ visible: () => 'false' });
    expect(JSON.parse(text)).toMatchObject({ total: 0 });
  });

  it('says what is wrong while a receiver fails', async () => {
    await scene.put('Subscription', 's1', subscription());
    await scene.settle();
    receiver.answer(() => 'reset');
    await discharge('e1');
    await scene.settle();
    const bundle = checked(await scene.notify.answers.statusOf({ visible: everything, id: 's1' }), 'searchset');
    expect(statusOf(bundle)).toMatchObject({ status: 'active', error: { text: 'the endpoint did not answer' } });
  });
});

describe('$events (115, 118, 119)', () => {
  const ask = async (since?: number, until?: number, content?: string) => {
    const asked = { visible: everything, id: 's1', since, until, content };
    const bundle = checked(await scene.notify.answers.events(asked), 'history');
    const numbers = statusOf(bundle).events.map((event) => Number(event['event-number']));
    return { numbers, status: statusOf(bundle), entries: bundle.entry.length };
  };

  it('answers the range asked for, both ends included, and the count of all', async () => {
    await scene.put('Subscription', 's1', subscription({ content: 'full-resource' }));
    for (let index = 1; index <= 5; index++) await discharge(`e${index}`);
    await scene.settle();
    expect(await ask()).toMatchObject({ numbers: [1, 2, 3, 4, 5], entries: 6 });
    expect(await ask(2, 4)).toMatchObject({
      numbers: [2, 3, 4],
      entries: 4,
      status: { type: 'query-event', 'events-since-subscription-start': '5' },
    });
    expect(await ask(4)).toMatchObject({ numbers: [4, 5] });
    expect(await ask(undefined, 1)).toMatchObject({ numbers: [1] });
    expect(await ask(6)).toMatchObject({ numbers: [], entries: 1 });
    expect(await ask(1, 1, 'empty')).toMatchObject({ numbers: [1], entries: 1 });
  });

  it('gives no more than the level of the subscription', async () => {
    await scene.put('Subscription', 's1', subscription({ content: 'empty' }));
    await discharge('e1');
    await scene.settle();
    const { status, entries } = await ask(1, 1, 'full-resource');
    expect(entries).toBe(1);
    expect(status.events).toEqual([{ 'event-number': '1', timestamp: expect.any(String) }]);
  });

  it('is kept for 30 days', async () => {
    await scene.put('Subscription', 's1', subscription());
    await discharge('e1');
    await scene.pass(29 * day);
    await discharge('e2');
    await scene.settle();
    expect(await ask()).toMatchObject({ numbers: [1, 2] });
    await scene.pass(2 * day + hour);
    expect(await ask()).toMatchObject({ numbers: [2], status: { 'events-since-subscription-start': '2' } });
  });
});

describe('$resend', () => {
  it('delivers again from a number on, in order', async () => {
    await scene.put('Subscription', 's1', subscription());
    for (let index = 1; index <= 4; index++) await discharge(`e${index}`);
    await scene.settle();
    receiver.forget();
    await scene.notify.answers.resend({ visible: everything, id: 's1', since: 3 });
    await scene.settle();
    expect(notifications().flatMap((bundle) => statusOf(bundle).events.map((event) => event['event-number']))).toEqual([
      '3',
      '4',
    ]);
  });

  it('is refused for one that is not active, and for none', async () => {
    await scene.put('Subscription', 's1', subscription({ status: 'off' }));
    await scene.settle();
    const { resend } = scene.notify.answers;
    await expect(resend({ visible: everything, id: 's1', since: 1 })).rejects.toMatchObject({ category: 'conflict' });
    await expect(resend({ visible: everything, id: 'none', since: 1 })).rejects.toMatchObject({
      category: 'not-found',
    });
  });
});

describe('a topic that an administrator adds', () => {
  const url = 'https://chu.example.org/SubscriptionTopic/planned';
  const planned: Topic = {
    url,
    version: '1',
    title: 'Séjour prévu',
    description: undefined,
    status: 'active',
    triggers: [
      {
        type: 'Encounter',
        interactions: ['create', 'update'],
        query: undefined,
        fhirPath: "%current.status = 'planned'",
      },
    ],
    filters: [{ type: 'Encounter', parameter: 'patient', modifiers: [] }],
  };
  const put = (changed: Partial<Topic> = {}, id = 't1') =>
    scene.put('Basic', id, writeTopic(id, { ...planned, ...changed }));
  const plan = (id: string) =>
    scene.put('Encounter', id, { status: 'planned', class: { code: 'IMP' }, subject: { reference: 'Patient/p1' } });
  const focuses = () =>
    notifications().flatMap((bundle) =>
      statusOf(bundle).events.map((event) => (event['focus'] as { reference: string }).reference.split('/').at(-1)),
    );

  it('can be subscribed to at once, on every instance', async () => {
    const other = await scene.another(2);
    await put();
    await other.put('Subscription', 's1', subscription({ topic: `${url}|1`, filters: ['patient=Patient/p1'] }));
    await plan('e1');
    await discharge('e2');
    await scene.settle();
    await other.stop();
    expect(focuses()).toEqual(['e1']);
    expect(await scene.notify.topics()).toEqual(expect.arrayContaining([url, discharged]));
  });

  it('has with each event what its shape names, as it was then, at every level (35, 44)', async () => {
    await put({ shapes: [{ type: 'Encounter', includes: ['Encounter:patient'], revIncludes: ['Task:focus'] }] });
    await scene.put('Patient', 'p1', { active: true });
    await scene.put('Task', 't1', {
      status: 'requested',
      intent: 'order',
      focus: { reference: 'Encounter/e1' },
    });
    for (const content of ['empty', 'id-only', 'full-resource']) {
      await scene.put('Subscription', content, subscription({ topic: url, content }));
    }
    await scene.settle();
    receiver.forget();
    receiver.answer((_one, index) => ({ status: index < 3 ? 500 : 200 }));
    await plan('e1');
    await scene.settle();
    await scene.put('Patient', 'p1', { active: false });
    await scene.pass(minute);
    const told = notifications();
    const levels = ['empty', 'id-only', 'full-resource'].map((content) => {
      const own = told.filter(
        (bundle) =>
          (statusOf(bundle)['subscription'] as { reference: string }).reference ===
          `${baseUrl}/Subscription/${content}`,
      );
      expect(own.length).toBeGreaterThan(1);
      expect(new Set(own.map((bundle) => JSON.stringify(bundle))).size).toBe(1);
      const text = JSON.stringify(own[0]);
      const contexts = text.match(/"additional-context"/g)?.length ?? 0;
      return [contexts, own[0]?.entry.slice(1).map(({ resource, request }) => [request.url, resource?.['active']])];
    });
    expect(levels).toEqual([
      [0, []],
      [2, []],
      [
        2,
        [
          ['Encounter', undefined],
          ['Patient/p1', true],
          ['Task/t1', undefined],
        ],
      ],
    ]);
  });

  it('means something else from its next version on', async () => {
    await put();
    await scene.put('Subscription', 's1', subscription({ topic: url }));
    await plan('e1');
    await scene.settle();
    await put({
      triggers: [{ ...(planned.triggers[0] as Topic['triggers'][number]), fhirPath: "%current.status = 'finished'" }],
    });
    await plan('e2');
    await discharge('e3');
    await scene.settle();
    expect(focuses()).toEqual(['e1', 'e3']);
  });

  it('takes no new subscriptions when it is retired, and keeps those it has', async () => {
    await put();
    await scene.put('Subscription', 's1', subscription({ topic: url }));
    await scene.settle();
    await put({ status: 'retired' });
    await plan('e1');
    await scene.settle();
    expect(focuses()).toEqual(['e1']);
    await expect(scene.put('Subscription', 's2', subscription({ topic: url }))).rejects.toMatchObject({
      category: 'unprocessable',
    });
    await scene.put('Subscription', 's1', { ...(await scene.read('Subscription', 's1')), reason: 'autre' });
    expect(await scene.notify.topics()).not.toContain(url);
  });

  it('stays while it is followed', async () => {
    await put();
    await scene.put('Subscription', 's1', subscription({ topic: `${url}|1` }));
    await scene.settle();
    await expect(scene.remove('Basic', 't1')).rejects.toMatchObject({ category: 'conflict' });
    await scene.put('Subscription', 's1', subscription({ topic: `${url}|1`, status: 'off' }));
    await scene.settle();
    await scene.remove('Basic', 't1');
    await expect(scene.put('Subscription', 's2', subscription({ topic: url }))).rejects.toMatchObject({
      category: 'unprocessable',
    });
  });

  it('that no longer allows a filter puts the subscriptions that use it in error', async () => {
    await put();
    await scene.put('Subscription', 's1', subscription({ topic: url, filters: ['patient=Patient/p1'] }));
    await scene.settle();
    await put({ filters: [] });
    await plan('e1');
    await scene.settle();
    expect(focuses()).toEqual([]);
    expect(await scene.read('Subscription', 's1')).toMatchObject({
      status: 'error',
      error: expect.stringContaining('a filter cannot be applied'),
    });
  });

  it('is refused when it cannot be served, has the url of another, or one of Suture’s own', async () => {
    await put();
    await expect(
      put({ url: `${url}2`, filters: [{ type: 'Encounter', parameter: 'colour', modifiers: [] }] }),
    ).rejects.toMatchObject({ category: 'unprocessable' });
    await expect(put({}, 't2')).rejects.toMatchObject({ category: 'conflict' });
    await expect(put({ url: discharged }, 't3')).rejects.toMatchObject({ category: 'unprocessable' });
  });

  it('is no matter to other Basic resources', async () => {
    await scene.put('Basic', 'b1', { code: { text: 'note' } });
    await scene.remove('Basic', 'b1');
  });
});
