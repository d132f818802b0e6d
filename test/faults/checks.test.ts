/**
 * The checkers of the fault suite, checked: they find nothing in histories that are right, and each defect that is put into one
 * (a checker that cannot fail proves nothing).
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkAudit } from './checks/audit.ts';
import { type Break, checkDeadlines, type Deadline } from './checks/deadlines.ts';
import { checkEvents, type Heard } from './checks/events.ts';
import { checkRegister, deleted, type Read, type Version, type Write } from './checks/register.ts';
import { checkSeen, type Seen } from './checks/seen.ts';
import { checkSingle } from './checks/single.ts';
import { type Attempt, checkTransactions } from './checks/transactions.ts';

interface Told {
  readonly operations: (Write | Read)[];
  readonly history: Version[];
}

const instant = (ms: number) => new Date(ms).toISOString();

/** Each step: what is asked, how long before and after its moment the client waited, and what became of the answer. */
const step = fc.record({
  kind: fc.constantFrom('write', 'write', 'write', 'delete', 'read', 'refused'),
  waits: fc.tuple(fc.nat(30), fc.nat(30)),
  answer: fc.constantFrom('done', 'done', 'done', 'unknown, done', 'unknown, not done'),
  expects: fc.boolean(),
});
const steps = fc.array(step, { minLength: 20, maxLength: 200 });
type Steps = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

/** What a server that does one thing after the other, each at its moment, would have answered. */
function live(asked: Steps): Told {
  const operations: (Write | Read)[] = [];
  const history: Version[] = [];
  for (const [index, { kind, waits, answer, expects }] of asked.entries()) {
    const moment = 1_000 + index * 10;
    const times = { id: `o${index}`, calledAt: moment - waits[0] - 0.5, endedAt: moment + waits[1] + 0.5 };
    const now = history.at(-1);
    if (kind === 'read') {
      if (now !== undefined && now.value !== deleted) operations.push({ kind, ...times, ...now });
      continue;
    }
    const value = kind === 'delete' ? deleted : `v${index}`;
    if (kind === 'refused' || (kind === 'delete' && (now === undefined || now.value === deleted))) {
      operations.push({ kind: 'write', ...times, result: 'refused', value });
      continue;
    }
    const expected = expects && now !== undefined ? { expected: now.version } : {};
    const version = history.length + 1;
    const result = answer === 'done' ? { result: 'done', version } : { result: 'unknown' };
    operations.push({ kind: 'write', ...times, value, ...expected, ...result } as Write);
    if (answer !== 'unknown, not done') history.push({ version, value, lastUpdated: instant(moment) });
  }
  return { operations, history };
}

function pick<T>(items: readonly T[], choice: number): T | undefined {
  return items[choice % items.length];
}

const isDone = (one: Write | Read): one is Write & { version: number } => one.kind === 'write' && one.result === 'done';
const isContent = (one: Write | Read) => isDone(one) && one.value !== deleted;

/** Each puts one defect into a right history, or answers false where there is no place for it. */
const defects: Readonly<Record<string, (told: Told, choice: number) => boolean>> = {
  'an answered write is lost'({ operations, history }, choice) {
    const write = pick(operations.filter(isContent).filter(isDone), choice);
    if (write === undefined) return false;
    history.splice(write.version - 1, 1);
    return true;
  },
  'a version is given twice'({ operations }, choice) {
    const write = pick(operations.filter(isContent).filter(isDone), choice);
    if (write === undefined) return false;
    operations.push({ ...write, id: 'other', value: 'other' });
    return true;
  },
  'a read sees what was over before it began'({ operations, history }, choice) {
    const write = pick(
      operations
        .filter(isContent)
        .filter(isDone)
        .filter(({ version }) => version > 1),
      choice,
    );
    const old = history[(write?.version ?? 0) - 2];
    if (write === undefined || old === undefined) return false;
    operations.push({ kind: 'read', id: 'stale', calledAt: write.endedAt + 1, endedAt: write.endedAt + 2, ...old });
    return true;
  },
  'a version comes from nowhere'({ history }) {
    history.push({ version: history.length + 1, value: 'phantom', lastUpdated: instant(1e9) });
    return true;
  },
  'an unanswered write is done twice'({ operations, history }, choice) {
    const write = pick(
      operations
        .filter(({ kind }) => kind === 'write')
        .filter((one) => history.some(({ value }) => value === one.value && value !== deleted)),
      choice,
    );
    if (write === undefined) return false;
    history.push({ version: history.length + 1, value: write.value, lastUpdated: instant(1e9) });
    return true;
  },
  'a refused write is there'({ operations, history }) {
    operations.push({ kind: 'write', id: 'no', calledAt: 9e6, endedAt: 9e6 + 1, result: 'refused', value: 'no' });
    history.push({ version: history.length + 1, value: 'no', lastUpdated: instant(1e9) });
    return true;
  },
  'an update is lost'({ operations }, choice) {
    const writes = operations
      .filter(isContent)
      .filter(isDone)
      .filter(({ version }) => version > 2);
    const write = pick(writes, choice);
    if (write === undefined) return false;
    operations[operations.indexOf(write)] = { ...write, expected: write.version - 2 };
    return true;
  },
  'time goes back'({ history }, choice) {
    const version = pick(history.slice(1), choice);
    if (version === undefined) return false;
    history[version.version - 1] = { ...version, lastUpdated: instant(0) };
    return true;
  },
  'a deletion comes from nowhere'({ operations, history }) {
    const asked = operations.filter((one) => one.value === deleted).length;
    for (let count = 0; count <= asked; count++)
      history.push({ version: history.length + 1, value: deleted, lastUpdated: instant(1e9 + count) });
    return true;
  },
};

