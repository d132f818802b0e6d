/** Runs the fixtures of a rule set: each is judged as a patient's record is, by the same functions, without a database. */
import type { Resource } from '../fhir/index.ts';
import { type Fixture, type FixtureState, type JudgmentResult, type RuleSet } from '../rules/index.ts';
import { judgePatient, type Select } from './judge-patient.ts';
import type { PatientRecord } from './record.ts';
import type { Places } from './sites.ts';

export interface FixtureOutcome {
  readonly fixture: Fixture;
  readonly isAsExpected: boolean;
  readonly found: FixtureState | 'no-rule';
  /** Of the judgment; for an error, what failed. */
  readonly reason: string | undefined;
  readonly dueAtMs: number | undefined;
}

export interface FixtureSetting {
  readonly select: Select;
  readonly places: Places;
}

export function runFixtures(
  ruleSet: RuleSet,
  fixtures: readonly Fixture[],
  setting: FixtureSetting,
): readonly FixtureOutcome[] {
  return fixtures.map((fixture) => runFixture(ruleSet, fixture, setting));
}

function runFixture(ruleSet: RuleSet, fixture: Fixture, { select, places }: FixtureSetting): FixtureOutcome {
  const rules = ruleSet.rules.filter(({ code }) => code === fixture.rule);
  const record = recordOf(fixture.record);
  const foci = new Map(fixture.record.map((resource) => [`${resource.resourceType}/${resource.id}`, resource]));
  const judged = judgePatient({
    record,
    ruleSets: [{ ...ruleSet, mode: 'active', rules }],
    select,
    places,
    nowMs: fixture.nowMs,
    since: (_rule, focusKey) => foci.get(focusKey.split('#')[0] ?? '')?.meta?.lastUpdated,
    known: () => undefined,
  });
  const result = judged.find(({ focusKey }) => focusKey === fixture.focusKey)?.result;
  const found = result === undefined ? 'no-rule' : stateOf(result);
  const dueAtMs = result?.kind === 'judgment' ? result.timing?.dueAtMs : undefined;
  const isDueRight = fixture.dueAtMs === undefined || fixture.dueAtMs === dueAtMs;
  const isAsExpected = found === fixture.expected && isDueRight;
  return { fixture, isAsExpected, found, reason: result && reasonOf(result), dueAtMs };
}

function stateOf(result: JudgmentResult): FixtureState {
  return result.kind === 'judgment' ? result.state : result.kind;
}

function reasonOf(result: JudgmentResult): string {
  return result.kind === 'error' ? `${result.expression}: ${result.message}` : result.reason;
}

function recordOf(resources: readonly Resource[]): PatientRecord {
  const byType = new Map<string, Resource[]>();
  for (const resource of resources)
    byType.set(resource.resourceType, [...(byType.get(resource.resourceType) ?? []), resource]);
  const patient = byType.get('Patient')?.[0];
  const professionals = ['Practitioner', 'PractitionerRole', 'Organization'].flatMap((type) => byType.get(type) ?? []);
  return { reference: `Patient/${patient?.id ?? 'unknown'}`, patient, byType, professionals };
}
