/**
 * Time is an argument. The server has one clock; nothing else reads the machine's time.
 *
 * A manual clock stands still until it is moved forward (SUTURE_CLOCK, `POST /admin/clock`): deadlines fall due when
 * it passes them, never because a real second went by. Only socket time-outs and measured durations use real time.
 */
export interface Clock {
  readonly kind: 'real' | 'manual';
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}

export interface ManualClock extends Clock {
  readonly kind: 'manual';
  /** Moves the clock to `instantMs`; moving back is an error of the caller. */
  moveTo(instantMs: number): void;
}

export function createRealClock(): Clock {
  // eslint-disable-next-line no-restricted-properties -- the one reading of the machine's clock
  return { kind: 'real', now: () => Date.now() };
}

export function createManualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  return {
    kind: 'manual',
    now: () => nowMs,
    moveTo(instantMs) {
      if (instantMs < nowMs) throw new RangeError('a manual clock only moves forward');
      nowMs = instantMs;
    },
  };
}

/** The instant as FHIR `instant` in UTC with milliseconds, e.g. `2026-03-02T07:00:00.000Z`. */
export function formatInstant(instantMs: number): string {
  return new Date(instantMs).toISOString();
}
