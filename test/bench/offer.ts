/** Requests at a fixed pace, whatever the server takes: what is late does not make the next one wait. */
import { send } from './client.ts';
import type { Figures, HttpRequest } from './measure.ts';

export interface Offer {
  /** Number 0, 1, ...; each named by an id of its own. */
  readonly next: (n: number) => { readonly id: string; readonly request: HttpRequest };
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Answered {
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  readonly isOk: boolean;
}

/** By id; instants of `performance.now()`. */
export async function offer(
  origin: string,
  { next, perSecond, seconds }: Offer,
): Promise<ReadonlyMap<string, Answered>> {
  const answers = new Map<string, Answered>();
  const under: Promise<void>[] = [];
  const begun = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const waitMs = begun + (n * 1000) / perSecond - performance.now();
    if (waitMs > 0) await new Promise((resume) => setTimeout(resume, waitMs));
    const { id, request } = next(n);
    const sentAtMs = performance.now();
    under.push(
      send(origin, request)
        .then(async (response) => {
          await response.arrayBuffer();
          return response.ok;
        })
        .catch(() => false)
        .then((isOk) => void answers.set(id, { sentAtMs, answeredAtMs: performance.now(), isOk })),
    );
  }
  await Promise.all(under);
  return answers;
}

export function answerTimes(answers: ReadonlyMap<string, Answered>): readonly number[] {
  return [...answers.values()].filter(({ isOk }) => isOk).map(({ sentAtMs, answeredAtMs }) => answeredAtMs - sentAtMs);
}

/** From the first that was sent to the last that was answered, in s. */
export function elapsedS(answers: ReadonlyMap<string, Answered>): number {
  const all = [...answers.values()];
  const begun = Math.min(...all.map(({ sentAtMs }) => sentAtMs));
  return (Math.max(...all.map(({ answeredAtMs }) => answeredAtMs)) - begun) / 1000;
}

/** Of `count` durations that were expected; those missing have failed as `failure`. */
export function figuresOf(
  durationsMs: readonly number[],
  { count, seconds, failure }: { readonly count: number; readonly seconds: number; readonly failure: string },
): Figures {
  const sorted = Float64Array.from(durationsMs).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const failed = count - sorted.length;
  return {
    count: sorted.length,
    countAll: count,
    failed,
    failures: failed === 0 ? [] : [`${failed} x ${failure}`],
    perSecond: sorted.length / seconds,
    medianMs: at(0.5),
    p99Ms: at(0.99),
  };
}
