/** The websocket channel of the Subscriptions R5 Backport guide for R4. Row U13 of the hostile inputs. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { backport } from '../../../src/notify/channel-terms.ts';
import { everything } from '../../../src/store/index.ts';
import { openTestDatabase, type TestDatabase } from '../../support/db.ts';
import { openSocket, type SocketClient } from '../../support/websocket.ts';
import { hubLimits } from '../../../src/notify/websocket/hub.ts';
import { empty, minute, openScene, type Scene } from '../scene.ts';

let test: TestDatabase;
let scene: Scene;
let server: http.Server;
const sockets: SocketClient[] = [];

beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());
beforeEach(async () => {
  scene = await openScene(test.database);
  server = http.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.on('upgrade', (request, socket, head) => scene.notify.sockets.accept(request, socket, head));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  scene.notify.sockets.stop();
  server.close();
  await scene.stop();
  await empty(test.database);
});

const discharged = 'https://suture.example/fhir/SubscriptionTopic/encounter-discharged';

function subscription(
  terms: {
    readonly max?: number;
    readonly heartbeat?: number;
    readonly status?: string;
    readonly content?: string;
  } = {},
): object {
  const extension = [
    ...(terms.max === undefined ? [] : [{ url: `${backport}backport-max-count`, valuePositiveInt: terms.max }]),
    ...(terms.heartbeat === undefined
      ? []
      : [{ url: `${backport}backport-heartbeat-period`, valueUnsignedInt: terms.heartbeat }]),
  ];
  return {
    status: terms.status ?? 'requested',
    reason: 'essai',
    criteria: discharged,
    channel: {
      ...(extension.length === 0 ? {} : { extension }),
      type: 'websocket',
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${backport}backport-payload-content`, valueCode: terms.content ?? 'id-only' }] },
    },
  };
}

async function subscribe(id: string, terms: Parameters<typeof subscription>[0] = {}): Promise<void> {
  expect(await scene.put('Subscription', id, subscription(terms))).toMatchObject({ status: terms.status ?? 'active' });
  await scene.settle();
}

async function discharge(id: string, more: object = {}): Promise<void> {
  await scene.put('Encounter', id, {
    ...more,
    status: 'finished',
    class: { code: 'IMP' },
    subject: { reference: 'Patient/p1' },
  });
  await scene.settle();
  await scene.notify.sockets.flush();
}

async function connect(): Promise<SocketClient> {
  const socket = await openSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/fhir/websocket`);
  sockets.push(socket);
  return socket;
}

const token = async (...ids: string[]): Promise<string> =>
  (await scene.notify.answers.bindingToken({ visible: everything, ids })).token;

async function bound(...ids: string[]): Promise<SocketClient> {
  const socket = await connect();
  socket.send(`bind-with-token ${await token(...ids)}`);
  await socket.until(() => socket.texts.length >= ids.length);
  return socket;
}

interface Parameter {
  readonly name: string;
  readonly valueCode?: string;
  readonly valueReference?: { readonly reference: string };
  readonly part?: readonly { readonly name: string; readonly valueString?: string }[];
}

/** `handshake`, `heartbeat`, or the numbers of the events, each with its subscription. */
function heard({ texts }: SocketClient): readonly string[] {
  return texts.map((text) => {
    const bundle = JSON.parse(text) as { entry: { resource: { parameter: readonly Parameter[] } }[] };
    const parameters = bundle.entry[0]?.resource.parameter ?? [];
    const type = parameters.find(({ name }) => name === 'type')?.valueCode;
    const id = parameters
      .find(({ name }) => name === 'subscription')
      ?.valueReference?.reference.split('/')
      .at(-1);
    const numbers = parameters.flatMap(({ part = [] }) =>
      part.filter(({ name }) => name === 'event-number').map(({ valueString }) => valueString),
    );
    return `${id} ${type === 'event-notification' ? numbers.join(',') : type}`;
  });
}

