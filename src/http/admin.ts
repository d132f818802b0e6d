/** Administration and health, outside FHIR: the manual clock, settle, liveness, readiness, metrics. */
import type { FastifyInstance } from 'fastify';
import { formatInstant, Problem, type Clock } from '../base/index.ts';
import { parseJson } from '../fhir/index.ts';

/** States only: whoever may ask learns nothing of what is kept. */
export interface Readiness {
  readonly status: 'ready' | 'not ready' | 'stopping';
  readonly database?: 'ok' | 'unavailable';
  readonly migrations?: 'ok' | 'missing';
  readonly queue?: 'ok' | 'late';
  /** For which the first work that is due has waited. */
  readonly queueAgeSeconds?: number;
  /** Of the read replica, where there is one. */
  readonly replica?: 'ok' | 'unusable';
}

export interface AdminInput {
  readonly clock: Clock;
  /** Absent with a real clock: then the route does not exist. */
  readonly moveClock: ((instantMs: number) => Promise<{ readonly fired: number }>) | undefined;
  readonly settle: () => Promise<void>;
  readonly readiness: () => Promise<Readiness>;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
}

export function registerAdminRoutes(server: FastifyInstance, admin: AdminInput): void {
  const { moveClock } = admin;
  if (moveClock !== undefined) {
    server.post('/admin/clock', async (request) => {
      const { fired } = await moveClock(readInstant(request.body));
      return { now: formatInstant(admin.clock.now()), fired };
    });
  }
  server.post('/admin/settle', async () => {
    await admin.settle();
    return { now: formatInstant(admin.clock.now()) };
  });
  server.get('/health/live', () => ({ status: 'live' }));
  server.get('/health/ready', async (_request, reply) => {
    const readiness = await admin.readiness();
    return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
  });
  server.get('/metrics', async (_request, reply) =>
    reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(await admin.metrics()),
  );
}

const instantForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

function readInstant(body: unknown): number {
  const parsed = body instanceof Uint8Array ? parseJson(body) : undefined;
  const now = (parsed as { now?: unknown } | null | undefined)?.now;
  const instant = typeof now === 'string' && instantForm.test(now) ? Date.parse(now) : Number.NaN;
  if (Number.isNaN(instant)) {
    throw new Problem(
      'incorrect',
      'expected {"now": an instant with seconds and zone, e.g. "2026-03-03T00:00:01+01:00"}',
    );
  }
  return instant;
}
