/**
 * The life of a break: the only place where its state changes.
 *
 * `pre-alert`     the deadline is near and the thing is still missing. Seen by its owner, nobody is called.
 * `open`          the deadline has passed. Somebody must act.
 * `acknowledged`  the owner has said "mine". Escalation stops.
 * `in-progress`   the owner acts. Where the record can prove the repair, "done" said by a person is a declaration: the
 *                 break stays here, marked, until the proof arrives; without it the break is `open` again after a while.
 * `on-hold`       the owner waits for something, for a reason and until a date; then it is in progress again.
 * `repaired`      it was done after all, after somebody had acknowledged; or a person closed it by hand.
 * `auto-closed`   it was done after all before anybody acknowledged.
 * `moot`          the expectation is gone: premise changed, death, plan ended, met before the deadline (pre-alert).
 * `rejected`      a person said "this is no break". Silent until the deadline itself moves.
 *
 * Escalation is no state: a counter on the Task, which runs while the break is `open` (escalation.ts).
 *
 * The engine moves by what the record says now (`decide`), persons by their Task (`personMoves`). The engine may open a
 * closed break again: within the reopening window (and always from `moot`) it is the same DetectedIssue, `open` once
 * more; after the window it is a new occurrence. What a person closed by hand or rejected stays closed as long as the
 * deadline is the same.
 */
export type BreakState =
  | 'pre-alert'
  | 'open'
  | 'acknowledged'
  | 'in-progress'
  | 'on-hold'
  | 'repaired'
  | 'auto-closed'
  | 'moot'
  | 'rejected';

export const breakStates: readonly BreakState[] = [
  'pre-alert',
  'open',
  'acknowledged',
  'in-progress',
  'on-hold',
  'repaired',
  'auto-closed',
  'moot',
  'rejected',
];

/** Closing reasons, CodeSystem break-reason. */
export type BreakReason =
  | 'late'
  | 'met-in-time-known-late'
  | 'met'
  | 'premise-changed'
  | 'entered-in-error'
  | 'deceased'
  | 'plan-ended'
  | 'inhibited'
  | 'false-positive'
  | 'done-by-hand'
  | 'rule-changed';

/** What a person may do by a Task update. */
export const personMoves: Readonly<Record<BreakState, readonly BreakState[]>> = {
  'pre-alert': [],
  open: ['acknowledged', 'in-progress', 'moot', 'rejected'],
  acknowledged: ['in-progress', 'on-hold', 'repaired', 'moot', 'rejected'],
  'in-progress': ['on-hold', 'repaired', 'moot', 'rejected'],
  'on-hold': ['in-progress', 'repaired', 'moot'],
  repaired: [],
  'auto-closed': [],
  moot: [],
  rejected: [],
};

/** What the engine may do when the record changes or time passes. */
export const engineMoves: Readonly<Record<BreakState, readonly BreakState[]>> = {
  'pre-alert': ['open', 'auto-closed', 'moot'],
  open: ['auto-closed', 'moot'],
  acknowledged: ['repaired', 'moot'],
  'in-progress': ['repaired', 'moot', 'open'],
  'on-hold': ['repaired', 'moot', 'in-progress'],
  repaired: ['open'],
  'auto-closed': ['open'],
  moot: ['open', 'pre-alert'],
  rejected: ['open'],
};

/** Task.status of each state (https://hl7.org/fhir/R4/task.html). */
export const taskStatus: Readonly<Record<BreakState, string>> = {
  'pre-alert': 'draft',
  open: 'requested',
  acknowledged: 'accepted',
  'in-progress': 'in-progress',
  'on-hold': 'on-hold',
  repaired: 'completed',
  'auto-closed': 'completed',
  moot: 'cancelled',
  rejected: 'rejected',
};

/** DetectedIssue.status of each state; an opened again break is `amended`. */
export const issueStatus: Readonly<Record<BreakState, string>> = {
  'pre-alert': 'preliminary',
  open: 'final',
  acknowledged: 'final',
  'in-progress': 'final',
  'on-hold': 'final',
  repaired: 'final',
  'auto-closed': 'final',
  moot: 'cancelled',
  rejected: 'entered-in-error',
};

export function isClosed(state: BreakState): boolean {
  return state === 'repaired' || state === 'auto-closed' || state === 'moot' || state === 'rejected';
}

/** What the engine knows of a break that is there. */
export interface KnownBreak {
  readonly state: BreakState;
  readonly reason: BreakReason | undefined;
  readonly dueAtMs: number | undefined;
  /** When it was last closed; undefined while it is not. */
  readonly closedAtMs: number | undefined;
  readonly isClosedByPerson: boolean;
}

/** What a person has left on the Task, that time alone can end. */
export interface Pledge {
  /** On hold until then. */
  readonly holdUntilMs: number | undefined;
  /** Declared repaired: how long the proof is awaited. */
  readonly proofUntilMs: number | undefined;
}

const noPledge: Pledge = { holdUntilMs: undefined, proofUntilMs: undefined };

