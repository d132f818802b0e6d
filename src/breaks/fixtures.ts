/**
 * The fixtures of a rule set: each is judged as a patient's record is, by the same functions, without a database. And the
 * examination that a rule set passes before it counts: it can be read, and its own fixtures say what they expect.
 */
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import {
  type Fixture,
  type FixtureState,
  type JudgmentResult,
  readFixtures,
  readRuleSet,
  type RuleSet,
  type RuleSetting,
} from '../rules/index.ts';
import type { Isolation } from './isolation.ts';
import { type Judged, type JudgeInput, judgePatient, type Select } from './judge-patient.ts';
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

export interface Examination {
  /** Undefined where it cannot be read. */
  readonly ruleSet: RuleSet | undefined;
  readonly outcomes: readonly FixtureOutcome[];
  /** Every fault with its place: of the rules, of the fixtures, of what the fixtures found. */
  readonly issues: readonly Issue[];
}

/** A rule set with faults is not tried on its fixtures: what they would find is only their consequence. */
export function examineRuleSet(resource: Resource, setting: RuleSetting & FixtureSetting): Examination {
  const reading = readRuleSet(resource, setting);
  const { fixtures, issues } = readFixtures(resource);
  if (reading.kind === 'faults') return { ruleSet: undefined, outcomes: [], issues: [...reading.issues, ...issues] };
  const outcomes = runFixtures(reading.ruleSet, fixtures, setting);
  const failed = outcomes.filter(({ isAsExpected }) => !isAsExpected).map(toIssue);
  return { ruleSet: reading.ruleSet, outcomes, issues: [...issues, ...failed] };
}

export type Examine = (resource: Resource) => Promise<Examination>;

/** As the server examines: the fixtures of a rule set that is not its own are run in the thread for those. */
export function createExamine(
  setting: RuleSetting & FixtureSetting & { readonly isolation: Isolation; readonly isOwn: (one: Resource) => boolean },
): Examine {
  return async (resource) => {
    if (setting.isOwn(resource)) return examineRuleSet(resource, setting);
    const reading = readRuleSet(resource, setting);
    const { fixtures, issues } = readFixtures(resource);
    if (reading.kind === 'faults') return { ruleSet: undefined, outcomes: [], issues: [...reading.issues, ...issues] };
    const { ruleSet } = reading;
    if (fixtures.length === 0) return { ruleSet, outcomes: [], issues };
    const outcomes = await setting.isolation.tryFixtures(ruleSet, textOfRules(resource), fixtures);
    if (typeof outcomes === 'string') {
      const expression = 'PlanDefinition.contained';
      const issue: Issue = { severity: 'error', code: 'too-costly', text: outcomes, expression };
      return { ruleSet, outcomes: [], issues: [...issues, issue] };
    }
    const failed = outcomes.filter(({ isAsExpected }) => !isAsExpected).map(toIssue);
    return { ruleSet, outcomes, issues: [...issues, ...failed] };
  };
}

/** What of a rule set is judged by: without its fixtures and texts. */
export function textOfRules(resource: Resource): string {
  const {
    contained: _contained,
    text: _text,
    meta: _meta,
    ...rest
  } = resource as Resource & { readonly text?: unknown };
  return JSON.stringify(rest);
}

function toIssue({ fixture, found, reason, dueAtMs }: FixtureOutcome): Issue {
  const due = dueAtMs === undefined ? '' : `, due ${new Date(dueAtMs).toISOString()}`;
  const why = reason === undefined ? '' : ` (${reason})`;
  const text = `fixture "${fixture.name}" of ${fixture.rule}: found ${found}${why}${due}, expected ${expectationOf(fixture)}`;
  return { severity: 'error', code: 'business-rule', text, expression: fixture.place };
}

function expectationOf({ expected, dueAtMs }: Fixture): string {
  return dueAtMs === undefined ? expected : `${expected}, due ${new Date(dueAtMs).toISOString()}`;
}

/** As the operation `$fixtures` answers. */
export function fixtureAnswer({ outcomes, issues }: Examination): Resource {
  const failed = outcomes.filter(({ isAsExpected }) => !isAsExpected).length;
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'passed', valueInteger: outcomes.length - failed },
      { name: 'failed', valueInteger: failed },
      ...outcomes.map(({ fixture, found, reason, isAsExpected }) => ({
        name: 'fixture',
        part: [
          { name: 'rule', valueCode: fixture.rule },
          { name: 'name', valueString: fixture.name },
          { name: 'expected', valueCode: fixture.expected },
          { name: 'found', valueCode: found },
          { name: 'passed', valueBoolean: isAsExpected },
          ...(reason === undefined ? [] : [{ name: 'reason', valueString: reason }]),
        ],
      })),
      ...issues.map(({ text, expression = 'PlanDefinition' }) => ({
        name: 'fault',
        part: [
          { name: 'place', valueString: expression },
          { name: 'text', valueString: text },
        ],
      })),
    ],
  };
}

export interface FixtureSetting {
  readonly select: Select;
  readonly places: Places;
  readonly begins?: JudgeInput['begins'];
}

export function runFixtures(
  ruleSet: RuleSet,
  fixtures: readonly Fixture[],
  setting: FixtureSetting,
): readonly FixtureOutcome[] {
  return fixtures.map((fixture) => runFixture(ruleSet, fixture, setting));
}

/** What the rule says of the fixture's focus; undefined where it says nothing. */
export function judgeFixture(
  ruleSet: RuleSet,
  fixture: Fixture,
  { select, places, begins }: FixtureSetting,
): Judged | undefined {
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
    ...(begins === undefined ? {} : { begins }),
  });
  return judged.find(({ focusKey }) => focusKey === fixture.focusKey);
}

function runFixture(ruleSet: RuleSet, fixture: Fixture, setting: FixtureSetting): FixtureOutcome {
  const result = judgeFixture(ruleSet, fixture, setting)?.result;
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
