/**
 * Whom a break concerns: the holders of the roles of its rule (rules/recipients.ts), each person once. Two references
 * are one person when their resources carry the same RPPS or FINESS number, or when one is the role of the other.
 */
import { formatInstant } from '../base/index.ts';
import { referenceKey, type Resource } from '../fhir/index.ts';
import { type Case, elementOf, nationalNumbers, type Role, resolveRecipients, type Rule } from '../rules/index.ts';
import type { Judged, JudgeInput, KnownJudgment } from './judge-patient.ts';
import type { PatientRecord } from './record.ts';
import { siteOf } from './sites.ts';

export interface Concerned {
  readonly rule: Rule;
  readonly focus: Resource;
  readonly facts: Case;
}

/** `Type/id`, owner first; empty when the record names nobody at all. */
export function recipientsOf(
  record: PatientRecord,
  { rule, focus, facts }: Concerned,
  roles = rule.roles,
): readonly string[] {
  const { team: teams, nowMs, place } = facts;
  const element = elementOf(rule, facts);
  const found = resolveRecipients(roles, { focus, element, patient: record.patient, teams, nowMs, dates: place.dates });
  return onePerPerson(
    found.map(({ reference }) => reference),
    record.professionals,
  );
}

/** The first reference to each person. */
export function onePerPerson(references: readonly string[], known: readonly Resource[]): readonly string[] {
  const seen = new Set<string>();
  return references.filter((reference) => {
    const names = namesOf(reference, known);
    const isNew = names.every((name) => !seen.has(name));
    for (const name of names) seen.add(name);
    return isNew;
  });
}

function namesOf(reference: string, known: readonly Resource[]): readonly string[] {
  const resource = known.find(({ resourceType, id }) => `${resourceType}/${id ?? ''}` === reference);
  if (resource === undefined) return [reference];
  const person = referenceKey(resource['practitioner']);
  const behind = known.find(({ resourceType, id }) => `${resourceType}/${id ?? ''}` === person);
  const numbers = [resource, ...(behind === undefined ? [] : [behind])].flatMap(nationalNumbers);
  return [reference, ...(person === undefined ? [] : [person]), ...numbers];
}

/** The rule of the care team: that nobody at all can be told of a break is a break of it. */
export const nobodyRule = 'RUP-33';

/**
 * A judgment of RUP-33 on the patient, beside those on care teams: broken when some break has found nobody to tell for an
 * hour (feeds arrive in any order: the team may be on its way), repaired when somebody is there, cancelled when there is
 * nothing to tell any more.
 */
export function judgeNobody(input: JudgeInput, judged: readonly Judged[]): readonly Judged[] {
  const { patient, reference } = input.record;
  const ruleSet = input.ruleSets.find(({ mode, rules }) => mode === 'active' && rules.some(isNobodyRule));
  const rule = ruleSet?.rules.find(isNobodyRule);
  if (patient === undefined || ruleSet === undefined || rule === undefined) return [];
  const known = input.known(rule, reference);
  const state = nobodyState(input, judged, known);
  if (state === undefined) return [];
  const dueAtMs = runningDue(known) ?? input.nowMs + nobodyGraceMs;
  const place = input.places.of(input.record);
  const now = formatInstant(input.nowMs);
  const facts: Case = { focus: patient, patient, team: [], gp: [], nowMs: input.nowMs, place, inputs: {} };
  const isThere = state.state === 'repaired' || state.state === 'met';
  const result = {
    kind: 'judgment',
    ...state,
    timing: { anchor: now, anchorMs: input.nowMs, dueAtMs, noticeAtMs: undefined, delay: undefined },
    metAt: isThere ? now : undefined,
    metAtMs: isThere ? input.nowMs : undefined,
    reviewAtMs: [],
    evidence: [{ reference, versionId: patient.meta?.versionId, role: 'patient', isDecisive: true }],
    trace: [],
  } as const;
  const site = siteOf(input.record, undefined);
  return [{ rule, ruleSet, focus: patient, focusKey: reference, facts, site, result, inhibitedBy: undefined }];
}

const nobodyGraceMs = 3_600_000;

type NobodyState =
  | { readonly state: 'waiting'; readonly reason: 'before-due' }
  | { readonly state: 'broken'; readonly reason: 'overdue' }
  | { readonly state: 'met'; readonly reason: 'met' }
  | { readonly state: 'repaired'; readonly reason: 'late' }
  | { readonly state: 'cancelled'; readonly reason: 'premise-changed' };

function nobodyState(
  input: JudgeInput,
  judged: readonly Judged[],
  known: KnownJudgment | undefined,
): NobodyState | undefined {
  const broken = judged.filter(
    ({ ruleSet, result, inhibitedBy }) =>
      ruleSet.mode === 'active' && inhibitedBy === undefined && result.kind === 'judgment' && result.state === 'broken',
  );
  // The break of a care team says it already.
  const isAlone = !broken.some(({ rule }) => isNobodyRule(rule)) && broken.some((one) => isUnheard(input.record, one));
  if (isAlone) {
    const dueAtMs = runningDue(known);
    const isOver = dueAtMs !== undefined && dueAtMs <= input.nowMs;
    return isOver ? { state: 'broken', reason: 'overdue' } : { state: 'waiting', reason: 'before-due' };
  }
  if (known === undefined || known.state === 'cancelled') return undefined;
  if (broken.length === 0) return { state: 'cancelled', reason: 'premise-changed' };
  const wasBroken = known.state === 'broken' || known.state === 'repaired';
  return wasBroken ? { state: 'repaired', reason: 'late' } : { state: 'met', reason: 'met' };
}

function runningDue(known: KnownJudgment | undefined): number | undefined {
  return known?.state === 'waiting' || known?.state === 'broken' ? known.dueAtMs : undefined;
}

function isUnheard(record: PatientRecord, one: Judged): boolean {
  return recipientsOf(record, one).length === 0;
}

function isNobodyRule({ code }: Rule): boolean {
  return code === nobodyRule;
}

/** A role as a concept, as Task.performerType carries it. */
export function roleConcept({ codings, text }: Role): object {
  return { ...(codings.length === 0 ? {} : { coding: codings }), ...(text === undefined ? {} : { text }) };
}
