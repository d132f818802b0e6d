/** A server as far as subscriptions need one: store, workers and a clock that stands still, on a real database. */
import { createAccess, systemCaller } from '../../src/access/index.ts';
import { createCountedIds, createLog, createManualClock, type Log, type ManualClock } from '../../src/base/index.ts';
import type { Database } from '../../src/db/index.ts';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { createNotify, type Notify } from '../../src/notify/index.ts';
import { announceHolder, createTimeKeeper, createWorkers, settleOrFail, type Workers } from '../../src/queue/index.ts';
import { compartmentKeys, createIndexer, createSearchContext } from '../../src/search/index.ts';
import { createStore, everything, type Store } from '../../src/store/index.ts';

export interface Scene {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly notify: Notify;
  readonly workers: Workers;
  /** Every line that was logged. */
  readonly logged: readonly string[];
  /** Writes as a client does, through the guard. */
  put(type: string, id: string, resource: object): Promise<Resource>;
  remove(type: string, id: string): Promise<void>;
  /** The stored resource. */
  read(type: string, id: string): Promise<Resource>;
  settle(): Promise<void>;
  /** Moves the clock and does all that falls due on the way. */
  pass(ms: number): Promise<void>;
  /** Another instance of the server on the same database and clock. */
  another(holder: number): Promise<Scene>;
  stop(): Promise<void>;
}

export const start = Date.parse('2026-03-02T08:00:00Z');
export const baseUrl = 'http://127.0.0.1:8080/fhir';
export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

const definitions = loadDefinitions();

export async function openScene(
  db: Database,
  clock: ManualClock = createManualClock(start),
  holder = 1,
): Promise<Scene> {
  const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl });
  const logged: string[] = [];
  const log = createLog('debug', (line) => void logged.push(line));
  let wake = (): void => undefined;
  const store = createStore({
    db,
    index: createIndexer(search),
    compartmentKeys: (patient, types) => compartmentKeys(search, patient, types),
    now: clock.now,
    onCommit: () => wake(),
  });
  const ids = createCountedIds(`h${holder}`);
  const random = (): number => 1;
  const access = createAccess({ now: clock.now, graceMs: 0, constraint: () => undefined });
  const notify = createNotify({
    store,
    access,
    db,
    search,
    clock,
    ids,
    random,
    log,
    holder,
    baseUrl,
    allowsLoopback: true,
    seats: { subscriptionsMax: 10_000, subscriptionsPerCallerMax: 1_000 },
  });
  const connection = await db.dedicate(() => undefined);
  await announceHolder(connection, holder);
  const workers = await startWorkers({ db, clock, log, holder, notify });
  wake = workers.wake;
  const keeper = createTimeKeeper({ db, clock, workers });
  return {
    store,
    clock,
    notify,
    workers,
    logged,
    put: (type, id, resource) => put({ store, notify }, type, { ...resource, id, resourceType: type }),
    remove: (type, id) => remove({ store, notify }, type, id),
    read: (type, id) => read(store, type, id),
    settle: () => settleOrFail(workers),
    pass: async (ms) => void (await keeper.moveTo(clock.now() + ms)),
    another: (other) => openScene(db, clock, other),
    async stop() {
      await workers.stop();
      await connection.close();
    },
  };
}

/** Empties the database, so that the tests of a file share one. */
export async function empty(db: Database): Promise<void> {
  await db.query({
    text: `truncate resource, version, token_index, date_index, string_index, number_index, change, reader, job, clock,
             subscription_state, subscription_event, subscription_secret, subscription_seat, subscription_topic, delivery, websocket_token`,
  });
}

async function startWorkers(parts: {
  readonly db: Database;
  readonly clock: ManualClock;
  readonly log: Log;
  readonly holder: number;
  readonly notify: Notify;
}): Promise<Workers> {
  const { notify, ...rest } = parts;
  const workers = createWorkers({ ...rest, followers: [notify.follower], works: notify.works });
  await workers.start();
  return workers;
}

type Guarded = Pick<Scene, 'store' | 'notify'>;

async function put({ store, notify }: Guarded, type: string, resource: Resource): Promise<Resource> {
  const id = resource.id ?? '';
  return store.transaction(async (session) => {
    const stored = await session.read(type, id, everything);
    const before = stored === undefined || stored.isDeleted ? undefined : (JSON.parse(stored.raw) as Resource);
    const isGuarded = notify.guard.types.includes(type);
    const after =
      (isGuarded
        ? await notify.guard.check(session, { before, after: resource, id, caller: systemCaller })
        : undefined) ?? resource;
    const [written] = await session.commit([
      { method: before === undefined ? 'POST' : 'PUT', type, id, resource: after },
    ]);
    return JSON.parse(written?.raw ?? '') as Resource;
  });
}

async function remove({ store, notify }: Guarded, type: string, id: string): Promise<void> {
  await store.transaction(async (session) => {
    const stored = await session.read(type, id, everything);
    const before = JSON.parse(stored?.raw ?? '') as Resource;
    if (notify.guard.types.includes(type))
      await notify.guard.check(session, { before, after: undefined, id, caller: systemCaller });
    await session.commit([{ method: 'DELETE', type, id }]);
  });
}

async function read(store: Store, type: string, id: string): Promise<Resource> {
  const stored = await store.read(type, id, everything);
  return JSON.parse(stored?.raw ?? '') as Resource;
}
