/** Settings of a read replica. */
import { type Setting, url, wholeNumber } from './setting.ts';

export interface ReplicaConfig {
  /** undefined: none. */
  readonly replicaUrl: string | undefined;
  /** Seconds. */
  readonly replicaAgeMax: number;
}

export const replicaSettings: { readonly [Key in keyof ReplicaConfig]: Setting<ReplicaConfig[Key]> } = {
  replicaUrl: {
    name: 'SUTURE_REPLICA_URL',
    fallback: undefined,
    sentence:
      'Streaming standby of `DATABASE_URL`, which answers reads and searches that say `Cache-Control: max-stale` (`src/decisions/0060-read-replica.md`); unset: none.',
    isSecret: true,
    ...url('postgres', 'postgresql'),
  },
  replicaAgeMax: {
    name: 'SUTURE_REPLICA_AGE_MAX',
    fallback: '10',
    sentence: 'Seconds by which an answer of the replica may be behind at most, whatever a request says.',
    ...wholeNumber(1, 600),
  },
};

export function replicaFaults({
  replicaUrl,
  databaseUrl,
}: Partial<ReplicaConfig & { readonly databaseUrl: string | undefined }>): readonly string[] {
  if (replicaUrl === undefined) return [];
  if (databaseUrl === undefined) return ['SUTURE_REPLICA_URL goes with DATABASE_URL: the embedded one has no standby'];
  return replicaUrl === databaseUrl ? ['SUTURE_REPLICA_URL is DATABASE_URL: that is no replica'] : [];
}
