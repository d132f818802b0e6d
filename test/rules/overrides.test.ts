/** Parameters that a plan, a pathway, a site or a territory sets (decision 0015): which one counts, and which are refused. */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { findOverrideFaults, type Override, parametersAt, readOverride } from '../../src/rules/index.ts';
import { caseOf, judgeScene, ruleOf, someStay } from './support.ts';

const url = 'https://suture.example/fhir/StructureDefinition/rule-parameters';

function setting(
  level: string,
  value: number,
  more: { parts?: readonly object[]; subject?: string; code?: string } = {},
): Resource {
  const { parts = [], subject, code = 'd' } = more;
  const parameter = {
    url: 'parameter',
    extension: [
      { url: 'name', valueString: 'delaiConsultationSortie' },
      { url: 'value', valueDuration: { value, code, system: 'http://unitsofmeasure.org' } },
    ],
  };
  return {
    resourceType: 'Basic',
    id: `${level}-${value}`,
    meta: { versionId: '3' },
    code: { coding: [{ system: 'https://suture.example/fhir/CodeSystem/record-note', code: 'rule-parameters' }] },
    ...(subject === undefined ? {} : { subject: { reference: subject } }),
    extension: [{ url, extension: [{ url: 'level', valueCode: level }, ...parts, parameter] }],
  };
}

function overrideOf(resource: Resource): Override {
  const reading = readOverride(resource);
  if (reading.kind === 'faults') throw new Error(JSON.stringify(reading.issues));
  return reading.override;
}

const pathway = { system: 'https://territoire.example/parcours', code: 'sein' };
const territory = setting('territory', 10, { parts: [{ url: 'area', valueString: '67' }] });
const town = setting('territory', 11, { parts: [{ url: 'area', valueString: '67482' }] });
const site = setting('site', 12, { subject: 'Organization/ward' });
const way = setting('pathway', 13, { parts: [{ url: 'pathway', valueCoding: pathway }] });
const plan = setting('plan', 14, { subject: 'CarePlan/c1' });

const standing = {
  plan: { resourceType: 'CarePlan', id: 'c1', category: [{ coding: [pathway] }] } as Resource,
  site: 'Organization/ward',
  patient: { resourceType: 'Patient', id: 'p1', address: [{ postalCode: '67482' }] } as Resource,
};

describe('A parameter that is set', () => {
  test.each<[string, readonly Resource[], number]>([
    ['of the territory counts before the rule', [territory], 10],
    ['of the smaller territory counts before the larger', [town, territory], 11],
    ['of the site counts before the territory', [site, town], 12],
    ['of the pathway counts before the site', [way, site], 13],
    ['of the plan counts before all', [plan, way, site, town, territory], 14],
    ['later counts before one set earlier', [site, setting('site', 5, { subject: 'Organization/ward' })], 5],
  ])('%s', (_what, resources, value) => {
    expect(parametersAt(resources.map(overrideOf), standing)?.['delaiConsultationSortie']).toMatchObject({
      value,
      unit: 'd',
    });
  });

  test('elsewhere sets nothing', () => {
    const elsewhere = { plan: undefined, site: 'Organization/other', patient: undefined };
    expect(parametersAt([plan, way, site, town].map(overrideOf), elsewhere)).toBeUndefined();
  });

  test('moves the deadline, and says which version of what set it', () => {
    const parameters = parametersAt([overrideOf(site)], standing);
    expect(judgeScene('RUP-23', { focus: someStay(), now: '2026-03-20T12:00:00+01:00', parameters })).toMatchObject({
      state: 'waiting',
      timing: {
        delay: { value: 12 },
        dueAtMs: Date.parse('2026-03-25T00:00:00+01:00'),
        setBy: 'Basic/site-12/_history/3',
      },
    });
  });

  test('moves the window of a rule without delay', () => {
    const rule = ruleOf('RUP-25');
    const back = someStay({ id: 'back', class: { code: 'EMER' }, period: { start: '2026-03-25T10:00:00+01:00' } });
    const inputs = { stays: [someStay()] };
    const scene = { focus: back, now: '2026-03-26T10:00:00+01:00', inputs };
    const parameters = { fenetreReadmission: { value: 1, unit: 'wk' as const } };
    expect(caseOf(rule, scene).focus).toBe(back);
    expect(judgeScene('RUP-25', scene)).toMatchObject({ state: 'broken' });
    expect(judgeScene('RUP-25', { ...scene, parameters })).toMatchObject({ state: 'cancelled' });
  });
});

describe('Parameters are refused', () => {
  const faultsOf = (resource: Resource): readonly string[] => {
    const reading = readOverride(resource);
    if (reading.kind === 'faults') return reading.issues.map(({ text }) => text);
    return findOverrideFaults(reading.override, [ruleOf('RUP-23')]).map(({ text }) => text);
  };

  test.each<[string, Resource, string]>([
    ['of no level', setting('country', 3), 'the level is one of territory, site, pathway, plan'],
    ['of a site without site', setting('site', 3), 'of the level site the subject is an Organization'],
    [
      'of a plan about a patient',
      setting('plan', 3, { subject: 'Patient/p1' }),
      'of the level plan the subject is a CarePlan',
    ],
    ['of a pathway without pathway', setting('pathway', 3), 'of the level pathway there is a pathway, a Coding'],
    ['of a territory without area', setting('territory', 3), 'of the level territory there is an area'],
    [
      'that are negative',
      setting('site', -3, { subject: 'Organization/ward' }),
      'a parameter has a name, and a value in min, h, d, wk, mo or a',
    ],
    [
      'that the calendar does not count',
      setting('site', 3, { subject: 'Organization/ward', code: 'h' }),
      'the parameter delaiConsultationSortie is not counted in "h"',
    ],
  ])('%s', (_what, resource, fault) => {
    expect(faultsOf(resource)).toContain(fault);
  });

  test('that no rule has', () => {
    expect(findOverrideFaults(overrideOf(site), [ruleOf('RUP-20')]).map(({ text }) => text)).toEqual([
      'no rule in force has the parameter delaiConsultationSortie',
    ]);
  });
});