/** The judgment, as far as the life of the break depends on it. */
export interface Verdict {
  readonly state: 'waiting' | 'met' | 'broken' | 'repaired' | 'cancelled';
  readonly dueAtMs: number | undefined;
  readonly noticeAtMs: number | undefined;
  /** From when it counts. */
  readonly anchorMs?: number | undefined;
  /** Whether the rule reads a date of what it awaits; else only the time of recording is known. */
  readonly isMetDated: boolean;
  /** The anchor moves with what is awaited (a last contact): a deadline that moved means that it came. */
  readonly isRolling?: boolean;
  /** Why a cancelled judgment is cancelled. */
  readonly cancelReason: BreakReason;
}

export interface DecideInput {
  readonly known: KnownBreak | undefined;
  readonly verdict: Verdict;
  readonly nowMs: number;
  readonly reopenWindowMs: number;
  readonly pledge?: Pledge;
}

export type Decision =
  | { readonly kind: 'stay' }
  /** The deadline moved while the break stays what it is. */
  | { readonly kind: 'move-deadline' }
  | { readonly kind: 'change'; readonly to: BreakState; readonly reason?: BreakReason }
  /** A DetectedIssue that was not there: the first, or the next occurrence. */
  | { readonly kind: 'raise'; readonly to: BreakState; readonly reason?: BreakReason }
  /** The same DetectedIssue once more, with a new Task. */
  | { readonly kind: 'reopen' };

const stay: Decision = { kind: 'stay' };

/** What the engine does with a break, given what the record says now. Pure; the same input always answers the same. */
export function decide(input: DecideInput): Decision {
  if (input.known === undefined) return decideFirst(input);
  return isClosed(input.known.state) ? decideClosed(input.known, input) : decideLive(input.known, input);
}

function decideFirst({ verdict, nowMs }: DecideInput): Decision {
  switch (verdict.state) {
    case 'broken':
      return { kind: 'raise', to: 'open' };
    case 'waiting':
      return isNoticed(verdict, nowMs) ? { kind: 'raise', to: 'pre-alert' } : stay;
    case 'repaired':
      // Learned of at once, the break and its repair: recorded and counted, nobody is called. Without a date of its own
      // the repair may just have been recorded late: an old care team that comes complete was never broken.
      return verdict.isMetDated ? { kind: 'raise', to: 'auto-closed', reason: 'late' } : stay;
    case 'met':
    case 'cancelled':
      return stay;
  }
}

function decideLive(known: KnownBreak, { verdict, nowMs, pledge = noPledge }: DecideInput): Decision {
  switch (verdict.state) {
    case 'broken':
      if (known.state === 'pre-alert') return { kind: 'change', to: 'open' };
      if (known.state === 'on-hold' && isPast(pledge.holdUntilMs, nowMs)) return { kind: 'change', to: 'in-progress' };
      if (known.state === 'in-progress' && isPast(pledge.proofUntilMs, nowMs)) return { kind: 'change', to: 'open' };
      return known.dueAtMs === verdict.dueAtMs ? stay : { kind: 'move-deadline' };
    case 'waiting':
      // The deadline moved into the future: what was open is so no longer. It opens again if the new one is missed.
      if (known.state !== 'pre-alert') return { kind: 'change', ...closedByNewDeadline(known.state, verdict) };
      return known.dueAtMs === verdict.dueAtMs ? stay : { kind: 'move-deadline' };
    case 'met':
      if (known.state === 'pre-alert') return { kind: 'change', to: 'moot', reason: 'met' };
      return { kind: 'change', to: closedState(known.state), reason: 'met-in-time-known-late' };
    case 'repaired':
      return { kind: 'change', to: closedState(known.state), reason: 'late' };
    case 'cancelled':
      return { kind: 'change', to: 'moot', reason: verdict.cancelReason };
  }
}

function closedByNewDeadline(state: BreakState, { isRolling }: Verdict): { to: BreakState; reason: BreakReason } {
  return isRolling === true ? { to: closedState(state), reason: 'late' } : { to: 'moot', reason: 'premise-changed' };
}

function closedState(state: BreakState): BreakState {
  return state === 'open' || state === 'pre-alert' ? 'auto-closed' : 'repaired';
}

function decideClosed(known: KnownBreak, { verdict, nowMs, reopenWindowMs }: DecideInput): Decision {
  const isSameDeadline = known.dueAtMs === verdict.dueAtMs;
  if (verdict.state === 'waiting' && known.state === 'moot' && isNoticed(verdict, nowMs) && !isSameDeadline) {
    return { kind: 'change', to: 'pre-alert' };
  }
  if (verdict.state !== 'broken') return stay;
  if (isSameDeadline && known.isClosedByPerson) return stay;
  const isInWindow = known.closedAtMs === undefined || nowMs - known.closedAtMs <= reopenWindowMs;
  return known.state === 'moot' || isInWindow ? { kind: 'reopen' } : { kind: 'raise', to: 'open' };
}

function isPast(instantMs: number | undefined, nowMs: number): boolean {
  return instantMs !== undefined && instantMs <= nowMs;
}

function isNoticed({ noticeAtMs }: Verdict, nowMs: number): boolean {
  return isPast(noticeAtMs, nowMs);
}

/** The state that a person asks for by a Task status; undefined when the status means none. */
export function stateOfTask(status: string): BreakState | undefined {
  if (status === 'received') return 'open';
  if (status === 'completed') return 'repaired';
  return breakStates.find((state) => taskStatus[state] === status);
}
