/** What each channel makes of a notification, and of the answer to it. */
import { describe, expect, it } from '@jest/globals';
import type { Call, CallAnswer } from '../../../src/notify/call.ts';
import type { Notification, OpenChannel } from '../../../src/notify/channel.ts';
import { createEmailChannel, type Mail } from '../../../src/notify/channels/email.ts';
import { createMessageChannel } from '../../../src/notify/channels/message.ts';
import { createRestHook } from '../../../src/notify/channels/rest-hook.ts';
import { signatureOf } from '../../../src/notify/signature.ts';
import { loadDefinitions } from '../../../src/fhir/index.ts';
import { createValidator } from '../../../src/validation/index.ts';

const now = Date.parse('2026-03-02T08:00:00Z');
const notification: Notification = {
  id: '11111111-2222-8333-a444-555555555555',
  kind: 'event-notification',
  subscription: 's1',
  number: 7,
  focuses: ['http://127.0.0.1/fhir/Encounter/e1', undefined],
  path: undefined,
  body: '{"resourceType":"Bundle","type":"history"}',
  atMs: now,
  nowMs: now,
};
const channel: OpenChannel = {
  type: 'rest-hook',
  endpoint: new URL('https://hooks.example.org/fhir/?key=1'),
  headers: [{ name: 'Authorization', value: 'Bearer a' }],
  key: 'secret',
  contentType: 'application/fhir+json; fhirVersion=4.0',
  content: 'id-only',
  heartbeatMs: undefined,
  timeoutMs: 1234,
  eventsMax: 1,
};

function recorded(answer: CallAnswer = { kind: 'answered', status: 200, retryAfterMs: undefined }) {
  const calls: Call[] = [];
  const call = async (one: Call): Promise<CallAnswer> => {
    calls.push(one);
    return answer;
  };
  return { calls, call };
}

describe('rest-hook', () => {
  it('posts the notification with its type, its headers, its number and a signature', async () => {
    const { calls, call } = recorded();
    expect(await createRestHook(call)(notification, channel)).toEqual({ kind: 'delivered', httpStatus: 200 });
    expect(calls).toEqual([
      {
        method: 'POST',
        url: channel.endpoint,
        body: notification.body,
        timeoutMs: 1234,
        headers: {
          'user-agent': 'Suture',
          Authorization: 'Bearer a',
          'content-type': 'application/fhir+json; fhirVersion=4.0',
          'x-suture-subscription': 'Subscription/s1',
          'x-suture-event-number': '7',
          'X-Suture-Signature': signatureOf('secret', notification.body ?? '', now),
        },
      },
    ]);
  });

  it('puts a resource below the endpoint, and posts nothing at all without payload', async () => {
    const { calls, call } = recorded();
    const send = createRestHook(call);
    await send({ ...notification, path: 'Encounter/e1' }, channel);
    await send({ ...notification, body: undefined }, channel);
    expect(calls.map(({ method, url, body }) => [method, url.href, body])).toEqual([
      ['PUT', 'https://hooks.example.org/fhir/Encounter/e1?key=1', notification.body],
      ['POST', 'https://hooks.example.org/fhir/?key=1', undefined],
    ]);
    expect(calls[1]?.headers['content-type']).toBeUndefined();
  });

  it.each<[CallAnswer, object]>([
    [
      { kind: 'answered', status: 204, retryAfterMs: undefined },
      { kind: 'delivered', httpStatus: 204 },
    ],
    [
      { kind: 'answered', status: 308, retryAfterMs: undefined },
      { kind: 'redirect', httpStatus: 308 },
    ],
    [
      { kind: 'answered', status: 401, retryAfterMs: undefined },
      { kind: 'bad-answer', httpStatus: 401 },
    ],
    [
      { kind: 'answered', status: 410, retryAfterMs: undefined },
      { kind: 'gone', httpStatus: 410 },
    ],
    [
      { kind: 'answered', status: 503, retryAfterMs: 5 },
      { kind: 'bad-answer', httpStatus: 503, retryAfterMs: 5 },
    ],
    [{ kind: 'no-response' }, { kind: 'no-response' }],
    [{ kind: 'forbidden-address' }, { kind: 'forbidden-address' }],
  ])('takes %j for %j', async (answer, expected) => {
    expect(await createRestHook(recorded(answer).call)(notification, channel)).toEqual(expected);
  });
});

describe('FHIR messaging', () => {
  it('sends a message with the notification as its focus to $process-message, the same text each time', async () => {
    const { calls, call } = recorded();
    const send = createMessageChannel(call, 'http://127.0.0.1/fhir');
    await send(notification, { ...channel, type: 'message' });
    await send({ ...notification, nowMs: now + 5000 }, { ...channel, type: 'message' });
    const [first, second] = calls;
    expect(first?.url.href).toBe('https://hooks.example.org/fhir/$process-message?key=1');
    expect(first?.headers['X-Suture-Signature']).toBe(signatureOf('secret', first?.body ?? '', now));
    expect(second?.body).toBe(first?.body);
    const message = JSON.parse(first?.body ?? '') as {
      entry: { fullUrl: string; resource: Record<string, unknown> }[];
    };
    const validator = await createValidator({ definitions: loadDefinitions() });
    expect(validator.validate(message)).toEqual([]);
    const [header, focus] = message.entry;
    expect(header?.resource).toMatchObject({ resourceType: 'MessageHeader', focus: [{ reference: focus?.fullUrl }] });
    expect(focus?.resource).toEqual({ resourceType: 'Bundle', type: 'history' });
  });
});

describe('e-mail', () => {
  const terms: OpenChannel = {
    ...channel,
    type: 'email',
    endpoint: new URL('mailto:idec@chu.mssante.fr'),
    contentType: 'text/plain',
  };

  it('tells people how many events there are and where they are, and attaches what a machine reads when asked', async () => {
    const mails: Mail[] = [];
    const send = createEmailChannel(async (mail) => {
      mails.push(mail);
      return 'accepted';
    });
    expect(await send(notification, terms)).toEqual({ kind: 'delivered' });
    await send(notification, { ...terms, contentType: 'text/plain;attach=application/fhir+json' });
    expect(mails[0]).toEqual({
      id: notification.id,
      to: 'idec@chu.mssante.fr',
      subject: 'Suture : notification',
      sentAtMs: now,
      text: '2 événement(s). / 2 event(s).\r\nhttp://127.0.0.1/fhir/Encounter/e1\r\n\r\nSubscription/s1\r\n',
      attachment: undefined,
    });
    expect(mails[1]?.attachment).toEqual({
      contentType: 'application/fhir+json',
      name: 'notification.json',
      text: notification.body,
    });
  });

  it.each([
    ['refused', { kind: 'bad-answer' }],
    ['unreachable', { kind: 'no-response' }],
  ] as const)('that is %s has failed', async (said, expected) => {
    expect(await createEmailChannel(async () => said)(notification, terms)).toEqual(expected);
  });
});
