/** From judgments to what the plan of writes looks at: expectations of active rules, and breaks that nobody speaks of. */
import type { Resource } from '../fhir/index.ts';
import { afterMs, type Rule } from '../rules/index.ts';
import { recipientsOf, roleConcept } from './circle.ts';
import { endReason, type Judged, verdictOf } from './judge-patient.ts';
import { pathwayOf } from './judgment-rows.ts';
import { isClosed, type Verdict } from './machine.ts';
import type { Expectation, LadderStep, Orphan, RuleFacts, UsedParameter } from './plan-input.ts';
import type { PatientRecord } from './record.ts';
import { type Break, breakKey, readBreak } from './resources.ts';
import type { RuleBook } from './rule-book.ts';

/** The last occurrence of each break, by key. */
export function lastBreaks(record: Pick<PatientRecord, 'byType'>): ReadonlyMap<string, Break> {
  const breaks = (record.byType.get('DetectedIssue') ?? []).flatMap((issue: Resource) => readBreak(issue) ?? []);
  return new Map([...breaks].sort((a, b) => a.occurrence - b.occurrence).map((one) => [one.key, one]));
}

interface Split {
  readonly record: PatientRecord;
  readonly book: Pick<RuleBook, 'rule'>;
  readonly judged: readonly Judged[];
}

/** Verdicts of active rules; and the breaks that no verdict speaks of any more. */
export function splitVerdicts(split: Split): { expectations: Expectation[]; orphans: Orphan[] } {
  const breaks = lastBreaks(split.record);
  const spoken = new Set<string>();
  const expectations: Expectation[] = [];
  const orphans: Orphan[] = [];
  for (const one of split.judged) {
    const key = breakKey(one.rule.code, split.record.reference, one.focusKey);
    const verdict = verdictOf(one);
    const there = breaks.get(key);
    spoken.add(key);
    if (verdict !== undefined && one.ruleSet.mode === 'active') {
      expectations.push(toExpectation(split.record, { ...one, verdict }));
    } else if (there !== undefined && one.ruleSet.mode !== 'active') {
      orphans.push({ break: there, reason: 'rule-changed' });
    } else if (there !== undefined && one.result.kind === 'none') {
      orphans.push({ break: there, reason: endReason(one.result.reason) });
    }
  }
  for (const [key, there] of breaks) {
    if (!spoken.has(key) && !isClosed(there.known.state)) orphans.push(orphanOf(split, there));
  }
  return { expectations, orphans };
}

/** Nobody judges it: its stay is judged as another one (stays.ts), or its focus or rule is gone. */
function orphanOf(split: Split, there: Break): Orphan {
  const focus = /[^:]*$/.exec(there.key)?.[0] ?? '';
  const same = split.record.sameStays?.get(focus);
  if (same !== undefined) return { break: there, reason: 'premise-changed', evidence: [same.kept] };
  return { break: there, reason: orphanReason(split, there) };
}

/** The focus is gone (deleted), or the rule is no longer in force. */
function orphanReason({ book }: Split, there: Break): Orphan['reason'] {
  return book.rule(there.rule) === undefined ? 'rule-changed' : 'entered-in-error';
}

function toExpectation(record: PatientRecord, one: Judged & { readonly verdict: Verdict }): Expectation {
  const { rule, facts, focus, focusKey, verdict, result } = one;
  const evidence = result.kind === 'judgment' ? result.evidence : [];
  return {
    rule: ruleFacts(one),
    focusKey,
    focus,
    verdict,
    evidence: [...evidence.map(versioned), ...sameStaysAs(record, focusKey).map(versioned)],
    recipients: () => recipientsOf(record, one),
    role: rule.roles[0] === undefined ? undefined : roleConcept(rule.roles[0]),
    ladder: ladderOf(record, one),
    zone: facts.place.dates.zone,
    organisation: one.site,
    pathway: pathwayOf(facts.plan),
  };
}

interface Looked {
  readonly reference: string;
  readonly versionId: string | undefined;
}

export function versioned({ reference, versionId }: Looked): string {
  return versionId === undefined ? reference : `${reference}/_history/${versionId}`;
}

/** Other Encounters that tell of the same stay. */
export function sameStaysAs({ sameStays }: Pick<PatientRecord, 'sameStays'>, focusKey: string): readonly Looked[] {
  return [...(sameStays ?? [])].flatMap(([reference, { kept, resource }]) =>
    kept === focusKey ? [{ reference, versionId: resource.meta?.versionId }] : [],
  );
}

function ladderOf(record: PatientRecord, one: Judged): readonly LadderStep[] {
  return one.rule.escalation.map(({ after, roles }) => ({
    atMs: (openedMs) => afterMs(openedMs, after, one.facts.place),
    recipients: () => recipientsOf(record, one, roles),
    role: roles[0] === undefined ? undefined : roleConcept(roles[0]),
  }));
}

const defaultReopenWindowMs = 7 * 24 * 3_600_000;

/** As the judgment found it: of the deadline, or of the window of a rule without delay. */
function usedParameter({ rule, facts, result }: Judged): UsedParameter | undefined {
  if (result.kind !== 'judgment') return undefined;
  const name = rule.deadline?.parameter ?? rule.window?.parameter;
  if (name === undefined) return undefined;
  const set = facts.parameters?.[name];
  const used = result.timing?.delay ?? set ?? windowDelay(rule);
  return used && { name, value: `${used.value} ${used.unit}`, source: set?.source };
}

function windowDelay({ window }: Rule): { readonly value: number; readonly unit: string } | undefined {
  return window && { value: window.days, unit: 'd' };
}

function ruleFacts(one: Judged): RuleFacts {
  const { rule, ruleSet } = one;

  return {
    code: rule.code,
    ruleSet: ruleSet.canonical,
    title: rule.title,
    missing: rule.missing,
    severity: rule.severity,
    reopenWindowMs: rule.reopenWindow === undefined ? defaultReopenWindowMs : delayMs(rule.reopenWindow),
    parameter: usedParameter(one),
  };
}

const unitMs: Readonly<Record<string, number>> = {
  min: 60_000,
  h: 3_600_000,
  d: 24 * 3_600_000,
  wk: 7 * 24 * 3_600_000,
  mo: 30 * 24 * 3_600_000,
  a: 365 * 24 * 3_600_000,
};

function delayMs({ value, unit }: { readonly value: number; readonly unit: string }): number {
  return value * (unitMs[unit] ?? 24 * 3_600_000);
}
