/** Bulk import beside batched inserts by `pg` alone, and bulk export. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Resource } from '../../src/fhir/resource.ts';
import { type Bench, costOfServer } from './compare.ts';
import { send, settle } from './client.ts';
import { type Figures, meanRate } from './measure.ts';
import type { ResultRow } from './table.ts';

const patientsImported = 150;
/** Beyond those that other operations make. */
const firstImported = 400_000;
const rawConnections = 4;

export async function measureBulk(bench: Bench): Promise<readonly ResultRow[]> {
  const { world, seconds } = bench;
  const { basePath, territory } = world;
  const lines = Array.from({ length: patientsImported }, (_one, n) => territory.pathway(firstImported + n)).flat();
  const raw = await bench.rawWrites();
  const load = { connections: rawConnections, seconds: seconds / 2 };
  const before = await raw?.batch(load);
  const imported = await run(bench, {
    method: 'POST',
    path: `${basePath}/$import`,
    headers: { 'content-type': 'application/fhir+ndjson', prefer: 'respond-async' },
    body: lines.map((line: Resource) => JSON.stringify(line)).join('\n'),
  });
  const after = await raw?.batch(load);
  const perBatch = 100;
  const exported = await run(bench, {
    method: 'GET',
    path: `${basePath}/$export`,
    headers: { prefer: 'respond-async' },
  });
  return [
    { name: 'bulk import', ...imported, ...(before && after && { rawPerSecond: meanRate(before, after) * perBatch }) },
    { name: 'bulk export', ...exported },
  ];
}

interface Manifest {
  readonly error?: readonly unknown[];
  /** Our own: how many were done. */
  readonly extension?: { readonly resources?: number };
}

const pollMs = 20;

/** The rate until the job is done; what its resources cause is waited for as well, and told beside. */
async function run(
  bench: Bench,
  request: Parameters<typeof send>[1],
): Promise<Pick<ResultRow, 'unit' | 'perSecond' | 'cost' | 'remark'>> {
  const { origin } = bench.world;
  const drive = async (): Promise<Figures> => {
    const started = performance.now();
    const response = await send(origin, request);
    const text = await response.text();
    if (response.status !== 202)
      throw new Error(`${request.path} was answered ${response.status}: ${text.slice(0, 400)}`);
    const count = countOf(await readManifest(new URL(response.headers.get('content-location') ?? '', origin)));
    const tookS = (performance.now() - started) / 1000;
    return { count, countAll: count, failed: 0, failures: [], perSecond: count / tookS, medianMs: 0, p99Ms: 0 };
  };
  const { figures, backlogMs, cost } = await costOfServer(bench, { drive, rest: () => settle(origin) });
  const settled = figures.count / (figures.count / figures.perSecond + (backlogMs ?? 0) / 1000);
  const remark = `${Math.round(settled)}/s with its judgments done`;
  return { unit: 'resources', perSecond: figures.perSecond, cost, remark };
}

/** Asks again until the job is done. */
async function readManifest({ origin, pathname }: URL): Promise<Manifest> {
  for (;;) {
    const state = await send(origin, { method: 'GET', path: pathname });
    const text = await state.text();
    if (state.status === 200) return JSON.parse(text) as Manifest;
    if (state.status !== 202) throw new Error(`${pathname} was answered ${state.status}: ${text.slice(0, 400)}`);
    await delay(pollMs);
  }
}

function countOf({ extension, error = [] }: Manifest): number {
  if (error.length > 0) throw new Error('the job has errors');
  return extension?.resources ?? 0;
}
