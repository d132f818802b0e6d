/** What an attempt to notify leads to (pure): where the subscription stands after it, and what its resource says. */
import type { Outcome } from './channel.ts';
import { notifyLimits } from './limits.ts';
import { waitAfter } from './retry.ts';
import type { Standing } from './step.ts';

export interface Attempted {
  readonly kind: 'handshake' | 'event-notification' | 'heartbeat';
  readonly outcome: Outcome;
  /** Of the last event told. */
  readonly lastNumber: number | undefined;
  readonly nowMs: number;
  readonly durationMs: number;
  readonly random: number;
}

export function afterAttempt(before: Standing, attempted: Attempted): Standing & { readonly isSlow: boolean } {
  const { outcome, nowMs } = attempted;
  if (outcome.kind === 'delivered') {
    return {
      ...before,
      status: 'active',
      deliveredNumber: attempted.lastNumber ?? before.deliveredNumber,
      isSlow: attempted.durationMs > notifyLimits.slowAfterMs,
      failures: 0,
      failingSinceMs: undefined,
      retryAtMs: undefined,
      sentAtMs: nowMs,
    };
  }
  const failures = before.failures + 1;
  const failingSinceMs = Math.min(before.failingSinceMs ?? nowMs, nowMs);
  const retryAfterMs = outcome.kind === 'gone' ? undefined : outcome.retryAfterMs;
  const waitMs = waitAfter({ failures, failingSinceMs, nowMs, retryAfterMs, random: attempted.random });
  // A handshake has one attempt: the guide wants the status to say at once that it failed.
  const isOver = waitMs === undefined || attempted.kind === 'handshake';
  return {
    ...before,
    status: outcome.kind === 'gone' ? 'off' : isOver ? 'error' : before.status,
    isSlow: true,
    failures,
    failingSinceMs,
    retryAtMs: isOver ? undefined : nowMs + waitMs,
  };
}

/** For `Subscription.error`: enough for the subscriber to act, too little to explore a network with. */
export function errorText(outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case 'delivered':
      return undefined;
    case 'no-response':
      return 'the endpoint did not answer';
    case 'bad-answer':
      return outcome.httpStatus === undefined
        ? 'the endpoint refused the notification'
        : `the endpoint answered with HTTP status ${outcome.httpStatus}`;
    case 'redirect':
      return 'the endpoint answered with a redirect, which is not followed';
    case 'forbidden-address':
      return 'the endpoint has an address that may not be called';
    case 'gone':
      return 'the endpoint answered that it is gone (410)';
  }
}
