import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import type { Subscription } from '../../src/notify/subscription.ts';
import { statusAfter, withStatus } from '../../src/notify/status.ts';

function subscription(status: string, endpoint = 'https://a.example/'): Resource {
  return { resourceType: 'Subscription', status, criteria: 'Patient', channel: { type: 'rest-hook', endpoint } };
}

const terms = (kind: 'criteria' | 'topic', type: string) => ({ watch: { kind }, channel: { type } }) as Subscription;

describe('the status of a subscription that a client submits', () => {
  it.each([
    // before, asked, core R4, topic
    [undefined, 'requested', 'active', 'requested'],
    [undefined, 'off', 'off', 'off'],
    [undefined, 'active', undefined, undefined],
    [undefined, 'error', undefined, undefined],
    ['requested', 'requested', 'active', 'requested'],
    ['requested', 'active', 'active', 'requested'],
    ['requested', 'error', undefined, undefined],
    ['active', 'active', 'active', 'active'],
    ['active', 'requested', 'active', 'requested'],
    ['active', 'off', 'off', 'off'],
    ['error', 'error', 'error', 'error'],
    ['error', 'requested', 'active', 'requested'],
    ['error', 'active', 'active', 'requested'],
    ['off', 'requested', 'active', 'requested'],
    ['off', 'active', 'active', 'requested'],
    ['off', 'error', undefined, undefined],
  ])('after %s, asked for %s, is %s in core R4 and %s for a topic', (was, asked, core, topic) => {
    const before = was === undefined ? undefined : subscription(was);
    const after = subscription(asked);
    const settled = [
      statusAfter(terms('criteria', 'rest-hook'), before, after),
      statusAfter(terms('topic', 'email'), before, after),
    ];
    expect(settled.map((one) => ('status' in one ? one.status : undefined))).toEqual([core, topic]);
  });

  it('begins again for a topic when what is sent where has changed', () => {
    const after = subscription('active', 'https://b.example/');
    expect(statusAfter(terms('topic', 'rest-hook'), subscription('active'), after)).toEqual({ status: 'requested' });
  });

  it('needs no handshake for a websocket, whose client comes by itself', () => {
    expect(statusAfter(terms('topic', 'websocket'), undefined, subscription('requested'))).toEqual({
      status: 'active',
    });
  });

  it('goes with the error text of the server, and loses it', () => {
    const failed = withStatus(subscription('active'), 'error', 'no answer');
    expect(failed).toMatchObject({ status: 'error', error: 'no answer' });
    expect(withStatus(failed, 'active')).not.toHaveProperty('error');
  });
});
