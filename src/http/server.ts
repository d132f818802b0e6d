/**
 * Fastify, kept thin: bytes in, plain requests on, answers out. Bodies are read as bytes and parsed by our own parser
 * (src/fhir/json.ts); nothing below this folder knows the library.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import compress from '@fastify/compress';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Clock, type Config, httpLimits, type Ids, type Log, Problem, problemCategories } from '../base/index.ts';
import type { Context, Operation, Route } from '../interactions/index.ts';
import type { Identity } from '../identity/index.ts';
import { type CallerOf, registerCaller } from './caller.ts';
import { answerError, asProblem, type ErrorAnswer } from './errors.ts';
import { registerBodies } from './body.ts';
import { registerAdminRoutes, type AdminInput } from './admin.ts';
import { type Gate, type GateInput, isCrowded, registerGate } from './gate.ts';
import { registerPace } from './pace.ts';
import { guardOtherRoutes } from './permit.ts';
import { createRefusals, createTokenNotes } from './audit-refusals.ts';
import { registerFhirRoutes } from './fhir-routes.ts';
import { registerOAuthRoutes } from './oauth-routes.ts';
import { openApi } from './openapi.ts';
import { contentTypeOf, type Form, readForm } from './formats.ts';
import { render } from './send-answer.ts';
import { registerUpgrade, type SocketRoute } from './upgrade.ts';

/** TLS of our own, in PEM. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** With these, clients are asked for a certificate; who has none may still come with a token. */
  readonly ca?: string;
  /** Lists of revoked certificates, each by itself: of several in one text only the first would be read. */
  readonly crl?: readonly string[];
}

export function tlsOptions(tls: ServerTls): TlsOptions {
  const { crl, ...others } = tls;
  return {
    ...others,
    ...(crl && { crl: [...crl] }),
    minVersion: 'TLSv1.2',
    requestCert: tls.ca !== undefined,
    rejectUnauthorized: false,
  };
}

/** A request that was answered, without a word of what it said. */
export interface Answered {
  readonly method: string;
  /** Template of the path. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  /** Header, as it came. */
  readonly traceparent: string | undefined;
}

export interface HttpInput {
  /** undefined: plain HTTP. */
  readonly tls?: ServerTls | undefined;
  /** Addresses and networks of proxies whose X-Forwarded-For counts. */
  readonly proxies?: readonly string[] | undefined;
  readonly context: Context;
  readonly config: Config;
  readonly admin: AdminInput;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly operations: readonly Operation[];
  /** Who asks; runs before the body is read. */
  readonly callerOf: CallerOf;
  /** Where tokens are had; undefined where none are needed. */
  readonly identity?: Identity | undefined;
  readonly sockets: SocketRoute;
  readonly onAnswered: (answered: Answered) => void;
  /** A request met one of the limits of what is under way. */
  readonly onRefused: (limit: string) => void;
  /** The server is about to stop: each answer closes its connection. */
  readonly isLeaving: () => boolean;
  /** Is given a way to see what is under way. */
  readonly onGate: (standing: Gate['standing']) => void;
}

/** What is shorter is not worth packing. */
const packedFromBytes = 1024;

/** Headers on every answer: the content is data, never a page. */
const safetyHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export async function createHttp(input: HttpInput): Promise<FastifyInstance> {
  const server = Fastify({
    logger: false,
    bodyLimit: input.config.bodyMax,
    requestTimeout: input.config.requestTimeoutMs,
    keepAliveTimeout: httpLimits.keepAliveTimeoutMs,
    routerOptions: { maxParamLength: httpLimits.pathPartMax, ignoreTrailingSlash: true },
    ...listening(input),
    ...(input.proxies && { trustProxy: [...input.proxies] }),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    // What the router cannot read: its own answer would be no outcome, and would repeat the URL.
    frameworkErrors: (error, request, reply) =>
      void sendError(input, { request, reply: reply.headers(safetyHeaders) }, error),
  });
  server.server.maxConnections = input.config.connectionsMax;
  await registerPacking(server);
  server.addHook('onRequest', (request, reply, done) => {
    if (input.tls !== undefined) void reply.header('strict-transport-security', 'max-age=31536000');
    void reply.headers(safetyHeaders).header('x-request-id', request.id);
    done();
  });
  const gate = registerDoors(server, input);
  guardOtherRoutes(server);
  server.addHook('onResponse', async (request, reply) => report(input, request, reply));
  let routes: readonly Route[] = [];
  const noteRefused = createRefusals({ ...input, audit: input.context.audit, routes: () => routes });
  server.setErrorHandler(async (error, request, reply) => {
    if (request.url.startsWith('/fhir') && !isCrowded(error))
      await noteRefused(request, problemCategories[asProblem(error).category].http);
    return sendError(input, { request, reply }, error);
  });
  server.setNotFoundHandler((request, reply) =>
    sendError(input, { request, reply }, new Problem('not-found', 'nothing is served at this URL')),
  );
  const { context, operations } = input;
  routes = registerFhirRoutes(server, {
    context,
    operations,
    gate,
    answerError: (error) => answerError(error, input.log, () => input.ids.next(input.clock.now())),
  });
  const document = JSON.stringify(
    openApi({ ...context, operations, routes, resourceTypes: context.definitions.resourceTypes }),
  );
  server.get('/openapi.json', (_request, reply) => reply.header('content-type', 'application/json').send(document));
  if (input.identity !== undefined) {
    const note = createTokenNotes({ ...input, audit: context.audit });
    registerOAuthRoutes(server, input.identity, { note, onRefused: input.onRefused });
  }
  registerAdminRoutes(server, input.admin);
  registerUpgrade(server.server, input.sockets);
  return server;
}

