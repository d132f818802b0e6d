/** The life of a break: every state against every verdict, and no move outside the table. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type BreakState,
  breakStates,
  decide,
  type Decision,
  engineMoves,
  isClosed,
  type KnownBreak,
  personMoves,
  stateOfTask,
  taskStatus,
  type Verdict,
} from '../../src/breaks/machine.ts';

const due = 1_000_000;
const now = due + 1;
const week = 7 * 24 * 3_600_000;

function known(state: BreakState, more: Partial<KnownBreak> = {}): KnownBreak {
  const closedAtMs = isClosed(state) ? now - 10 : undefined;
  return { state, reason: undefined, dueAtMs: due, closedAtMs, isClosedByPerson: false, ...more };
}

function verdict(state: Verdict['state'], more: Partial<Verdict> = {}): Verdict {
  return { state, dueAtMs: due, noticeAtMs: undefined, isMetDated: true, cancelReason: 'premise-changed', ...more };
}

function decideOn(there: KnownBreak | undefined, seen: Verdict, nowMs = now): Decision {
  return decide({ known: there, verdict: seen, nowMs, reopenWindowMs: week });
}

const later = { dueAtMs: due + week, noticeAtMs: due + week - 100 };

describe('the engine', () => {
  const table: readonly (readonly [string, KnownBreak | undefined, Verdict, Decision])[] = [
    ['nothing and a wait: nothing', undefined, verdict('waiting'), { kind: 'stay' }],
    [
      'nothing and a wait past its notice: a pre-alert',
      undefined,
      verdict('waiting', { noticeAtMs: now }),
      { kind: 'raise', to: 'pre-alert' },
    ],
    ['nothing and a break: opened', undefined, verdict('broken'), { kind: 'raise', to: 'open' }],
    ['nothing and met: nothing, also when learned late', undefined, verdict('met'), { kind: 'stay' }],
    [
      'nothing and repaired already: recorded, closed',
      undefined,
      verdict('repaired'),
      { kind: 'raise', to: 'auto-closed', reason: 'late' },
    ],
    [
      'nothing and repaired by something without a date: nothing',
      undefined,
      verdict('repaired', { isMetDated: false }),
      { kind: 'stay' },
    ],
    ['nothing and cancelled: nothing', undefined, verdict('cancelled'), { kind: 'stay' }],
    ['a pre-alert that breaks: opened', known('pre-alert'), verdict('broken'), { kind: 'change', to: 'open' }],
    [
      'a pre-alert that is met: moot',
      known('pre-alert'),
      verdict('met'),
      { kind: 'change', to: 'moot', reason: 'met' },
    ],
    ['a pre-alert that waits on', known('pre-alert'), verdict('waiting'), { kind: 'stay' }],
    ['a pre-alert whose deadline moves', known('pre-alert'), verdict('waiting', later), { kind: 'move-deadline' }],
    [
      'open and waiting again because what was awaited moved the deadline: done late',
      known('open'),
      verdict('waiting', { ...later, isRolling: true }),
      { kind: 'change', to: 'auto-closed', reason: 'late' },
    ],
    ['open and still broken', known('open'), verdict('broken'), { kind: 'stay' }],
    [
      'open, broken at another instant',
      known('open'),
      verdict('broken', { dueAtMs: due - 5 }),
      { kind: 'move-deadline' },
    ],
    [
      'open and repaired: closed by itself',
      known('open'),
      verdict('repaired'),
      { kind: 'change', to: 'auto-closed', reason: 'late' },
    ],
    [
      'open and met in time, learned late',
      known('open'),
      verdict('met'),
      { kind: 'change', to: 'auto-closed', reason: 'met-in-time-known-late' },
    ],
    [
      'acknowledged and repaired: somebody acted',
      known('acknowledged'),
      verdict('repaired'),
      { kind: 'change', to: 'repaired', reason: 'late' },
    ],
    [
      'in progress and met in time',
      known('in-progress'),
      verdict('met'),
      { kind: 'change', to: 'repaired', reason: 'met-in-time-known-late' },
    ],
    [
      'open and the discharge moved into the future',
      known('open'),
      verdict('waiting', later),
      { kind: 'change', to: 'moot', reason: 'premise-changed' },
    ],
    [
      'on hold and the patient died',
      known('on-hold'),
      verdict('cancelled', { cancelReason: 'deceased' }),
      { kind: 'change', to: 'moot', reason: 'deceased' },
    ],
    [
      'closed and the evidence withdrawn soon after',
      known('auto-closed', { reason: 'late' }),
      verdict('broken'),
      { kind: 'reopen' },
    ],
    [
      'closed long ago and broken again',
      known('repaired', { closedAtMs: now - week - 1 }),
      verdict('broken'),
      { kind: 'raise', to: 'open' },
    ],
    [
      'moot long ago and broken again',
      known('moot', { closedAtMs: now - week - 1 }),
      verdict('broken'),
      { kind: 'reopen' },
    ],
    [
      'moot and a new deadline near',
      known('moot'),
      verdict('waiting', { ...later, noticeAtMs: now }),
      { kind: 'change', to: 'pre-alert' },
    ],
    [
      'closed by hand and still broken',
      known('repaired', { isClosedByPerson: true }),
      verdict('broken'),
      { kind: 'stay' },
    ],
    ['rejected and still broken', known('rejected', { isClosedByPerson: true }), verdict('broken'), { kind: 'stay' }],
    [
      'rejected and broken at another deadline',
      known('rejected', { isClosedByPerson: true }),
      verdict('broken', { dueAtMs: due - 5 }),
      { kind: 'reopen' },
    ],
    ['closed and met', known('auto-closed'), verdict('met'), { kind: 'stay' }],
  ];
  it.each(table)('%s', (_what, there, seen, decision) => {
    expect(decideOn(there, seen)).toEqual(decision);
  });

  type Move = 'stay' | 'raise open' | 'raise auto-closed' | 'reopen' | BreakState;
  /** Every state against every verdict, the deadline unchanged, nothing promised. */
  const matrix: Readonly<Record<BreakState | 'none', Readonly<Record<Verdict['state'], Move>>>> = {
    none: { waiting: 'stay', met: 'stay', broken: 'raise open', repaired: 'raise auto-closed', cancelled: 'stay' },
    'pre-alert': { waiting: 'stay', met: 'moot', broken: 'open', repaired: 'auto-closed', cancelled: 'moot' },
    open: { waiting: 'moot', met: 'auto-closed', broken: 'stay', repaired: 'auto-closed', cancelled: 'moot' },
    acknowledged: { waiting: 'moot', met: 'repaired', broken: 'stay', repaired: 'repaired', cancelled: 'moot' },
    'in-progress': { waiting: 'moot', met: 'repaired', broken: 'stay', repaired: 'repaired', cancelled: 'moot' },
    'on-hold': { waiting: 'moot', met: 'repaired', broken: 'stay', repaired: 'repaired', cancelled: 'moot' },
    repaired: { waiting: 'stay', met: 'stay', broken: 'reopen', repaired: 'stay', cancelled: 'stay' },
    'auto-closed': { waiting: 'stay', met: 'stay', broken: 'reopen', repaired: 'stay', cancelled: 'stay' },
    moot: { waiting: 'stay', met: 'stay', broken: 'reopen', repaired: 'stay', cancelled: 'stay' },
    rejected: { waiting: 'stay', met: 'stay', broken: 'reopen', repaired: 'stay', cancelled: 'stay' },
  };
  const cases = (['none', ...breakStates] as const).flatMap((from) =>
    Object.entries(matrix[from]).map(([state, to]) => [from, state as Verdict['state'], to] as const),
  );
  it.each(cases)('from %s by %s: %s', (from, state, to) => {
    const decision = decideOn(from === 'none' ? undefined : known(from), verdict(state));
    const move =
      decision.kind === 'change' ? decision.to : decision.kind === 'raise' ? `raise ${decision.to}` : decision.kind;
    expect(move).toBe(to);
  });

  it.each<[BreakState, 'holdUntilMs' | 'proofUntilMs', BreakState]>([
    ['on-hold', 'holdUntilMs', 'in-progress'],
    ['in-progress', 'proofUntilMs', 'open'],
  ])('lets %s end when its promise does (%s): %s', (from, promise, to) => {
    const none = { holdUntilMs: undefined, proofUntilMs: undefined };
    const on = (untilMs: number) =>
      decide({
        known: known(from),
        verdict: verdict('broken'),
        nowMs: now,
        reopenWindowMs: week,
        pledge: { ...none, [promise]: untilMs },
      });
    expect([on(now + 1), on(now)]).toEqual([{ kind: 'stay' }, { kind: 'change', to }]);
  });

  const anyVerdict = fc.record({
    state: fc.constantFrom<Verdict['state']>('waiting', 'met', 'broken', 'repaired', 'cancelled'),
    dueAtMs: fc.option(fc.constantFrom(due, due + 5, due - 5), { nil: undefined }),
    noticeAtMs: fc.option(fc.constantFrom(now, now + 9), { nil: undefined }),
    isMetDated: fc.boolean(),
    cancelReason: fc.constant<Verdict['cancelReason']>('premise-changed'),
  });
  const anyKnown = fc
    .record({
      state: fc.constantFrom(...breakStates),
      isClosedByPerson: fc.boolean(),
      dueAtMs: fc.constantFrom(due, undefined),
    })
    .map(({ state, ...more }) => known(state, more));

  it('makes no move that is not in its table', () => {
    fc.assert(
      fc.property(anyKnown, anyVerdict, (there, seen) => {
        const decision = decideOn(there, seen);
        if (decision.kind === 'change') expect(engineMoves[there.state]).toContain(decision.to);
        if (decision.kind === 'reopen') expect(engineMoves[there.state]).toContain('open');
        if (decision.kind === 'raise') expect(isClosed(there.state)).toBe(true);
      }),
    );
  });

  it('has nothing more to do once it has done what it decided', () => {
    fc.assert(
      fc.property(anyKnown, anyVerdict, (there, seen) => {
        const decision = decideOn(there, seen);
        if (decision.kind === 'stay') return;
        const state =
          decision.kind === 'reopen' ? 'open' : decision.kind === 'move-deadline' ? there.state : decision.to;
        const after = { ...known(state), dueAtMs: seen.dueAtMs };
        expect(decideOn(after, seen)).toEqual({ kind: 'stay' });
      }),
    );
  });
});

