/** The asking side of overload.ts, in a process of its own: reads and writes in turn, over connections that stay. */
import http from 'node:http';

export interface OverloadOrder {
  readonly origin: string;
  readonly basePath: string;
  /** undefined: as fast as answers come, over `connectionsAtPeak`. */
  readonly perSecond: number | undefined;
  readonly seconds: number;
  readonly patients: readonly string[];
}

export interface OverloadReport {
  readonly connections: number;
  readonly askedPerSecond: number;
  /** Answers in 2xx. */
  readonly goodPerSecond: number;
  /** Of these. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Others, by status; 0: no answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly withoutRetryAfter: number;
}

const connectionsAtPeak = 32;
/** As many clients as may well hang on a server that is too slow for them. */
const connectionsMax = 900;
const tickMs = 5;

process.once('message', (order: OverloadOrder) => {
  void run(order).then((report) => process.send?.(report, () => process.exit(0)));
});

async function run({ origin, basePath, perSecond, seconds, patients }: OverloadOrder): Promise<OverloadReport> {
  const connections = perSecond === undefined ? connectionsAtPeak : connectionsMax;
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const durationsMs: number[] = [];
  const statuses: Record<string, number> = {};
  let [asked, withoutRetryAfter] = [0, 0];

  function ask(): Promise<void> {
    const n = asked++;
    const started = performance.now();
    const id = patients[n % patients.length] ?? '';
    const isWrite = n % 2 === 1;
    const text = isWrite
      ? JSON.stringify({
          resourceType: 'Observation',
          status: 'final',
          code: { text: 'x' },
          subject: { reference: `Patient/${id}` },
        })
      : '';
    const options = isWrite
      ? {
          method: 'POST',
          headers: { 'content-type': 'application/fhir+json', 'content-length': Buffer.byteLength(text) },
        }
      : { method: 'GET' };
    const path = isWrite ? `${basePath}/Observation` : `${basePath}/Patient/${id}`;
    return new Promise((resolve) => {
      const request = http.request(`${origin}${path}`, { ...options, agent }, (response) => {
        response.resume().once('close', () => {
          const { statusCode = 0, headers } = response;
          if (statusCode >= 200 && statusCode < 300) durationsMs.push(performance.now() - started);
          else {
            statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
            if (headers['retry-after'] === undefined) withoutRetryAfter++;
          }
          resolve();
        });
      });
      request.once('error', () => {
        statuses[0] = (statuses[0] ?? 0) + 1;
        resolve();
      });
      request.end(text);
    });
  }

  const begun = performance.now();
  const isOver = () => performance.now() - begun >= seconds * 1000;
  if (perSecond === undefined) {
    const loop = async () => {
      while (!isOver()) await ask();
    };
    await Promise.all(Array.from({ length: connections }, loop));
  } else {
    const under = new Set<Promise<void>>();
    while (!isOver()) {
      const due = ((performance.now() - begun) / 1000) * perSecond;
      // What finds no connection within the process is not asked: it would only wait here.
      while (asked < due && under.size < connections) {
        const one: Promise<void> = ask().finally(() => under.delete(one));
        under.add(one);
      }
      await new Promise((resume) => setTimeout(resume, tickMs));
    }
    await Promise.all(under);
  }
  const elapsedS = (performance.now() - begun) / 1000;
  agent.destroy();
  const sorted = Float64Array.from(durationsMs).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    connections,
    ...{ askedPerSecond: asked / elapsedS, goodPerSecond: durationsMs.length / elapsedS },
    ...{ medianMs: at(0.5), p99Ms: at(0.99), statuses, withoutRetryAfter },
  };
}
