/**
 * What is true of one expectation at each instant, from what has been known since when: the model's own answer to "is it
 * broken", and the life of the break that follows. It reads no rule.
 */
export type State = 'none' | 'waiting' | 'met' | 'repaired' | 'broken';

/** What the focus says from then on; `none`: there is no expectation (any more). */
export interface FocusFact {
  readonly knownMs: number;
  readonly anchorMs: number | 'none';
}

export interface Proof {
  /** When the thing was done, by its own date. */
  readonly doneMs: number;
  readonly knownMs: number;
  /** When it was withdrawn. */
  readonly untilMs?: number;
}

export interface Expected {
  readonly rule: string;
  /** `Encounter/e1`. */
  readonly focus: string;
  readonly facts: readonly FocusFact[];
  /** Undefined: the break opens at once. */
  readonly dueMs: ((anchorMs: number) => number) | undefined;
  readonly noticeMs?: number;
  readonly proofs: readonly Proof[];
  /** A proof older than the anchor by more than this is none. */
  readonly slackMs: number;
  /** What is awaited has no date: the time of recording counts, and what was late at first sight is no break. */
  readonly isUndated?: boolean;
  /** The expectation has its object only while this is known. */
  readonly object?: readonly Proof[];
  /** The anchor is the last contact: a new one repairs what was broken, and waits anew. */
  readonly isRolling?: boolean;
  /** A death does not end it. */
  readonly outlivesDeath?: boolean;
}

/** From opening to closing; still open where `closedMs` is undefined. A break learned of together with its repair has both equal. */
export interface TrueBreak {
  readonly rule: string;
  readonly focus: string;
  readonly openedMs: number;
  readonly closedMs: number | undefined;
  readonly how: 'late' | 'met-in-time-known-late' | 'gone' | undefined;
}

const isKnown = (atMs: number) => (proof: Proof) =>
  proof.knownMs <= atMs && (proof.untilMs === undefined || atMs < proof.untilMs);

function factAt({ facts }: Expected, atMs: number): number | 'none' {
  const known = facts.filter(({ knownMs }) => knownMs <= atMs);
  return (
    known.reduce<FocusFact | undefined>((last, one) => (last && last.knownMs > one.knownMs ? last : one), undefined)
      ?.anchorMs ?? 'none'
  );
}

export function stateAt(expected: Expected, atMs: number): State {
  const anchorMs = factAt(expected, atMs);
  if (anchorMs === 'none') return 'none';
  if (expected.object !== undefined && !expected.object.some(isKnown(atMs))) return 'none';
  const limitMs = expected.dueMs?.(anchorMs) ?? anchorMs;
  const done = expected.proofs
    .filter(isKnown(atMs))
    .map(({ doneMs }) => doneMs)
    .filter((doneMs) => doneMs >= anchorMs - expected.slackMs);
  if (done.length > 0) return Math.min(...done) < limitMs ? 'met' : 'repaired';
  return expected.dueMs === undefined || atMs >= limitMs ? 'broken' : 'waiting';
}

function instantsOf(expected: Expected): readonly number[] {
  const { facts, proofs, object = [], dueMs, noticeMs } = expected;
  const dues = facts.flatMap(({ anchorMs }) => (anchorMs === 'none' || dueMs === undefined ? [] : [dueMs(anchorMs)]));
  const notices = noticeMs === undefined ? [] : dues.map((due) => due - noticeMs);
  const known = [...proofs, ...object].flatMap(({ knownMs, untilMs }) => [
    knownMs,
    ...(untilMs === undefined ? [] : [untilMs]),
  ]);
  return [...facts.map(({ knownMs }) => knownMs), ...dues, ...notices, ...known];
}

/** Rules that are silent while another is broken. */
const silencedBy: Readonly<Record<string, readonly string[]>> = {
  'RUP-08': ['RUP-07', 'RUP-33'],
  'RUP-11': ['RUP-07'],
  'RUP-13': ['RUP-07'],
  'RUP-14': ['RUP-33'],
  'RUP-15': ['RUP-33'],
  'RUP-21': ['RUP-20', 'RUP-33'],
  'RUP-17': ['RUP-30'],
  'RUP-18': ['RUP-30'],
  'RUP-28': ['RUP-30'],
  'RUP-29': ['RUP-30'],
};

/** All breaks of one patient, up to an instant; a death that is known ends them. */
export function trueBreaks(told: readonly Expected[], untilMs: number, deathKnownMs?: number): readonly TrueBreak[] {
  const all = deathKnownMs === undefined ? told : told.map((expected) => endedBy(deathKnownMs, expected));
  const instants = [...new Set(all.flatMap(instantsOf))].filter((atMs) => atMs <= untilMs).sort((a, b) => a - b);
  return all.flatMap((expected) => live(expected, all, instants));
}

function endedBy(deathKnownMs: number, expected: Expected): Expected {
  if (expected.outlivesDeath === true) return expected;
  const before = expected.facts.filter(({ knownMs }) => knownMs < deathKnownMs);
  return { ...expected, facts: [...before, { knownMs: deathKnownMs, anchorMs: 'none' }] };
}

interface Life {
  readonly ended: TrueBreak[];
  openMs: number | undefined;
  hasIssue: boolean;
}

function live(expected: Expected, all: readonly Expected[], instants: readonly number[]): readonly TrueBreak[] {
  const { rule, focus } = expected;
  const life: Life = { ended: [], openMs: undefined, hasIssue: false };
  const silencers = all.filter((one) => silencedBy[rule]?.includes(one.rule) === true);
  for (const atMs of instants) {
    const isSilenced = silencers.some((one) => stateAt(one, atMs) === 'broken');
    const seen = stateAt(expected, atMs);
    const state = isSilenced && (seen === 'broken' || seen === 'waiting') ? 'none' : seen;
    step(expected, life, { atMs, state });
  }
  const open =
    life.openMs === undefined ? [] : [{ rule, focus, openedMs: life.openMs, closedMs: undefined, how: undefined }];
  return [...life.ended, ...open];
}

function step(expected: Expected, life: Life, { atMs, state }: { atMs: number; state: State }): void {
  const { rule, focus } = expected;
  if (life.openMs !== undefined) {
    if (state === 'broken') return;
    life.ended.push({ rule, focus, openedMs: life.openMs, closedMs: atMs, how: howClosed(expected, state) });
    life.openMs = undefined;
    return;
  }
  if (state === 'broken') {
    life.openMs = atMs;
    life.hasIssue = true;
  } else if (state === 'repaired' && !life.hasIssue && expected.isUndated !== true) {
    life.ended.push({ rule, focus, openedMs: atMs, closedMs: atMs, how: 'late' });
    life.hasIssue = true;
  } else if (state === 'waiting' && isNoticed(expected, atMs)) {
    life.hasIssue = true;
  }
}

function howClosed({ isRolling }: Expected, state: Exclude<State, 'broken'>): TrueBreak['how'] {
  if (state === 'met') return 'met-in-time-known-late';
  return state === 'repaired' || (state === 'waiting' && isRolling === true) ? 'late' : 'gone';
}

function isNoticed(expected: Expected, atMs: number): boolean {
  const anchorMs = factAt(expected, atMs);
  if (anchorMs === 'none' || expected.noticeMs === undefined || expected.dueMs === undefined) return false;
  return atMs >= Math.max(expected.dueMs(anchorMs) - expected.noticeMs, anchorMs);
}
