/**
 * The job of a subscription: look what is to be done for it, do one thing, come back. There are two kinds, for endpoints that
 * answer and for those that are slow, fail, or were never called; each kind has its own places, so that the second delay
 * only each other. A subscription has one job at a time: the kind that does not fit any more hands over.
 */
import type { JobRequest } from '../queue/index.ts';

export const deliveryKinds = { quick: 'deliver', slow: 'deliver-slow' } as const;

export function deliveryKind(isSlow: boolean): string {
  return isSlow ? deliveryKinds.slow : deliveryKinds.quick;
}

export function deliveryJob(subscription: string, isSlow: boolean, runAtMs: number): JobRequest {
  return { kind: deliveryKind(isSlow), key: subscription, runAtMs };
}
