/**
 * One outbound HTTP call, bounded in every direction: the host is resolved once, its addresses are checked, and the
 * connection goes to one of those; no proxy, no redirect followed; the whole has one deadline in real time; of the answer
 * only status and Retry-After are looked at, the rest is thrown away.
 *
 * A connection is kept for a moment after an answer that came whole, for the next call to the same origin, and used only while the
 * name means the same addresses, all checked just now. The receiver may end it in the moment in which we use it again: then
 * the call is made once more on a new one, because no attempt was made in its eyes.
 */
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type EndpointRules, hostOf, mayCall } from './endpoint.ts';
import { notifyLimits } from './limits.ts';
import type { Resolve } from './resolve.ts';
import { readRetryAfter } from './retry.ts';

export interface Call {
  readonly method: 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** undefined: an empty body. */
  readonly body: string | undefined;
  readonly timeoutMs: number;
  /** Whether the text of the answer is wanted, as far as its limit; else it is thrown away. */
  readonly keepsBody?: true;
}

export type CallAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfterMs: number | undefined;
      readonly body?: string;
    }
  | { readonly kind: 'no-response' }
  | { readonly kind: 'forbidden-address' };

export type MakeCall = (call: Call) => Promise<CallAnswer>;

export function createCaller(resolve: Resolve, rules: EndpointRules): MakeCall {
  const agents = createAgents();
  return async (call) => {
    const deadline = createDeadline(call.timeoutMs);
    try {
      const addresses = await deadline.race(resolve(hostOf(call.url)));
      if (addresses === undefined || addresses.length === 0) return { kind: 'no-response' };
      if (!mayCall(call.url, addresses, rules)) return { kind: 'forbidden-address' };
      const checked = { call, addresses, deadline };
      return (await send(checked, agents)) ?? (await send(checked, undefined)) ?? { kind: 'no-response' };
    } finally {
      deadline.clear();
    }
  };
}

interface Deadline {
  readonly passed: Promise<undefined>;
  /** The value, or undefined when the deadline comes first. */
  race<T>(work: Promise<T>): Promise<T | undefined>;
  clear(): void;
}

function createDeadline(timeoutMs: number): Deadline {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  return {
    passed,
    race: (work) => Promise.race([work, passed]),
    clear: () => clearTimeout(timer),
  };
}

interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

interface Pinned {
  /** Of the call: what was checked, in one order. */
  readonly checkedAddresses?: string;
}

function createAgents(): Agents {
  const options = {
    keepAlive: true,
    timeout: notifyLimits.idleConnectionMs,
    maxFreeSockets: notifyLimits.idlePerReceiverMax,
    scheduling: 'lifo',
  } as const;
  const agents = { http: new http.Agent(options), https: new https.Agent(options) };
  // Only a connection to the very addresses that were checked now is used again.
  for (const agent of [agents.http, agents.https]) {
    const nameOf = agent.getName.bind(agent);
    agent.getName = (asked) => `${nameOf(asked)}:${(asked as Pinned | undefined)?.checkedAddresses ?? ''}`;
  }
  return agents;
}

interface Checked {
  readonly call: Call;
  readonly addresses: readonly string[];
  readonly deadline: Deadline;
}

/** undefined: a kept connection was ended before it answered. */
function send({ call, addresses, deadline }: Checked, agents: Agents | undefined): Promise<CallAnswer | undefined> {
  const { url, method, body } = call;
  const isTls = url.protocol === 'https:';
  const options: https.RequestOptions & Pinned = {
    method,
    host: hostOf(url),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...call.headers, host: url.host, 'content-length': String(Buffer.byteLength(body ?? '')) },
    agent: agents === undefined ? false : isTls ? agents.https : agents.http,
    lookup: pinned(addresses),
    checkedAddresses: [...addresses].sort().join(','),
  };
  return new Promise((resolve) => {
    const request = isTls ? https.request(options) : http.request(options);
    let isLate = false;
    const end = () => {
      isLate = true;
      request.destroy();
    };
    const connecting = setTimeout(end, notifyLimits.connectTimeoutMs);
    void deadline.passed.then(end);
    const settle = (answer: CallAnswer | undefined) => {
      clearTimeout(connecting);
      resolve(answer);
    };
    request.once('socket', (socket) => {
      if (request.reusedSocket) clearTimeout(connecting);
      else socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
    });
    let hasAnswer = false;
    const fail = () => {
      if (!hasAnswer) settle(request.reusedSocket && !isLate ? undefined : { kind: 'no-response' });
    };
    request.on('error', fail);
    request.once('close', fail);
    request.once('response', (response) => {
      hasAnswer = true;
      void readAnswer(response, call.keepsBody === true).then(settle);
    });
    request.end(body);
  });
}

/** The status decides. The rest is read so that the receiver can finish, but not for longer than the limits allow. */
function readAnswer(response: http.IncomingMessage, keepsBody: boolean): Promise<CallAnswer> {
  const status = response.statusCode ?? 0;
  const retryAfterMs = readRetryAfter(response.headers['retry-after'], response.headers.date);
  return new Promise((resolve) => {
    let length = 0;
    const parts: Buffer[] = [];
    response.on('data', (bytes: Buffer) => {
      length += bytes.length;
      if (keepsBody && length <= notifyLimits.answerBytesMax) parts.push(bytes);
      if (length > notifyLimits.answerBytesMax) response.destroy();
    });
    response.on('error', () => undefined); // 'close' follows
    const body = () => (keepsBody ? { body: Buffer.concat(parts).toString('utf8') } : {});
    response.once('close', () => resolve({ kind: 'answered', status, retryAfterMs, ...body() }));
  });
}

/** A look-up that knows only the addresses that were checked. */
function pinned(addresses: readonly string[]): LookupFunction {
  const known = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, done) => {
    const [first] = known;
    if (options.all === true) done(null, known);
    else done(null, first?.address ?? '', first?.family ?? 4);
  };
}
