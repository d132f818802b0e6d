/**
 * Stop in reverse. Each part registers a named clean-up when it opens; a failure half-way through the start
 * and a normal stop drain the same stack, last opened first. Each clean-up is run once and none stops the others.
 */
import type { Log } from './log.ts';

export interface Lifecycle {
  onStop(name: string, cleanUp: () => Promise<void> | void): void;
  stop(): Promise<void>;
}

export function createLifecycle(log: Log): Lifecycle {
  const stack: { name: string; cleanUp: () => Promise<void> | void }[] = [];
  let stopping: Promise<void> | undefined;
  async function drain(): Promise<void> {
    for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
      try {
        await entry.cleanUp();
      } catch {
        log.error({ component: entry.name }, 'clean-up failed');
      }
    }
  }
  return {
    onStop: (name, cleanUp) => void stack.push({ name, cleanUp }),
    stop: () => (stopping ??= drain()),
  };
}
