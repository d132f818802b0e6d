/**
 * How fast something answers. HTTP through autocannon, database work through a loop of our own; both keep each single
 * duration, so that the median and the 99th percentile are exact. The first part of each run warms up and does not count.
 */
import autocannon, { type AutocannonRequest } from 'autocannon';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** From the root of the server, with query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Load {
  readonly connections: number;
  readonly seconds: number;
}

export interface Figures {
  /** In the time that counts. */
  readonly count: number;
  /** From the first to the last, the warming up too. */
  readonly countAll: number;
  /** Answers outside 2xx, and connections that failed. */
  readonly failed: number;
  readonly failures: readonly string[];
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Of the time that counts, before it. */
export const warmUpShare = 0.25;
const answerTimeoutSeconds = 30;
const tickMs = 100;

/** Sends requests as fast as they are answered, over so many connections. */
export async function driveHttp(origin: string, next: () => HttpRequest, load: Load): Promise<Figures> {
  return driveAll([origin], next, load);
}

/** The same to several servers at once: the connections are divided among them, and counted together. */
export async function driveAll(origins: readonly string[], next: () => HttpRequest, load: Load): Promise<Figures> {
  const record = createRecord(load);
  const each = { ...load, connections: Math.max(1, Math.round(load.connections / origins.length)) };
  await Promise.all(origins.map((origin) => drive(origin, { next, record, load: each })));
  return record.figures();
}

interface Drive {
  readonly next: () => HttpRequest;
  readonly record: ReturnType<typeof createRecord>;
  readonly load: Load;
}

async function drive(origin: string, { next, record, load }: Drive): Promise<void> {
  const setupRequest = (request: AutocannonRequest): AutocannonRequest => {
    const { method, path, headers, body } = next();
    return { ...request, method, path, headers: { ...request.headers, ...headers }, body };
  };
  const instance = autocannon({
    url: origin,
    connections: load.connections,
    duration: load.seconds * (1 + warmUpShare),
    timeout: answerTimeoutSeconds,
    sampleInt: tickMs,
    requests: [{ setupRequest }],
  });
  instance.on('response', (_client: unknown, status: number | string, _bytes: number, durationMs: number) => {
    const code = Number(status);
    record.add(durationMs, code >= 200 && code < 300 ? undefined : `status ${code}`);
  });
  instance.on('reqError', () => record.add(0, 'connection failed'));
  await instance;
}

/** Runs `work` in so many loops at once; each gets the number of its loop. */
export async function driveLoops(work: (loop: number) => Promise<void>, load: Load): Promise<Figures> {
  const record = createRecord(load);
  async function loop(number: number): Promise<void> {
    while (!record.isOver()) {
      const started = performance.now();
      await work(number);
      record.add(performance.now() - started, undefined);
    }
  }
  await Promise.all(Array.from({ length: load.connections }, (_one, number) => loop(number)));
  return record.figures();
}

function createRecord({ seconds }: Load) {
  const begin = performance.now() + seconds * warmUpShare * 1000;
  const end = begin + seconds * 1000;
  const durationsMs: number[] = [];
  const failures = new Map<string, number>();
  let countAll = 0;
  return {
    isOver: () => performance.now() >= end,
    add(durationMs: number, failure: string | undefined) {
      if (failure !== undefined) failures.set(failure, (failures.get(failure) ?? 0) + 1);
      const at = performance.now();
      countAll++;
      if (failure === undefined && at >= begin && at < end) durationsMs.push(durationMs);
    },
    figures(): Figures {
      const sorted = Float64Array.from(durationsMs).sort();
      const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      return {
        count: sorted.length,
        countAll,
        failed: [...failures.values()].reduce((sum, one) => sum + one, 0),
        failures: [...failures].map(([reason, count]) => `${count} x ${reason}`),
        perSecond: sorted.length / seconds,
        medianMs: at(0.5),
        p99Ms: at(0.99),
      };
    },
  };
}

/** The mean rate of two runs, around what is compared with them, so that a machine that changes its pace tells it. */
export function meanRate(before: Figures, after: Figures): number {
  return (before.perSecond + after.perSecond) / 2;
}
