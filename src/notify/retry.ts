/** When a failed notification is tried again, and when it is not (pure). */
import { notifyLimits } from './limits.ts';

export interface Failure {
  /** In a row, this one counted: 1, 2, ... */
  readonly failures: number;
  readonly failingSinceMs: number;
  readonly nowMs: number;
  /** What the receiver asked for with Retry-After. */
  readonly retryAfterMs: number | undefined;
  /** Between 0 and 1: two subscriptions that failed together come back apart. */
  readonly random: number;
}

/** In how many ms to try again; undefined: no more, the Subscription goes into error. */
export function waitAfter(failure: Failure): number | undefined {
  if (failure.nowMs - failure.failingSinceMs >= notifyLimits.giveUpAfterMs) return undefined;
  if (failure.retryAfterMs !== undefined) {
    return Math.min(notifyLimits.retryAfterMaxMs, Math.max(notifyLimits.retryAfterMinMs, failure.retryAfterMs));
  }
  // The exponent is bounded before it overflows; the step then has long reached its largest.
  const step = Math.min(notifyLimits.retryMaxMs, notifyLimits.retryFirstMs * 2 ** Math.min(failure.failures - 1, 30));
  return Math.round(step / 2 + (step / 2) * failure.random);
}

const httpDate = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/**
 * A Retry-After (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3) in ms from now. A date is read against the Date of the
 * same answer: the receiver's clock, not ours. Undefined when the header is absent or says nothing.
 */
export function readRetryAfter(retryAfter: string | undefined, date: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\d{1,12}$/.test(retryAfter)) return Number(retryAfter) * 1000;
  if (!httpDate.test(retryAfter)) return undefined;
  const wait = Date.parse(retryAfter) - Date.parse(date ?? '');
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
