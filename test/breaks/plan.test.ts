/** From verdicts to writes: what depends on nothing but the input (src/breaks/plan.ts). */
import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { type Expectation, type PlanInput, planBreaks } from '../../src/breaks/plan.ts';
import { readBreak } from '../../src/breaks/resources.ts';

const dueAtMs = Date.parse('2026-03-03T00:00:00+01:00');
const dayMs = 24 * 3_600_000;
const text = { fr: 'la lettre', en: 'the letter' };

const expectation: Expectation = {
  rule: {
    code: 'RUP-20',
    ruleSet: 'urn:rules',
    title: text,
    missing: text,
    severity: 'high',
    reopenWindowMs: 7 * dayMs,
    parameter: undefined,
  },
  focusKey: 'Encounter/e1',
  focus: { resourceType: 'Encounter', id: 'e1' },
  verdict: { state: 'broken', dueAtMs, noticeAtMs: undefined, isMetDated: true, cancelReason: 'premise-changed' },
  evidence: [],
  recipients: () => [],
  role: undefined,
  ladder: [],
  zone: 'Europe/Paris',
  organisation: undefined,
  pathway: undefined,
};

function run(nowMs: number, record: readonly Resource[], verdict: Partial<Expectation['verdict']> = {}) {
  let count = record.length;
  const breaks = record.flatMap((resource) => readBreak(resource) ?? []);
  const input: PlanInput = {
    patient: 'Patient/p1',
    nowMs,
    expectations: [{ ...expectation, verdict: { ...expectation.verdict, ...verdict } }],
    orphans: [],
    breaks: new Map(breaks.map((one) => [one.key, one])),
    tasks: record.filter(({ resourceType }) => resourceType === 'Task'),
    nextId: () => `n${++count}`,
    dateTime: (ms) => new Date(ms).toISOString(),
    lateKnowledgeMs: 30 * dayMs,
    proofAwaitedMs: 3 * dayMs,
    silences: [],
    quietUntilMs: undefined,
    isUntold: () => false,
  };
  return planBreaks(input);
}

/** The record after the plan; later versions take the place of former ones. */
function written(record: readonly Resource[], plan: ReturnType<typeof run>): readonly Resource[] {
  const key = ({ resourceType, id }: Resource) => `${resourceType}/${id}`;
  return [...new Map([...record, ...plan.resources].map((resource) => [key(resource), resource])).values()];
}

function stateOf(record: readonly Resource[]): string | undefined {
  return record.flatMap((resource) => readBreak(resource) ?? [])[0]?.known.state;
}

describe('A break that opens again', () => {
  const opened = written([], run(dueAtMs, []));
  const closed = written(opened, run(dueAtMs + 1000, opened, { state: 'cancelled' }));
  const reopened = written(closed, run(dueAtMs + 2000, closed));

  it('goes on with its new Task, in whatever order the record gives the two', () => {
    expect([stateOf(opened), stateOf(closed), stateOf(reopened)]).toEqual(['open', 'moot', 'open']);
    for (const record of [reopened, [...reopened].reverse()]) {
      expect(run(dueAtMs + 3000, record).resources).toEqual([]);
    }
  });

  it('calls again whom it had called, also long after it was due', () => {
    const nowMs = dueAtMs + 40 * dayMs;
    const late = written(closed, run(nowMs, closed));
    expect(stateOf(late)).toBe('open');
    expect(late.filter(({ resourceType }) => resourceType === 'Task').map((task) => task['status'])).toEqual([
      'cancelled',
      'requested',
    ]);
    expect(run(nowMs + 1000, late).resources).toEqual([]);
  });
});

describe('A plan', () => {
  it('tells which rules had breaks that opened and closed', () => {
    const opened = written([], run(dueAtMs, []));
    expect([run(dueAtMs, []).opened, run(dueAtMs, []).closed]).toEqual([['RUP-20'], []]);
    const repaired = run(dueAtMs + 1000, opened, { state: 'repaired' });
    expect([repaired.opened, repaired.closed]).toEqual([[], ['RUP-20']]);
  });

  it('counts a pre-alert that is met in time as neither', () => {
    const waiting = { state: 'waiting', noticeAtMs: dueAtMs - 2000 } as const;
    const noticed = written([], run(dueAtMs - 1000, [], waiting));
    const met = run(dueAtMs - 500, noticed, { ...waiting, state: 'met' });
    expect([stateOf(written(noticed, met)), met.opened, met.closed]).toEqual(['moot', [], []]);
  });
});
