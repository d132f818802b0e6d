/**
 * npm run bench [-- --patients N] [--seconds S] [--warm-up S] [--only NAME] [--connections C] [--seed N] [--base URL] [--times T]
 *               [--keep FOLDER] [--due N] [--access] [--instances N]
 *
 * Starts the server in its own process on a temporary embedded PostgreSQL, loads generated pathways over HTTP, checks what
 * searches find, and measures each operation, when it has run for a while, for S seconds beside its raw limit (compare.ts).
 * `--base` asks another FHIR server instead: without raw limits, and what was loaded stays there. `--times 10` measures reads at
 * ten times the data as well (larger.ts), in a folder that `--keep` names and that stays for the next time. `--access` measures
 * instead what authentication and audit cost (access.ts). `--only deadlines` lets 10,000 fall due within a minute, or as many as
 * `--due` says. `--instances 4` measures instead one, two and four servers over one database (instances.ts). Ends by itself; what it started it stops, and its folder it removes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureAccess } from './access.ts';
import { calibrate, machineLine } from './calibrate.ts';
import { measureBulk } from './bulk.ts';
import { checkSearches } from './checks.ts';
import { settle } from './client.ts';
import { type Bench, compare } from './compare.ts';
import { createCpuMeter } from './cpu.ts';
import { judgeEverybody, withoutRules } from './engine.ts';
import { measureInstances } from './instances.ts';
import { letterNames, measureLetters } from './letters.ts';
import { isLoaded, loadTerritory } from './load.ts';
import { measureLarger } from './larger.ts';
import { operationNames, prepareOperation, type World } from './operations.ts';
import { startServer } from './processes.ts';
import { measureOverload } from './overload.ts';
import { openRawPages } from './raw-pages.ts';
import { openRawWrites, type RawWrites } from './raw-writes.ts';
import { measureDeadlines, measureRules } from './rules.ts';
import { measureSaturation } from './saturation.ts';
import { measureSubscriptions } from './subscriptions.ts';
import { notes, type ResultRow, tableText } from './table.ts';
import { createTerritory } from './territory.ts';
import { withLoss } from './validation-loss.ts';
import { measureValidation } from './validation.ts';

const dayMs = 24 * 3_600_000;
const totalMinutesMax = 90;
/** Each takes some twenty of the hundred connections that the database has. */
const instancesMax = 4;

const { values: options } = parseArgs({
  options: {
    patients: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '10' },
    connections: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    base: { type: 'string' },
    times: { type: 'string' },
    keep: { type: 'string' },
    access: { type: 'boolean', default: false },
    due: { type: 'string', default: '10000' },
    instances: { type: 'string' },
  },
});
const asked = {
  patients: wholeNumber('patients', options.patients, 50_000),
  seconds: wholeNumber('seconds', options.seconds, 60),
  warmUpSeconds: wholeNumber('warm-up', options['warm-up'], 120),
  connections: wholeNumber('connections', options.connections, 64),
  seed: wholeNumber('seed', options.seed, 1_000_000),
  due: wholeNumber('due', options.due, 100_000),
  times: options.times === undefined ? undefined : wholeNumber('times', options.times, 100),
  instances: options.instances === undefined ? undefined : wholeNumber('instances', options.instances, instancesMax),
};

function wholeNumber(name: string, text: string, max: number): number {
  if (/^[1-9]\d*$/.test(text) && Number(text) <= max) return Number(text);
  throw new Error(`--${name} is ${text}, expected a whole number from 1 to ${max}`);
}

function isAsked(name: string): boolean {
  return options.only === undefined || name.includes(options.only);
}

/** Stopped in the reverse order of their start. */
const toStop: (() => Promise<void>)[] = [];
let stopped: Promise<void> | undefined;

/** Once, whoever asks: the end of the run, a signal, the time limit. */
function stopAll(): Promise<void> {
  stopped ??= (async () => {
    for (const stop of toStop.reverse()) {
      await stop().catch((error: unknown) => tell(`could not be stopped: ${String(error)}`));
    }
  })();
  return stopped;
}

