/**
 * Whether this server is ready: its database answers, has every migration that the program knows, and the server is not about
 * to stop. How long work has waited is told too; it makes the server unready only where SUTURE_READY_QUEUE_AGE says so, because a load
 * balancer that takes all instances away for it would stop the reads as well and help nobody. So it is with a read replica: the
 * primary answers in its place.
 */
import type { Readiness } from '../http/index.ts';
import { type Database, knownMigrations } from '../db/index.ts';
import { findDueJobs, findUnreadChanges, hasMigrations } from './metrics.sql.ts';

export interface HealthInput {
  readonly watch: Database;
  readonly now: () => number;
  readonly isLeaving: () => boolean;
  /** undefined where there is none. */
  readonly replica: { ageMs(): number | undefined } | undefined;
  /** undefined: however long. */
  readonly queueAgeMaxS: number | undefined;
}

export async function createReadiness(input: HealthInput): Promise<() => Promise<Readiness>> {
  const migrations = await knownMigrations();
  return async () => {
    if (input.isLeaving()) return { status: 'stopping' };
    try {
      const isMigrated = await hasMigrations(input.watch, migrations);
      const queueAgeS = await ageOfQueue(input);
      const isQueueLate = input.queueAgeMaxS !== undefined && queueAgeS > input.queueAgeMaxS;
      return {
        status: isMigrated && !isQueueLate ? 'ready' : 'not ready',
        database: 'ok',
        migrations: isMigrated ? 'ok' : 'missing',
        queue: isQueueLate ? 'late' : 'ok',
        queueAgeSeconds: Math.round(queueAgeS),
        ...(input.replica && { replica: input.replica.ageMs() === undefined ? 'unusable' : 'ok' }),
      };
    } catch {
      return { status: 'not ready', database: 'unavailable' };
    }
  };
}

/** Seconds for which the first job that is due, or the first change that nobody read, has waited. */
async function ageOfQueue({ watch, now }: HealthInput): Promise<number> {
  const nowMs = now();
  const waiting = [...(await findDueJobs(watch, nowMs)), ...(await findUnreadChanges(watch))];
  const oldest = waiting.map(({ oldestAt }) => oldestAt?.getTime() ?? nowMs);
  return Math.max(0, nowMs - Math.min(nowMs, ...oldest)) / 1000;
}
