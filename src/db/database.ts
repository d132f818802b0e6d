/**
 * The database as the rest of the program sees it: statements and transactions.
 *
 * Values come back as follows: int8 and numeric as string (they may exceed what a number holds), timestamptz as Date,
 * date and timestamp as string (they have no zone, so no instant), json and jsonb parsed. A bigint may be passed as a value.
 * A failure is a Problem; `databaseFaultOf` reads the SQLSTATE behind it where the caller must know.
 */
import { databaseLimits, type Log } from '../base/index.ts';
import { openDedicated } from './dedicated.ts';
import { openListener } from './listen.ts';
import { openPool } from './pool.ts';
import { createPreparer } from './prepare.ts';
import { inTransaction, queryAlone } from './transaction.ts';

export interface Statement {
  /**
   * Named statements are prepared once per connection: the same name always goes with the same text. One without a name is
   * given one when it comes often.
   */
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export type Row = Readonly<Record<string, unknown>>;

export interface Queryable {
  query<R extends object = Row>(statement: Statement): Promise<readonly R[]>;
}

/** Valid until the function it was given to has ended. */
export interface Transaction extends Queryable {
  readonly isTransaction: true;
}

/** One connection that belongs to its holder alone, for what lives as long as a session: advisory locks. */
export interface DedicatedConnection extends Queryable {
  close(): Promise<void>;
}

export interface Listener {
  close(): Promise<void>;
}

export interface Database extends Queryable {
  /**
   * Runs `fn` in one READ COMMITTED transaction and commits. On a serialization failure or a deadlock, everything `fn`
   * did is undone and `fn` runs again: it must have no effect outside the transaction.
   */
  transaction<T>(fn: (tx: Transaction) => Promise<T>): Promise<T>;
  /** `onLost` is called once when the connection ends without `close`. */
  dedicate(onLost: () => void): Promise<DedicatedConnection>;
  /**
   * Calls `onWake` after each NOTIFY on the channel, and each time the connection has been made (again): a hint to go and
   * look, never the news itself, because notifications are lost while the connection is down.
   */
  listen(channel: string, onWake: () => void): Listener;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  /** In which PostgreSQL must have done one statement. */
  readonly statementTimeoutMs?: number;
  /** In which a connection of the pool must be free. */
  readonly acquireTimeoutMs?: number;
  readonly log: Log;
  /** Between 0 and 1, for the jitter of waits. */
  readonly random: () => number;
}

/** Opens nothing yet: connections are made when they are needed. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = openPool(options);
  const repeat = { retriesMax: databaseLimits.retriesMax, random: options.random };
  const prepare = createPreparer();
  const prepared = (tx: Transaction): Transaction => ({ ...tx, query: (statement) => tx.query(prepare(statement)) });
  return {
    query: (statement) => queryAlone(pool, prepare(statement), repeat),
    transaction: (fn) => inTransaction(pool, (tx) => fn(prepared(tx)), repeat),
    dedicate: (onLost) => openDedicated(options, onLost),
    listen: (channel, onWake) => openListener(options, channel, onWake),
    close: () => pool.end(),
  };
}
