/** Rows U3, U5, U6 of the hostile inputs: what a receiver can do to whoever calls it. Time-outs are real, and short. */
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Call, type CallAnswer, createCaller } from '../../src/notify/call.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await openReceiver();
});
afterAll(() => receiver.close());
afterEach(() => receiver.forget());

const here = async (): Promise<readonly string[]> => ['127.0.0.1'];
const trials = { allowsLoopback: true, origins: undefined };

function call(changed: Partial<Call> = {}): Promise<CallAnswer> {
  const url = new URL(`${receiver.url}/hook?a=b`);
  const one: Call = { method: 'POST', url, headers: { 'X-Key': 'k' }, body: undefined, timeoutMs: 400, ...changed };
  return createCaller(here, trials)(one);
}

describe('a call (U3, U5, U6)', () => {
  it('brings method, path, headers and body', async () => {
    expect(await call({ method: 'PUT', body: '{"é":1}' })).toEqual({ kind: 'answered', status: 200 });
    expect(receiver.received).toMatchObject([
      { method: 'PUT', path: '/hook?a=b', headers: { 'x-key': 'k', 'content-length': '8' }, body: '{"é":1}' },
    ]);
  });

  it('without body is empty, and says so', async () => {
    await call();
    expect(receiver.received).toMatchObject([{ method: 'POST', headers: { 'content-length': '0' }, body: '' }]);
    expect(receiver.received[0]?.headers['content-type']).toBeUndefined();
  });

  it.each([
    [
      'an answer that says no',
      { status: 503, headers: { 'retry-after': '7' } },
      { kind: 'answered', status: 503, retryAfterMs: 7000 },
    ],
    [
      'a redirect, which is not followed',
      { status: 307, headers: { location: '/other' } },
      { kind: 'answered', status: 307 },
    ],
    ['a long page', { status: 200, body: '<html>'.repeat(1000) }, { kind: 'answered', status: 200 }],
    ['an answer that never ends', 'flood', { kind: 'answered', status: 200 }],
    ['an answer that drips', 'drip', { kind: 'answered', status: 200 }],
    ['no answer', 'hang', { kind: 'no-response' }],
    ['a broken connection', 'reset', { kind: 'no-response' }],
    ['headers beyond measure', { status: 200, headers: { 'x-long': 'x'.repeat(40_000) } }, { kind: 'no-response' }],
  ] as const)('meets %s', async (_title, reply, expected) => {
    receiver.answer(() => reply);
    expect(await call()).toEqual(expected);
    expect(receiver.received).toHaveLength(1);
  });

  it('goes to the address that was checked, whatever the name means a moment later', async () => {
    const asked: string[] = [];
    const resolve = async (host: string): Promise<readonly string[]> => {
      asked.push(host);
      return asked.length === 1 ? ['127.0.0.1'] : ['192.0.2.1'];
    };
    const url = new URL(`http://localhost:${new URL(receiver.url).port}/`);
    const answer = await createCaller(
      resolve,
      trials,
    )({ method: 'POST', url, headers: {}, body: undefined, timeoutMs: 400 });
    expect(answer).toMatchObject({ status: 200 });
    expect(asked).toEqual(['localhost']);
    expect(receiver.received[0]?.headers.host).toBe(url.host);
  });

  it('uses a connection again for the same origin, and makes a new one where the name means another address (U1, U2)', async () => {
    const ports: (number | undefined)[] = [];
    receiver.answer(({ port }) => {
      ports.push(port);
      return { status: 200 };
    });
    let addresses = ['127.0.0.1'];
    const caller = createCaller(async () => addresses, trials);
    const url = new URL(`http://localhost:${new URL(receiver.url).port}/`);
    const one: Call = { method: 'POST', url, headers: {}, body: '{}', timeoutMs: 400 };
    for (const meant of [['127.0.0.1'], ['127.0.0.1'], ['127.0.0.1', '127.0.0.2']]) {
      addresses = meant;
      expect(await caller(one)).toMatchObject({ status: 200 });
    }
    expect(ports[1]).toBe(ports[0]);
    expect(ports[2]).not.toBe(ports[0]);
  });

  it('is made anew when the receiver ends the kept connection instead of answering', async () => {
    let calls = 0;
    receiver.answer(() => (++calls === 2 ? 'reset' : { status: 200 }));
    const caller = createCaller(here, trials);
    const one: Call = { method: 'POST', url: new URL(receiver.url), headers: {}, body: '{}', timeoutMs: 400 };
    expect(await caller(one)).toMatchObject({ status: 200 });
    expect(await caller(one)).toMatchObject({ status: 200 });
    expect(calls).toBe(3);
  });

  it('has one deadline, on a kept connection too, and is not made anew after it (U5)', async () => {
    const caller = createCaller(here, trials);
    const one: Call = { method: 'POST', url: new URL(receiver.url), headers: {}, body: '{}', timeoutMs: 300 };
    expect(await caller(one)).toMatchObject({ status: 200 });
    receiver.answer(() => 'hang');
    const begun = performance.now();
    expect(await caller(one)).toEqual({ kind: 'no-response' });
    expect(performance.now() - begun).toBeLessThan(1_500);
    expect(receiver.received).toHaveLength(2);
  });

  it.each([
    ['a private address', ['10.0.0.1']],
    ['a public and a private address', ['8.8.8.8', '10.0.0.1']],
    ['loopback, without the setting for trials', ['127.0.0.1']],
  ])('is not made to %s', async (_title, addresses) => {
    const rules = { allowsLoopback: false, origins: undefined };
    const url = new URL('https://hooks.example.org/');
    const caller = createCaller(async () => addresses, rules);
    const answer = await caller({ method: 'POST', url, headers: {}, body: undefined, timeoutMs: 400 });
    expect(answer).toEqual({ kind: 'forbidden-address' });
  });

  it('ends when a name is not found, or not in time', async () => {
    const url = new URL('https://hooks.example.org/');
    const one: Call = { method: 'POST', url, headers: {}, body: undefined, timeoutMs: 50 };
    expect(await createCaller(async () => [], trials)(one)).toEqual({ kind: 'no-response' });
    expect(await createCaller(() => new Promise(() => undefined), trials)(one)).toEqual({ kind: 'no-response' });
  });

  it('does not trust a certificate that nobody vouches for', async () => {
    const pem = await readFile(`${import.meta.dirname}/fixtures/self-signed.pem`, 'utf8');
    const server = https.createServer({ key: pem, cert: pem }, (_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/`);
      expect(await call({ url })).toEqual({ kind: 'no-response' });
    } finally {
      server.close();
    }
  });
});
