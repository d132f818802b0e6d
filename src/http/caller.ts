/**
 * From a request to its caller, before a byte of the body is read. Authentication itself is a function given to the server; no
 * header names a caller here.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Caller, nobody } from '../access/index.ts';

/** Throws `unauthenticated` for a credential that is not good; without any it answers `nobody`. */
export type CallerOf = (request: IncomingMessage) => Caller | Promise<Caller>;

const callers = new WeakMap<IncomingMessage, Caller>();

export function registerCaller(server: FastifyInstance, callerOf: CallerOf): void {
  server.addHook('onRequest', async (request) => {
    callers.set(request.raw, await callerOf(request.raw));
  });
}

export function callerOfRequest({ raw }: Pick<FastifyRequest, 'raw'>): Caller {
  return callers.get(raw) ?? nobody;
}
