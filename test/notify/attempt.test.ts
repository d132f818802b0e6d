import { describe, expect, it } from '@jest/globals';
import { type Attempted, afterAttempt, errorText } from '../../src/notify/attempt.ts';
import { notifyLimits } from '../../src/notify/limits.ts';
import type { Standing } from '../../src/notify/step.ts';

const now = 50_000_000_000;
const before: Standing = {
  status: 'active',
  endMs: undefined,
  lastNumber: 9,
  deliveredNumber: 4,
  failures: 0,
  failingSinceMs: undefined,
  retryAtMs: undefined,
  sentAtMs: 1,
  heartbeatMs: undefined,
};
const told: Attempted = {
  kind: 'event-notification',
  outcome: { kind: 'delivered', httpStatus: 200 },
  lastNumber: 6,
  nowMs: now,
  durationMs: 10,
  random: 1,
};
const failed: Attempted = { ...told, outcome: { kind: 'bad-answer', httpStatus: 500 } };

describe('after an attempt', () => {
  it('that was accepted, events up to its last are delivered and failures forgotten', () => {
    const failing = { ...before, failures: 3, failingSinceMs: 5, retryAtMs: now };
    expect(afterAttempt(failing, told)).toEqual({ ...before, deliveredNumber: 6, sentAtMs: now, isSlow: false });
  });

  it('that was accepted late, the endpoint is served apart', () => {
    expect(afterAttempt(before, { ...told, durationMs: notifyLimits.slowAfterMs + 1 }).isSlow).toBe(true);
  });

  it('that failed, the same is tried again later', () => {
    expect(afterAttempt(before, failed)).toEqual({
      ...before,
      failures: 1,
      failingSinceMs: now,
      retryAtMs: now + 5000,
      isSlow: true,
    });
    const again = afterAttempt({ ...before, failures: 1, failingSinceMs: now - 5000 }, failed);
    expect(again).toMatchObject({ failures: 2, failingSinceMs: now - 5000, retryAtMs: now + 10_000 });
  });

  it.each([
    [
      'a handshake that was accepted',
      { ...before, status: 'requested' },
      { ...told, kind: 'handshake', lastNumber: undefined },
      'active',
    ],
    ['a handshake that failed', { ...before, status: 'requested' }, { ...failed, kind: 'handshake' }, 'error'],
    ['failing for a day', { ...before, failures: 30, failingSinceMs: now - 86_400_000 }, failed, 'error'],
    ['an endpoint that is gone', before, { ...failed, outcome: { kind: 'gone', httpStatus: 410 } }, 'off'],
    ['a heartbeat that failed', before, { ...failed, kind: 'heartbeat', lastNumber: undefined }, 'active'],
  ] as const)('%s leads to the right status', (_title, standing, attempted, status) => {
    expect(afterAttempt(standing, attempted)).toMatchObject({ status, deliveredNumber: 4 });
  });

  it('an error text tells the subscriber what happened, and nothing about the network (U15)', () => {
    for (const kind of ['no-response', 'redirect', 'forbidden-address', 'gone', 'bad-answer'] as const) {
      expect(errorText({ kind })).toMatch(/^the endpoint /);
    }
    expect(errorText({ kind: 'delivered' })).toBeUndefined();
  });
});
