/** Keys that all instances share and that survive restarts. */
import type { Queryable } from '../db/index.ts';

/** The key of this name; the first instance that asks decides what it is. */
export async function serverSecret(db: Queryable, name: string, fresh: Uint8Array): Promise<Uint8Array> {
  await db.query({
    text: 'insert into server_secret (name, value) values ($1, $2) on conflict (name) do nothing',
    values: [name, Buffer.from(fresh)],
  });
  const rows = await db.query<{ value: Uint8Array }>({
    text: 'select value from server_secret where name = $1',
    values: [name],
  });
  const value = rows[0]?.value;
  if (value === undefined) throw new Error('a server secret vanished while it was read');
  return value;
}
