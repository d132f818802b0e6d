/** Bulk import beside batched inserts by `pg` alone, and bulk export; until the last line is written and its judgments are done. */
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
  const { origin, basePath, territory } = world;
  const lines = Array.from({ length: patientsImported }, (_one, n) => territory.pathway(firstImported + n)).flat();
  const raw = await bench.rawWrites();
  const load = { connections: rawConnections, seconds: seconds / 2 };
  const before = await raw?.batch(load);
  const imported = await run(bench, lines.length, {
    method: 'POST',
    path: `${basePath}/$import`,
    headers: { 'content-type': 'application/fhir+ndjson', prefer: 'respond-async' },
    body: lines.map((line: Resource) => JSON.stringify(line)).join('\n'),
  });
  const after = await raw?.batch(load);
  const perBatch = 100;
  const count = await countAll(bench);
  const path = `${basePath}/$export`;
  const exported = await run(bench, count, { method: 'GET', path, headers: { prefer: 'respond-async' } });
  await settle(origin);
  return [
    { name: 'bulk import', ...imported, ...(before && after && { rawPerSecond: meanRate(before, after) * perBatch }) },
    { name: 'bulk export', ...exported },
  ];
}

type Bulk = Pick<ResultRow, 'unit' | 'perSecond' | 'cost'>;

async function run(bench: Bench, count: number, request: Parameters<typeof send>[1]): Promise<Bulk> {
  const { origin } = bench.world;
  const started = performance.now();

  const drive = async (): Promise<Figures> => {
    const response = await send(origin, request);
    const text = await response.text();
    if (response.status !== 202)
      throw new Error(`${request.path} was answered ${response.status}: ${text.slice(0, 400)}`);
    await settle(origin);
    const tookS = (performance.now() - started) / 1000;
    const place = new URL(response.headers.get('content-location') ?? '', origin);
    const state = await send(origin, { method: 'GET', path: place.pathname });
    const manifest = (await state.json()) as { readonly error?: readonly unknown[] };
    if (state.status !== 200 || (manifest.error?.length ?? 0) > 0) throw new Error(`${request.path} has errors`);
    return { count, countAll: count, failed: 0, failures: [], perSecond: count / tookS, medianMs: 0, p99Ms: 0 };
  };
  const { figures, cost } = await costOfServer(bench, { drive });
  return { unit: 'resources', perSecond: figures.perSecond, cost };
}

/** What an export will find. */
async function countAll({ world: { origin, basePath } }: Bench): Promise<number> {
  const response = await send(origin, { method: 'GET', path: `${basePath}/?_summary=count` });
  const { total } = (await response.json()) as { readonly total?: number };
  return total ?? 0;
}
