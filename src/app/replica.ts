/** The read replica of the settings, as requests, metrics and health see it. */
import type { Lifecycle } from '../base/index.ts';
import { type Database, openReplica } from '../db/index.ts';
import type { ReplicaStore } from '../interactions/index.ts';
import type { Store } from '../store/index.ts';
import type { AppInput } from './ground.ts';
import type { Metrics } from './metrics.ts';

export interface ReplicaGround {
  readonly db: Database;
  readonly watch: Database;
  readonly metrics: Metrics;
  /** The record over another database. */
  readonly storeOf: (db: Database) => Store;
}

export interface OpenReplica extends ReplicaStore {
  /** Its answers are not older than this moment from now on. */
  renew(): void;
}

/** undefined where no setting names one. One that is away is looked for as long as the server runs. */
export function openReadReplica(
  { config, log, random }: AppInput,
  { db, watch, metrics, storeOf }: ReplicaGround,
  lifecycle: Lifecycle,
): OpenReplica | undefined {
  const { replicaUrl: url, replicaAgeMax, poolSize, statementTimeoutMs } = config;
  if (url === undefined) return undefined;
  const replica = openReplica({
    ...{ primary: db, watch, url, poolSize, statementTimeoutMs, log, random },
    ageMaxMs: replicaAgeMax * 1000,
    onFailure: () => counted.failed(),
  });
  const counted = metrics.watchReplica(replica.ageMs);
  lifecycle.onStop('replica', () => replica.close());
  const { ageMs, renew } = replica;
  return { store: storeOf(replica.database), ageMs, renew, count: counted.answered };
}
