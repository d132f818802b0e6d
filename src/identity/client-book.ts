/** Clients as they are looked up for each request: remembered for seconds, so that revoking one counts within them. */
import type { JWTVerifyGetKey } from 'jose';
import type { Queryable } from '../db/index.ts';
import type { Client } from './client.ts';
import { findClient } from './clients.sql.ts';
import { createMemory } from './memory.ts';
import { remoteKeys } from './jose.ts';

export const clientsRememberedMs = 5000;
const rememberedMax = 1000;

export interface ClientBook {
  /** Revoked ones too; undefined: there is none. */
  find(id: string): Promise<Client | undefined>;
  keysAt(url: string): JWTVerifyGetKey;
}

export function createClientBook(db: Queryable, now: () => number): ClientBook {
  const known = createMemory<Client>({ now, entriesMax: rememberedMax });
  const keys = createMemory<JWTVerifyGetKey>({ now, entriesMax: rememberedMax });
  return {
    async find(id) {
      const remembered = known.get(id);
      if (remembered !== undefined) return remembered;
      const found = await findClient(db, id);
      if (found !== undefined) known.keep(id, found, now() + clientsRememberedMs);
      return found;
    },
    keysAt(url) {
      const remembered = keys.get(url);
      if (remembered !== undefined) return remembered;
      const fetched = remoteKeys(url, now);
      keys.keep(url, fetched, Number.POSITIVE_INFINITY);
      return fetched;
    },
  };
}
