/**
 * A channel carries one notification to one subscriber and says what became of it. One small file each, under channels/.
 * It neither repeats nor logs nor knows the database: whoever calls it decides what follows.
 */
import type { ChannelTerms } from './channel-terms.ts';

export interface Notification {
  /** A UUID that follows from what is told: the same when it is told again. */
  readonly id: string;
  readonly kind: 'handshake' | 'event-notification' | 'heartbeat';
  readonly subscription: string;
  /** Of the last event told; undefined for handshake and heartbeat. */
  readonly number: number | undefined;
  /** The URL of the resource of each event, as far as the content level tells it. */
  readonly focuses: readonly (string | undefined)[];
  /** Where a resource goes that is sent as an update (core R4 with payload): `Type/id` below the endpoint. */
  readonly path: string | undefined;
  /** undefined: an empty body. */
  readonly body: string | undefined;
  /** Of the last event, or else of the sending. */
  readonly atMs: number;
  readonly nowMs: number;
}

/** The channel of one subscription with its secrets, just before sending. */
export interface OpenChannel extends Omit<ChannelTerms, 'key'> {
  readonly key: string;
}

export type Outcome =
  | { readonly kind: 'delivered'; readonly httpStatus?: number }
  | {
      readonly kind: 'no-response' | 'bad-answer' | 'redirect' | 'forbidden-address';
      readonly httpStatus?: number;
      readonly retryAfterMs?: number;
    }
  /** The receiver never wants to hear again. */
  | { readonly kind: 'gone'; readonly httpStatus?: number };

export type Channel = (notification: Notification, channel: OpenChannel) => Promise<Outcome>;
