/** A rule that is broken silences others: on the same focus, a part of it included. */
import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { replayOf } from './support.ts';

const patient: Resource = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.8' }],
};

const system = 'https://suture.example/fhir/CodeSystem/act';

const plan: Resource = {
  resourceType: 'CarePlan',
  id: 'plan-1',
  status: 'active',
  intent: 'plan',
  subject: { reference: 'Patient/p1' },
  created: '2026-01-05T10:00:00+01:00',
  activity: [
    { id: 'weekly', detail: { status: 'in-progress', code: { coding: [{ system, code: 'telesurveillance' }] } } },
  ],
};

describe('A patient whom nobody has heard of for three months (RUP-30)', () => {
  it('is no longer awaited by the activity of the same plan (RUP-28), which closes as inhibited', async () => {
    const replay = replayOf('Patient/p1');
    await replay.write([{ resource: patient }, { resource: plan }], Date.parse('2026-01-05T10:00:00+01:00'));
    await replay.advanceTo(Date.parse('2026-05-01T00:00:00+02:00'));
    const moves = replay.moves.filter(({ rule }) => ['RUP-28', 'RUP-30'].includes(rule));
    expect(moves.map(({ key, to, reason }) => [key.split(':')[2], to, reason])).toEqual([
      ['CarePlan/plan-1#weekly', 'open', undefined],
      ['CarePlan/plan-1', 'open', undefined],
      ['CarePlan/plan-1#weekly', 'moot', 'inhibited'],
    ]);
  });
});
