/**
 * How many requests are under way, and how many bytes of bodies they have brought: the server refuses what is more than it
 * does well, before it has read it, so that what it has taken is done in good time. Health and metrics are never refused.
 *
 * A place is given back when the answer is out, or its client gone, and the work for it is over: who asks and hangs up, again and
 * again, takes no more than the others.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { httpLimits, Problem } from '../base/index.ts';

export interface Gate {
  /** The place of the request is taken until this is done, whoever waits for it. */
  during<T>(request: FastifyRequest, work: Promise<T>): Promise<T>;
  /** Bytes of a body have come in. Throws `unavailable` when all bodies together are too many. */
  hold(request: FastifyRequest, bytes: number): void;
  /** Requests under way, bytes of their bodies. */
  standing(): { readonly requests: number; readonly bytes: number };
}

export interface GateInput {
  readonly inFlightMax: number;
  readonly bodiesMax: number;
  readonly onRefused: (limit: 'inFlightMax' | 'bodiesMax') => void;
  /** Answers at once, past everything that stands behind: what is refused by the thousand must cost little. */
  readonly refuse: (request: FastifyRequest, reply: FastifyReply, problem: Problem) => void;
}

interface Place {
  /** The answer, and the work for it. */
  holders: number;
  bytes: number;
}

/** Routes that an operator looks at most when the server is busiest. */
export const neverRefused: ReadonlySet<string> = new Set(['/health/live', '/health/ready', '/metrics']);

const retryAfterMs = httpLimits.busyRetryAfterMs;
/** Made once: under load a new one each time, with its stack, would cost more than the refusal. */
const crowded = new Problem('unavailable', 'the server has as much under way as it does at once: try again soon', {
  retryAfterMs,
});
const full = new Problem('unavailable', 'the bodies of requests take all the room there is for them: try again soon', {
  retryAfterMs,
});

/** Whether the gate refused; such refusals come in floods, and say nothing about who asked. */
export function isCrowded(error: unknown): boolean {
  return error === crowded || error === full;
}

export function registerGate(server: FastifyInstance, { inFlightMax, bodiesMax, ...input }: GateInput): Gate {
  const places = new WeakMap<IncomingMessage, Place>();
  const whenOver = createEndings();
  let requests = 0;
  let bytes = 0;

  function leave(place: Place): void {
    place.holders--;
    if (place.holders > 0) return;
    requests--;
    bytes -= place.bytes;
    place.bytes = 0;
  }

  server.addHook('onRequest', (request, reply, done) => {
    if (neverRefused.has(request.routeOptions.url ?? '')) return done();
    if (requests >= inFlightMax) {
      input.onRefused('inFlightMax');
      return input.refuse(request, reply, crowded);
    }
    const place: Place = { holders: 1, bytes: 0 };
    places.set(request.raw, place);
    requests++;
    whenOver(request.raw.socket, reply.raw, () => leave(place));
    done();
  });

  return {
    during({ raw }, work) {
      const place = places.get(raw);
      if (place === undefined) return work;
      place.holders++;
      return work.finally(() => leave(place));
    },
    hold({ raw }, more) {
      const place = places.get(raw);
      if (place === undefined || place.holders === 0) return;
      if (bytes + more > bodiesMax) {
        input.onRefused('bodiesMax');
        throw full;
      }
      place.bytes += more;
      bytes += more;
    },
    standing: () => ({ requests, bytes }),
  };
}

/**
 * Calls `over` once, when the answer is out or its client gone. Where a client sends one request behind the other and hangs up
 * (RFC 9112 §9.3.2), Node closes only the first answer: those that wait for their turn never hear of it.
 */
function createEndings(): (socket: Socket, answer: ServerResponse, over: () => void) => void {
  const open = new WeakMap<Socket, Set<() => void>>();
  return (socket, answer, over) => {
    const endings = open.get(socket) ?? new Set();
    const end = (): void => {
      if (endings.delete(end)) over();
    };
    endings.add(end);
    answer.once('close', end);
    if (open.has(socket)) return;
    open.set(socket, endings);
    socket.once('close', () => [...endings].forEach((one) => one()));
  };
}
