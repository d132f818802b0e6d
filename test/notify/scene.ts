/** A server as far as subscriptions need one: store, workers and a clock that stands still, on a real database. */
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

export async function openScene(db: Database, clock: ManualClock = createManualClock(start), holder = 1): Promise<Scene> {
  const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl });
  const logged: string[] = [];
  const log = createLog("debug", (line) => { logged.push(line); if (process.env.DBG) process.stderr.write(line); });
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
  const notify = createNotify({ store, db, search, clock, ids, random, log, holder, baseUrl, allowsLoopback: true });
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
    settle: async () => {
      if (await workers.settle(9000)) return;
      for (const t of ['select * from job', 'select * from reader', 'select xid,seq,type,id,version from change', 'select pg_current_snapshot()::text', 'select pid,state,wait_event,query,backend_xid from pg_stat_activity', 'select * from subscription_state'])
        process.stderr.write(`${t}\n${JSON.stringify(await db.query({ text: t }))}\n`);
      process.stderr.write((globalThis as any).ring.filter((l: string) => !/any-due|has-unread|take-jobs/.test(l)).filter((l: string, i: number, a: string[]) => !/^q\d+ end/.test(l)).slice(-60).join('\n'));
      await settleOrFail(workers);
    },
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
             subscription_state, subscription_event, subscription_secret, delivery`,
  });
}

async function startWorkers(parts: {
  readonly db: Database;
  readonly clock: ManualClock;
  readonly log: Log;
  readonly holder: number;
  readonly notify: Notify;
}): Promise<Workers> {
  const { notify, ...rest0 } = parts;
  const ring: string[] = [];
  (globalThis as any).ring = ring;
  const db0 = rest0.db; let n = 0;
  const rest = { ...rest0, db: { ...db0,
    query: async (s: any) => { const k = ++n; ring.push(`q${k} ${s.name ?? s.text.slice(0,40)}`); try { return await db0.query(s); } finally { ring.push(`q${k} end`); } },
    transaction: async (f: any) => { const k = ++n; ring.push(`t${k} begin`); try { return await db0.transaction(async (tx) => { ring.push(`t${k} in`); const r = await f(tx); ring.push(`t${k} out`); return r; }); } catch (e) { process.stderr.write(`FAULT ${String(e)} ${String((e as any).cause)} ${(e as any).cause?.where}\n`); throw e; } finally { ring.push(`t${k} end`); } } } as Database };
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
    const after = (isGuarded ? await notify.guard.check(session, { before, after: resource }) : undefined) ?? resource;
    const [written] = await session.commit([{ method: before === undefined ? 'POST' : 'PUT', type, id, resource: after }]);
    return JSON.parse(written?.raw ?? '') as Resource;
  });
}

async function remove({ store, notify }: Guarded, type: string, id: string): Promise<void> {
  await store.transaction(async (session) => {
    const stored = await session.read(type, id, everything);
    const before = JSON.parse(stored?.raw ?? '') as Resource;
    if (notify.guard.types.includes(type)) await notify.guard.check(session, { before, after: undefined });
    await session.commit([{ method: 'DELETE', type, id }]);
  });
}

async function read(store: Store, type: string, id: string): Promise<Resource> {
  const stored = await store.read(type, id, everything);
  return JSON.parse(stored?.raw ?? '') as Resource;
}
