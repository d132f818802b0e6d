/** A graceful stop (stop.stopMs): what is under way is answered, nobody is dropped, what is held is free, within 10 s. A real process. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp } from '../support/app.ts';
import { createServerProcess, requireBuild, type ServerProcess } from './process.ts';

const patient = (id: string) => ({ resourceType: 'Patient', id, active: true });

let server: ServerProcess;
let receiver: Server;
let receive: (body: string) => void = () => undefined;
/** While it says nothing, whoever calls waits. */
let isSilent = false;

beforeAll(async () => {
  requireBuild();
  receiver = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const part of request) body += String(part);
      receive(body);
      if (!isSilent) response.end();
    })();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  server = await createServerProcess({ SUTURE_LOG_LEVEL: 'error', SUTURE_HOOKS_ALLOW_LOOPBACK: 'true' });
  await server.start();
}, 120_000);
afterAll(async () => {
  await server?.close();
  receiver?.closeAllConnections();
  receiver?.close();
});

/**
 * A client that sends one request after the other, and goes elsewhere when it is told to (`Connection: close`), as a load balancer does
 * that looks at /health/ready. Who goes on opening connections is served for a second, and may then find a door that closes.
 */
async function write(name: string, told: Map<string, number | string>): Promise<void> {
  const { client } = server;
  for (let n = 0; ; n++) {
    const id = `${name}-${n}`;
    try {
      const { status, headers } = await client.put(patient(id));
      told.set(id, status);
      if (headers.get('connection') === 'close') return;
    } catch (error) {
      const { code = 'unknown' } = (error as { cause?: { code?: string } }).cause ?? {};
      if (code !== 'ECONNREFUSED') told.set(id, code);
      return;
    }
  }
}

describe('SIGTERM', () => {
  it('with requests and a delivery under way: each request is answered, and the delivery made after the next start', async () => {
    const { client } = server;
    const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    await client.post('Subscription', {
      ...{ resourceType: 'Subscription', status: 'requested', reason: 'x', criteria: 'Observation?status=final' },
      channel: { type: 'rest-hook', endpoint, payload: 'application/fhir+json' },
    });
    isSilent = true;
    const called = new Promise<string>((resolve) => (receive = resolve));
    const observation = { resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'x' } };
    expect((await client.put(observation)).status).toBe(201);
    await called;

    const told = new Map<string, number | string>();
    const writers = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => write(name, told));
    while (told.size < 20) await new Promise((resume) => setImmediate(resume));
    const { code, tookMs } = await server.terminate();
    await Promise.all(writers);
    expect([code, tookMs < 10_000]).toEqual([0, true]);
    expect([...told].filter(([, status]) => status !== 201 && status !== 503)).toEqual([]);

    isSilent = false;
    const again = new Promise<string>((resolve) => (receive = resolve));
    await server.start();
    const stored = [...told].filter(([, status]) => status === 201);
    expect(stored.length).toBeGreaterThanOrEqual(14);
    for (const [id] of stored) expect([id, (await server.client.get(`Patient/${id}`)).status]).toEqual([id, 200]);
    expect(JSON.parse(await again)).toMatchObject({ resourceType: 'Observation', id: 'o' });
  }, 120_000);
});

describe('A server that is about to stop', () => {
  it('is not ready, closes each connection, answers what is under way, and frees its jobs', async () => {
    const test = await startTestApp();
    const { app, client, database } = test;
    await client.putAll(patient('p'));
    let answered: Promise<number> | undefined;
    let stopped: Promise<void> | undefined;
    await database.transaction(async (tx) => {
      await tx.query({ text: "select 1 from resource where type = 'Patient' and id = 'p' for update" });
      answered = client.put({ ...patient('p'), active: false }).then(({ status }) => status);
      while (!/^suture_requests_in_flight 1$/m.test((await client.get('/metrics')).text));
      app.leave();
      const ready = await client.get('/health/ready');
      expect([ready.status, ready.json.status, ready.headers.get('connection')]).toEqual([503, 'stopping', 'close']);
      expect((await client.get('/health/live')).status).toBe(200);
      expect((await client.get('metadata')).status).toBe(200);
      stopped = app.stop();
    });
    expect(await answered).toBe(200);
    await stopped;
    expect(await database.query({ text: 'select from job where holder is not null' })).toHaveLength(0);
    await test.close();
  });

  it('cuts off a request that does not end in its share of the time', async () => {
    const test = await startTestApp({ settings: { SUTURE_STOP_TIMEOUT: '2' } });
    const { app, client, database } = test;
    await client.putAll(patient('q'));
    await database.transaction(async (tx) => {
      await tx.query({ text: "select 1 from resource where type = 'Patient' and id = 'q' for update" });
      const failed = client.put({ ...patient('q'), active: false }).then(
        ({ status }) => status,
        () => 'cut off',
      );
      while (!/^suture_requests_in_flight 1$/m.test((await client.get('/metrics')).text));
      await app.stop();
      expect(await failed).toBe('cut off');
    });
    await test.close();
  });
});
