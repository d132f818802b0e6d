/** What the engine stands on, and its limits. */
import type { Clock, Ids, Log } from '../base/index.ts';
import type { Session, Store } from '../store/index.ts';
import type { Examine } from './fixtures.ts';
import type { Isolation } from './isolation.ts';
import type { Select } from './judge-patient.ts';
import type { QuietHours } from './quiet.ts';
import type { RuleBook } from './rule-book.ts';
import type { Places } from './sites.ts';

export const engineLimits = {
  changesMax: 500,
  /** Patients judged at the same time by one instance. */
  judgmentsAtOnce: 3,
  /** A rule that fails is tried again after this, also when nothing changes. */
  errorRetryMs: 6 * 3_600_000,
  /** A break due longer ago than this when it is learned of is recorded without a call. */
  lateKnowledgeMs: 30 * 24 * 3_600_000,
  /** A judgment that runs so long after it was due catches up: what it opens is told in a digest. */
  catchUpAfterMs: 15 * 60_000,
} as const;

export interface EngineInput {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly places: Places;
  /** Nobody is called then, but about critical breaks. */
  readonly quietHours: QuietHours | undefined;
  /** How long a declared repair waits for its proof before the break is open again. */
  readonly proofAwaitedMs: number;
  /** Number of this instance (queue/holder.ts). */
  readonly holder: number;
  readonly ruleBook: (session: Session) => Promise<RuleBook>;
  readonly select: Select;
  /** Where rules are judged that somebody else wrote. */
  readonly isolation: Isolation;
  readonly examine: Examine;
  readonly metrics: EngineMetrics;
}

/** Counted by rule and by part of the rule, never by patient. */
export interface EngineMetrics {
  judged(count: number): void;
  opened(rule: string): void;
  closed(rule: string): void;
  ruleFailed(rule: string, expression: string): void;
}
