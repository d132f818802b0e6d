/**
 * Stop in reverse. Each part registers a named clean-up when it opens; a failure half-way through the start
 * and a normal stop drain the same stack, last opened first. Each clean-up is run once and none stops the others: not by failing, and
 * not by taking long. What is cut off is done again after the next start, because nothing is only in memory.
 */
import { stopLimits } from './limits.ts';
import type { Log } from './log.ts';

export interface Lifecycle {
  onStop(name: string, cleanUp: () => Promise<void> | void): void;
  /** Tells everybody to go elsewhere, while what comes is still served. */
  leave(): void;
  isLeaving(): boolean;
  stop(): Promise<void>;
}

/** `stopMs`: in which all clean-ups together are to be done. */
export function createLifecycle(log: Log, { stopMs }: { readonly stopMs: number } = stopLimits): Lifecycle {
  const stack: { name: string; cleanUp: () => Promise<void> | void }[] = [];
  let stopping: Promise<void> | undefined;
  let isLeaving = false;
  async function drain(): Promise<void> {
    isLeaving = true;
    const deadline = performance.now() + stopMs;
    for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
      const isDone = await within(Math.max(stopLimits.partMs, deadline - performance.now()), run(entry));
      if (!isDone) log.warn({ component: entry.name, reason: 'timeout' }, 'the stop does not wait for it any longer');
    }
  }
  async function run({ name, cleanUp }: (typeof stack)[number]): Promise<void> {
    try {
      await cleanUp();
    } catch {
      log.error({ component: name }, 'clean-up failed');
    }
  }
  return {
    onStop: (name, cleanUp) => void stack.push({ name, cleanUp }),
    leave: () => void (isLeaving = true),
    isLeaving: () => isLeaving,
    stop: () => (stopping ??= drain()),
  };
}

/** Whether the work was done in this time; it goes on all the same. */
export async function within(timeoutMs: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer));
}
