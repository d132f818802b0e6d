/** The way in: every operation of the server behind its HTTP routes. */
import type { FastifyInstance } from 'fastify';
import { systemCaller } from '../access/index.ts';
import { bridgeOperations } from '../bridge/index.ts';
import type { Config, Lifecycle } from '../base/index.ts';
import { createHttp } from '../http/index.ts';
import {
  auditOperations,
  breakGlassOperations,
  breakOperations,
  bulkOperations,
  everythingOperations,
  ingestOperation,
  measureOperations,
  metaOperations,
  referenceOperations,
  retryOperation,
  ruleJobOperations,
  ruleOperations,
  subscriptionOperations,
  terminologyOperations,
  validateOperations,
  withBrokenGlass,
} from '../interactions/index.ts';
import { type Notify, socketPath } from '../notify/index.ts';
import { createTimeKeeper, settleOrFail } from '../queue/index.ts';
import { type Ground, isManual } from './ground.ts';
import { createReadiness } from './health.ts';
import { openIdentity } from './identity.ts';
import { readTls } from './tls.ts';
import { type Work, checksClaims } from './work.ts';

export async function openHttp(
  ground: Ground,
  { context, engine, notify, workers, bridge }: Work,
  { isLeaving }: Lifecycle,
): Promise<FastifyInstance> {
  const { clock, config, db, metrics } = ground;
  const identity = await openIdentity(ground);
  const callerOf = ground.callerOf ?? identity?.callerOf ?? (() => systemCaller);
  const letters = letterSettings(config);
  const ingest = ingestOperation(letters);
  const keeper = isManual(clock) ? createTimeKeeper({ db, clock, workers }) : undefined;
  return createHttp({
    ...ground,
    tls: await readTls(config),
    proxies: config.proxies,
    callerOf: async (request) => withBrokenGlass(db, await callerOf(request), clock.now()),
    identity,
    context,
    operations: [
      ...breakOperations(engine),
      ...ruleOperations(engine),
      ...ruleJobOperations(engine),
      ...measureOperations({ db, zone: config.zone }),
      ingest,
      retryOperation(letters),
      ...bridgeOperations(bridge, ingest),
      ...subscriptionOperations(notify.answers),
      ...everythingOperations,
      ...(context.audit === undefined ? [] : [...auditOperations, ...breakGlassOperations]),
      ...metaOperations,
      ...referenceOperations,
      ...bulkOperations,
      ...terminologyOperations(ground.conformance),
      ...validateOperations({
        ...ground,
        resourceTypes: ground.definitions.resourceTypes,
        checksClaims: checksClaims(config),
      }),
    ],
    sockets: { path: `/fhir${socketPath}`, accept: notify.sockets.accept },
    onAnswered: metrics.requested,
    onRefused: metrics.refused,
    isLeaving,
    onGate: metrics.watchRequests,
    admin: {
      clock,
      moveClock: keeper === undefined ? undefined : (instantMs) => told(notify, keeper.moveTo(instantMs)),
      settle: () => told(notify, settleOrFail(workers)),
      readiness: await createReadiness({ ...ground, now: clock.now, isLeaving, queueAgeMaxS: config.readyQueueAge }),
      metrics: async () => metrics.text(await notify.figures(ground.watch)),
    },
  });
}

/** Websockets are not fed by jobs: they look by themselves, and here before anybody says that all is done. */
async function told<T>(notify: Notify, work: Promise<T>): Promise<T> {
  const result = await work;
  await notify.sockets.flush();
  return result;
}

/** As letters are taken, by whatever door they come. */
export function letterSettings({ allowsTestIns, zone, mailSenders }: Config) {
  return { allowsTestIns, zone, mailSenders };
}
