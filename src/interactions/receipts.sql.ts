/** Messages that were taken, by the name that their sender gave them (migrations/0029). */
import type { Queryable } from '../db/index.ts';

export interface Receipt {
  readonly channel: 'mllp' | 'mail';
  readonly sender: string;
  readonly name: string;
  /** SHA-256, hex. */
  readonly content: string;
}

/** Senders name messages by counters that start again; nobody repeats one after so long. */
const keptMs = 90 * 86_400_000;

export async function compareReceipt(db: Queryable, receipt: Receipt): Promise<'new' | 'same' | 'other'> {
  const rows = await db.query<{ content: string }>({
    name: 'receipt-read',
    text: 'select content from receipt where channel = $1 and sender = $2 and name = $3',
    values: [receipt.channel, receipt.sender, receipt.name],
  });
  const [known] = rows;
  return known === undefined ? 'new' : known.content === receipt.content ? 'same' : 'other';
}

export async function addReceipt(db: Queryable, receipt: Receipt, nowMs: number): Promise<void> {
  const { channel, sender, name, content } = receipt;
  await db.query({
    name: 'receipt-add',
    text: `insert into receipt (channel, sender, name, content, received_at) values ($1, $2, $3, $4, $5)
      on conflict do nothing`,
    values: [channel, sender, name, content, new Date(nowMs)],
  });
  await db.query({
    name: 'receipt-forget',
    text: 'delete from receipt where received_at < $1',
    values: [new Date(nowMs - keptMs)],
  });
}
