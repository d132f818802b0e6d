/**
 * A receiver that fails in every way at random, under load, while the server is killed with -9 every few seconds: no event number
 * is missing, no order is broken, and what comes twice has the same number (issue 6; I5 to I7 and F-17 of
 * ../shared/reference/security-reliability.md). The clock is a manual one, so that retries need no real waiting.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServerProcess, requireBuild, type ServerProcess } from '../flows/process.ts';
import { morning } from '../support/app.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { openReceiver, type Received, type Receiver, type Reply } from '../support/receiver.ts';

const guide = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
const patients = ['p1', 'p2', 'p3', 'p4'];
/** Each patient has a subscription, and `all` hears of everybody, in batches; `gone` says 410 at its third notification. */
const paths = [...patients, 'all', 'gone'];
const chaosMs = 18_000;
const killsMin = 4;
/** On a slow machine it goes on until what must be shown has happened, but not longer than this. */
const chaosMaxMs = 120_000;
const lifeMs = 1_500;
const writesAtOnce = 8;
const goneAt = 3;

let database: TestDatabase;
let server: ServerProcess;
let receiver: Receiver;

beforeAll(async () => {
  requireBuild();
  database = await openTestDatabase();
  receiver = await openReceiver();
  server = await createServerProcess({
    DATABASE_URL: database.url,
    SUTURE_CLOCK: morning,
    SUTURE_HOOKS_ALLOW_LOOPBACK: 'true',
    SUTURE_LOG_LEVEL: 'error',
  });
  await server.start();
}, 120_000);
afterAll(async () => {
  receiver?.release();
  await server?.close();
  await receiver?.close();
  await database?.close();
});

