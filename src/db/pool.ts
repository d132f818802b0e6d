/** Connections to PostgreSQL: their limits, their types, and an ear for those that break while nobody uses them. */
import pg from 'pg';
import { databaseLimits as limits, type Log } from '../base/index.ts';

/** Their object ids in PostgreSQL's catalogue: date, timestamp. */
const typesWithoutZone: ReadonlySet<number> = new Set([1082, 1114]);

/** `date` and `timestamp` have no zone: the driver would read them in the zone of this process. They stay text. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    typesWithoutZone.has(oid)
      ? (text: unknown) => text
      : (pg.types.getTypeParser(oid, format) as (text: unknown) => unknown),
};

/** For a connection outside the pool; without the limits that a long migration or a quiet listener would break. */
export function clientConfig(url: string): pg.ClientConfig {
  return { connectionString: url, connectionTimeoutMillis: limits.acquireTimeoutMs, keepAlive: true, types };
}

export interface PoolOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly log: Log;
  /** PostgreSQL stops a statement that runs longer. */
  readonly statementTimeoutMs?: number;
  /** For a free connection, or a new one. */
  readonly acquireTimeoutMs?: number;
}

export function openPool({ url, poolSize, log, ...options }: PoolOptions): pg.Pool {
  const { statementTimeoutMs = limits.statementTimeoutMs, acquireTimeoutMs = limits.acquireTimeoutMs } = options;
  const pool = new pg.Pool({
    ...clientConfig(url),
    connectionTimeoutMillis: acquireTimeoutMs,
    max: poolSize,
    idleTimeoutMillis: limits.idleConnectionMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: limits.lockTimeoutMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionTimeoutMs,
    query_timeout: statementTimeoutMs + limits.answerGraceMs,
  });
  // Without a listener a connection that breaks between two statements of a transaction would end the process. The
  // statement that comes next fails by itself, so here it is only said.
  pool.on('connect', (client) =>
    client.on('error', () => log.warn({ component: 'db' }, 'a database connection broke')),
  );
  pool.on('error', () => undefined);
  return pool;
}
