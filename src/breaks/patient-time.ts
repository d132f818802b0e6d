/**
 * The clocks of two instances never agree to the millisecond. An instance that is behind would judge a break that another
 * has just opened as one that still waits: it would take it back, and open it again a moment later, with another Task and
 * another call. So for one patient time does not go back behind what was written of his breaks,
 * within the bound to which clocks may differ: a clock that was a year ahead once must not open everything now.
 */
import type { PatientRecord } from './record.ts';

const skewMaxMs = 60_000;

const writtenByEngine = ['DetectedIssue', 'Task', 'Communication'] as const;

/** The clock, or when the engine last wrote of this patient where that is a little later. */
export function patientTime(clockMs: number, { byType }: Pick<PatientRecord, 'byType'>): number {
  const written = writtenByEngine.flatMap((type) => byType.get(type) ?? []);
  const instants = written.map(({ meta }) => Date.parse(meta?.lastUpdated ?? ''));
  const limitMs = clockMs + skewMaxMs;
  return instants.reduce((latest, atMs) => (atMs > latest && atMs <= limitMs ? atMs : latest), clockMs);
}