describe('a websocket', () => {
  it('hears the handshake, then what happens', async () => {
    await subscribe('s1');
    const socket = await bound('s1');
    await discharge('e1');
    await discharge('e2');
    await socket.until(() => socket.texts.length === 3);
    expect(heard(socket)).toEqual(['s1 handshake', 's1 1', 's1 2']);
  });

  it('hears first what happened before it came, in batches, and what it missed when it comes again', async () => {
    await subscribe('s1', { max: 2 });
    for (const id of ['e1', 'e2', 'e3']) await discharge(id);
    const first = await bound('s1');
    await first.until(() => first.texts.length === 3);
    expect(heard(first)).toEqual(['s1 handshake', 's1 1,2', 's1 3']);
    first.close();
    await first.until(() => first.closeCode !== undefined);
    await discharge('e4');
    const second = await bound('s1');
    await second.until(() => second.texts.length === 2);
    expect(heard(second)).toEqual(['s1 handshake', 's1 4']);
  });

  it('can be bound to several subscriptions, at once and one after the other', async () => {
    for (const id of ['s1', 's2', 's3']) await subscribe(id);
    const socket = await bound('s1', 's2');
    await discharge('e1');
    socket.send(`bind-with-token ${await token('s3')}`);
    await socket.until(() => socket.texts.length === 6);
    expect([...heard(socket)].sort()).toEqual(['s1 1', 's1 handshake', 's2 1', 's2 handshake', 's3 1', 's3 handshake']);
  });

  it('is served like others bound to the same subscription', async () => {
    await subscribe('s1');
    const [one, other] = [await bound('s1'), await bound('s1')];
    await discharge('e1');
    await Promise.all([one, other].map((socket) => socket.until(() => socket.texts.length === 2)));
    expect([heard(one), heard(other)]).toEqual([
      ['s1 handshake', 's1 1'],
      ['s1 handshake', 's1 1'],
    ]);
  });

  it('hears a heartbeat after silence, one for however many were missed', async () => {
    await subscribe('s1', { heartbeat: 60 });
    const socket = await bound('s1');
    await scene.pass(10 * minute);
    await scene.notify.sockets.flush();
    await discharge('e1');
    await socket.until(() => socket.texts.length === 3);
    expect(heard(socket)).toEqual(['s1 handshake', 's1 heartbeat', 's1 1']);
  });

  it('is closed when its subscription is no longer active', async () => {
    await subscribe('s1');
    const socket = await bound('s1');
    await scene.put('Subscription', 's1', subscription({ status: 'off' }));
    await scene.settle();
    await scene.notify.sockets.flush();
    await socket.until(() => socket.closeCode !== undefined);
    expect(socket.closeCode).toBe(1000);
  });

  it('hears again, under the same numbers, what somebody asks to be sent again', async () => {
    await subscribe('s1');
    const socket = await bound('s1');
    for (const id of ['e1', 'e2']) await discharge(id);
    await scene.notify.answers.resend({ visible: everything, id: 's1', since: 1 });
    await scene.notify.sockets.flush();
    await socket.until(() => socket.texts.length === 5);
    expect(heard(socket)).toEqual(['s1 handshake', 's1 1', 's1 2', 's1 1', 's1 2']);
  });

  it('is told that the server stops', async () => {
    await subscribe('s1');
    const socket = await bound('s1');
    scene.notify.sockets.stop();
    await socket.until(() => socket.closeCode !== undefined);
    expect(socket.closeCode).toBe(1001);
  });
});

