/** What one notification says: for core R4 nothing or the resource, for a topic a Bundle (notification.ts). */
import type { Notification } from './channel.ts';
import type { Event } from './events.sql.ts';
import { nameUuid, notificationBundle } from './notification.ts';
import type { Standing } from './step.ts';
import type { Subscription } from './subscription.ts';

export interface ToSay {
  readonly kind: 'handshake' | 'event-notification' | 'heartbeat';
  readonly subscription: Subscription;
  readonly standing: Standing;
  /** In the order of their numbers; none unless events are told. */
  readonly events: readonly Event[];
  readonly baseUrl: string;
  readonly nowMs: number;
}

export function compose(say: ToSay): Notification {
  const { kind, subscription, events, nowMs, baseUrl } = say;
  const last = events.at(-1);
  const atMs = last?.at.getTime() ?? nowMs;
  const { contentType, content } = subscription.channel;
  const notification = {
    id: nameUuid([subscription.id, kind, last?.number, events.length, atMs].join('\n')),
    kind,
    subscription: subscription.id,
    number: last?.number,
    focuses: events.map(({ type, id, isHidden }) =>
      content === 'empty' || isHidden === true ? undefined : `${baseUrl}/${type}/${id}`,
    ),
    atMs,
    nowMs,
  };
  if (subscription.watch.kind === 'topic') return { ...notification, path: undefined, body: notificationBundle(say) };
  // A version whose text is no longer kept cannot be sent: the subscriber is told to look, as one without payload is.
  if (contentType === undefined || last?.raw === undefined)
    return { ...notification, path: undefined, body: undefined };
  return { ...notification, path: `${last.type}/${last.id}`, body: last.raw };
}
