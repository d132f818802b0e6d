/**
 * Where the parts are put together. Building the server is this function; the environment, signals and the process
 * belong to main.ts. Time, ids and randomness come from outside, so that a test states them.
 */
import type { FastifyInstance } from 'fastify';
import { type Clock, createLifecycle, type Lifecycle } from '../base/index.ts';
import { closeHttp, reservePort } from '../http/index.ts';
import { createTakeLetter } from '../interactions/index.ts';
import { type Listeners, startListeners } from '../listeners/index.ts';
import { type AppInput, openGround } from './ground.ts';
import { followTls } from './tls.ts';
import { openWork } from './work.ts';
import { letterSettings, openHttp } from './serve.ts';

export interface App {
  /** FHIR base, without trailing slash. */
  readonly baseUrl: string;
  readonly http: FastifyInstance;
  readonly clock: Clock;
  readonly listeners: Listeners;
  /** Not ready any more, each answer closes its connection; what comes is still served. */
  leave(): void;
  stop(): Promise<void>;
}

/** Starts everything and listens. A failure half-way closes what was opened. */
export async function startApp(input: AppInput): Promise<App> {
  const lifecycle = createLifecycle(input.log, input.config);
  try {
    return await openApp(input, lifecycle);
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function openApp(input: AppInput, lifecycle: Lifecycle): Promise<App> {
  const { config } = input;
  const reserved = await reservePort(config.host, config.port);
  lifecycle.onStop('port', () => reserved.release());
  const baseUrl =
    config.baseUrl ??
    `${config.tlsCertificate === undefined ? 'http' : 'https'}://${urlHost(config.host)}:${reserved.port}/fhir`;
  const ground = await openGround(input, baseUrl, lifecycle);
  const work = await openWork(ground, lifecycle);
  const http = await openHttp(ground, work, lifecycle);
  lifecycle.onStop('http', () => closeHttp(http, config));
  // Before: a server waits for its connections to end.
  lifecycle.onStop('websockets', () => work.notify.sockets.stop());
  await reserved.release();
  followTls(http.server, ground, lifecycle);
  await http.listen({ host: config.host, port: reserved.port });
  const take = createTakeLetter(work.context, letterSettings(config));
  const listeners = await startListeners({ ...ground, take }, lifecycle);
  return { baseUrl, http, clock: ground.clock, listeners, leave: lifecycle.leave, stop: lifecycle.stop };
}

/** An IPv6 address stands in brackets in a URL (RFC 3986 §3.2.2). */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
