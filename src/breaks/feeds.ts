/**
 * Is a feed silent for longer than usual? A rule that waits for something absent is only as good as the feed that would
 * bring it: when the interface of a hospital stands still, hundreds of letters seem to be missing. Pure.
 *
 * The pattern of a feed (a site and a type of resource) is the hours in which something came during the four weeks before
 * the last one. Its usual pause is the third longest of them: nights and weekends count, one or two breakdowns do not. It
 * is silent when nothing has come for twice that, for eight times its mean pause (of few arrivals the longest pauses tell
 * little: where things come by chance, so long a pause is one in three thousand), and for half a day at least. A feed that
 * is not known well enough has no pattern, and is never silent.
 *
 * A feed that has been silent for two weeks has ended: a site that closed, or that sends by another way. What waited for it
 * is judged then, as it stands: a deadline that is held for good would be a break that nobody ever hears of.
 */
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const feedLimits = {
  patternMs: 28 * dayMs,
  /** Known well enough: so many hours, on so many days. */
  hoursMin: 20,
  daysMin: 7,
  silenceMinMs: 12 * hourMs,
  /** Of the usual pause, and of the mean one. */
  factor: 2,
  factorOfMean: 8,
  /** So long after the last arrival a silent feed has ended. */
  heldMaxMs: 14 * dayMs,
} as const;

export function hourOf(atMs: number): number {
  return Math.floor(atMs / hourMs) * hourMs;
}

export interface Silence {
  /** End of the last hour in which something came. */
  readonly sinceMs: number;
  /** How long its pauses usually are, at most. */
  readonly usualPauseMs: number;
  /** From then on it has ended, and holds nothing back. */
  readonly endsMs: number;
}

/** `hours`: beginnings of the hours in which something came, in any order. */
export function silenceOf(hours: readonly number[], nowMs: number): Silence | undefined {
  const before = [...new Set(hours)].filter((hour) => hour <= nowMs).sort((left, right) => left - right);
  const last = before.at(-1);
  if (last === undefined) return undefined;
  const known = before.filter((hour) => hour > last - feedLimits.patternMs);
  const days = new Set(known.map((hour) => Math.floor(hour / dayMs)));
  if (known.length < feedLimits.hoursMin || days.size < feedLimits.daysMin) return undefined;
  const pauses = known.slice(1).map((hour, index) => hour - (known[index] ?? hour) - hourMs);
  const usualPauseMs = [...pauses].sort((left, right) => right - left)[2] ?? 0;
  const sinceMs = last + hourMs;
  const meanPauseMs = pauses.reduce((sum, one) => sum + one, 0) / pauses.length;
  const { silenceMinMs, factor, factorOfMean, heldMaxMs } = feedLimits;
  const limitMs = Math.max(silenceMinMs, factor * usualPauseMs, factorOfMean * meanPauseMs);
  if (nowMs - sinceMs <= limitMs) return undefined;
  return { sinceMs, usualPauseMs, endsMs: sinceMs + heldMaxMs };
}
