/** A subscription whose job is due, as read from the database: where it stands, and its terms as they are in force. */
import { Problem } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import type { OpenChannel } from './channel.ts';
import type { ChannelRules } from './channel-terms.ts';
import { unseal } from './secrets.ts';
import { type DueRow, readState } from './state.sql.ts';
import type { Standing } from './step.ts';
import { readSubscription, type Subscription } from './subscription.ts';

export interface Due {
  readonly id: string;
  /** Of the Subscription in force. */
  readonly version: number;
  readonly isSlow: boolean;
  readonly standing: Standing;
  /** By handle. */
  readonly secrets: ReadonlyMap<string, string>;
  /** undefined: it is over, or cannot be served any more. */
  readonly subscription: Subscription | undefined;
  /** Why it cannot be served any more. */
  readonly fault: string | undefined;
}

export async function readDue(db: Queryable, id: string, rules: ChannelRules): Promise<Due | undefined> {
  const row = await readState(db, id);
  if (row === undefined) return undefined;
  const read = isOver(row) || row.raw === null ? undefined : readSubscription(parseJson(row.raw) as Resource, rules);
  const subscription = read?.issues === undefined ? read?.subscription : undefined;
  const fault = row.fault ?? read?.issues?.[0]?.text;
  const standing = toStanding(row, subscription);
  const secrets = new Map(Object.entries(row.secrets ?? {}));
  return { id, version: row.version, isSlow: row.is_slow, standing, secrets, subscription, fault };
}

export function isOver({ status }: Pick<Standing, 'status'>): boolean {
  return status === 'off' || status === 'gone';
}

function toStanding(row: DueRow, subscription: Subscription | undefined): Standing {
  return {
    status: row.status,
    endMs: subscription?.endMs,
    heartbeatMs: subscription?.channel.heartbeatMs,
    lastNumber: Number(row.last_number),
    deliveredNumber: Number(row.delivered_number),
    failures: row.failures,
    failingSinceMs: row.failing_since?.getTime(),
    retryAtMs: row.retry_at?.getTime(),
    sentAtMs: row.sent_at?.getTime(),
  };
}

/** The channel with its secrets. One may be gone for a moment, when another version is about to come in force. */
export function openChannel({ channel }: Subscription, secrets: ReadonlyMap<string, string>): OpenChannel {
  const open = (value: string): string => {
    const found = unseal(value, secrets);
    if (found === undefined) throw new Problem('conflict', 'the subscription is being changed');
    return found;
  };
  const headers = channel.headers.map(({ name, value }) => ({ name, value: open(value) }));
  return { ...channel, headers, key: open(channel.key ?? '') };
}
