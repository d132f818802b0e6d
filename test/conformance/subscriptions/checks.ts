/**
 * The checks. Those with an id such as `3.1.2.3` are the server checks of the public Inferno subscriptions test kit (v0.12.1), told
 * again from the guide; those with `+` ask for what the kit leaves out. Numbers are the server's SHALLs, as
 * ../../notify/requirements.ts counts them. A check throws the faults that it finds.
 */
import {
  bundleOf,
  faultsOfContent,
  faultsOfNotification,
  faultsOfResource,
  faultsOfStatus,
  guide,
  said,
  statusOf,
} from './profiles.ts';
import type { Answer, Heard, Json, World } from './world.ts';

export interface Check {
  readonly id: string;
  readonly title: string;
  readonly requirements: readonly number[];
  run(world: World): Promise<void>;
}

function expectNone(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

let count = 0;
const unique = (): string => `kit-${process.pid}-${++count}`;

interface Terms {
  readonly content?: string;
  readonly channel?: Json;
  readonly extension?: readonly Json[];
  readonly filters?: readonly string[];
  readonly topic?: string;
}

/** As the kit writes it: its own endpoint, its own bearer. */
function subscriptionOf(world: World, path: string, terms: Terms = {}): Json {
  const { content = 'id-only', channel = {}, extension = [], filters = [], topic = world.settings.topic } = terms;
  const criteria = filters.map((valueString) => ({ url: `${guide}backport-filter-criteria`, valueString }));
  return {
    resourceType: 'Subscription',
    meta: { profile: [`${guide}backport-subscription`] },
    status: 'requested',
    reason: 'conformance',
    criteria: topic,
    ...(criteria.length === 0 ? {} : { _criteria: { extension: criteria } }),
    channel: {
      ...(extension.length === 0 ? {} : { extension }),
      type: 'rest-hook',
      endpoint: world.hookUrl + path,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${guide}backport-payload-content`, valueCode: content }] },
      header: [`Authorization: Bearer token-of${path}`],
      ...channel,
    },
  };
}

interface Made {
  readonly id: string;
  readonly path: string;
  readonly answer: Json;
}

async function subscribe(world: World, terms: Terms = {}): Promise<Made> {
  const path = `/${unique()}`;
  const { status, body } = await world.send('POST', 'Subscription', subscriptionOf(world, path, terms));
  expectThat(status === 201 && typeof body['id'] === 'string', `expected 201 and an id, found ${status}`);
  return { id: String(body['id']), path, answer: body };
}

/** Subscribed, and the handshake done. */
async function active(world: World, terms: Terms = {}): Promise<Made> {
  const made = await subscribe(world, terms);
  await world.poll(`Subscription/${made.id}`, ({ status }) => status === 'active');
  return made;
}

async function trigger(world: World, how: 'trigger' | 'other' = 'trigger'): Promise<string> {
  const resource = world.settings[how](unique());
  const { status } = await world.send('PUT', `${resource.resourceType}/${resource.id}`, resource);
  expectThat(status < 300, `the trigger was answered ${status}`);
  return `${resource.resourceType}/${resource.id}`;
}

const ofType = (type: string) => (one: Heard) => statusOf(bundleOf(one)).type === type;

/** The notifications of a type at the path, as soon as there are so many. */
async function heard(world: World, { path }: Made, type: string, least = 1): Promise<readonly Json[]> {
  const all = await world.until(path, (some) => some.filter(ofType(type)).length >= least);
  return all.filter(ofType(type)).map(bundleOf);
}

/** Numbers of all events told at the path, as soon as this one was. */
async function numbersUntil(world: World, { path }: Made, last: number): Promise<readonly number[]> {
  const numbers = (some: readonly Heard[]) =>
    some.flatMap((one) => statusOf(bundleOf(one)).events.map((event) => event.number));
  return numbers(await world.until(path, (some) => numbers(some).includes(last)));
}

/** 6.x: anything but 201, or 201 with that field changed. */
function refusedOrChanged({ status, body }: Answer, field: (resource: Json) => unknown, asked: Json): void {
  if (status !== 201) return expectThat(status >= 400 && status < 500, `refused with ${status}`);
  expectThat(JSON.stringify(field(body)) !== JSON.stringify(field(asked)), 'it was taken as it is');
}

function unsupported(id: string, what: string, requirements: readonly number[], change: Change): Check {
  return {
    id,
    title: `an unsupported ${what} is refused or changed`,
    requirements,
    async run(world) {
      const { terms, field } = change(world);
      const asked = subscriptionOf(world, `/${unique()}`, terms);
      refusedOrChanged(await world.send('POST', 'Subscription', asked), field, asked);
    },
  };
}

type Change = (world: World) => { readonly terms: Terms; readonly field: (resource: Json) => unknown };

const creation: readonly Check[] = [
  {
    id: '1.1.2',
    title: 'a Subscription is created with 201 and a body with an id',
    requirements: [7, 49, 133],
    run: async (world) => void (await subscribe(world)),
  },
  {
    id: '1.1.3',
    title: 'it is a Subscription, by rest-hook, requested',
    requirements: [29, 72, 73],
    async run(world) {
      const { answer } = await subscribe(world);
      expectNone(faultsOfResource(answer));
      const { resourceType, status, channel, criteria } = answer;
      const found = JSON.stringify([resourceType, status, channel.type, criteria]);
      expectThat(found === JSON.stringify(['Subscription', 'requested', 'rest-hook', world.settings.topic]), found);
    },
  },
  {
    id: '1.2.1',
    title: 'a notification comes with the bearer, for this subscription',
    requirements: [7, 25, 27],
    async run(world) {
      const made = await active(world);
      await trigger(world);
      const [one] = (await world.until(made.path, (some) => some.some(ofType('event-notification')))).slice(-1);
      expectThat(one?.headers.authorization === `Bearer token-of${made.path}`, 'the bearer is missing');
      expectThat(one !== undefined && statusOf(bundleOf(one)).subscription.endsWith(made.id), 'it is of another');
    },
  },
  {
    id: '1.2.2',
    title: 'the notification conforms, with the content type and every header that the 201 named',
    requirements: [14, 15, 25, 26, 27, 28, 69, 70, 138, 139],
    async run(world) {
      const made = await active(world);
      await trigger(world);
      const all = await world.until(made.path, (some) => some.some(ofType('event-notification')));
      for (const one of all.filter(ofType('event-notification'))) {
        const { payload, header } = made.answer['channel'] as { payload: string; header: readonly string[] };
        expectThat(one.headers['content-type']?.startsWith(payload) === true, 'the content type is another');
        for (const line of header) {
          const [name = '', value = ''] = line.split(': ');
          expectThat(one.headers[name.toLowerCase()] === value, `the header ${name} is missing or another`);
        }
        expectNone(faultsOfNotification(bundleOf(one), made.id));
        expectThat(statusOf(bundleOf(one)).status === 'active', 'the status is not active');
      }
    },
  },
];

const capability: readonly Check[] = [
  {
    id: '2.1',
    title: 'the CapabilityStatement is valid and names the profile, the operations and what a server needs',
    requirements: [49, 52, 58, 114, 121],
    async run(world) {
      const { status, body } = await world.send('GET', 'metadata');
      expectThat(status === 200, `metadata was answered ${status}`);
      expectNone(faultsOfResource(body));
      const part = subscriptionPart(body);
      expectThat(part['supportedProfile']?.includes(`${guide}backport-subscription`) === true, 'no supportedProfile');
      const definitions = ((part['operation'] ?? []) as Json[]).map(({ definition }) => String(definition));
      for (const name of ['status', 'events', 'get-ws-binding-token']) {
        const url = guide.replace('StructureDefinition/', `OperationDefinition/backport-subscription-${name}`);
        expectThat(definitions.includes(url), `the operation ${name} is not named`);
      }
      const interactions = ((part['interaction'] ?? []) as Json[]).map(({ code }) => String(code));
      const parameters = ((part['searchParam'] ?? []) as Json[]).map(({ name }) => String(name));
      expectThat(
        ['read', 'create', 'update', 'delete'].every((code) => interactions.includes(code)),
        'interactions',
      );
      expectThat(
        ['url', 'status'].every((name) => parameters.includes(name)),
        'search parameters',
      );
    },
  },
  {
    id: '2.2',
    title: 'the CapabilityStatement lists the topic',
    requirements: [136],
    async run(world) {
      const { body } = await world.send('GET', 'metadata');
      const url = `${guide}capabilitystatement-subscriptiontopic-canonical`;
      const topics = ((subscriptionPart(body)['extension'] ?? []) as Json[]).filter((one) => one['url'] === url);
      expectThat(
        topics.some(({ valueCanonical }) => valueCanonical === world.settings.topic),
        'it is not listed',
      );
    },
  },
];

function subscriptionPart(statement: Json): Json {
  const rest = ((statement['rest'] ?? []) as Json[]).find(({ mode }) => mode === 'server');
  return ((rest?.['resource'] ?? []) as Json[]).find(({ type }) => type === 'Subscription') ?? {};
}

const levels: readonly Check[] = (['empty', 'id-only', 'full-resource'] as const).map((level, index) => ({
  id: `3.${index + 1}.2.3`,
  title: `the content level ${level} is kept`,
  requirements:
    [
      [35, 38, 39, 51, 53, 65, 67],
      [35, 40, 42, 51, 65, 67],
      [35, 43, 44, 45, 51, 65, 67],
    ][index] ?? [],
  async run(world) {
    const made = await active(world, { content: level });
    await trigger(world);
    const [bundle = {}] = await heard(world, made, 'event-notification');
    expectNone([...faultsOfNotification(bundle, made.id), ...faultsOfContent(bundle, level)]);
    const { topic } = statusOf(bundle);
    if (level === 'empty') expectThat(topic === undefined, 'the topic is named, which should not be');
    if (level === 'full-resource') expectThat(topic === world.settings.topic, 'the topic is not named');
  },
}));

const signs: readonly Check[] = [
  {
    id: '4.1',
    title: 'a handshake comes for each subscription, requested, before it is active',
    requirements: [14, 15, 20, 25, 28, 30, 69, 70, 138, 139],
    async run(world) {
      const made = await active(world);
      const [bundle = {}] = await heard(world, made, 'handshake');
      expectNone(faultsOfNotification(bundle, made.id));
      const { status, count: events, events: told } = statusOf(bundle);
      expectThat(status === 'requested' && events === 0 && told.length === 0, 'it says something else');
    },
  },
  {
    id: '4.2',
    title: 'heartbeats come when they were asked for, and only then, and count nothing',
    requirements: [93, 94],
    async run(world) {
      const quiet = await active(world);
      const extension = [{ url: `${guide}backport-heartbeat-period`, valueUnsignedInt: 1 }];
      const made = await active(world, { extension });
      for (const bundle of await heard(world, made, 'heartbeat', 2)) {
        expectNone(faultsOfNotification(bundle, made.id));
        expectThat(statusOf(bundle).count === 0, 'a heartbeat was counted');
      }
      expectThat(!world.heard(quiet.path).some(ofType('heartbeat')), 'one came that nobody asked for');
      await world.send('DELETE', `Subscription/${made.id}`);
    },
  },
  {
    id: '5.1',
    title: '$status answers a searchset with the status of the subscription',
    requirements: [20, 30, 47, 112, 121],
    async run(world) {
      const made = await active(world);
      const { status, body } = await world.send('GET', `Subscription/${made.id}/$status`);
      expectThat(status === 200 && body['type'] === 'searchset', `answered ${status} ${String(body['type'])}`);
      expectNone(faultsOfResource(body));
      const [entry, ...others] = (body['entry'] ?? []) as Json[];
      expectThat(others.length === 0, 'it has more than one');
      expectNone(faultsOfStatus((entry?.['resource'] ?? {}) as Json));
      const { subscription, type, status: stands } = said((entry?.['resource'] ?? {}) as Json);
      expectThat(subscription.endsWith(`Subscription/${made.id}`), 'it is of another');
      expectThat(type === 'query-status' && stands === 'active', 'it says something else');
    },
  },
];

const refusals: readonly Check[] = [
  unsupported('6.2', 'topic', [74, 75], ({ settings }) => ({
    terms: { topic: settings.unsupported.topic },
    field: ({ criteria }) => criteria,
  })),
  unsupported('6.3', 'filter', [63, 135], ({ settings }) => ({
    terms: { filters: [settings.unsupported.filter] },
    field: (resource) => resource['_criteria'],
  })),
  unsupported('6.4', 'channel type', [60], () => ({
    terms: { channel: { type: 'sms' } },
    field: ({ channel }) => channel?.type,
  })),
  unsupported('6.5', 'endpoint', [], ({ settings }) => ({
    terms: { channel: { endpoint: settings.unsupported.endpoint } },
    field: ({ channel }) => channel?.endpoint,
  })),
  unsupported('6.6', 'payload', [], ({ settings }) => ({
    terms: { channel: { payload: settings.unsupported.payload } },
    field: ({ channel }) => channel?.payload,
  })),
  unsupported('6.7', 'pair of channel and payload', [66], () => ({
    terms: { content: 'full-resource', channel: { type: 'email', endpoint: 'mailto:a@b.fr' } },
    field: ({ channel }) => [channel?.type, channel?.payload],
  })),
  unsupported('+60', 'custom channel type', [59, 60], () => ({
    terms: {
      channel: {
        _type: {
          extension: [{ url: `${guide}backport-channel-type`, valueCoding: { system: 'urn:x', code: 'zulip' } }],
        },
      },
    },
    field: ({ channel }) => channel?._type,
  })),
  unsupported('+66', 'content level', [66], () => ({
    terms: { content: 'everything' },
    field: ({ channel }) => channel?._payload,
  })),
  unsupported('+90', 'FHIR version', [90], () => ({
    terms: { channel: { payload: 'application/fhir+json; fhirVersion=5.0' } },
    field: ({ channel }) => channel?.payload,
  })),
];

const r5: Check = {
  id: '6.1',
  title: 'an extension of R5 on the criteria is refused',
  requirements: [],
  async run(world) {
    const asked = subscriptionOf(world, `/${unique()}`);
    const url = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Subscription.topic';
    const extended = { ...asked, _criteria: { extension: [{ url, valueUri: world.settings.topic }] } };
    const { status } = await world.send('POST', 'Subscription', extended);
    expectThat(status >= 400 && status < 500, `answered ${status}`);
  },
};

const failures: readonly Check[] = [
  {
    id: '+21',
    title: 'a handshake that fails puts the subscription in error, which goes on counting and answering $status',
    requirements: [21, 31, 77, 78, 79],
    async run(world) {
      const path = `/${unique()}`;
      world.answer(path, 500);
      const { body } = await world.send('POST', 'Subscription', subscriptionOf(world, path));
      const id = String(body['id']);
      await world.poll(`Subscription/${id}`, ({ status }) => status === 'error');
      await trigger(world);
      await world.poll(`Subscription/${id}/$status`, (bundle) => {
        const now = said((bundle['entry']?.[0]?.resource ?? {}) as Json);
        return now.status === 'error' && now.count === 1;
      });
      world.answer(path, 200);
      const read = (await world.send('GET', `Subscription/${id}`)).body;
      await world.send('PUT', `Subscription/${id}`, { ...read, status: 'requested' });
      const numbers = await numbersUntil(world, { id, path, answer: {} }, 1);
      expectThat(numbers.join() === '1', `heard ${numbers.join()}`);
    },
  },
  {
    id: '+102',
    title: 'a notification that was not accepted comes again, in order, under the same number',
    requirements: [102, 103],
    async run(world) {
      const made = await active(world);
      world.answer(made.path, 503);
      await trigger(world);
      await world.until(made.path, (some) => some.some(ofType('event-notification')));
      world.answer(made.path, 200);
      await trigger(world);
      const numbers = await numbersUntil(world, made, 2);
      const firsts = numbers.filter((one, index) => numbers.indexOf(one) === index);
      expectThat(firsts.join() === '1,2' && numbers.filter((one) => one === 1).length > 1, `heard ${numbers.join()}`);
    },
  },
];

const filtered: readonly Check[] = [
  {
    id: '+95',
    title: 'filters are read, applied and all must hold',
    requirements: [74, 95, 135, 136],
    async run(world) {
      const { filter } = world.settings;
      const made = await active(world, { filters: [filter] });
      const never = await active(world, { filters: [filter, `${filter}-and-somebody-else`] });
      await trigger(world, 'other');
      const matching = await trigger(world);
      const [bundle = {}] = await heard(world, made, 'event-notification');
      const [event] = statusOf(bundle).events;
      expectThat(event?.number === 1 && event.focus?.endsWith(matching) === true, 'another event came first');
      expectThat(!world.heard(never.path).some(ofType('event-notification')), 'one filter was enough');
    },
  },
  {
    id: '+98',
    title: 'a notification tells no more events than the maximum, numbered without gap',
    requirements: [98, 102, 103],
    async run(world) {
      const extension = [{ url: `${guide}backport-max-count`, valuePositiveInt: 3 }];
      const made = await active(world, { extension });
      for (let index = 0; index < 8; index++) await trigger(world);
      const numbers = await numbersUntil(world, made, 8);
      expectThat(numbers.join() === '1,2,3,4,5,6,7,8', `heard ${numbers.join()}`);
      for (const bundle of await heard(world, made, 'event-notification')) {
        const { events, count: total } = statusOf(bundle);
        expectThat(events.length <= 3 && total >= (events.at(-1)?.number ?? 0), 'it tells too much');
      }
    },
  },
];

const questions: readonly Check[] = [
  {
    id: '+106',
    title: '$status of one ignores id and status, of all takes them as alternatives',
    requirements: [106, 107, 108, 109, 110, 111, 112],
    async run(world) {
      const [one, two] = [await active(world), await active(world)];
      const ask = async (path: string): Promise<readonly string[]> => {
        const { body } = await world.send('GET', path);
        expectThat(body['type'] === 'searchset', `no searchset at ${path}`);
        const entries = (body['entry'] ?? []) as Json[];
        return entries.map(
          (entry) =>
            said(entry['resource'] as Json)
              .subscription.split('/')
              .at(-1) ?? '',
        );
      };
      const expectIds = async (path: string, ids: readonly string[]): Promise<void> => {
        const found = await ask(path);
        expectThat([...found].sort().join() === [...ids].sort().join(), `${path} answered ${found.join()}`);
      };
      await expectIds(`Subscription/${one.id}/$status?id=${two.id}&status=off`, [one.id]);
      await expectIds(`Subscription/$status?id=${one.id},${two.id},nobody`, [one.id, two.id]);
      await expectIds(`Subscription/$status?id=${one.id}&id=${two.id}&status=active&status=off`, [one.id, two.id]);
      await expectIds(`Subscription/$status?id=${one.id}&status=error,off`, []);
      const all = await ask('Subscription/$status');
      expectThat(all.includes(one.id) && all.includes(two.id), 'without ids, some are missing');
      const search = (await world.send('GET', 'Subscription?_count=1000')).body;
      expectThat(all.length === (search['entry'] ?? []).length, 'without status, some are filtered');
    },
  },
  {
    id: '+115',
    title: '$events answers a history with both ends of the range',
    requirements: [115, 118, 119],
    async run(world) {
      const made = await active(world);
      for (let index = 0; index < 4; index++) await trigger(world);
      await numbersUntil(world, made, 4);
      const path = `Subscription/${made.id}/$events?eventsSinceNumber=2&eventsUntilNumber=3`;
      const { body } = await world.send('GET', path);
      expectNone(faultsOfNotification(body, made.id));
      const { type, events, count: total } = statusOf(body);
      const found = [type, total, ...events.map(({ number }) => number)].join();
      expectThat(found === 'query-event,4,2,3', found);
    },
  },
  {
    id: '+124',
    title: 'a Subscription is read, found by its url, and has everything that its profile demands, headers masked',
    requirements: [124, 129, 134, 137],
    async run(world) {
      const made = await active(world);
      const { status, body } = await world.send('GET', `Subscription/${made.id}`);
      expectThat(status === 200, `answered ${status}`);
      expectNone(faultsOfResource(body));
      const { channel, criteria, reason } = body;
      const content = ((channel._payload?.extension ?? []) as Json[]).map((one) => [one['url'], one['valueCode']]);
      const found = JSON.stringify([criteria, reason !== undefined, channel.type, channel.payload, content]);
      const level = [[`${guide}backport-payload-content`, 'id-only']];
      const expected = [world.settings.topic, true, 'rest-hook', 'application/fhir+json', level];
      expectThat(found === JSON.stringify(expected), found);
      expectThat(!JSON.stringify(body).includes(`token-of${made.path}`), 'the bearer can be read');
      const search = await world.send('GET', `Subscription?url=${encodeURIComponent(world.hookUrl + made.path)}`);
      const ids = ((search.body['entry'] ?? []) as Json[]).map((entry) => String(entry['resource']?.id));
      expectThat(ids.join() === made.id, `found ${ids.join()}`);
    },
  },
];

export const checks: readonly Check[] = [
  ...creation,
  ...capability,
  ...levels,
  ...signs,
  r5,
  ...refusals,
  ...failures,
  ...filtered,
  ...questions,
];