/** Bodies are unpacked within bodyMax; answers are packed for those who ask for it. */
async function registerPacking(server: FastifyInstance): Promise<void> {
  await server.register(compress, {
    threshold: packedFromBytes,
    encodings: ['br', 'gzip'],
    requestEncodings: ['gzip', 'br', 'deflate', 'identity'],
  });
  // HEAD tells the length that GET would have (RFC 9110 §8.6), or none: nobody knows how long it would be when packed.
  server.addHook('onSend', (request, _reply, payload, done) => {
    const isAsked = request.method === 'HEAD' && 'accept-encoding' in request.headers;
    const isPacked = isAsked && typeof payload === 'string' && Buffer.byteLength(payload) >= packedFromBytes;
    done(null, isPacked ? Readable.from([]) : payload); // of a stream Fastify tells no length
  });
}

/** What stands before every route: how much is under way, who asks, how often; and the way out when the server is about to stop. */
function registerDoors(server: FastifyInstance, input: HttpInput): Gate {
  const gate = registerGate(server, { ...input.config, onRefused: input.onRefused, refuse: createRefusal(input) });
  input.onGate(gate.standing);
  registerBodies(server, gate);
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (input.isLeaving()) void reply.header('connection', 'close');
    done(null, payload);
  });
  registerCaller(server, input.callerOf);
  registerPace(server, input);
  return gate;
}

/** Whoever speaks TLS is still served by the same server; its type does not matter below. */
function listening({ tls, config }: HttpInput): { readonly http: object } {
  const options = {
    headersTimeout: Math.min(httpLimits.headersTimeoutMs, config.requestTimeoutMs),
    maxHeaderSize: httpLimits.headerBytesMax,
    connectionsCheckingInterval: httpLimits.timesCheckedMs,
  };
  return tls === undefined ? { http: options } : ({ https: { ...options, ...tlsOptions(tls) } } as never);
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function sendError(input: HttpInput, { request, reply }: Exchange, error: unknown): FastifyReply {
  const { status, headers, body } = formed(input, error, readForm(request));
  return reply.code(status).headers(headers).send(body);
}

/** The answer to an error as it goes out in this form. */
function formed(input: HttpInput, error: unknown, form: Form): ErrorAnswer {
  const answer = answerError(error, input.log, () => input.ids.next(input.clock.now()));
  const headers = {
    ...answer.headers,
    ...(form.language === 'fr' && { 'content-language': 'fr' }),
    'content-type': contentTypeOf(form.format ?? 'json'),
  };
  return { ...answer, headers, body: render(answer.body, form, input.context.definitions) };
}

/** Each answer is made once for each form in which it is wanted. */
function createRefusal(input: HttpInput): GateInput['refuse'] {
  const made = new Map<string, ErrorAnswer>();
  return (request, reply, problem) => {
    const form = readForm(request);
    const key = `${form.format} ${form.isPretty} ${form.language} ${problem.message}`;
    const answer = made.get(key) ?? formed(input, problem, form);
    made.set(key, answer);
    void reply
      .headers(answer.headers)
      .header('content-length', String(Buffer.byteLength(answer.body)))
      .hijack();
    if (input.isLeaving()) void reply.header('connection', 'close');
    reply.raw.writeHead(answer.status, reply.getHeaders() as OutgoingHttpHeaders).end(answer.body);
  };
}

function report({ log, onAnswered }: HttpInput, request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions.url ?? 'none';
  const durationMs = Math.round(reply.elapsedTime);
  const { id: requestId, method, headers } = request;
  const { traceparent } = headers;
  const seconds = reply.elapsedTime / 1000;
  const asked = typeof traceparent === 'string' ? traceparent : undefined;
  onAnswered({ method, route, status: reply.statusCode, seconds, traceparent: asked });
  log.info({ component: 'http', requestId, method, route, status: reply.statusCode, durationMs }, 'request');
}
