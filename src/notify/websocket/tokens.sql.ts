/** Binding tokens: what lets a websocket have the notifications of subscriptions. Kept as digests, used once, short-lived. */
import { createHash } from 'node:crypto';
import type { Queryable } from '../../db/index.ts';

export interface BindingToken {
  readonly token: string;
  readonly subscriptions: readonly string[];
  readonly expiresAtMs: number;
}

export async function saveToken(db: Queryable, { token, subscriptions, expiresAtMs }: BindingToken): Promise<void> {
  await db.query({
    name: 'notify-save-token',
    text: 'insert into websocket_token (digest, subscriptions, expires_at) values ($1, $2, $3)',
    values: [digestOf(token), subscriptions, new Date(expiresAtMs)],
  });
}

/** Takes the token out of the world; undefined when it is unknown, used or expired. Others that have expired go too. */
export async function spendToken(db: Queryable, token: string, nowMs: number): Promise<readonly string[] | undefined> {
  const rows = await db.query<{ subscriptions: string[]; is_valid: boolean }>({
    name: 'notify-spend-token',
    text: `delete from websocket_token where digest = $1 or expires_at <= $2
           returning subscriptions, digest = $1 and expires_at > $2 as is_valid`,
    values: [digestOf(token), new Date(nowMs)],
  });
  return rows.find(({ is_valid: isValid }) => isValid)?.subscriptions;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
