/** A rule as read from an action of a PlanDefinition: compiled, checked, ready to judge. */
import type { Expression } from '../fhir/index.ts';
import type { Calendar, Delay } from './calendar.ts';

export interface RuleSet {
  /** Canonical with version, as DetectedIssue.reference carries it. */
  readonly canonical: string;
  readonly title: Text;
  /** `shadow` judges and counts but opens nothing (draft and experimental); `off` is not judged. */
  readonly mode: 'active' | 'shadow' | 'off';
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** `RUP-20` */
  readonly code: string;
  readonly title: Text;
  /** What is missing, as a noun phrase: « la lettre de liaison de sortie ». */
  readonly missing: Text;
  readonly description: string | undefined;
  /** What to do about it. */
  readonly corrections: readonly Text[];
  readonly focusType: string;
  readonly inputs: readonly RuleInput[];
  /** Owner first. */
  readonly roles: readonly Role[];
  readonly priority: Priority;
  readonly severity: Severity;
  /** Yields parts of the focus, each with a judgment of its own; undefined: the focus has one. */
  readonly each: Expression | undefined;
  readonly starts: Expression;
  /** True while the rule has its object. */
  readonly applies: Expression | undefined;
  readonly met: Expression;
  /** Without it the anchor is `%since`. */
  readonly anchor: Expression | undefined;
  readonly metAt: Expression | undefined;
  readonly review: Expression | undefined;
  /** Without it the break opens at once. */
  readonly deadline: Deadline | undefined;
  /** How far a rule without delay looks: `%window`, in days. */
  readonly window: Window | undefined;
  readonly reopenWindow: Delay | undefined;
  /** Codes of the rules that stay silent while this one is broken. */
  readonly inhibits: readonly string[];
  readonly escalation: readonly EscalationStep[];
  /** The anchor is read from inputs: their queries then know neither anchor nor due. */
  readonly anchorReadsInputs: boolean;
  /** `applies` reads neither inputs nor deadline: a rule without object is cancelled even when its anchor is unknown. */
  readonly appliesOnItsOwn: boolean;
  /** `met` reads nothing but the focus and the patient. */
  readonly metOnItsOwn: boolean;
  /** Whether `since` must be known to judge. */
  readonly usesSince: boolean;
  /** Variables that its expressions read. */
  readonly uses: ReadonlySet<string>;
  /** Types whose changes can change the judgment. */
  readonly wakes: ReadonlySet<string>;
}

/** French first; English beside it, French again where there is none. */
export interface Text {
  readonly fr: string;
  readonly en: string;
}

export interface RuleInput {
  /** The variable. */
  readonly name: string;
  readonly type: string;
  /** Search with `{{focus.id}}`, `{{patient.id}}`, `{{anchor}}`, `{{due}}`, without the type. */
  readonly query: string;
}

export interface Role {
  readonly codings: readonly { readonly system: string; readonly code: string; readonly display?: string }[];
  readonly text: string | undefined;
}

export interface Deadline {
  readonly delay: Delay;
  readonly calendar: Calendar;
  /** Name under which plan, pathway, site or territory may set another delay. */
  readonly parameter: string | undefined;
  readonly notice: Delay | undefined;
}

export interface Window {
  readonly days: number;
  /** Name under which plan, pathway, site or territory may set another one. */
  readonly parameter: string | undefined;
}

export interface EscalationStep {
  /** From the opening of the break. */
  readonly after: Delay;
  readonly roles: readonly Role[];
}

/** Action.priority; the severity of the break that it stands for. */
export type Priority = keyof typeof severities;
export const severities = { stat: 'critical', urgent: 'high', asap: 'moderate', routine: 'low' } as const;
export type Severity = (typeof severities)[Priority];
