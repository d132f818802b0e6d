/**
 * npm run bench [-- --patients N] [--seconds S] [--only NAME] [--connections C] [--seed N] [--base URL]
 *
 * Starts the server in its own process on a temporary embedded PostgreSQL, loads generated pathways over HTTP, checks what
 * searches find, and measures each operation for S seconds, between two halves of the raw limit it is compared with
 * (test/README.md says what each limit is). `--base` asks another FHIR server instead, which has no raw limits, and keeps
 * what was loaded. Ends by itself; what it started it stops, and its folder it removes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { calibrate, machineLine } from './calibrate.ts';
import { checkSearches } from './checks.ts';
import { type CpuMeter, createCpuMeter } from './cpu.ts';
import { sendOrFail, settle } from './client.ts';
import { judgeEverybody, newLetters, tryLetter, withoutRules } from './engine.ts';
import { isLoaded, loadTerritory } from './load.ts';
import { driveHttp, type Figures, type Load, meanRate, warmUpShare } from './measure.ts';
import { type Operation, operationNames, prepareOperation, type World } from './operations.ts';
import { type Served, startServer } from './processes.ts';
import { openRawPages, type RawPages } from './raw-pages.ts';
import { batchSize, openRawWrites, type RawWrites } from './raw-writes.ts';
import { type Cost, type ResultRow, tableText } from './table.ts';
import { createTerritory } from './territory.ts';

const dayMs = 24 * 3_600_000;
const totalMinutesMax = 60;
const lettersAtOnce = 4;

const { values: options } = parseArgs({
  options: {
    patients: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    base: { type: 'string' },
  },
});
const asked = {
  patients: wholeNumber('patients', options.patients, 50_000),
  seconds: wholeNumber('seconds', options.seconds, 60),
  connections: wholeNumber('connections', options.connections, 64),
  seed: wholeNumber('seed', options.seed, 1_000_000),
};

function wholeNumber(name: string, text: string, max: number): number {
  if (/^[1-9]\d*$/.test(text) && Number(text) <= max) return Number(text);
  throw new Error(`--${name} is ${text}, expected a whole number from 1 to ${max}`);
}

/** Stopped in the reverse order of their start. */
const toStop: (() => Promise<void>)[] = [];

async function stopAll(): Promise<void> {
  for (const stop of toStop.splice(0).reverse()) {
    await stop().catch((error: unknown) => tell(`could not be stopped: ${String(error)}`));
  }
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().then(() => process.exit(130)));
}
const limit = setTimeout(() => {
  tell(`stopped after ${totalMinutesMax} minutes`);
  void stopAll().then(() => process.exit(1));
}, totalMinutesMax * 60_000);

interface Bench {
  readonly world: World;
  /** Undefined for another server. */
  readonly served: Served | undefined;
  readonly pages: RawPages | undefined;
  readonly meter: CpuMeter | undefined;
  rawWrites(): Promise<RawWrites | undefined>;
  readonly rows: ResultRow[];
}

async function open(folder: string): Promise<Bench> {
  const served = options.base === undefined ? await startServer(folder) : undefined;
  if (served !== undefined) toStop.push(() => served.stop());
  const base = new URL(served?.baseUrl ?? options.base ?? '');
  const todayMs = Math.floor(performance.timeOrigin / dayMs) * dayMs;
  const world: World = {
    origin: base.origin,
    basePath: base.pathname.replace(/\/$/, ''),
    territory: createTerritory(asked.patients, asked.seed, todayMs),
    connections: asked.connections,
  };
  const pages = served === undefined ? undefined : await openRawPages(served.databaseUrl);
  if (pages !== undefined) toStop.push(() => pages.stop());
  let writes: RawWrites | undefined;
  return {
    world,
    served,
    pages,
    meter: served && (await createCpuMeter(served.databaseUrl)),
    rows: [],
    async rawWrites() {
      if (served === undefined || writes !== undefined) return writes;
      tell('cloning the tables for the raw limit of writes');
      const opened = await openRawWrites(served.databaseUrl, asked.connections);
      toStop.push(() => opened.stop());
      writes = opened;
      return opened;
    },
  };
}

/** The limit in two halves around the operation, so that a change of the machine's pace falls on both. */
async function measure(bench: Bench, operation: Operation): Promise<ResultRow> {
  const { name, next, perRequest, connections } = operation;
  const { world, served } = bench;
  const raw = await rawLimit(bench, operation, { connections, seconds: asked.seconds / 2 });
  const before = await raw?.();
  const drive = () => driveHttp(world.origin, next, { connections, seconds: asked.seconds });
  const rest = async () => (operation.limit === 'page' ? undefined : settle(world.origin));
  const { figures, backlogMs, cost } = await costing(bench, served?.pid, drive, rest);
  const after = await raw?.();
  const rates = before && after && { rawPerSecond: meanRate(before.figures, after.figures) * perRequest };
  const drained = figures.countAll / (asked.seconds * (1 + warmUpShare) + (backlogMs ?? 0) / 1000);
  return {
    name,
    unit: perRequest === 1 ? 'requests' : 'entries',
    perSecond: figures.perSecond * perRequest,
    figures,
    ...rates,
    cost,
    rawCost: after?.cost,
    ...(backlogMs === undefined ? {} : { remark: `${Math.round(drained * perRequest)}/s with its judgments done` }),
  };
}

