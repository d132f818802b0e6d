/** Clients as they stand in the record, and their assertions that were used. */
import { hash } from 'node:crypto';
import { clientIdPrefix } from '../access/index.ts';
import type { Queryable } from '../db/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import { type Client, clientIdForm, isClient, readClient } from './client.ts';

/** undefined: there is none under this id. A revoked one is answered as such. */
export async function findClient(db: Queryable, clientId: string): Promise<Client | undefined> {
  if (!clientIdForm.test(clientId)) return undefined;
  const rows = await db.query<{ raw: string }>({
    name: 'client-by-id',
    text: `select raw from resource where type = 'Basic' and id = $1 and not is_deleted`,
    values: [`${clientIdPrefix}${clientId}`],
  });
  return rows.flatMap(({ raw }) => clientOf(raw))[0];
}

/** All of them, by id. */
export async function listClients(db: Queryable): Promise<readonly Client[]> {
  const rows = await db.query<{ raw: string }>({
    text: `select raw from resource where type = 'Basic' and starts_with(id, $1) and not is_deleted order by id`,
    values: [clientIdPrefix],
  });
  return rows.flatMap(({ raw }) => clientOf(raw));
}

function clientOf(raw: string): readonly Client[] {
  const resource = parseJson(raw) as Resource;
  const reading = isClient(resource) ? readClient(resource) : undefined;
  return reading?.kind === 'ok' ? [reading.client] : [];
}

const forgottenAtOnce = 200;

/** Whether this is the first use of the assertion, on any instance; a later one is a replay. Forgets those that have expired. */
export async function useAssertion(
  db: Queryable,
  { clientId, jti, expiresAtMs, nowMs }: { clientId: string; jti: string; expiresAtMs: number; nowMs: number },
): Promise<boolean> {
  const rows = await db.query({
    name: 'use-assertion',
    text: `with old as (
             select client, jti, shard from client_assertion where expires_at < $4
             limit ${forgottenAtOnce} for update skip locked
           ), gone as (
             delete from client_assertion c using old
             where c.client = old.client and c.jti = old.jti and c.shard = old.shard and (c.client, c.jti) <> ($1, $2)
           )
           insert into client_assertion (client, jti, expires_at) values ($1, $2, $3)
           on conflict (client, jti, shard) do nothing returning 1`,
    values: [clientId, hash('sha256', jti, 'buffer'), new Date(expiresAtMs), new Date(nowMs)],
  });
  return rows.length === 1;
}