describe('a binding token', () => {
  it('is good for once', async () => {
    await subscribe('s1');
    const once = await token('s1');
    const [first, second] = [await connect(), await connect()];
    first.send(`bind-with-token ${once}`);
    await first.until(() => first.texts.length === 1);
    second.send(`bind-with-token ${once}`);
    await second.until(() => second.closeCode !== undefined);
    expect([second.closeCode, second.texts]).toEqual([1008, []]);
  });

  it('is good for a minute', async () => {
    await subscribe('s1');
    const late = await token('s1');
    await scene.pass(minute);
    const socket = await connect();
    socket.send(`bind-with-token ${late}`);
    await socket.until(() => socket.closeCode !== undefined);
    expect(socket.closeCode).toBe(1008);
  });

  it('names its subscriptions, its end and where to connect', async () => {
    for (const id of ['s1', 's2']) await subscribe(id);
    const issued = await scene.notify.answers.bindingToken({ visible: everything });
    expect(issued).toMatchObject({
      subscriptions: ['s1', 's2'],
      expiresAtMs: scene.clock.now() + minute,
      url: 'ws://127.0.0.1:8080/fhir/websocket',
    });
  });

  it('is not given for what is not there, not visible, or no websocket', async () => {
    await subscribe('s1', { status: 'off' });
    const { bindingToken } = scene.notify.answers;
    await expect(bindingToken({ visible: everything, ids: ['s1'] })).rejects.toMatchObject({ category: 'not-found' });
    await expect(bindingToken({ visible: everything, ids: ['none'] })).rejects.toMatchObject({ category: 'not-found' });
    await expect(bindingToken({ visible: () => 'false' })).rejects.toMatchObject({ category: 'not-found' });
  });

  it('is kept as a digest', async () => {
    await subscribe('s1');
    const issued = await token('s1');
    const rows = await test.database.query<{ digest: Buffer }>({ text: 'select digest from websocket_token' });
    expect(rows.map(({ digest }) => digest.length)).toEqual([32]);
    expect(rows[0]?.digest.toString()).not.toContain(issued);
  });
});

describe('a client that does not behave (U13)', () => {
  it.each([
    ['says something else', (socket: SocketClient) => socket.send('bind s1')],
    ['guesses a token', (socket: SocketClient) => socket.send('bind-with-token abc')],
    ['sends bytes', (socket: SocketClient) => socket.send(Buffer.from('bind-with-token abc'))],
    ['sends far too much', (socket: SocketClient) => socket.send('x'.repeat(1_000_000))],
  ])('and %s is sent away', async (_title, misbehave) => {
    const socket = await connect();
    misbehave(socket);
    await socket.until(() => socket.closeCode !== undefined);
    expect([1003, 1008, 1009]).toContain(socket.closeCode);
    expect(socket.texts).toEqual([]);
  });

  it('and asks for no websocket is refused', async () => {
    const { port } = server.address() as AddressInfo;
    const asked = http.request({ port, host: '127.0.0.1', headers: { connection: 'Upgrade', upgrade: 'websocket' } });
    const [answer] = (await once(asked.end(), 'response')) as [http.IncomingMessage];
    expect(answer.statusCode).toBe(400);
    answer.destroy();
  });

  it('and comes from the page of another origin hears nothing without a token: the token decides, not the origin', async () => {
    await subscribe('s1');
    const socket = await openSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
      origin: 'https://evil.example',
    });
    sockets.push(socket);
    await discharge('e1');
    socket.send('bind-with-token');
    await socket.until(() => socket.closeCode !== undefined);
    expect([socket.closeCode, socket.texts]).toEqual([1008, []]);
  });

  it('and never reads is cut off, and what it did not read is in $events', async () => {
    await scene.put('Subscription', 's1', subscription({ content: 'full-resource' }));
    await scene.settle();
    const socket = await bound('s1');
    socket.pause();
    const text = 'x'.repeat(2_000_000);
    for (const id of ['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8']) {
      await discharge(id, {
        text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${text}</div>` },
      });
    }
    socket.resume();
    await socket.until(() => socket.closeCode !== undefined);
    expect(socket.closeCode).toBe(1006);
    const missed = await scene.notify.answers.events({
      visible: everything,
      id: 's1',
      since: 1,
      until: undefined,
      content: 'id-only',
    });
    expect(missed.match(/"event-number"/g)).toHaveLength(8);
  });

  it('and comes with a thousand others finds no place, and the others are served', async () => {
    const open: Promise<SocketClient>[] = [];
    for (let count = 0; count < hubLimits.connectionsMax; count++) open.push(connect());
    await Promise.all(open);
    await expect(connect()).rejects.toThrow('503');
    await subscribe('s1');
    const one = await open[0];
    one?.send(`bind-with-token ${await token('s1')}`);
    await one?.until(() => one.texts.length === 1);
    expect(one?.closeCode).toBeUndefined();
  });
});
