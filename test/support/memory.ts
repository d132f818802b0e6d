/** What lives at most in the memory of a server process that has `memory-probe.mjs` in it, while something is done. */
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export interface Living {
  /** Above what lived before, in bytes. */
  readonly growthBytes: number;
  /** How often it was looked at. */
  readonly samples: number;
}

/** What the process needs in its environment; `probe`: path of memory-probe.mjs. */
export function probeSettings(probe: string, file: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import ${new URL(`file://${probe}`).href}`, MEMORY_PROBE: file };
}

const untilMs = 30_000;

export async function livingWhile(pid: number, file: string, work: () => Promise<unknown>): Promise<Living> {
  const toggle = async (): Promise<{ baseBytes?: number; peakBytes?: number; samples?: number }> => {
    await rm(file, { force: true });
    process.kill(pid, 'SIGUSR2');
    for (const end = performance.now() + untilMs; ; await delay(5)) {
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text !== undefined) return JSON.parse(text) as object;
      if (performance.now() > end) throw new Error('the memory of the server is not told: has it the probe?');
    }
  };
  await toggle();
  await work();
  const { baseBytes = 0, peakBytes = 0, samples = 0 } = await toggle();
  return { growthBytes: peakBytes - baseBytes, samples };
}
