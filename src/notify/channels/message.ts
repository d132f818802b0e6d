/**
 * FHIR messaging (https://hl7.org/fhir/R4/messaging.html): the notification as a message to $process-message of the endpoint,
 * which is the base of a FHIR server. The message has the notification Bundle as its focus.
 */
import assert from 'node:assert/strict';
import { formatInstant } from '../../base/index.ts';
import type { MakeCall } from '../call.ts';
import type { Channel, Notification, OpenChannel } from '../channel.ts';
import { nameUuid } from '../notification.ts';
import { headersOf, pathBelow, toOutcome } from './web.ts';

const notificationEvent = 'https://suture.example/fhir/message-event/subscription-notification';

export function createMessageChannel(call: MakeCall, baseUrl: string): Channel {
  return async (notification, channel) => {
    const { endpoint, timeoutMs } = channel;
    assert(endpoint !== undefined);
    const body = messageText(notification, channel, baseUrl);
    const headers = headersOf({ ...notification, body }, channel);
    const url = pathBelow(endpoint, '$process-message');
    return toOutcome(await call({ method: 'POST', url, headers, body, timeoutMs }));
  };
}

/** The ids follow from the notification, so that what is sent twice is the same. */
function messageText({ id, body, atMs }: Notification, { endpoint }: OpenChannel, baseUrl: string): string {
  const [header, focus] = [`urn:uuid:${id}`, `urn:uuid:${nameUuid(`${id} focus`)}`];
  const messageHeader = {
    resourceType: 'MessageHeader',
    eventUri: notificationEvent,
    destination: [{ endpoint: endpoint?.href }],
    source: { name: 'Suture', endpoint: baseUrl },
    focus: [{ reference: focus }],
  };
  return (
    `{"resourceType":"Bundle","type":"message","timestamp":"${formatInstant(atMs)}","entry":[` +
    `${JSON.stringify({ fullUrl: header, resource: messageHeader })},` +
    `{"fullUrl":"${focus}","resource":${body ?? '{}'}}]}`
  );
}
