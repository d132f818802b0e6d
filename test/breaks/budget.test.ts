/** What the shipped rules may cost (decision 0025): the process judges them itself, so nothing of them may be unbounded. */
import { describe, expect, it } from '@jest/globals';
import { evaluationLimits } from '../../src/base/index.ts';
import { type Expression, tryEvaluate } from '../../src/fhir/index.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { createOwnCheck } from '../../src/breaks/shipped.ts';
import { createPlace, readRuleSet, type Rule } from '../../src/rules/index.ts';
import { checkQuery, definitions, readProfiles } from '../rules/support.ts';

const ruleSets = readProfiles('rules');
const rules: readonly Rule[] = ruleSets.flatMap((resource) => {
  const reading = readRuleSet(resource, { definitions, checkQuery });
  return reading.kind === 'ok' ? reading.ruleSet.rules : [];
});

const expressionsOf = (rule: Rule): readonly (Expression | undefined)[] => [
  ...[rule.each, rule.starts, rule.applies, rule.met],
  ...[rule.anchor, rule.metAt, rule.review],
];

describe('The shipped rules', () => {
  it('run all their expressions within the budget: none is left to the library', () => {
    const slow = rules.flatMap((rule) =>
      expressionsOf(rule).flatMap((one) => (one !== undefined && one.quick === undefined ? [rule.code] : [])),
    );
    expect([rules.length >= 38, slow]).toEqual([true, []]);
  });

  it('are known by what they say, wherever they stand; one word changed, they are of somebody else', () => {
    const isOwn = createOwnCheck(ruleSets);
    for (const one of ruleSets) {
      const { id, ...rest } = one;
      expect(isOwn({ ...rest, meta: { versionId: '7' }, id } as Resource)).toBe(true);
      expect(isOwn({ ...one, publisher: 'Hôpital' })).toBe(false);
    }
  });

  it('stay within the budget on a record of 1,500 messages', () => {
    const messages = Array.from({ length: 1500 }, (_unused, index) => ({
      resourceType: 'Communication',
      id: `m${index}`,
      status: 'completed',
      sent: '2026-03-02T10:00:00Z',
      about: [{ reference: `DocumentReference/d${index % 7}` }],
      recipient: [{ reference: 'Practitioner/gp' }],
    }));
    const rule = rules.find(({ code }) => code === 'RUP-08') as Rule;
    const focus = { resourceType: 'DocumentReference', id: 'none', date: '2026-03-01' };
    const variables = {
      focus,
      gp: ['Practitioner/gp'],
      messages,
      letters: [],
      anchor: '2026-03-01',
      due: '2026-03-05',
    };
    const moment = { nowMs: Date.parse('2026-03-10T00:00:00Z'), dates: createPlace('Europe/Paris').dates };
    const names = rule.inputs.map(({ name }) => name);
    const bound = { ...variables, ...Object.fromEntries(names.map((name) => [name, messages])) };
    expect(tryEvaluate(rule.met, focus, bound, moment).kind).toBe('items');
    expect(evaluationLimits.stepsMax).toBeGreaterThan(20 * messages.length);
  });
});
