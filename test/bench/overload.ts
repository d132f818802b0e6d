/**
 * Back-pressure: what is answered well when more is asked than can be done. A process of its own asks at a fixed pace, whatever the
 * answers: first as fast as they come (the peak), then three times that. What counts: good answers a second against the peak, memory
 * of the server, and whether health answered all the time.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Bench } from './compare.ts';
import type { OverloadOrder, OverloadReport } from './overload-client.ts';
import type { ResultRow } from './table.ts';

const times = 3;
const healthEveryMs = 200;

export async function measureOverload(bench: Bench): Promise<readonly ResultRow[]> {
  const { world, seconds, served } = bench;
  const { origin, basePath } = world;
  const order = (perSecond: number | undefined): OverloadOrder => ({
    ...{ origin, basePath, perSecond, seconds: Math.max(5, seconds) },
    patients: world.territory.people.slice(0, 50).map(({ id }) => id),
  });
  await drive({ ...order(undefined), seconds: 2 }); // warms up
  const peak = await drive(order(undefined));
  const watch = watchHealth(origin);
  let over: OverloadReport | undefined;
  const growthMb = await served?.growth(async () => {
    over = await drive(order(Math.round(peak.goodPerSecond * times)));
  });
  over ??= await drive(order(Math.round(peak.goodPerSecond * times)));
  const health = await watch.stop();
  const share = Math.round((100 * over.goodPerSecond) / peak.goodPerSecond);
  const refused = Object.entries(over.statuses).map(([status, count]) => `${count} x ${status}`);
  const memory = growthMb === undefined ? '' : `, memory grew by ${growthMb} MB at most`;
  return [
    {
      name: 'overload, peak',
      unit: 'requests',
      perSecond: peak.goodPerSecond,
      remark: `${peak.connections} connections, as fast as answered`,
    },
    {
      name: `overload, ${times} times the peak`,
      ...{ unit: 'requests', perSecond: over.goodPerSecond },
      remark: `good answers ${share} % of the peak at ${Math.round(over.askedPerSecond)} asked/s, median ${over.medianMs.toFixed(0)} ms, p99 ${over.p99Ms.toFixed(0)} ms; ${refused.join(', ')}, ${over.withoutRetryAfter} refusals without Retry-After${memory}; health asked ${health.asked} times, ${health.failed} failed, ${health.longestMs.toFixed(0)} ms at most`,
    },
  ];
}

async function drive(order: OverloadOrder): Promise<OverloadReport> {
  const child: ChildProcess = fork(new URL('overload-client.js', import.meta.url));
  child.send(order);
  const [report] = (await once(child, 'message')) as [OverloadReport];
  return report;
}

function watchHealth(origin: string) {
  const seen = { asked: 0, failed: 0, longestMs: 0 };
  const under: Promise<void>[] = [];
  const look = async (): Promise<void> => {
    const started = performance.now();
    seen.asked++;
    const isOk = await fetch(`${origin}/health/ready`, { signal: AbortSignal.timeout(5000) }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (!isOk) seen.failed++;
    seen.longestMs = Math.max(seen.longestMs, performance.now() - started);
  };
  const timer = setInterval(() => under.push(look()), healthEveryMs);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      return seen;
    },
  };
}
