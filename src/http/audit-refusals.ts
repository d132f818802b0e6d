/**
 * Refusals and failures in the audit log: what somebody asked for and was not given. They are noted before the answer leaves, but an
 * answer that shows nothing does not fail with the log. Of those who are nobody, a flood is noted by its first. Tokens too: who was given
 * one is noted before he has it.
 */
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../access/index.ts';
import type { AuditLog } from '../audit/index.ts';
import type { Clock, Log } from '../base/index.ts';
import { noteRefusal, type Route } from '../interactions/index.ts';
import { callerOfRequest } from './caller.ts';
import type { PathParameters } from './fhir-request.ts';
import type { NoteToken } from './oauth-routes.ts';

/** Refusals of unknown callers that one instance notes in a minute. */
export const unknownNotedPerMinute = 60;

export interface RefusalInput {
  readonly audit: AuditLog | undefined;
  readonly routes: () => readonly Route[];
  readonly clock: Clock;
  readonly log: Log;
}

export type NoteRefused = (request: FastifyRequest, status: number) => Promise<void>;

export function createTokenNotes({ audit, clock, log }: Omit<RefusalInput, 'routes'>): NoteToken {
  if (audit === undefined) return () => Promise.resolve();
  const isFlood = createFloodGauge(clock);
  return async (request, { code, status, clientId }) => {
    if (clientId === undefined && isFlood()) return;
    const kind = clientId === undefined ? 'none' : 'client';
    const caller: Caller = { kind, ...(clientId && { clientId }), scopes: [], rights: [] };
    const origin = { requestId: request.id, address: request.ip };
    const noted = audit.note([{ code, status, caller, concerns: [], query: `POST /auth/${code}`, origin }]);
    await (clientId === undefined ? noted.catch(createUnnoted(log)) : noted);
  };
}

function createFloodGauge(clock: Clock): () => boolean {
  let minute = 0;
  let noted = 0;
  return () => {
    const now = Math.floor(clock.now() / 60_000);
    if (now !== minute) noted = 0;
    minute = now;
    noted += 1;
    return noted > unknownNotedPerMinute;
  };
}

function createUnnoted(log: Log): (error: unknown) => void {
  return (error) => {
    const reason = error instanceof Error ? error.name : typeof error;
    log.error({ component: 'audit', reason }, 'a refusal could not be noted');
  };
}

export function createRefusals({ audit, routes, clock, log }: RefusalInput): NoteRefused {
  if (audit === undefined) return () => Promise.resolve();
  const isFlood = createFloodGauge(clock);
  return async (request, status) => {
    const caller = callerOfRequest(request);
    if (caller.kind === 'none' && isFlood()) return;
    const { type, id, part } = request.params as PathParameters;
    const isTarget = type !== undefined && /^[A-Z]\w*$/.test(type) && id !== undefined && !/^[$_]/.test(id);
    const refused = {
      ...{ caller, status, query: `${request.method} ${request.raw.url ?? ''}` },
      target: isTarget ? `${type}/${id}` : undefined,
      origin: { requestId: request.id, address: request.ip },
    };
    const name = [part, id, type].find((one) => one?.startsWith('$') === true);
    const performed =
      name === undefined ? { code: codeOf(routes(), request) } : { code: 'operation', operation: name.slice(1) };
    await noteRefusal(audit, performed, refused).catch(createUnnoted(log));
  };
}

function codeOf(routes: readonly Route[], { method, routeOptions }: FastifyRequest): string {
  const path = (routeOptions.url ?? '').replace(/^\/fhir/, '');
  const asked = method === 'HEAD' ? 'GET' : method;
  return routes.find((route) => route.method === asked && route.path === path)?.code ?? 'unknown';
}
