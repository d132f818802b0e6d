/** One connection of the pool while somebody uses it: taken, used, given back, or thrown away when it is no longer sound. */
import pg from 'pg';
import type { Statement } from './database.ts';
import { asProblem, isConnectionLost } from './sql-state.ts';

export interface Session {
  readonly client: pg.ClientBase;
  /** A connection that failed must not go back to the pool. */
  isBroken: boolean;
}

export async function withSession<T>(pool: pg.Pool, fn: (session: Session) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  const session: Session = { client, isBroken: false };
  try {
    return await fn(session);
  } finally {
    client.release(session.isBroken);
  }
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw asProblem(error);
  }
}

/** The one place where a statement leaves; what comes back as an error leaves here as a Problem. */
export async function sendStatement<R extends pg.QueryResultRow>(
  session: Session,
  statement: Statement,
): Promise<{ readonly rows: readonly R[]; readonly command: string }> {
  try {
    return await new Promise<pg.QueryResult<R>>((resolve, reject) => {
      session.client.query(
        new Sent(statement, (error, result) => {
          if (error === null || error === undefined) resolve(result as pg.QueryResult<R>);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- of the system, so perhaps of another realm than ours
          else reject(error);
        }),
      );
    });
  } catch (error) {
    if (isConnectionLost(error)) session.isBroken = true;
    throw asProblem(error);
  }
}

/** pg copies a configuration descriptor by descriptor, which is a twentieth of a write: a query made ready is taken as it is. */
class Sent extends pg.Query {
  readonly name: string | undefined;
  readonly callback: (error: unknown, result: unknown) => void;

  constructor({ name, text, values }: Statement, callback: (error: unknown, result: unknown) => void) {
    super(text, values === undefined ? undefined : [...values]);
    this.name = name;
    this.callback = callback;
  }
}
