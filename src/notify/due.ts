/** A subscription whose job is due, as read from the database: where it stands, and its terms as they are in force. */
import { Problem } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import type { OpenChannel } from './channel.ts';
import type { ChannelRules } from './channel-terms.ts';
import { unseal } from './secrets.ts';
import { notifyLimits } from './limits.ts';
import { readStates, readTerms, type StateRow, type TermsRow } from './state.sql.ts';
import type { Standing } from './step.ts';
import { readSubscription, type Subscription } from './subscription.ts';
import { createTogether } from './together.ts';

export interface Due {
  readonly id: string;
  /** Of the Subscription in force. */
  readonly version: number;
  readonly isSlow: boolean;
  /** It watches on behalf of somebody. */
  readonly isOwned: boolean;
  readonly standing: Standing;
  /** By handle. */
  readonly secrets: ReadonlyMap<string, string>;
  /** undefined: it is over, or cannot be served any more. */
  readonly subscription: Subscription | undefined;
  /** Why it cannot be served any more. */
  readonly fault: string | undefined;
}

/** undefined: nobody has heard of it. */
export type ReadDue = (id: string) => Promise<Due | undefined>;

/** What a version of a Subscription says: read once, because it never says anything else. */
interface Terms {
  readonly version: number;
  readonly subscription: Subscription | undefined;
  readonly fault: string | undefined;
  readonly secrets: ReadonlyMap<string, string>;
}

/** Deliveries that begin together are read together. */
export function createDueReader(db: Queryable, rules: ChannelRules): ReadDue {
  const known = new Map<string, Terms>();

  function keep(row: TermsRow): Terms {
    const terms = readRow(row, rules);
    known.delete(row.subscription);
    // One may be without its secrets for a moment, when another version is about to come in force.
    if (terms.subscription === undefined || !isWhole(terms.subscription, terms.secrets)) return terms;
    const [oldest] = known.keys();
    if (known.size >= notifyLimits.termsKept && oldest !== undefined) known.delete(oldest);
    known.set(row.subscription, terms);
    return terms;
  }

  async function read(ids: readonly string[]): Promise<readonly (Due | undefined)[]> {
    const dues = new Map<string, Due>();
    const unknown: string[] = [];
    for (const row of await readStates(db, ids)) {
      const terms = isOver(row) ? nothing(row) : known.get(row.subscription);
      if (terms?.version === row.version) dues.set(row.subscription, toDue(row, terms));
      else unknown.push(row.subscription);
    }
    if (unknown.length > 0) {
      for (const row of await readTerms(db, unknown)) {
        dues.set(row.subscription, toDue(row, isOver(row) ? nothing(row) : keep(row)));
      }
    }
    return ids.map((id) => dues.get(id));
  }

  return createTogether({ run: read, itemsMax: notifyLimits.togetherMax });
}

function nothing({ version }: StateRow): Terms {
  return { version, subscription: undefined, fault: undefined, secrets: new Map() };
}

function readRow({ raw, version, secrets }: TermsRow, rules: ChannelRules): Terms {
  const read = raw === null ? undefined : readSubscription(parseJson(raw) as Resource, rules);
  return {
    version,
    subscription: read?.issues === undefined ? read?.subscription : undefined,
    fault: read?.issues?.[0]?.text,
    secrets: new Map(Object.entries(secrets ?? {})),
  };
}

function isWhole({ channel }: Subscription, secrets: ReadonlyMap<string, string>): boolean {
  return [...channel.headers.map(({ value }) => value), channel.key ?? ''].every(
    (value) => unseal(value, secrets) !== undefined,
  );
}

function toDue(row: StateRow, { subscription, fault, secrets }: Terms): Due {
  const { subscription: id, version, is_slow: isSlow, is_owned: isOwned } = row;
  const standing = toStanding(row, subscription);
  return { id, version, isSlow, isOwned, standing, secrets, subscription, fault: row.fault ?? fault };
}

export function isOver({ status }: Pick<Standing, 'status'>): boolean {
  return status === 'off' || status === 'gone';
}

function toStanding(row: StateRow, subscription: Subscription | undefined): Standing {
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

/** Whether notifications carry the texts of resources. */
export function hasTexts({ watch, channel }: Subscription): boolean {
  return watch.kind === 'criteria' ? channel.contentType !== undefined : channel.content === 'full-resource';
}
