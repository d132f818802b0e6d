/** The engine does not judge its own words: its breaks, their Tasks and alerts are no part of the pathway. */
import { describe, expect, it } from '@jest/globals';
import { withoutOwn } from '../../src/breaks/record.ts';
import { buildAlert, buildDigest, buildIssue, buildTask } from '../../src/breaks/resources.ts';

const text = { fr: 'il manque la lettre', en: 'the letter is missing' };
const at = '2026-03-03T00:00:00+01:00';
const issue = buildIssue({
  id: 'i1',
  key: 'RUP-20:Patient/p1:Encounter/e1',
  rule: 'RUP-20',
  ruleSet: 'urn:rules',
  title: 'Lettre',
  severity: 'high',
  patient: 'Patient/p1',
  focus: 'Encounter/e1',
  occurrence: 1,
  identified: at,
  due: at,
  state: 'open',
  reason: undefined,
  text: text.fr,
  evidence: [],
  parameter: undefined,
});
const task = buildTask({
  id: 't1',
  issueId: 'i1',
  patient: 'Patient/p1',
  focus: 'Encounter/e1',
  state: 'open',
  severity: 'high',
  title: 'Lettre',
  text: text.fr,
  owner: undefined,
  role: undefined,
  authored: at,
  due: at,
  partOf: undefined,
});
const alert = buildAlert({
  id: 'a1',
  patient: 'Patient/p1',
  issues: ['i1'],
  recipients: [],
  severity: 'high',
  sent: at,
  lines: [text],
  encounter: 'Encounter/e1',
});
const digest = buildDigest({ id: 'd1', issues: ['i1'], recipient: undefined, sent: at, lines: [text] });
const theirs = [
  { resourceType: 'DetectedIssue', id: 'x', status: 'final' },
  { resourceType: 'Task', id: 'x', status: 'requested', intent: 'order' },
  {
    resourceType: 'Communication',
    id: 'x',
    status: 'completed',
    category: alert['category'],
    sender: { reference: 'Organization/o' },
  },
  { resourceType: 'Communication', id: 'y', status: 'completed', sender: { display: 'Suture' } },
];

describe('The record that rules judge', () => {
  it('holds what others wrote, of the same types too, and nothing of the engine', () => {
    const byType = new Map<string, (typeof issue)[]>();
    for (const one of [issue, task, alert, digest, ...theirs]) {
      byType.set(one.resourceType, [...(byType.get(one.resourceType) ?? []), one]);
    }
    const record = { reference: 'Patient/p1', patient: undefined, byType, professionals: [] };
    expect([...withoutOwn(record).byType.values()].flat()).toEqual(theirs);
  });
});
