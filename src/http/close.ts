/** The end of the way in: nothing new is taken, what is under way is answered, within a time. */
import type { FastifyInstance } from 'fastify';
import { stopLimits, within } from '../base/index.ts';

/** Connections of requests that are not answered after their share of the time are cut. */
export async function closeHttp(http: FastifyInstance, { stopMs }: { readonly stopMs: number }): Promise<void> {
  const closed = http.close().then(() => undefined);
  if (await within(stopMs * stopLimits.requestsShare, closed)) return;
  http.server.closeAllConnections();
  await closed;
}