describe('persons', () => {
  it('never move what is closed, nor what has not opened', () => {
    for (const state of breakStates.filter((one) => isClosed(one) || one === 'pre-alert'))
      expect(personMoves[state]).toEqual([]);
  });

  it('move what is alive only as the table says', () => {
    expect(personMoves).toEqual({
      'pre-alert': [],
      open: ['acknowledged', 'in-progress', 'moot', 'rejected'],
      acknowledged: ['in-progress', 'on-hold', 'repaired', 'moot', 'rejected'],
      'in-progress': ['on-hold', 'repaired', 'moot', 'rejected'],
      'on-hold': ['in-progress', 'repaired', 'moot'],
      repaired: [],
      'auto-closed': [],
      moot: [],
      rejected: [],
    });
  });

  it('ask for a state by the status of the Task', () => {
    expect(stateOfTask('accepted')).toBe('acknowledged');
    expect(stateOfTask('received')).toBe('open');
    expect(stateOfTask('completed')).toBe('repaired');
    expect(stateOfTask('failed')).toBeUndefined();
    for (const state of ['open', 'acknowledged', 'in-progress', 'on-hold', 'repaired', 'moot', 'rejected'] as const) {
      expect(stateOfTask(taskStatus[state])).toBe(state);
    }
  });
});
