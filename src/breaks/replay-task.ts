/** One patient's part of a back-test: the history replayed from change to change under one rule set (isolation-thread.ts). */
import type { Resource } from '../fhir/index.ts';
import type { Override } from '../rules/index.ts';
import type { CustomParameter } from '../search/index.ts';
import type { JudgeInput } from './judge-patient.ts';
import { createReplay, type ReplayedChange, type ReplayedMove, type ReplayInput } from './replay.ts';

export interface ReplayTask {
  readonly kind: 'replay';
  readonly custom: readonly CustomParameter[];
  /** Text of the rule set, active. */
  readonly ruleSet: string;
  readonly overrides: readonly Override[];
  /** `Patient/id`. */
  readonly patient: string;
  /** As they are now: whom a reference stands for. */
  readonly professionals: readonly Resource[];
  /** Oldest first. */
  readonly history: readonly { readonly atMs: number; readonly change: ReplayedChange }[];
  /** The period, half-open. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly lateKnowledgeMs: number;
  readonly proofAwaitedMs: number;
}

export interface ReplayAnswer {
  readonly moves: readonly ReplayedMove[];
  /** When somebody would have been called. */
  readonly alerts: readonly number[];
  /** Judgments that failed, by rule and part. */
  readonly errors: readonly (readonly [string, number])[];
}

type Setting = Pick<ReplayInput, 'book' | 'select' | 'places'> & Pick<JudgeInput, 'begins'>;

export async function replayTask(task: ReplayTask, setting: Setting): Promise<ReplayAnswer> {
  const { patient, history, fromMs, toMs, lateKnowledgeMs, proofAwaitedMs } = task;
  const replay = createReplay({ ...setting, patient, lateKnowledgeMs, proofAwaitedMs });
  replay.recall(
    task.professionals.map((resource) => ({ resource })),
    Math.min(fromMs, history[0]?.atMs ?? fromMs),
  );
  for (const { atMs, change } of history) if (atMs < fromMs) replay.recall([change], atMs);
  await replay.begin(fromMs);
  for (const { atMs, changes } of byInstant(history.filter((one) => one.atMs >= fromMs && one.atMs < toMs))) {
    await replay.advanceTo(atMs);
    await replay.write(changes, atMs);
  }
  await replay.advanceTo(toMs - 1);
  return { moves: replay.moves, alerts: replay.alerts, errors: [...replay.errors] };
}

/** What was committed together is judged together. */
function byInstant(
  history: ReplayTask['history'],
): readonly { readonly atMs: number; readonly changes: readonly ReplayedChange[] }[] {
  const steps: { atMs: number; changes: ReplayedChange[] }[] = [];
  for (const { atMs, change } of history) {
    const last = steps.at(-1);
    if (last?.atMs === atMs) last.changes.push(change);
    else steps.push({ atMs, changes: [change] });
  }
  return steps;
}
