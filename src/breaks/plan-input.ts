/** What a plan of writes is made from, and what it is (plan.ts). */
import type { Resource } from '../fhir/index.ts';
import type { BreakRow } from './breaks.sql.ts';
import type { BreakReason, Verdict } from './machine.ts';
import type { Break, Severity } from './resources.ts';
import type { BreakText } from './texts.ts';

/** The value of a rule's parameter that was used, and the version of the resource that set it, where one did. */
export interface UsedParameter {
  readonly name: string;
  readonly value: string;
  readonly source: string | undefined;
}

export interface RuleFacts {
  readonly code: string;
  readonly ruleSet: string;
  readonly title: BreakText;
  readonly missing: BreakText;
  readonly severity: Severity;
  readonly reopenWindowMs: number;
  readonly parameter: UsedParameter | undefined;
}

/** A step up the ladder: to whom, and how long after the opening nobody has answered. */
export interface LadderStep {
  readonly atMs: (openedMs: number) => number;
  readonly recipients: () => readonly string[];
  readonly role: object | undefined;
}

/** One rule on one focus, judged. */
export interface Expectation {
  readonly rule: RuleFacts;
  /** `Encounter/e1`, or `CarePlan/c1#activity`. */
  readonly focusKey: string;
  readonly focus: Resource;
  readonly verdict: Verdict;
  /** Versioned references of what was looked at. */
  readonly evidence: readonly string[];
  /** Owner first; computed when somebody must be found. */
  readonly recipients: () => readonly string[];
  readonly role: object | undefined;
  /** By growing time. */
  readonly ladder: readonly LadderStep[];
  /** Zone of the site: of the days that people read. */
  readonly zone: string;
  /** Whose digest tells of it when nobody is called. */
  readonly organisation: string | undefined;
  /** Of the care plan: for indicators. */
  readonly pathway: string | undefined;
}

/** A break whose expectation is no longer judged: rule retired, focus gone. */
export interface Orphan {
  readonly break: Break;
  readonly reason: BreakReason;
  /** What it is now told of: the stay that this one is read as. */
  readonly evidence?: readonly string[];
}

/** Nobody is called about this patient for a while; breaks open and close as ever. */
export interface Silence {
  /** Undefined: all rules. */
  readonly rule: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
}

export interface PlanInput {
  readonly patient: string;
  readonly nowMs: number;
  readonly expectations: readonly Expectation[];
  readonly orphans: readonly Orphan[];
  /** The last occurrence for each key. */
  readonly breaks: ReadonlyMap<string, Break>;
  /** Tasks of breaks, in any order. */
  readonly tasks: readonly Resource[];
  readonly nextId: () => string;
  /** Formats an instant as dateTime with the offset of the zone; without a zone that of the patient. */
  readonly dateTime: (instantMs: number, zone?: string) => string;
  /** A break due longer ago than this when it is learned of is recorded without a call. */
  readonly lateKnowledgeMs: number;
  /** How long a declared repair waits for its proof. */
  readonly proofAwaitedMs: number;
  readonly silences: readonly Silence[];
  /** When the quiet hours end that it is now; undefined outside of them. */
  readonly quietUntilMs: number | undefined;
  /** The engine catches up (downtime, a rule set just activated): what opens on this focus is told in a digest. */
  readonly isUntold: (focus: Resource) => boolean;
}

/** A break that nobody is called about: told in the digest. */
export interface Untold {
  readonly issueId: string;
  readonly rule: string;
  readonly organisation: string | undefined;
}

export interface Plan {
  readonly resources: readonly Resource[];
  readonly raised: readonly { readonly key: string; readonly occurrence: number; readonly issueId: string }[];
  /** Rules whose breaks opened, or closed after they had been open: one entry for each break. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  readonly untold: readonly Untold[];
  /** Breaks that changed, as indicators count them. */
  readonly lives: readonly BreakRow[];
  /** When time alone changes a Task: a step of the ladder, the end of a hold, of a silence, of the quiet hours. */
  readonly nextAtMs: number | undefined;
}