describe('The checker of one resource', () => {
  it('finds nothing in what happened one after the other', () => {
    fc.assert(
      fc.property(steps, (asked) => {
        const { operations, history } = live(asked);
        expect(checkRegister(operations, history)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it.each(Object.keys(defects))('sees that %s', (name) => {
    let seen = 0;
    fc.assert(
      fc.property(steps, fc.nat(), (asked, choice) => {
        const told = live(asked);
        if (defects[name]?.(told, choice) !== true) return;
        seen++;
        expect(checkRegister(told.operations, told.history)).not.toEqual([]);
      }),
      { numRuns: 200 },
    );
    expect(seen).toBeGreaterThan(100);
  });
});

describe('The checker of transactions', () => {
  const attempts: readonly Attempt[] = [
    { token: 't1', keys: ['a', 'b'], result: 'done' },
    { token: 't2', keys: ['b', 'c'], result: 'unknown' },
    { token: 't3', keys: ['a', 'c'], result: 'refused' },
    { token: 't4', keys: ['a', 'c'], result: 'done' },
  ];
  const histories = (a: string[], b: string[], c: string[]) => new Map(Object.entries({ a, b, c }));

  it.each([
    ['an unanswered one that was done', histories(['t1', 't4'], ['t1', 't2'], ['t2', 't4'])],
    ['an unanswered one that was not', histories(['t1', 't4'], ['t1'], ['t4'])],
  ])('takes %s', (_what, right) => {
    expect(checkTransactions(attempts, right)).toEqual([]);
  });

  it.each([
    ['torn', histories(['t1', 't4'], ['t1', 't2'], ['t4'])],
    ['lost', histories(['t4'], [], ['t4'])],
    ['done twice', histories(['t1', 't4', 't4'], ['t1'], ['t4', 't4'])],
    ['refused and there', histories(['t1', 't3', 't4'], ['t1'], ['t3', 't4'])],
    ['from nowhere', histories(['t1', 't4', 't9'], ['t1'], ['t4'])],
    ['in a circle', histories(['t1', 't4'], ['t2', 't1'], ['t4', 't2'])],
  ])('sees one that is %s', (_what, wrong) => {
    expect(checkTransactions(attempts, wrong)).not.toEqual([]);
  });
});

describe('The checker of events', () => {
  const changes = ['C/1/_history/1', 'C/1/_history/2', 'C/2/_history/1'];
  const event = (number: number, change: number) => ({ number, version: changes[change] ?? 'C/9/_history/1' });
  const heard = (...list: readonly (readonly [number, number, boolean?])[]): readonly Heard[] =>
    list.map(([number, change, isAccepted = true]) => ({ events: [event(number, change)], isAccepted }));
  const batch = (isAccepted: boolean, ...list: readonly (readonly [number, number])[]): Heard => ({
    events: list.map(([number, change]) => event(number, change)),
    isAccepted,
  });

  it.each([
    ['each once', heard([1, 0], [2, 1], [3, 2])],
    ['several at once, again', [batch(false, [1, 0], [2, 1]), batch(true, [1, 0], [2, 1]), batch(true, [3, 2])]],
    ['one again, under its number', heard([1, 0, false], [1, 0], [1, 0], [2, 2], [3, 1])],
  ])('takes %s', (_what, right) => {
    expect(checkEvents(right, changes)).toEqual([]);
  });

  it.each([
    ['a gap within a notification', [batch(true, [1, 0], [3, 1]), batch(true, [2, 2])]],
    ['one missing', heard([1, 0], [2, 1])],
    ['a gap in the numbers', heard([1, 0], [3, 1], [4, 2])],
    ['one under two numbers', heard([1, 0], [2, 1], [3, 2], [4, 2])],
    ['two under one number', heard([1, 0], [2, 1], [2, 2])],
    ['one told before the one below it was accepted', heard([1, 0, false], [2, 1], [1, 0], [3, 2])],
    ['one that never happened', heard([1, 0], [2, 1], [3, 2], [4, 3])],
    ['versions in the wrong order', heard([1, 1], [2, 0], [3, 2])],
  ])('sees %s', (_what, wrong) => {
    expect(checkEvents(wrong, changes)).not.toEqual([]);
  });
});

describe('The checker of deadlines', () => {
  const deadlines: readonly Deadline[] = [
    { id: 'u', dueMs: 100, fate: 'unanswered' },
    { id: 'a', dueMs: 100, fate: 'answered' },
    { id: 'c', dueMs: 100, fate: 'called-off' },
    { id: 'x', dueMs: 100, fate: 'unknown' },
    { id: 'later', dueMs: 9_000, fate: 'unanswered' },
  ];
  const found = (focus: string, state = 'open', identifiedMs = 120): Break => ({ focus, state, identifiedMs });
  const check = (...breaks: readonly Break[]) => checkDeadlines(deadlines, breaks, { nowMs: 1_000, toleranceMs: 0 });

  it('takes a break for what is unanswered, and one that closed for what was answered', () => {
    expect(check(found('u'), found('a', 'auto-closed'), found('x'))).toEqual([]);
  });

  it.each([
    ['no break for what is due', []],
    ['two breaks for one deadline', [found('u'), found('u')]],
    ['a break before its time', [found('u', 'open', 99)]],
    ['a closed break for what is unanswered', [found('u', 'moot')]],
    ['a break that stands for what was answered', [found('u'), found('a')]],
    ['a break that stands for what was called off', [found('u'), found('c')]],
    ['a break of nothing', [found('u'), found('z')]],
  ])('sees %s', (_what, breaks) => {
    expect(check(...breaks)).not.toEqual([]);
  });
});

describe('The checker of what must be single', () => {
  const creates = [
    { key: 'k1', result: 'done' },
    { key: 'k1', result: 'unknown' },
    { key: 'k2', result: 'unknown' },
    { key: 'k3', result: 'refused' },
  ] as const;

  it('takes one of each, and none of what was not answered', () => {
    expect(checkSingle(creates, ['k1'])).toEqual([]);
    expect(checkSingle(creates, ['k1', 'k2'])).toEqual([]);
  });

  it.each([
    ['a lost one', ['k2']],
    ['two of one', ['k1', 'k1']],
    ['one that was refused', ['k1', 'k3']],
    ['one that nobody asked for', ['k1', 'k9']],
  ])('sees %s', (_what, there) => {
    expect(checkSingle(creates, there)).not.toEqual([]);
  });
});

describe('The checker of the audit log', () => {
  const versions = ['C/1/_history/1', 'C/1/_history/2'];

  it('takes each version once, in any order', () => {
    expect(checkAudit(versions, versions.toReversed())).toEqual([]);
  });

  it.each([
    ['a version that nobody noted', ['C/1/_history/1']],
    ['one that was noted twice', [...versions, 'C/1/_history/2']],
    ['one that was noted and is not there', [...versions, 'C/1/_history/3']],
  ])('sees %s', (_what, noted) => {
    expect(checkAudit(versions, noted)).not.toEqual([]);
  });
});

describe('The checker of what readers see', () => {
  const version = (number: number, value: string): Version => ({
    version: number,
    value,
    lastUpdated: instant(number),
  });
  const seen = (foundBy: readonly string[], last = 'v2'): readonly Seen[] => [
    { key: 'a', versions: [version(1, 'v1'), version(2, last)], foundBy: new Set(foundBy) },
  ];
  const told = ['a/1', 'a/2'];

  it('takes a resource that is found by what it holds now, or not at all when it is gone', () => {
    expect(checkSeen(seen(['v2']), told)).toEqual([]);
    expect(checkSeen(seen([], deleted), told)).toEqual([]);
  });

  it.each([
    ['one that is not found', seen([]), told],
    ['one that is found by what it held before', seen(['v1', 'v2']), told],
    ['one that is gone and still found', seen(['v1'], deleted), told],
    ['one that is found by what it never held', seen(['v2', 'v9']), told],
    ['a version that is missing in the history of the type', seen(['v2']), ['a/2']],
    ['a version that stands there twice', seen(['v2']), [...told, 'a/2']],
    ['a version there that never was', seen(['v2']), [...told, 'a/3']],
  ])('sees %s', (_what, wrong, history) => {
    expect(checkSeen(wrong, history)).not.toEqual([]);
  });
});
