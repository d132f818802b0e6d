/**
 * What is to be done for a subscription now (pure). Each has one durable job; whoever takes it asks this function, does
 * one thing, and asks again when to come back. So handshake, events, heartbeats, retries and the end are in one order.
 */
import { notifyLimits } from './limits.ts';
import type { SubscriptionStatus } from './subscription.ts';

/** Where a subscription stands. */
export interface Standing {
  readonly status: SubscriptionStatus | 'gone';
  readonly endMs: number | undefined;
  readonly lastNumber: number;
  readonly deliveredNumber: number;
  /** In a row, and since when. */
  readonly failures: number;
  readonly failingSinceMs: number | undefined;
  readonly retryAtMs: number | undefined;
  /** When a notification was last accepted. */
  readonly sentAtMs: number | undefined;
  readonly heartbeatMs: number | undefined;
}

export type Step =
  | { readonly kind: 'end' }
  | { readonly kind: 'handshake' }
  | { readonly kind: 'event-notification' }
  | { readonly kind: 'heartbeat' }
  /** Until somebody asks again, when there is no time. */
  | { readonly kind: 'rest'; readonly untilMs: number | undefined };

export function nextStep(standing: Standing, nowMs: number): Step {
  const { status, endMs, retryAtMs } = standing;
  if (status === 'off' || status === 'gone') return { kind: 'rest', untilMs: undefined };
  if (endMs !== undefined && endMs <= nowMs) return { kind: 'end' };
  if (status === 'error') return whileInError(standing, nowMs);
  if (retryAtMs !== undefined && isAhead(retryAtMs, nowMs))
    return { kind: 'rest', untilMs: earliest(retryAtMs, endMs) };
  if (status === 'requested') return { kind: 'handshake' };
  if (standing.lastNumber > standing.deliveredNumber) return { kind: 'event-notification' };
  const heartbeatAtMs = heartbeatDue(standing, nowMs);
  if (heartbeatAtMs !== undefined && heartbeatAtMs <= nowMs) return { kind: 'heartbeat' };
  return { kind: 'rest', untilMs: earliest(heartbeatAtMs, endMs) };
}

/** It waits for its client, but not for ever: what nobody comes back for is turned off. */
function whileInError({ endMs, failingSinceMs }: Standing, nowMs: number): Step {
  const forgottenAtMs =
    failingSinceMs === undefined ? undefined : Math.min(failingSinceMs, nowMs) + notifyLimits.keptMs;
  if (forgottenAtMs !== undefined && forgottenAtMs <= nowMs) return { kind: 'end' };
  return { kind: 'rest', untilMs: earliest(endMs, forgottenAtMs) };
}

/** When to look again: now when there is something to do, else when the rest is over. */
export function timeOfNextStep(standing: Standing, nowMs: number): number | undefined {
  const step = nextStep(standing, nowMs);
  return step.kind === 'rest' ? step.untilMs : nowMs;
}

/** Beyond the longest wait there is, it was written by a clock that had gone ahead: that time will not be waited for. */
export function isAhead(retryAtMs: number, nowMs: number): boolean {
  return retryAtMs > nowMs && retryAtMs <= nowMs + notifyLimits.retryMaxMs + notifyLimits.clocksApartMaxMs;
}

function heartbeatDue({ heartbeatMs, sentAtMs }: Standing, nowMs: number): number | undefined {
  return heartbeatMs === undefined ? undefined : Math.min(sentAtMs ?? 0, nowMs) + heartbeatMs;
}

function earliest(first: number | undefined, second: number | undefined): number | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return Math.min(first, second);
}