function breakOff(reason: string, status: number): void {
  tell(`stopped: ${reason}`);
  void stopAll().then(() => process.exit(status));
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function open(folder: string): Promise<Bench> {
  const served = options.base === undefined ? await startServer(folder) : undefined;
  if (served !== undefined) toStop.push(() => served.stop());
  const base = new URL(served?.baseUrl ?? options.base ?? '');
  const todayMs = Math.floor(performance.timeOrigin / dayMs) * dayMs;
  const pages = served && (await openRawPages(served.databaseUrl));
  if (pages !== undefined) toStop.push(() => pages.stop());
  let writes: RawWrites | undefined;
  return {
    world: {
      origin: base.origin,
      basePath: base.pathname.replace(/\/$/, ''),
      territory: createTerritory(asked.patients, asked.seed, todayMs),
      connections: asked.connections,
    },
    seconds: asked.seconds,
    warmUpSeconds: asked.warmUpSeconds,
    warmLimits: new Set(),
    served,
    meter: served && (await createCpuMeter(served.databaseUrl)),
    pages,
    async rawWrites() {
      if (served === undefined || writes !== undefined) return writes;
      tell('copying the tables for the raw limit of writes');
      const opened = await openRawWrites(served.databaseUrl, asked.connections);
      toStop.push(() => opened.stop());
      writes = opened;
      return opened;
    },
  };
}

async function load({ origin, basePath, territory }: World): Promise<ResultRow> {
  tell(`loading ${asked.patients} patients with 30 resources each`);
  const { resources, seconds } = await loadTerritory(origin, basePath, territory);
  const backlogMs = await settle(origin);
  const row = { name: 'load by transactions', unit: 'resources', perSecond: resources / seconds };
  if (backlogMs === undefined) return row;
  return { ...row, remark: `${Math.round(resources / (seconds + backlogMs / 1000))}/s with its judgments done` };
}

async function measureOperations(bench: Bench, rows: ResultRow[]): Promise<void> {
  for (const name of operationNames.filter(isAsked)) {
    tell(name);
    try {
      const operation = await prepareOperation(bench.world, name);
      rows.push(await withLoss(operation, await compare(bench, operation)));
      const memory = bench.served?.memory();
      if (memory !== undefined) tell(`  ${memory.nowMb} MB resident, ${memory.peakMb} MB at most so far`);
    } catch (error) {
      tell(`  left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** What only Suture does. */
async function measureEngine(bench: Bench, rows: ResultRow[]): Promise<void> {
  const { world, served, meter } = bench;
  for (const name of ['create', 'transaction, 100 entries'].filter((one) => isAsked(`${one}, no rules`))) {
    tell(`${name}, no rules`);
    const operation = await prepareOperation(world, name);
    const row = await withoutRules(world, () => compare(bench, operation));
    rows.push(await withLoss(operation, { ...row, name: `${name}, no rules` }));
  }
  if (letterNames.some(isAsked)) {
    tell('letters');
    rows.push(...(await measureLetters(bench, isAsked)));
  }
  if (isAsked('judge')) {
    tell('judge');
    await judgeEverybody(world); // warms up
    const before = served && (await meter?.read(served.pid));
    const { patientsPerSecond, judgmentsPerSecond } = await judgeEverybody(world);
    const after = served && (await meter?.read(served.pid));
    const cost = before &&
      after && {
        processUs: (after.process - before.process) / world.territory.people.length,
        databaseUs: (after.database - before.database) / world.territory.people.length,
      };
    const remark = 'a rule set put again: every patient judged, until nothing is left';
    rows.push({ name: 'judge, patients', unit: 'patients', perSecond: patientsPerSecond, remark, cost });
    rows.push({ name: 'judge, rules', unit: 'judgments', perSecond: judgmentsPerSecond });
  }
}

async function measureBulkJobs(bench: Bench, rows: ResultRow[]): Promise<void> {
  if (!isAsked('bulk')) return;
  tell('bulk');
  rows.push(...(await measureBulk(bench)));
}

/** Of an engine at work: at a pace below saturation. Deadlines only by name: they take minutes. */
async function measurePaced(bench: Bench, rows: ResultRow[]): Promise<void> {
  if (isAsked('writes/s with rules')) {
    tell('writes/s with rules');
    rows.push(...(await measureRules(bench)));
  }
  if (isAsked('saturation')) {
    tell('saturation');
    rows.push(...(await measureSaturation(bench)));
  }
  if (isAsked('overload')) {
    tell('overload');
    rows.push(...(await measureOverload(bench)));
  }
  if (options.only !== undefined && isAsked('deadlines')) {
    tell('deadlines');
    rows.push(...(await measureDeadlines(bench, asked.due)));
  }
}

/** After the rest: what it writes stays. */
async function measureNotifications(bench: Bench, rows: ResultRow[]): Promise<void> {
  if (!isAsked('subscriptions')) return;
  tell('subscriptions');
  rows.push(...(await measureSubscriptions(bench)));
}

/** Needs no server. */
async function measureChecks(rows: ResultRow[]): Promise<void> {
  if (!isAsked('validate')) return;
  tell('validate');
  rows.push(...(await measureValidation(asked.seconds)));
}

async function measureTimes(bench: Bench, folder: string): Promise<readonly string[]> {
  if (asked.times === undefined) return [];
  const patients = asked.patients * asked.times;
  const kept = options.keep ?? join(folder, 'larger');
  const lines = await measureLarger({
    ...{ bench, folder: kept, patients, seed: asked.seed, isAsked, tell },
    onOpened: (stop) => toStop.push(stop),
  });
  return [...lines, ''];
}

async function measureWithAccess(bench: Bench, folder: string): Promise<readonly string[]> {
  if (!options.access) return [];
  return [...(await measureAccess({ bench, folder, isAsked, tell, onOpened: (stop) => toStop.push(stop) })), ''];
}

async function measureSeveral(bench: Bench, folder: string): Promise<readonly string[]> {
  const { instances } = asked;
  if (instances === undefined) return [];
  return [
    ...(await measureInstances({ bench, folder, instances, isAsked, tell, onOpened: (stop) => toStop.push(stop) })),
    '',
  ];
}

async function run(folder: string): Promise<void> {
  const before = await calibrate(folder);
  const bench = await open(folder);
  const { world, served } = bench;
  const rows: ResultRow[] = [];
  const isApart = options.access || asked.instances !== undefined;
  const isWhole = served !== undefined && !isApart;
  if (!isApart) await measureChecks(rows);
  if (!(await isLoaded(world.origin, world.basePath, world.territory))) rows.push(await load(world));
  const faults = await checkSearches(world);
  if (!isApart) await measureOperations(bench, rows);
  const larger = [
    ...(await measureTimes(bench, folder)),
    ...(await measureWithAccess(bench, folder)),
    ...(await measureSeveral(bench, folder)),
  ];
  if (isWhole) await measureEngine(bench, rows);
  if (isWhole) await measureBulkJobs(bench, rows);
  if (isWhole) await measurePaced(bench, rows);
  if (isWhole) await measureNotifications(bench, rows);
  const memory = served?.memory();
  const date = new Date(performance.timeOrigin).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length);
  const lines = [
    `${date} UTC, ${machineLine()}`,
    `before: ${before}`,
    `after:  ${await calibrate(folder)}`,
    `${asked.patients} patients with 30 resources each, ${asked.connections} connections, ${asked.seconds} s each after ${asked.warmUpSeconds} s, seed ${asked.seed}`,
    '',
    tableText(rows),
    '',
    ...larger,
    ...(memory === undefined ? [] : [`server process: ${memory.nowMb} MB resident, ${memory.peakMb} MB at most`]),
    ...notes,
    ...faults.map((fault) => `WRONG: ${fault}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (faults.length > 0) process.exitCode = 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => breakOff(signal, 130));
}
const limit = setTimeout(() => breakOff(`${totalMinutesMax} minutes are over`, 1), totalMinutesMax * 60_000);
const folder = await mkdtemp(join(tmpdir(), 'suture-bench-'));
toStop.push(() => rm(folder, { recursive: true, force: true }));
try {
  await run(folder);
} finally {
  clearTimeout(limit);
  await stopAll();
}
