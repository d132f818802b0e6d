/** Which of several active plans matters (src/breaks/judge-patient.ts). */
import { describe, expect, it } from '@jest/globals';
import { currentPlan } from '../../src/breaks/judge-patient.ts';

const plan = (id: string, more: object = {}) => ({ resourceType: 'CarePlan', id, status: 'active', ...more });

describe('The current plan', () => {
  it.each([
    [
      'began last',
      [plan('a', { period: { start: '2026-03-01' } }), plan('b', { period: { start: '2026-02-01' } })],
      'a',
    ],
    [
      'was made last, where no beginning is written',
      [plan('a', { created: '2026-03-01' }), plan('b', { created: '2026-02-01' })],
      'a',
    ],
    ['has a date, beside one without', [plan('b'), plan('a', { created: '2020-01-01' })], 'a'],
    ['has the last id, where dates do not tell', [plan('b'), plan('a')], 'b'],
  ])('is the one that %s, in whatever order they are read', (_what, plans, id) => {
    expect([currentPlan(plans)?.id, currentPlan([...plans].reverse())?.id]).toEqual([id, id]);
  });

  it('is none where there is none', () => {
    expect(currentPlan([])).toBeUndefined();
  });
});
