/** What channels over HTTP share: the headers of a notification, and what an answer means. */
import type { CallAnswer } from '../call.ts';
import type { Notification, OpenChannel, Outcome } from '../channel.ts';
import { signatureHeader, signatureOf } from '../signature.ts';

export function headersOf(notification: Notification, channel: OpenChannel): Readonly<Record<string, string>> {
  const { subscription, number, body, nowMs } = notification;
  return {
    'user-agent': 'Suture',
    ...Object.fromEntries(channel.headers.map(({ name, value }) => [name, value])),
    ...(body === undefined || channel.contentType === undefined ? {} : { 'content-type': channel.contentType }),
    // What is sent twice has the same number: the receiver's means to tell.
    'x-suture-subscription': `Subscription/${subscription}`,
    ...(number === undefined ? {} : { 'x-suture-event-number': String(number) }),
    [signatureHeader]: signatureOf(channel.key, body ?? '', nowMs),
  };
}

export function pathBelow(endpoint: URL, path: string): URL {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  return url;
}

export function toOutcome(answer: CallAnswer): Outcome {
  if (answer.kind !== 'answered') return { kind: answer.kind };
  const { status: httpStatus, retryAfterMs } = answer;
  if (httpStatus >= 200 && httpStatus < 300) return { kind: 'delivered', httpStatus };
  if (httpStatus === 410) return { kind: 'gone', httpStatus };
  const kind = httpStatus >= 300 && httpStatus < 400 ? 'redirect' : 'bad-answer';
  return { kind, httpStatus, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
