import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { notifyLimits } from '../../src/notify/limits.ts';
import { type Failure, readRetryAfter, waitAfter } from '../../src/notify/retry.ts';

const first: Failure = { failures: 1, failingSinceMs: 0, nowMs: 0, retryAfterMs: undefined, random: 1 };

describe('the wait after a failure', () => {
  it.each([
    [1, 5_000],
    [2, 10_000],
    [5, 80_000],
    [10, 2_560_000],
    [11, 3_600_000],
    [5000, 3_600_000],
  ])('number %i is at most %i ms', (failures, waitMs) => {
    expect(waitAfter({ ...first, failures })).toBe(waitMs);
    expect(waitAfter({ ...first, failures, random: 0 })).toBe(waitMs / 2);
  });

  it('is what the receiver asks for, within bounds', () => {
    expect(waitAfter({ ...first, retryAfterMs: 90_000 })).toBe(90_000);
    expect(waitAfter({ ...first, retryAfterMs: 0 })).toBe(notifyLimits.retryAfterMinMs);
    expect(waitAfter({ ...first, retryAfterMs: 1e12 })).toBe(notifyLimits.retryAfterMaxMs);
  });

  it('ends after a day of failing', () => {
    const nowMs = notifyLimits.giveUpAfterMs;
    expect(waitAfter({ ...first, failures: 30, nowMs: nowMs - 1 })).toBeDefined();
    expect(waitAfter({ ...first, failures: 30, nowMs })).toBeUndefined();
    expect(waitAfter({ ...first, failures: 30, nowMs, retryAfterMs: 1000 })).toBeUndefined();
  });

  it('is always bounded, so that giving up is always reached', () => {
    const failure = fc.record({
      failures: fc.integer({ min: 1, max: 1e6 }),
      failingSinceMs: fc.constant(0),
      nowMs: fc.integer({ min: 0, max: notifyLimits.giveUpAfterMs - 1 }),
      retryAfterMs: fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined }),
      random: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(failure, (one) => {
        const wait = waitAfter(one) ?? 0;
        return wait >= notifyLimits.retryAfterMinMs && wait <= notifyLimits.retryMaxMs;
      }),
    );
  });
});

describe('a Retry-After', () => {
  const date = 'Mon, 02 Mar 2026 08:00:00 GMT';
  it.each([
    [undefined, date, undefined],
    ['120', date, 120_000],
    ['1000000000', date, 1e12],
    ['Mon, 02 Mar 2026 08:01:00 GMT', date, 60_000],
    ['Mon, 02 Mar 2026 07:00:00 GMT', date, 0],
    ['Mon, 02 Mar 2026 08:01:00 GMT', undefined, undefined],
    ['soon', date, undefined],
    ['-5', date, undefined],
  ])('%j with the date %j says %j', (retryAfter, answered, expected) => {
    expect(readRetryAfter(retryAfter, answered)).toBe(expected);
  });
});
