/** Forgetting: once a day, as long as there are subscriptions, what is older than is kept (limits.ts) goes. */
import type { Clock } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import { finishJob, type JobRequest, type Work } from '../queue/index.ts';
import { faultRetryMs, notifyLimits } from './limits.ts';
import { hasLive, trim } from './state.sql.ts';

const trimKind = 'trim-notifications';

/** Asking again does not put it off. */
export function trimJob(nowMs: number): JobRequest {
  return { kind: trimKind, key: 'all', runAtMs: nowMs + notifyLimits.trimEveryMs };
}

export function createTrimWork({ db, clock, holder }: { db: Database; clock: Clock; holder: number }): Work {
  return {
    kind: trimKind,
    concurrency: 1,
    retryAfterMs: faultRetryMs,
    handle: (job) =>
      db.transaction(async (tx) => {
        const nowMs = clock.now();
        const hasMore = await trim(tx, nowMs - notifyLimits.keptMs, notifyLimits.trimRowsMax);
        const isNeeded = hasMore || (await hasLive(tx));
        const runAtMs = hasMore ? nowMs : nowMs + notifyLimits.trimEveryMs;
        await finishJob(tx, job, holder, isNeeded ? { runAtMs } : undefined);
      }),
  };
}
