/**
 * What the engine leaves unjudged: a resource that is said to touch nothing changes no judgment, on every record of the shipped
 * fixtures and of the model's stories.
 */
import { describe, expect, it } from '@jest/globals';
import { type Judged, judgePatient } from '../../src/breaks/judge-patient.ts';
import type { PatientRecord } from '../../src/breaks/record.ts';
import { bindBook } from '../../src/breaks/rule-book.ts';
import { createQueryCheck, createSelect } from '../../src/breaks/select.ts';
import { createPlaces } from '../../src/breaks/sites.ts';
import { touchesJudgments } from '../../src/breaks/touch.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { readFixtures, readRuleSet } from '../../src/rules/index.ts';
import { createSearchContext } from '../../src/search/index.ts';
import { definitions, readProfiles } from '../rules/support.ts';
import { situations } from '../simulate/situations/index.ts';
import { createWorld } from '../simulate/world.ts';

const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl: 'http://test/fhir' });
const select = createSelect(search);
const places = createPlaces('Europe/Paris');
const profiles = readProfiles('rules');
const book = bindBook(
  profiles.map((resource) => {
    const reading = readRuleSet(resource, { definitions, checkQuery: createQueryCheck(search) });
    if (reading.kind === 'faults') throw new Error(JSON.stringify(reading.issues));
    return { reference: `PlanDefinition/${resource.id}`, ruleSet: reading.ruleSet };
  }),
);

interface Case {
  readonly resources: readonly Resource[];
  readonly nowMs: number;
}

const day = 24 * 3_600_000;
const fromMs = Date.parse('2026-01-05T00:00:00+01:00');

function stories(): readonly Case[] {
  return situations.map((situation, number) => {
    const world = createWorld({ number, seed: 11, fromMs, days: 300 });
    situation.tell(world);
    const last = new Map<string, Resource>();
    for (const { changes } of world.arrivals) {
      for (const change of changes)
        if ('resource' in change) last.set(`${change.resource.resourceType}/${change.resource.id}`, change.resource);
    }
    return { resources: [...last.values()], nowMs: world.startMs + 60 * day };
  });
}

const cases: readonly Case[] = [
  ...profiles.flatMap((one) => readFixtures(one).fixtures.map(({ record, nowMs }) => ({ resources: record, nowMs }))),
  ...stories(),
];

function recordOf(resources: readonly Resource[]): PatientRecord {
  const byType = new Map<string, Resource[]>();
  for (const one of resources) byType.set(one.resourceType, [...(byType.get(one.resourceType) ?? []), one]);
  const patient = byType.get('Patient')?.[0];
  const professionals = ['Practitioner', 'PractitionerRole', 'Organization'].flatMap((type) => byType.get(type) ?? []);
  return { reference: `Patient/${patient?.id ?? 'unknown'}`, patient, byType, professionals };
}

/** Each judgment that says anything, as text. */
function judgments({ resources, nowMs }: Case): readonly string[] {
  const since = () => new Date(nowMs - 40 * day).toISOString();
  const input = { record: recordOf(resources), ruleSets: book.ruleSets, select, places, nowMs, since };
  return judgePatient({ ...input, known: () => undefined })
    .filter(({ result }) => result.kind !== 'none')
    .map(({ rule, focusKey, result, inhibitedBy }: Judged) => {
      const told = result.kind === 'judgment' ? { ...result, trace: [] } : result;
      return JSON.stringify([rule.code, focusKey, inhibitedBy, told]);
    })
    .sort();
}

const subject = (patient: string | undefined) => ({ subject: { reference: `Patient/${patient}` } });

function observation(patient: string | undefined, more: object): Resource {
  const code = { coding: [{ system: 'http://loinc.org', code: '718-7' }] };
  return { resourceType: 'Observation', id: 'probe', status: 'final', code, ...subject(patient), ...more };
}

const score = (code: string) => ({
  code: { coding: [{ system: 'https://suture.example/fhir/CodeSystem/score', code }] },
});

const measurement = { valueQuantity: { value: 11.2, unit: 'g/dL', system: 'http://unitsofmeasure.org', code: 'g/dL' } };

describe('a resource that has just been made', () => {
  it.each([
    ['a haemoglobin', observation('p', measurement), false],
    ['a mild toxicity', observation('p', { ...score('ctcae-grade'), valueInteger: 2 }), false],
    ['a grade 3 toxicity', observation('p', { ...score('ctcae-grade'), valueInteger: 3 }), true],
    ['a geriatric screening, which an input asks for', observation('p', { ...score('g8'), valueInteger: 12 }), true],
    ['a stay, which tells places', { resourceType: 'Encounter', id: 'e', status: 'planned' }, true],
    ['an allergy, which no rule names', { resourceType: 'AllergyIntolerance', id: 'a' }, false],
  ])('%s: touches a judgment, or does not', (_name, resource, expected) => {
    expect(touchesJudgments({ book, select, places, nowMs: fromMs }, resource)).toBe(expected);
  });

  it('changes no judgment when it is said to touch none', () => {
    let untouched = 0;
    for (const one of cases) {
      const probe = observation(recordOf(one.resources).patient?.id, measurement);
      const whole = [...one.resources, probe];
      const before = judgments({ ...one, resources: whole });
      const left = whole.filter((each) => touchesJudgments({ book, select, places, nowMs: one.nowMs }, each));
      untouched += whole.length - left.length;
      expect(judgments({ ...one, resources: left })).toEqual(before);
    }
    expect(untouched).toBeGreaterThan(cases.length);
  });
});
