/** A connection that belongs to its holder alone. It has no time limits; when it is lost, what it locked is free. */
import pg from 'pg';
import type { DedicatedConnection } from './database.ts';
import { clientConfig } from './pool.ts';
import { sendStatement, type Session } from './session.ts';
import { asProblem } from './sql-state.ts';

export async function openDedicated(
  { url }: { readonly url: string },
  onLost: () => void,
): Promise<DedicatedConnection> {
  const client = new pg.Client(clientConfig(url));
  const session: Session = { client, isBroken: false };
  let isClosing = false;
  client.on('error', () => undefined); // 'end' follows
  try {
    await client.connect();
  } catch (error) {
    throw asProblem(error);
  }
  client.once('end', () => {
    if (!isClosing) onLost();
  });
  return {
    query: async (statement) => (await sendStatement(session, statement)).rows as never,
    async close() {
      isClosing = true;
      await client.end();
    },
  };
}
