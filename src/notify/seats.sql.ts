/** How many subscriptions there may be: each that is not over has a seat (migrations/0038), taken by who made it. */
import { type Issue, Problem } from '../base/index.ts';
import type { Session } from '../store/index.ts';

export interface SeatLimits {
  /** Of the whole server. */
  readonly subscriptionsMax: number;
  /** Of one caller, where callers are told apart. */
  readonly subscriptionsPerCallerMax: number;
}

/** Key of the advisory lock under which seats are counted ("SEAT"): two that come at once do not both take the last. */
const seatLock = 0x53454154;

/** Takes a seat for a Subscription that begins; throws `forbidden` when there is none left. `owner` undefined: nobody in particular. */
export async function takeSeat(
  session: Pick<Session, 'query'>,
  subscription: string,
  owner: string | undefined,
  { subscriptionsMax, subscriptionsPerCallerMax }: SeatLimits,
): Promise<void> {
  await session.query({ text: 'select pg_advisory_xact_lock($1)', values: [seatLock] });
  const rows = await session.query<{ all: number; own: number }>({
    text: `insert into subscription_seat (subscription, owner) values ($1, $2)
           on conflict (subscription, shard) do update set owner = excluded.owner
           returning (select count(*)::integer from subscription_seat s where s.subscription <> $1) as all,
                     (select count(*)::integer from subscription_seat s where s.subscription <> $1 and s.owner = $2) as own`,
    values: [subscription, owner ?? null],
  });
  const { all = 0, own = 0 } = rows[0] ?? {};
  if (owner !== undefined && own >= subscriptionsPerCallerMax) {
    throw full(`at most ${subscriptionsPerCallerMax} subscriptions of one caller may be active: end one first`);
  }
  if (all >= subscriptionsMax) throw full(`at most ${subscriptionsMax} subscriptions may be active on this server`);
}

export async function freeSeat(session: Pick<Session, 'query'>, subscription: string): Promise<void> {
  await session.query({ text: 'delete from subscription_seat where subscription = $1', values: [subscription] });
}

function full(text: string): Problem {
  const issue: Issue = { severity: 'error', code: 'too-costly', text, expression: 'Subscription' };
  return new Problem('forbidden', text, { issues: [issue] });
}
