/**
 * The fixtures of a rule set: small records with what a rule must say of them, carried by the PlanDefinition itself as
 * contained Parameters, one for each rule and type of focus:
 *
 *     rule        code     RUP-20
 *     focus       string   Encounter/stay-1, or CarePlan/c1#activity
 *     record      Bundle   what stands in the patient's record
 *     fixture*    name, now, expected (none | waiting | met | broken | repaired | cancelled), and where it differs:
 *                 due, focus, put (a Bundle that adds or replaces), drop* (Type/id)
 *
 * A resource without meta.lastUpdated counts as recorded at `now`; the rule holds since the focus was recorded.
 */
import type { Bundle, Parameters, ParametersParameter } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { createFaults, type Faults } from './reading.ts';

export interface Fixture {
  readonly rule: string;
  readonly name: string;
  readonly nowMs: number;
  readonly expected: FixtureState;
  /** When it must be due; undefined: not looked at. */
  readonly dueAtMs: number | undefined;
  /** `Encounter/stay-1`, or `CarePlan/c1#activity`. */
  readonly focusKey: string;
  readonly record: readonly Resource[];
  /** In the PlanDefinition: `PlanDefinition.contained[0].parameter[3]`. */
  readonly place: string;
}

export type FixtureState = (typeof fixtureStates)[number];
const fixtureStates = ['none', 'waiting', 'met', 'broken', 'repaired', 'cancelled', 'error'] as const;

export interface FixtureReading {
  readonly fixtures: readonly Fixture[];
  readonly issues: readonly Issue[];
}

const fixturesMax = 1000;

export function readFixtures(ruleSet: Resource): FixtureReading {
  const faults = createFaults();
  const contained = (ruleSet['contained'] ?? []) as readonly Resource[];
  const fixtures = contained.flatMap((resource, index) =>
    resource.resourceType === 'Parameters'
      ? readGroup(resource as unknown as Parameters, `PlanDefinition.contained[${index}]`, faults)
      : [],
  );
  if (fixtures.length > fixturesMax)
    faults.add('PlanDefinition.contained', `a rule set has at most ${fixturesMax} fixtures`, 'too-costly');
  return { fixtures: fixtures.slice(0, fixturesMax), issues: faults.issues };
}

interface Group {
  readonly rule: string;
  readonly focusKey: string;
  readonly record: readonly Resource[];
}

/** Parameters that have no fixture are not ours. */
function readGroup({ parameter = [] }: Parameters, place: string, faults: Faults): readonly Fixture[] {
  if (!parameter.some(({ name }) => name === 'fixture')) return [];
  const rule = valueOf(parameter, 'rule');
  const focusKey = valueOf(parameter, 'focus');
  if (rule === undefined || focusKey === undefined) {
    faults.add(
      `${place}.parameter`,
      'fixtures say of which rule (rule) and of which focus (focus) they are',
      'required',
    );
    return [];
  }
  const group = { rule, focusKey, record: resourcesOf(parameter, 'record') };
  return parameter.flatMap(({ name, part = [] }, index) =>
    name === 'fixture' ? (readFixture(part, group, { place: `${place}.parameter[${index}]`, faults }) ?? []) : [],
  );
}

function readFixture(
  part: readonly ParametersParameter[],
  group: Group,
  { place, faults }: { readonly place: string; readonly faults: Faults },
): Fixture | undefined {
  const nowMs = Date.parse(valueOf(part, 'now') ?? '');
  const due = valueOf(part, 'due');
  const expected = fixtureStates.find((state) => state === valueOf(part, 'expected'));
  if (Number.isNaN(nowMs)) faults.add(`${place}.part`, 'a fixture says when it is judged (now)', 'required');
  if (expected === undefined)
    faults.add(`${place}.part`, `a fixture expects one of ${fixtureStates.join(', ')}`, 'required');
  if (expected === undefined || Number.isNaN(nowMs)) return undefined;
  const focusKey = valueOf(part, 'focus') ?? group.focusKey;
  const record = changed(group.record, part).map((resource) => recordedBy(resource, nowMs));
  const [reference] = focusKey.split('#');
  if (!record.some((resource) => keyOf(resource) === reference))
    faults.add(`${place}.part`, `the focus ${focusKey} is not in the record`, 'not-found');
  const name = valueOf(part, 'name') ?? expected;
  const dueAtMs = due === undefined ? undefined : Date.parse(due);
  return { rule: group.rule, name, nowMs, expected, dueAtMs, focusKey, record, place };
}

function changed(record: readonly Resource[], part: readonly ParametersParameter[]): readonly Resource[] {
  const put = new Map(resourcesOf(part, 'put').map((resource) => [keyOf(resource), resource]));
  const drop = new Set(part.filter(({ name }) => name === 'drop').map(({ valueString }) => valueString));
  const kept = record.filter((resource) => !put.has(keyOf(resource)) && !drop.has(keyOf(resource)));
  return [...kept, ...put.values()];
}

function recordedBy(resource: Resource, nowMs: number): Resource {
  const meta = { versionId: '1', lastUpdated: new Date(nowMs).toISOString(), ...resource.meta };
  return { ...resource, meta };
}

function keyOf({ resourceType, id }: Resource): string {
  return `${resourceType}/${id ?? ''}`;
}

function valueOf(parts: readonly ParametersParameter[], name: string): string | undefined {
  const part = parts.find((one) => one.name === name);
  return part?.valueString ?? part?.valueCode ?? part?.valueDateTime ?? part?.valueInstant;
}

function resourcesOf(parts: readonly ParametersParameter[], name: string): readonly Resource[] {
  const bundle = parts.find((one) => one.name === name)?.resource as Bundle | undefined;
  return (bundle?.entry ?? []).flatMap(({ resource }) => (resource as Resource | undefined) ?? []);
}
