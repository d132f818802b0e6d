import { describe, expect, it } from '@jest/globals';
import { nextStep, type Standing, timeOfNextStep } from '../../src/notify/step.ts';

const now = 1_000_000;
const idle: Standing = {
  status: 'active',
  endMs: undefined,
  lastNumber: 4,
  deliveredNumber: 4,
  failures: 0,
  failingSinceMs: undefined,
  retryAtMs: undefined,
  sentAtMs: now - 50,
  heartbeatMs: undefined,
};

describe('the next step of a subscription', () => {
  it.each([
    ['that has nothing to tell is rest', {}, { kind: 'rest', untilMs: undefined }],
    ['that was just asked for is the handshake', { status: 'requested' }, { kind: 'handshake' }],
    ['whose handshake failed is rest', { status: 'error' }, { kind: 'rest', untilMs: undefined }],
    ['with events that wait is to tell them', { lastNumber: 5 }, { kind: 'event-notification' }],
    ['in error is rest, whatever waits', { status: 'error', lastNumber: 5 }, { kind: 'rest', untilMs: undefined }],
    ['in error is rest until its end', { status: 'error', endMs: now + 9 }, { kind: 'rest', untilMs: now + 9 }],
    [
      'that nobody came back for in 30 days is the end',
      { status: 'error', failingSinceMs: now - 30 * 86_400_000 },
      { kind: 'end' },
    ],
    ['that is off is rest, its end or not', { status: 'off', endMs: now }, { kind: 'rest', untilMs: undefined }],
    ['that is gone is rest', { status: 'gone', lastNumber: 5 }, { kind: 'rest', untilMs: undefined }],
    ['whose end has come is the end', { endMs: now, lastNumber: 5 }, { kind: 'end' }],
    ['whose end comes later is rest until then', { endMs: now + 1 }, { kind: 'rest', untilMs: now + 1 }],
    ['that failed is rest until the retry', { lastNumber: 5, retryAtMs: now + 7 }, { kind: 'rest', untilMs: now + 7 }],
    ['that failed is rest until its end', { retryAtMs: now + 7, endMs: now + 3 }, { kind: 'rest', untilMs: now + 3 }],
    [
      'whose retry stands further ahead than any does is to tell: a clock was ahead and is set right (F-12)',
      { lastNumber: 5, retryAtMs: now + 3_600_000 + 60_001 },
      { kind: 'event-notification' },
    ],
    [
      'whose last notification lies ahead has its heartbeat one period from now',
      { heartbeatMs: 60, sentAtMs: now + 3_600_000 },
      { kind: 'rest', untilMs: now + 60 },
    ],
    ['whose retry has come is to tell', { lastNumber: 5, retryAtMs: now }, { kind: 'event-notification' }],
    ['with a heartbeat is rest until it', { heartbeatMs: 60 }, { kind: 'rest', untilMs: now + 10 }],
    ['whose heartbeat is due is the heartbeat', { heartbeatMs: 50 }, { kind: 'heartbeat' }],
    [
      'with events and a heartbeat is to tell events',
      { heartbeatMs: 50, lastNumber: 9 },
      { kind: 'event-notification' },
    ],
    [
      'whose heartbeat failed is rest until the retry',
      { heartbeatMs: 50, retryAtMs: now + 2 },
      { kind: 'rest', untilMs: now + 2 },
    ],
  ] as const)('%s', (_title, changed, expected) => {
    expect(nextStep({ ...idle, ...changed }, now)).toEqual(expected);
  });

  it('is due now when there is something to do, else when the rest is over', () => {
    expect(timeOfNextStep({ ...idle, lastNumber: 5 }, now)).toBe(now);
    expect(timeOfNextStep({ ...idle, endMs: now + 5 }, now)).toBe(now + 5);
    expect(timeOfNextStep(idle, now)).toBeUndefined();
  });
});
