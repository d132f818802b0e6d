/** What a Subscription must be to be served: core R4, and the Backport guide 1.1 for R4. Numbers: requirements of the guide. */
import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { backport } from '../../src/notify/channel-terms.ts';
import { readSubscription } from '../../src/notify/subscription.ts';

const rules = {
  allowsLoopback: false,
  origins: undefined,
  mailDomains: new Set(['chu.mssante.fr']),
  mssanteDomains: undefined,
};
const endpoint = 'https://hooks.example.org/fhir';

const core = {
  resourceType: 'Subscription',
  id: 's1',
  status: 'requested',
  reason: 'essai',
  criteria: 'Encounter?status=finished',
  channel: { type: 'rest-hook', endpoint },
};

const content = (code: string) => ({ extension: [{ url: `${backport}backport-payload-content`, valueCode: code }] });
const topicUrl = 'https://suture.example/fhir/SubscriptionTopic/break-opened';
const topic = {
  ...core,
  criteria: topicUrl,
  channel: { ...core.channel, payload: 'application/fhir+json', _payload: content('id-only') },
};
const onChannel = (changed: object, base: typeof core = core) => ({
  ...base,
  channel: { ...base.channel, ...changed },
});
const withExtension = (name: string, value: object, base: typeof core = topic) =>
  onChannel({ extension: [{ url: backport + name, ...value }] }, base);
const filters = (...texts: readonly string[]) => ({
  ...topic,
  _criteria: { extension: texts.map((valueString) => ({ url: `${backport}backport-filter-criteria`, valueString })) },
});

function read(resource: object) {
  return readSubscription(resource as Resource, rules);
}

describe('a core R4 subscription', () => {
  it('is read with its criteria and its channel', () => {
    const header = ['Authorization: Bearer a'];
    expect(read({ ...onChannel({ header, payload: 'application/fhir+json' }), end: '2026-04-01T00:00:00Z' })).toEqual({
      subscription: {
        id: 's1',
        status: 'requested',
        endMs: Date.parse('2026-04-01T00:00:00Z'),
        watch: { kind: 'criteria', type: 'Encounter', query: 'status=finished' },
        channel: {
          type: 'rest-hook',
          endpoint: new URL(endpoint),
          headers: [{ name: 'Authorization', value: 'Bearer a' }],
          key: undefined,
          contentType: 'application/fhir+json',
          content: undefined,
          heartbeatMs: undefined,
          timeoutMs: 10_000,
          eventsMax: 1,
        },
      },
    });
  });

  it.each([
    ['criteria that are no search', { ...core, criteria: 'finished stays' }, 'criteria'],
    ['another channel type', onChannel({ type: 'email' }), 'channel.type'],
    ['a channel without endpoint', { ...core, channel: { type: 'rest-hook' } }, 'channel.endpoint'],
    ['an endpoint by plain http', onChannel({ endpoint: 'http://hooks.example.org/' }), 'channel.endpoint'],
    ['a payload other than JSON of FHIR', onChannel({ payload: 'text/plain' }), 'channel.payload'],
    ['XML', onChannel({ payload: 'application/fhir+xml' }), 'channel.payload'],
    ['a header that frames the call', onChannel({ header: ['Host: x'] }), 'channel.header[0]'],
    ['the same header twice', onChannel({ header: ['X-A: 1', 'x-a: 2'] }), 'channel.header[1]'],
    [
      'too many headers',
      onChannel({ header: Array.from({ length: 21 }, (_none, index) => `X-${index}: 1`) }),
      'channel.header',
    ],
    [
      'a content level',
      onChannel({ payload: 'application/fhir+json', _payload: content('empty') }),
      'channel.payload.extension',
    ],
    ['a filter', { ...core, _criteria: filters('patient=Patient/1')._criteria }, 'criteria.extension'],
    ['a heartbeat', withExtension('backport-heartbeat-period', { valueUnsignedInt: 60 }, core), 'channel.extension'],
  ])('is refused with %s', (_title, resource, element) => {
    expect(read(resource).issues).toMatchObject([{ expression: `Subscription.${element}` }]);
  });

  it('is told everything that is wrong with it at once', () => {
    const wrong = { ...onChannel({ payload: 'a/b', header: ['x'] }), criteria: '?' };
    expect(read(wrong).issues).toHaveLength(3);
  });
});