interface Costed {
  readonly figures: Figures;
  readonly backlogMs: number | undefined;
  readonly cost: Cost | undefined;
}

/** Counts the processor time until the work that was left behind is done as well. */
async function costing(
  { meter }: Bench,
  pid: number | undefined,
  drive: () => Promise<Figures>,
  rest: () => Promise<number | undefined>,
): Promise<Costed> {
  const before = pid === undefined ? undefined : await meter?.read(pid);
  const figures = await drive();
  const backlogMs = await rest();
  const after = pid === undefined ? undefined : await meter?.read(pid);
  const cost = before &&
    after && {
      processUs: (after.process - before.process) / figures.countAll,
      databaseUs: (after.database - before.database) / figures.countAll,
    };
  return { figures, backlogMs, cost };
}

async function rawLimit(bench: Bench, operation: Operation, load: Load): Promise<(() => Promise<Costed>) | undefined> {
  const nothingLeft = () => Promise.resolve(undefined);
  const { limit: kind } = operation;
  if (kind === 'page') {
    const { pages } = bench;
    await pages?.keep(bench.world.origin, operation.next);
    return pages && (() => costing(bench, pages.pid, () => pages.drive(load), nothingLeft));
  }
  // The first one alone, so that a refusal is told with its reason.
  await sendOrFail(bench.world.origin, operation.next());
  const writes = await bench.rawWrites();
  return writes && (() => costing(bench, process.pid, () => writes[kind](load), nothingLeft));
}

async function measureEngine(bench: Bench): Promise<void> {
  const { world, rows } = bench;
  if (isAsked('create, no rules')) {
    const row = await withoutRules(world, async () => measure(bench, await prepareOperation(world, 'create')));
    rows.push({ ...row, name: 'create, no rules' });
  }
  if (isAsked('letters by $ingest')) {
    const next = newLetters(world);
    await tryLetter(world.origin, next());
    const drive = () => driveHttp(world.origin, next, { connections: lettersAtOnce, seconds: asked.seconds });
    const { figures, cost } = await costing(bench, bench.served?.pid, drive, () => settle(world.origin));
    rows.push({ name: 'letters by $ingest', unit: 'letters', perSecond: figures.perSecond, figures, cost });
  }
  if (isAsked('judge')) {
    await judgeEverybody(world); // warms up
    const { patientsPerSecond, judgmentsPerSecond } = await judgeEverybody(world);
    const remark = 'a rule set put again: every patient judged, until nothing is left';
    rows.push({ name: 'judge, patients', unit: 'patients', perSecond: patientsPerSecond, remark });
    rows.push({ name: 'judge, rules', unit: 'judgments', perSecond: judgmentsPerSecond });
  }
}

function isAsked(name: string): boolean {
  return options.only === undefined || name.includes(options.only);
}

async function load({ origin, basePath, territory }: World): Promise<ResultRow> {
  tell(`loading ${asked.patients} patients with 30 resources each`);
  const { resources, seconds } = await loadTerritory(origin, basePath, territory);
  const backlogMs = await settle(origin);
  const row = { name: 'load by transactions', unit: 'resources', perSecond: resources / seconds };
  if (backlogMs === undefined) return row;
  return { ...row, remark: `${Math.round(resources / (seconds + backlogMs / 1000))}/s with its judgments done` };
}

async function run(folder: string): Promise<void> {
  tell(`${machineLine()}\nnow: ${await calibrate(folder)}`);
  const bench = await open(folder);
  const { world, rows, served } = bench;
  if (!(await isLoaded(world.origin, world.basePath, world.territory))) rows.push(await load(world));
  for (const fault of await checkSearches(world)) tell(`WRONG: ${fault}`);
  for (const name of operationNames.filter(isAsked)) {
    tell(name);
    try {
      rows.push(await measure(bench, await prepareOperation(world, name)));
    } catch (error) {
      tell(`  left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (served !== undefined) await measureEngine(bench);
  tell(`now: ${await calibrate(folder)}`);
  const memory = served?.memory();
  const date = new Date(performance.timeOrigin).toISOString().slice(0, 16);
  const settings = `${asked.patients} patients with 30 resources each, ${asked.connections} connections, ${asked.seconds} s each, seed ${asked.seed}`;
  process.stdout.write(`\n${date} UTC, ${machineLine()}\n${settings}\n\n${tableText(rows)}\n`);
  if (memory !== undefined) {
    process.stdout.write(`\nserver process: ${memory.nowMb} MB resident, ${memory.peakMb} MB at most\n`);
  }
  process.stdout.write(
    `raw limit: reads by a bare route with one prepared select of the same bytes; writes by pg alone, ${batchSize} rows at once for transactions\n` +
      'cpu us: processor time of one request, server + database, until its judgments are done\n',
  );
}

const folder = await mkdtemp(join(tmpdir(), 'suture-bench-'));
toStop.push(() => rm(folder, { recursive: true, force: true }));
try {
  await run(folder);
} finally {
  clearTimeout(limit);
  await stopAll();
}
