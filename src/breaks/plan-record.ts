/** The plan of writes for a patient whose record was judged, with what the server adds: its zone, quiet hours, silences. */
import { formatLocal, type Resource } from '../fhir/index.ts';
import type { Job } from '../queue/index.ts';
import { type EngineInput, engineLimits } from './engine-input.ts';
import { lastBreaks, splitVerdicts } from './expectations.ts';
import type { Judged } from './judge-patient.ts';
import { type Plan, type PlanInput, planBreaks } from './plan.ts';
import type { JudgePayload } from './own-writes.ts';
import { quietUntil, readSilence } from './quiet.ts';
import type { PatientRecord } from './record.ts';
import { isBreakTask } from './resources.ts';
import type { RuleBook } from './rule-book.ts';

interface Judgment {
  readonly record: PatientRecord;
  readonly book: RuleBook;
  readonly judged: readonly Judged[];
  readonly nowMs: number;
  readonly job: Job;
  /** Foci whose deadlines break because the feed that held them has ended (feed-guard.ts). */
  readonly isReleased?: (focus: Resource) => boolean;
}

/** What follows from the judgments of a record; pure but for the ids it takes. */
export function planOf(input: EngineInput, judgment: Judgment): Plan {
  return planBreaks(planInput(input, judgment));
}

function planInput(input: EngineInput, { record, book, judged, nowMs, job, isReleased }: Judgment): PlanInput {
  const place = input.places.of(record);
  const { zone } = place.dates;
  const isUntold = untoldBy(job, nowMs);
  return {
    patient: job.key,
    nowMs,
    ...splitVerdicts({ record, book, judged }),
    breaks: lastBreaks(record),
    tasks: (record.byType.get('Task') ?? []).filter(isBreakTask),
    nextId: () => input.ids.next(nowMs),
    dateTime: (instantMs, other = zone) => formatLocal(instantMs, other),
    lateKnowledgeMs: engineLimits.lateKnowledgeMs,
    proofAwaitedMs: input.proofAwaitedMs,
    silences: (record.byType.get('Basic') ?? []).flatMap((note) => readSilence(note, place) ?? []),
    quietUntilMs: quietUntil(nowMs, input.quietHours, place),
    isUntold: (focus) => isReleased?.(focus) === true || isUntold(focus),
  };
}

/** What is due for long when its job runs, or lies in the record since before its rule: one digest, not many calls. */
function untoldBy(job: Job, nowMs: number): PlanInput['isUntold'] {
  if (nowMs - job.runAtMs > engineLimits.catchUpAfterMs) return () => true;
  const { rulesAtMs } = (job.payload ?? {}) as JudgePayload;
  if (rulesAtMs === undefined) return () => false;
  return ({ meta }) => meta?.lastUpdated !== undefined && Date.parse(meta.lastUpdated) < rulesAtMs;
}
