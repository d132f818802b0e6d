/**
 * E-mail: a text for people that says how many events there are and, at the level id-only, which resources; the notification itself as
 * an attachment where the payload asks for it (`text/plain;attach=application/fhir+json`). Nothing of a patient stands in it, unless
 * the mailbox is of MSSanté and the subscription asks for whole resources (channel-terms.ts).
 */
import assert from 'node:assert/strict';
import type { Channel, Notification, OpenChannel } from '../channel.ts';

export interface Mail {
  /** The same when it is sent again. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Of what it tells: the same when it is sent again. */
  readonly sentAtMs: number;
  readonly attachment: { readonly contentType: string; readonly name: string; readonly text: string } | undefined;
}

/** Hands a mail to the next server: it took it, refused it, or could not be reached. */
export type SendMail = (mail: Mail) => Promise<'accepted' | 'refused' | 'unreachable'>;

export function createEmailChannel(send: SendMail | undefined): Channel {
  return async (notification, channel) => {
    assert(send !== undefined, 'a subscription by e-mail was accepted without e-mail');
    switch (await send(mailOf(notification, channel))) {
      case 'accepted':
        return { kind: 'delivered' };
      case 'refused':
        return { kind: 'bad-answer' };
      case 'unreachable':
        return { kind: 'no-response' };
    }
  };
}

function mailOf(
  { id, subscription, focuses, kind, body, atMs }: Notification,
  { endpoint, contentType }: OpenChannel,
): Mail {
  const isAttached = contentType?.includes('attach=') === true && body !== undefined;
  const lines = [
    kind === 'handshake'
      ? 'Cet abonnement est en place. / This subscription is set up.'
      : `${focuses.length} événement(s). / ${focuses.length} event(s).`,
    ...focuses.filter((focus) => focus !== undefined),
    '',
    `Subscription/${subscription}`,
  ];
  return {
    id,
    to: decodeURIComponent(endpoint?.pathname ?? ''),
    subject: 'Suture : notification',
    text: `${lines.join('\r\n')}\r\n`,
    sentAtMs: atMs,
    attachment: isAttached
      ? { contentType: 'application/fhir+json', name: 'notification.json', text: body }
      : undefined,
  };
}
