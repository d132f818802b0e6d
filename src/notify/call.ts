/**
 * One outbound HTTP call, bounded in every direction: the host is resolved once, its addresses are checked, and the
 * connection goes to one of those; no proxy, no redirect followed, no connection reused; the whole has one deadline in
 * real time; of the answer only status and Retry-After are looked at, the rest is thrown away.
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
  return async (call) => {
    const deadline = createDeadline(call.timeoutMs);
    try {
      const addresses = await deadline.race(resolve(hostOf(call.url)));
      if (addresses === undefined || addresses.length === 0) return { kind: 'no-response' };
      if (!mayCall(call.url, addresses, rules)) return { kind: 'forbidden-address' };
      return await send(call, addresses, deadline);
    } finally {
      deadline.clear();
    }
  };
}

interface Deadline {
  readonly signal: AbortSignal;
  /** The value, or undefined when the deadline comes first. */
  race<T>(work: Promise<T>): Promise<T | undefined>;
  clear(): void;
}

function createDeadline(timeoutMs: number): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  const passed = new Promise<undefined>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(undefined));
  });
  return {
    signal: controller.signal,
    race: (work) => Promise.race([work, passed]),
    clear: () => clearTimeout(timer),
  };
}

function send(call: Call, addresses: readonly string[], deadline: Deadline): Promise<CallAnswer> {
  const { url, method, body } = call;
  const isTls = url.protocol === 'https:';
  const options: https.RequestOptions = {
    method,
    host: hostOf(url),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...call.headers, host: url.host, 'content-length': String(Buffer.byteLength(body ?? '')) },
    agent: false,
    lookup: pinned(addresses),
    signal: deadline.signal,
  };
  return new Promise((resolve) => {
    const request = isTls ? https.request(options) : http.request(options);
    const connecting = setTimeout(() => request.destroy(), notifyLimits.connectTimeoutMs);
    const settle = (answer: CallAnswer) => {
      clearTimeout(connecting);
      resolve(answer);
    };
    request.once('socket', (socket) =>
      socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(connecting)),
    );
    let hasAnswer = false;
    const fail = () => {
      if (!hasAnswer) settle({ kind: 'no-response' });
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
