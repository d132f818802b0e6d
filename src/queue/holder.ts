/**
 * Who is at work, without a clock. Each instance has a random number and holds an advisory lock on it over a connection
 * of its own, as long as it lives; PostgreSQL drops the lock when the process or its machine goes. So the work of an
 * instance that was killed is free at once, under a manual clock too, and a slow instance never loses what it holds.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../base/index.ts';
import type { Database, DedicatedConnection, Queryable } from '../db/index.ts';

/** First key of the advisory locks of holders ("SUTU"). */
const holderLockClass = 0x53555455;

const reconnectMs = 200;

/** Keeps the instance announced until `close`: when the connection is lost it is made again, as long as that takes. */
export async function keepHolder(db: Database, holder: number, log: Log): Promise<{ close(): Promise<void> }> {
  let isClosing = false;
  let connection = await connect();

  async function connect(): Promise<DedicatedConnection> {
    const made = await db.dedicate(() => void reconnect());
    await announceHolder(made, holder);
    return made;
  }

  async function reconnect(): Promise<void> {
    log.warn({ component: 'queue' }, 'the connection that announces this instance was lost');
    while (!isClosing) {
      try {
        connection = await connect();
        return;
      } catch {
        await delay(reconnectMs);
      }
    }
  }

  return {
    async close() {
      isClosing = true;
      await connection.close();
    },
  };
}

/** Marks this instance as alive on its dedicated connection. */
export async function announceHolder(connection: DedicatedConnection, holder: number): Promise<void> {
  await connection.query({ text: 'select pg_advisory_lock($1, $2)', values: [holderLockClass, holder] });
}

/** Frees what dead instances held; answers how many jobs that were. */
export async function freeAbandonedJobs(db: Queryable): Promise<number> {
  const rows = await db.query({
    name: 'free-abandoned-jobs',
    text: `update job set holder = null
           where holder is not null and holder not in (
             select objid::integer from pg_locks
             where locktype = 'advisory' and classid = $1 and objsubid = 2 and granted
               and database = (select oid from pg_database where datname = current_database()))
           returning key`,
    values: [holderLockClass],
  });
  return rows.length;
}
