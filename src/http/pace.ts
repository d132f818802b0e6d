/**
 * How often one client may ask: a bucket of tokens for each, filled at the rate that is allowed, so that a client that was quiet may
 * come with many at once. Of one instance, by real time; instances do not count together.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { callerKey } from '../access/index.ts';
import { type Config, httpLimits, Problem } from '../base/index.ts';
import { callerOfRequest } from './caller.ts';
import { neverRefused } from './gate.ts';

export interface Pace {
  /** Takes one; throws `throttled` with the time until there is one again. */
  take(client: string): void;
}

export interface PaceInput {
  readonly perMinute: number;
  /** The bucket holds what comes in this time. */
  readonly burstMs: number;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly onRefused: () => void;
  readonly kept?: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export function createPace({ perMinute, burstMs, now, onRefused, kept = httpLimits.clientsKept }: PaceInput): Pace {
  const perMs = perMinute / 60_000;
  const tokensMax = Math.max(1, perMs * burstMs);
  // In the order of their last request: those that go first have been quiet for longest, and a full bucket is as none.
  const buckets = new Map<string, Bucket>();
  return {
    take(client) {
      const atMs = now();
      const bucket = buckets.get(client) ?? { tokens: tokensMax, atMs };
      bucket.tokens = Math.min(tokensMax, bucket.tokens + (atMs - bucket.atMs) * perMs);
      bucket.atMs = atMs;
      buckets.delete(client);
      buckets.set(client, bucket);
      for (const oldest of buckets.keys()) {
        if (buckets.size <= kept) break;
        buckets.delete(oldest);
      }
      if (bucket.tokens < 1) {
        onRefused();
        const retryAfterMs = Math.ceil((1 - bucket.tokens) / perMs);
        throw new Problem('throttled', 'this client asks more often than it may: try again later', { retryAfterMs });
      }
      bucket.tokens--;
    },
  };
}

/** Behind whoever finds the caller. Those who are not told apart count by their address. */
export function registerPace(
  server: FastifyInstance,
  { config, onRefused }: { readonly config: Config; readonly onRefused: (limit: string) => void },
): void {
  const { clientRate: perMinute = config.auth === 'smart' ? httpLimits.clientRequestsPerMinute : 0 } = config;
  if (perMinute === 0) return;
  const pace = createPace({
    ...{ perMinute, burstMs: httpLimits.clientBurstMs, now: () => performance.now() },
    onRefused: () => onRefused('clientRate'),
  });
  server.addHook('onRequest', (request, _reply, done) => {
    if (!neverRefused.has(request.routeOptions.url ?? '')) pace.take(clientOf(request));
    done();
  });
}

function clientOf(request: FastifyRequest): string {
  const caller = callerOfRequest(request);
  return caller.kind === 'client' || caller.kind === 'user' ? callerKey(caller) : request.ip;
}
