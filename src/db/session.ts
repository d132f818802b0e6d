/** One connection of the pool while somebody uses it: taken, used, given back, or thrown away when it is no longer sound. */
import type pg from 'pg';
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
export async function sendStatement<R extends object>(
  session: Session,
  { name, text, values }: Statement,
): Promise<{ readonly rows: readonly R[]; readonly command: string }> {
  try {
    return await session.client.query<R>({
      text,
      ...(name === undefined ? {} : { name }),
      ...(values === undefined ? {} : { values: [...values] }),
    });
  } catch (error) {
    if (isConnectionLost(error)) session.isBroken = true;
    throw asProblem(error);
  }
}