function subscription(path: string) {
  const extension = [
    { url: `${guide}backport-timeout`, valueUnsignedInt: 1 },
    { url: `${guide}backport-max-count`, valuePositiveInt: path === 'all' ? 7 : 1 },
  ];
  const filters = patients.includes(path)
    ? [{ url: `${guide}backport-filter-criteria`, valueString: `patient=Patient/${path}` }]
    : [];
  return {
    resourceType: 'Subscription',
    id: path,
    status: 'requested',
    reason: 'essai',
    criteria: 'https://suture.example/fhir/SubscriptionTopic/encounter-discharged',
    ...(filters.length === 0 ? {} : { _criteria: { extension: filters } }),
    channel: {
      extension,
      type: 'rest-hook',
      endpoint: `${receiver.url}/${path}`,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${guide}backport-payload-content`, valueCode: 'id-only' }] },
    },
  };
}

const stay = (id: number, patient: string) => ({
  resourceType: 'Encounter',
  id: `e${id}`,
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  subject: { reference: `Patient/${patient}` },
});

/** The same chances each time the test runs (a linear congruence, Numerical Recipes). */
function createChance(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

const moods: readonly (readonly [share: number, Reply])[] = [
  [0.5, { status: 200 }],
  [0.15, { status: 500 }],
  [0.08, { status: 503, headers: { 'retry-after': '1' } }],
  [0.08, { status: 307, headers: { location: '/elsewhere' } }],
  [0.08, 'reset'],
  [0.05, 'hang'],
  [0.04, 'drip'],
  [0.02, 'flood'],
];

interface Told {
  readonly path: string;
  readonly events: readonly { readonly number: number; readonly focus: string }[];
}

interface Part {
  readonly name: string;
  readonly valueString?: string;
  readonly valueCode?: string;
  readonly valueReference?: { readonly reference: string };
  readonly part?: readonly Part[];
}

function toldBy({ path, body }: Pick<Received, 'path' | 'body'>): Told {
  const bundle = JSON.parse(body) as { entry: { resource: { parameter: readonly Part[] } }[] };
  const events = (bundle.entry[0]?.resource.parameter ?? []).filter(({ name }) => name === 'notification-event');
  return {
    path: path.slice(1),
    events: events.map(({ part = [] }) => ({
      number: Number(part.find(({ name }) => name === 'event-number')?.valueString),
      focus:
        part
          .find(({ name }) => name === 'focus')
          ?.valueReference?.reference.split('/')
          .at(-1) ?? '',
    })),
  };
}

/** Writes as fast as it can until the server dies; a write whose answer was lost is sent again to the next one. */
async function load(open: Map<number, string>, next: () => readonly [number, string]): Promise<void> {
  const { client } = server;
  const writer = async (): Promise<void> => {
    for (;;) {
      const [waiting] = open;
      const [id, patient] = waiting ?? next();
      open.delete(id);
      const reply = await client.put(stay(id, patient) as never).catch(() => undefined);
      if (reply !== undefined && reply.status < 300) continue;
      open.set(id, patient);
      return;
    }
  };
  const clock = async (): Promise<void> => {
    for (let minutes = 1; ; minutes++) {
      const { json } = await client.post('/admin/settle', '');
      const now = typeof json.now === 'string' ? Date.parse(json.now) : Date.parse(morning) + minutes * 60_000;
      await client.moveClock(new Date(now + 10_000).toISOString());
    }
  };
  await Promise.all([...Array.from({ length: writesAtOnce }, writer), clock().catch(() => undefined)]);
}

describe('A receiver that fails in every way, and a server that is killed again and again', () => {
  /** Whether what was received was accepted, one for each. */
  const verdicts: boolean[] = [];
  let count = 0;
  let kills = 0;

  it('come to an end', async () => {
    for (const path of paths) expect((await server.client.put(subscription(path))).status).toBe(201);
    await server.client.settle();
    expect(await server.client.search('Subscription?status=active')).toHaveLength(paths.length);
    receiver.forget();
    const chance = createChance(42);
    receiver.answer((received) => {
      const told = toldBy(received);
      const reply = told.path === 'gone' ? replyOfGone() : replyOf(chance());
      verdicts.push(typeof reply === 'string' ? reply === 'drip' || reply === 'flood' : reply.status === 200);
      return reply;
    });
    const open = new Map<number, string>();
    const started = performance.now();
    const elapsedMs = () => performance.now() - started;
    const isOver = () => elapsedMs() > chaosMs && kills >= killsMin && goneCalls >= goneAt && hasRepeats();
    while (!isOver() && elapsedMs() < chaosMaxMs) {
      const loaded = load(open, () => [++count, patients[count % patients.length] ?? '']);
      await delay(lifeMs);
      await server.kill();
      kills++;
      await loaded;
      receiver.release();
      await server.start();
    }
    receiver.answer((received) => {
      const isGone = toldBy(received).path === 'gone';
      verdicts.push(!isGone);
      return { status: isGone ? 410 : 200 };
    });
    for (const [id, patient] of open)
      expect((await server.client.put(stay(id, patient) as never)).status).toBeLessThan(300);
    const { json } = await server.client.post('/admin/settle', '');
    for (const hours of [1, 2, 3]) {
      await server.client.moveClock(new Date(Date.parse(String(json.now)) + hours * 3_600_000).toISOString());
    }
    await server.client.settle();
    expect(count).toBeGreaterThan(50);
  }, 240_000);

  let goneCalls = 0;
  const hasRepeats = (): boolean => {
    const numbers = receivedAt('all').flatMap(({ events }) => events.map((event) => event.number));
    return numbers.length > new Set(numbers).size;
  };
  const replyOfGone = (): Reply => ({ status: ++goneCalls < goneAt ? 200 : 410 });
  const replyOf = (chance: number): Reply => {
    let left = chance;
    return moods.find(([share]) => (left -= share) < 0)?.[1] ?? { status: 200 };
  };

  const expectedOf = (path: string): number =>
    path === 'all'
      ? count
      : Array.from({ length: count }, (_none, index) => index + 1).filter(
          (id) => patients[id % patients.length] === path,
        ).length;
  const receivedAt = (path: string): readonly (Told & { readonly isAccepted: boolean })[] =>
    receiver.received
      .map((one, index) => ({ ...toldBy(one), isAccepted: verdicts[index] === true }))
      .filter((told) => told.path === path);

  it.each(paths.slice(0, -1))('%s: every stay was told and accepted, under the numbers from 1 without gap', (path) => {
    const numbers = receivedAt(path)
      .filter(({ isAccepted }) => isAccepted)
      .flatMap(({ events }) => events.map((event) => event.number));
    const expected = Array.from({ length: expectedOf(path) }, (_none, index) => index + 1);
    expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(expected);
  });

  it.each(paths)('%s: no number was told before the one below it was accepted', (path) => {
    let reached = 0;
    for (const { events, isAccepted } of receivedAt(path)) {
      const [first, last] = [events[0]?.number ?? 0, events.at(-1)?.number ?? 0];
      expect(first).toBeLessThanOrEqual(reached + 1);
      expect(last - first).toBe(events.length - 1);
      if (isAccepted) reached = Math.max(reached, last);
    }
  });

  it.each(paths)('%s: a number is one stay, and a stay one number, however often it came', async (path) => {
    const pairs = new Set(
      receivedAt(path).flatMap(({ events }) => events.map(({ number, focus }) => `${number} ${focus}`)),
    );
    expect(pairs.size).toBe(new Set([...pairs].map((pair) => pair.split(' ')[0])).size);
    expect(pairs.size).toBe(new Set([...pairs].map((pair) => pair.split(' ')[1])).size);
    const { text } = await server.client.get(`Subscription/${path}/$events?eventsUntilNumber=100`);
    const asked = toldBy({ path: `/${path}`, body: text }).events.map(({ number, focus }) => `${number} ${focus}`);
    expect(asked.length).toBeGreaterThan(0);
    if (path !== 'gone') for (const pair of asked) expect(pairs).toContain(pair);
  });

  it('the one that said 410 is off and was called no more', async () => {
    expect(await server.client.read('Subscription/gone')).toMatchObject({ status: 'off' });
    // A kill between the 410 and its record brings it once more.
    expect(goneCalls).toBeGreaterThanOrEqual(goneAt);
    expect(goneCalls).toBeLessThanOrEqual(goneAt + kills);
  });

  it('much came more than once, or the test has shown nothing', () => {
    expect(hasRepeats()).toBe(true);
  });
});
