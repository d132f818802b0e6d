/**
 * What subscribers may ask: $status and $events of the Subscriptions R5 Backport guide for R4, and $resend, which the guide has
 * from version 1.2 on. Core R4 subscriptions answer them too.
 */
import type { Access } from '../access/index.ts';
import { type Clock, Problem } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import { parseJson } from '../fhir/index.ts';
import { requestJobs } from '../queue/index.ts';
import type { Store, Visible } from '../store/index.ts';
import type { Subscription as FhirSubscription } from 'fhir/r4.js';
import { listStandings, rewind, type StandingRow } from './answers.sql.ts';
import { errorText } from './attempt.ts';
import type { Outcome } from './channel.ts';
import type { Event } from './events.sql.ts';
import { readOwnEvents } from './owned.ts';
import { deliveryJob } from './jobs.ts';
import { notifyLimits } from './limits.ts';
import { historyBundle, type StatusSaid, statusSearchset } from './notification.ts';
import { type BindingToken, saveToken } from './websocket/tokens.sql.ts';
import { backport, type Content, contents } from './channel-terms.ts';

/** Where websockets connect, below the FHIR base. */
export const socketPath = '/websocket';

export interface AskedStatus {
  readonly visible: Visible;
  /** undefined: all that the caller may see. */
  readonly ids?: readonly string[];
  readonly statuses?: readonly string[];
}

export interface AskedEvents {
  readonly visible: Visible;
  readonly id: string;
  /** Both inclusive. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** A wish: never more than the subscription's own level. */
  readonly content: string | undefined;
}

export interface Answers {
  /** A Bundle of type searchset, as JSON text. */
  status(asked: AskedStatus): Promise<string>;
  /** The same of one; throws `not-found`. */
  statusOf(asked: { readonly visible: Visible; readonly id: string }): Promise<string>;
  /** A Bundle of type history, as JSON text; throws `not-found`. */
  events(asked: AskedEvents): Promise<string>;
  /** Delivers again from this event on, in order, under the same numbers; throws `not-found`, and `conflict` when it is not active. */
  resend(asked: { readonly visible: Visible; readonly id: string; readonly since: number }): Promise<void>;
  /** For the websockets of these subscriptions, or of all; throws `not-found` when one is not there, or none. */
  bindingToken(asked: { readonly visible: Visible; readonly ids?: readonly string[] }): Promise<IssuedToken>;
}

/** What $get-ws-binding-token gives. */
export interface IssuedToken extends BindingToken {
  readonly url: string;
}

export interface AnswersInput {
  readonly store: Store;
  readonly access: Access;
  readonly db: Database;
  readonly clock: Clock;
  readonly baseUrl: string;
  readonly newKey: () => string;
}

export function createAnswers(input: AnswersInput): Answers {
  const { store, access, db, clock, baseUrl, newKey } = input;
  const find = async (visible: Visible, id: string): Promise<StandingRow> => {
    const [row] = await listStandings(store, { visible, ids: [id], statuses: undefined, limit: 1 });
    if (row === undefined) throw new Problem('not-found', 'no Subscription with this id');
    return row;
  };
  const say = (rows: readonly StandingRow[]): string =>
    statusSearchset(
      rows.map((row) => toSaid(row, 'query-status', [])),
      baseUrl,
      clock.now(),
    );
  return {
    async status({ visible, ids, statuses }) {
      return say(await listStandings(store, { visible, ids, statuses, limit: notifyLimits.statusesMax }));
    },
    statusOf: async ({ visible, id }) => say([await find(visible, id)]),
    async events({ visible, id, since = 1, until = Number.MAX_SAFE_INTEGER, content }) {
      const row = await find(visible, id);
      const range = {
        subscription: id,
        from: since,
        until,
        limit: notifyLimits.eventsAskedMax,
        hasTexts: true,
        isOwned: true,
      };
      const [events = []] = await readOwnEvents(db, access, [range]);
      const said = toSaid(row, 'query-event', events);
      return historyBundle({ ...said, content: lesser(said.content, content) }, baseUrl, clock.now());
    },
    async resend({ visible, id, since }) {
      await find(visible, id);
      await store.transaction(async (_session, tx) => {
        const found = await rewind(tx, id, since);
        if (found === undefined) throw new Problem('conflict', 'only an active subscription is delivered to');
        await requestJobs(tx, [deliveryJob(id, found.isSlow, clock.now())]);
      });
    },
    async bindingToken({ visible, ids }) {
      const rows = await listStandings(store, { visible, ids, statuses: ['active'], limit: notifyLimits.statusesMax });
      const subscriptions = rows.filter(isWebsocket).map(({ id }) => id);
      if (ids?.some((id) => !subscriptions.includes(id)) ?? subscriptions.length === 0) {
        throw new Problem('not-found', 'no active Subscription by websocket with this id');
      }
      const token = { token: newKey(), subscriptions, expiresAtMs: clock.now() + notifyLimits.tokenValidMs };
      await saveToken(db, token);
      return { ...token, url: socketUrl(baseUrl) };
    },
  };
}

function toSaid(row: StandingRow, type: StatusSaid['type'], events: readonly Event[]): StatusSaid {
  const fhir = parseJson(row.raw) as FhirSubscription;
  const level = fhir.channel._payload?.extension?.find(({ url }) => url === `${backport}backport-payload-content`);
  const isTopic = level !== undefined;
  return {
    id: row.id,
    topic: isTopic ? fhir.criteria : undefined,
    content:
      (level?.valueCode as Content | undefined) ?? (fhir.channel.payload === undefined ? 'id-only' : 'full-resource'),
    status: fhir.status,
    type,
    lastNumber: Number(row.last_number),
    events,
    error: fhir.error ?? lastError(row),
  };
}

/** Of an active subscription whose receiver fails just now, from the delivery log. */
function lastError({ outcome, http_status: httpStatus }: StandingRow): string | undefined {
  if (outcome === null) return undefined;
  return errorText({ kind: outcome as Outcome['kind'], ...(httpStatus === null ? {} : { httpStatus }) });
}

function lesser(own: Content | undefined, wished: string | undefined): Content | undefined {
  const wish = contents.find((one) => one === wished);
  if (own === undefined || wish === undefined) return own;
  return contents.indexOf(wish) < contents.indexOf(own) ? wish : own;
}

function isWebsocket({ raw }: StandingRow): boolean {
  return (parseJson(raw) as FhirSubscription).channel.type === 'websocket';
}

/** Where websockets connect: below the base, by its own scheme. */
function socketUrl(baseUrl: string): string {
  return `${baseUrl.replace(/^http/, 'ws')}${socketPath}`;
}