describe('a subscription to a topic', () => {
  it('is read with its topic, filters and terms (59, 65, 72, 73, 135)', () => {
    const extension = [
      { url: `${backport}backport-heartbeat-period`, valueUnsignedInt: 60 },
      { url: `${backport}backport-timeout`, valueUnsignedInt: 5 },
      { url: `${backport}backport-max-count`, valuePositiveInt: 20 },
    ];
    const { _criteria } = filters('Encounter?patient=Patient/1', 'patient=Patient/2');
    expect(read({ ...onChannel({ extension }, topic), _criteria })).toMatchObject({
      subscription: {
        watch: { kind: 'topic', url: topicUrl, filters: ['Encounter?patient=Patient/1', 'patient=Patient/2'] },
        channel: { content: 'id-only', heartbeatMs: 60_000, timeoutMs: 5_000, eventsMax: 20 },
      },
    });
  });

  it.each(['application/json', 'application/fhir+json; fhirVersion=4.0', 'application/fhir+json;charset=utf-8'])(
    'may have the payload %s',
    (payload) => {
      expect(read(onChannel({ payload }, topic)).issues).toBeUndefined();
    },
  );

  it.each([
    ['no payload', { ...core, criteria: topicUrl }, ['channel.payload', 'channel.payload.extension']],
    ['no content level', onChannel({ _payload: undefined }, topic), ['channel.payload.extension']],
    [
      'a content level that nobody knows (66)',
      onChannel({ _payload: content('everything') }, topic),
      ['channel.payload.extension'],
    ],
    [
      'a FHIR version that cannot be sent (90)',
      onChannel({ payload: 'application/fhir+json; fhirVersion=5.0' }, topic),
      ['channel.payload'],
    ],
    [
      'a custom channel type (60)',
      onChannel({ _type: { extension: [{ url: `${backport}backport-channel-type` }] } }, topic),
      ['channel.type'],
    ],
    [
      'an extension of R5 in the place of a filter (test kit 6.1)',
      {
        ...topic,
        _criteria: {
          extension: [{ url: 'http://hl7.org/fhir/5.0/StructureDefinition/extension-x', valueString: 'a' }],
        },
      },
      ['criteria.extension'],
    ],
    ['an unknown extension of the channel', withExtension('backport-later', { valueCode: 'x' }), ['channel.extension']],
    [
      'a heartbeat of nothing',
      withExtension('backport-heartbeat-period', { valueUnsignedInt: 0 }),
      ['channel.extension'],
    ],
    [
      'a heartbeat of more than a day',
      withExtension('backport-heartbeat-period', { valueUnsignedInt: 90_000 }),
      ['channel.extension'],
    ],
    ['a time-out of an hour', withExtension('backport-timeout', { valueUnsignedInt: 3600 }), ['channel.extension']],
    ['too many filters', filters(...Array.from({ length: 21 }, () => 'patient=Patient/1')), ['criteria.extension']],
  ])('is refused with %s', (_title, resource, elements) => {
    expect(read(resource).issues?.map(({ expression }) => expression?.replace(/\.extension$/, ''))).toEqual(
      elements.map((element) => `Subscription.${element}`.replace(/\.extension$/, '')),
    );
  });
});

const mail = (changed: object = {}, level = 'id-only') =>
  onChannel(
    {
      type: 'email',
      endpoint: 'mailto:idec@chu.mssante.fr',
      payload: 'text/plain',
      _payload: content(level),
      ...changed,
    },
    topic,
  );

