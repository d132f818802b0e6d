/**
 * rest-hook (https://hl7.org/fhir/R4/subscription.html#channels): a POST to the endpoint, without body or with a notification; or,
 * for core R4 with payload, a PUT of the resource below the endpoint, as a FHIR update.
 */
import type { Call, CallAnswer, MakeCall } from '../call.ts';
import type { Channel, Notification, OpenChannel, Outcome } from '../channel.ts';
import { signatureHeader, signatureOf } from '../signature.ts';

export function createRestHook(call: MakeCall): Channel {
  return async (notification, channel) => toOutcome(await call(toCall(notification, channel)));
}

function toCall(notification: Notification, channel: OpenChannel): Call {
  const { path, body } = notification;
  return {
    method: path === undefined ? 'POST' : 'PUT',
    url: path === undefined ? channel.endpoint : below(channel.endpoint, path),
    headers: headersOf(notification, channel),
    body,
    timeoutMs: channel.timeoutMs,
  };
}

function headersOf(notification: Notification, channel: OpenChannel): Readonly<Record<string, string>> {
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

function below(endpoint: URL, path: string): URL {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  return url;
}

function toOutcome(answer: CallAnswer): Outcome {
  if (answer.kind !== 'answered') return { kind: answer.kind };
  const { status: httpStatus, retryAfterMs } = answer;
  if (httpStatus >= 200 && httpStatus < 300) return { kind: 'delivered', httpStatus };
  if (httpStatus === 410) return { kind: 'gone', httpStatus };
  const kind = httpStatus >= 300 && httpStatus < 400 ? 'redirect' : 'bad-answer';
  return { kind, httpStatus, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
