/** Every wait and every size towards PostgreSQL, by name. */
export const databaseLimits = {
  /** A free connection of the pool, or a new one. */
  acquireTimeoutMs: 5_000,
  /** PostgreSQL stops a statement that runs longer. */
  statementTimeoutMs: 10_000,
  /** PostgreSQL stops waiting for a lock. */
  lockTimeoutMs: 2_000,
  /** PostgreSQL ends a session that keeps a transaction open without using it. */
  idleInTransactionTimeoutMs: 10_000,
  /** We give up on a server that no longer answers at all (frozen, cut off): above the statement limit. */
  answerTimeoutMs: 15_000,
  /** Unused connections of the pool are closed. */
  idleConnectionMs: 60_000,
  /** Runs of one transaction after a serialization failure or a deadlock, beyond the first. */
  retriesMax: 5,
  /** First wait between two runs; doubles, with jitter, up to the largest. */
  retryWaitMs: 5,
  retryWaitMaxMs: 200,
  /** First wait before a lost listener connects again; doubles, with jitter, up to the largest. */
  reconnectWaitMs: 100,
  reconnectWaitMaxMs: 10_000,
  /** A text is prepared when it comes this often; so many texts at most; so many are counted before counting starts anew. */
  preparedAfter: 3,
  preparedTextsMax: 200,
  textsCountedMax: 1_000,
  /** What a client is told to wait after a 503. */
  retryAfterMs: 1_000,
} as const;

/** Wait before attempt number `attempt` (1, 2, ...): doubling, between half and the whole of the step, so that two who collided part. */
export function backOffMs(attempt: number, firstMs: number, maxMs: number, random: () => number): number {
  const step = Math.min(maxMs, firstMs * 2 ** (attempt - 1));
  return step / 2 + (step / 2) * random();
}