describe('a subscription by e-mail (U10, U11)', () => {
  it('goes to one plain mailbox of a configured domain, without resources', () => {
    expect(read(mail()).issues).toBeUndefined();
    expect(read(mail({ payload: 'text/plain;attach=application/fhir+json' }, 'empty')).issues).toBeUndefined();
  });

  it.each([
    ['another domain', mail({ endpoint: 'mailto:a@elsewhere.example' }), 'channel.endpoint'],
    ['a domain that only begins so', mail({ endpoint: 'mailto:a@chu.mssante.fr.evil.example' }), 'channel.endpoint'],
    ['a domain below', mail({ endpoint: 'mailto:a@x.chu.mssante.fr' }), 'channel.endpoint'],
    ['a second recipient', mail({ endpoint: 'mailto:a@chu.mssante.fr,b@evil.example' }), 'channel.endpoint'],
    ['a copy in the query', mail({ endpoint: 'mailto:a@chu.mssante.fr?bcc=c@evil.example' }), 'channel.endpoint'],
    ['a header in escapes', mail({ endpoint: 'mailto:a%0d%0aBcc:c@chu.mssante.fr' }), 'channel.endpoint'],
    ['a quoted local part', mail({ endpoint: 'mailto:"a@evil.example"@chu.mssante.fr' }), 'channel.endpoint'],
    ['a web address', mail({ endpoint }), 'channel.endpoint'],
    ['resources (66)', mail({}, 'full-resource'), 'channel.payload.extension'],
    ['FHIR as its text', mail({ payload: 'application/fhir+json' }), 'channel.payload'],
    ['headers', mail({ header: ['Subject: x'] }), 'channel.header'],
  ])('is refused with %s', (_title, resource, element) => {
    expect(read(resource).issues).toMatchObject([{ expression: `Subscription.${element}` }]);
  });

  it('is refused where the server has no e-mail', () => {
    const without = { ...rules, mailDomains: undefined };
    expect(readSubscription(mail() as never, without).issues).toHaveLength(1);
  });
});

describe('a subscription by e-mail to an MSSanté mailbox', () => {
  const secure = { ...rules, mailDomains: undefined, mssanteDomains: new Set(['mssante.fr']) };
  const attached = 'text/plain;attach=application/fhir+json';
  const issuesOf = (resource: object) => readSubscription(resource as Resource, secure).issues;

  it('may carry whole resources, as an attachment, also below the domain', () => {
    for (const domain of ['mssante.fr', 'chu.mssante.fr', 'MEDECIN.MSSante.fr']) {
      expect(issuesOf(mail({ endpoint: `mailto:a@${domain}`, payload: attached }, 'full-resource'))).toBeUndefined();
    }
  });

  it.each([
    ['without attachment', mail({ endpoint: 'mailto:a@chu.mssante.fr', payload: 'text/plain' }, 'full-resource')],
    ['elsewhere', mail({ endpoint: 'mailto:a@chu.example', payload: attached }, 'full-resource')],
    ['to a domain that only ends so', mail({ endpoint: 'mailto:a@xmssante.fr', payload: attached }, 'full-resource')],
    [
      'to a domain that only begins so',
      mail({ endpoint: 'mailto:a@mssante.fr.evil.example', payload: attached }, 'full-resource'),
    ],
  ])('carries none %s', (_title, resource) => {
    expect(issuesOf(resource)).not.toBeUndefined();
  });

  it('carries none to a plain domain that mail may go to', () => {
    const plain = { ...secure, mailDomains: new Set(['chu.example']) };
    const asked = mail({ endpoint: 'mailto:a@chu.example', payload: attached }, 'full-resource');
    expect(readSubscription(asked as Resource, plain).issues).toMatchObject([
      { expression: 'Subscription.channel.payload.extension', text: 'the content level is none of empty, id-only' },
    ]);
  });
});

describe('a core R4 subscription by another channel', () => {
  it.each(['websocket', 'email', 'sms', 'message'])('is refused by the name of its channel: %s', (type) => {
    expect(read(onChannel({ type })).issues).toMatchObject([
      {
        expression: 'Subscription.channel.type',
        code: 'not-supported',
        text: `the channel type ${type} is not served for a search by criteria: expected rest-hook`,
      },
    ]);
  });
});
