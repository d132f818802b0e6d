/**
 * One run: clients work, faults happen one after the other in an order that the seed decides, everything is healed, and when all
 * has come to rest each workload says what is wrong.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createChance } from '../../src/demo/random.ts';
import {
  answerMaxMs,
  createAsk,
  createFigures,
  createNetwork,
  type Figures,
  type Journal,
  type Network,
} from './ask.ts';
import { type Fault, faults, type Scene } from './faults.ts';
import { openStage, type PostgreSql, type Stage } from './stage.ts';
import { createAudited } from './workloads/audited.ts';
import { createCreates } from './workloads/creates.ts';
import { createDeadlines } from './workloads/deadlines.ts';
import { createEvents } from './workloads/events.ts';
import { createLetters } from './workloads/letters.ts';
import { createPages } from './workloads/pages.ts';
import { createRegister } from './workloads/register.ts';
import { createRows } from './workloads/rows.ts';
import { createTransactions } from './workloads/transactions.ts';
import type { Ground, Workload } from './workloads/workload.ts';

export interface RunInput {
  readonly seed: number;
  /** How long faults happen. */
  readonly milliseconds: number;
  /** Numbers of faults; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** It goes on until each has happened once, however long that takes. */
  readonly isEachOnce: boolean;
  /** Where `dist/main.js` is. */
  readonly project: string;
  /** A folder of the run's own, gone afterwards. */
  readonly folder: string;
  /** Where the journal goes; it stays. */
  readonly journalFile: string;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

export interface Report {
  readonly seed: number;
  /** What is wrong, a line each; empty: nothing was found. */
  readonly found: readonly string[];
  /** Numbers of faults, in the order in which they happened. */
  readonly happened: readonly string[];
  readonly counts: readonly string[];
  readonly requests: Readonly<Record<string, number>>;
  readonly longestMs: number;
  readonly gapMs: number;
  readonly restMs: number;
  readonly residentMb: readonly number[];
}

const workers = 8;
/** After the last fault, what is left must be done by then (L1); a delivery that failed often waits a while for its next attempt. */
const restMaxMs = 90_000;
const restPollMs = 1_000;
/** Of one server, after all that. */
const residentMaxMb = 500;

export async function run(input: RunInput): Promise<Report> {
  const { seed, log, now, journalFile } = input;
  const journal = openJournal(journalFile);
  const figures = createFigures(performance.now());
  const network = createNetwork(createAsk(journal, figures));
  // Every other run with the audit log: it changes how writes are grouped.
  const settings = seed % 2 === 0 ? { SUTURE_AUDIT: 'on' } : {};
  const stage = await openStage({ ...input, settings });
  try {
    await Promise.all(stage.servers.map((server) => server.start()));
    const chance = createChance(seed);
    const any = () => stage.servers[chance.whole(0, 1)]?.baseUrl ?? '';
    const ground: Ground = { ask: network.ask, chance, any, now };
    return await play({ ...input, stage, network, ground, figures, journal });
  } catch (error) {
    log(`seed ${seed}: the run itself failed`);
    throw error;
  } finally {
    await stage.close();
  }
}

interface Play extends RunInput {
  readonly stage: Stage;
  readonly network: Network;
  readonly ground: Ground;
  readonly figures: Figures;
  readonly journal: Journal;
}

async function play({ stage, network, ground, figures, journal, ...input }: Play): Promise<Report> {
  const { seed, milliseconds, log } = input;
  const found: string[] = [];
  let toleranceMs = 0;
  const register = createRegister(ground);
  const deadlines = createDeadlines(ground, () => toleranceMs);
  const events = await createEvents(ground, { register, deadlines });
  const others = [createTransactions(ground), createCreates(ground), createLetters(ground), createPages(ground)];
  const working: readonly Workload[] = [events, deadlines, register, ...others];
  const { postgres } = stage;
  const audited = seed % 2 === 0 ? [createAudited(postgres, register)] : [];
  const workloads: readonly Workload[] = [...working, createRows(postgres), ...audited];
  try {
    for (const workload of workloads) await workload.prepare();
    const load = startLoad(working, ground);
    const scene: Scene = {
      stage,
      network,
      events,
      ground,
      chance: createChance(seed + 1),
      fail: (line) => void found.push(line),
      noteClock: (offsetMs) => void (toleranceMs = Math.max(toleranceMs, offsetMs)),
    };
    const happened = await happen(scene, { ...input, journal });
    await load.stop();
    await network.settle();
    log(`seed ${seed}: ${happened.length} faults in ${Math.round(milliseconds / 1000)} s, coming to rest`);
    const startedResting = performance.now();
    const wrong = await comeToRest(workloads);
    if (wrong.length > 0) await tellJobs(postgres, log);
    const { byStatus, longestMs, gapMs } = figures.read();
    const residentMb = await Promise.all(stage.servers.map((server) => server.residentMb()));
    return {
      seed,
      found: [...found, ...wrong, ...checkFigures({ longestMs, residentMb }), ...checkDeaths(stage)],
      happened,
      counts: workloads.map((workload) => workload.count()),
      requests: byStatus,
      longestMs: Math.round(longestMs),
      gapMs: Math.round(gapMs),
      restMs: Math.round(performance.now() - startedResting),
      residentMb: residentMb.map(Math.round),
    };
  } finally {
    await events.close();
  }
}

/** Each worker does a step of one workload after the other, by chance. */
function startLoad(workloads: readonly Workload[], { chance }: Ground) {
  let isOver = false;
  const failures: unknown[] = [];
  const work = async () => {
    while (!isOver) await workloads[chance.whole(0, workloads.length - 1)]?.step();
  };
  const working = Array.from({ length: workers }, () => work().catch((error: unknown) => void failures.push(error)));
  return {
    async stop() {
      isOver = true;
      await Promise.all(working);
      if (failures.length > 0) throw failures[0] as Error;
    },
  };
}

/** One after the other until the time is over, each once before one comes twice. */
async function happen(
  scene: Scene,
  { only, isEachOnce, milliseconds, journal, log, seed }: RunInput & { readonly journal: Journal },
) {
  const chosen = faults.filter(({ number }) => only === undefined || only.includes(number));
  const happened: string[] = [];
  const until = performance.now() + milliseconds;
  let waiting: Fault[] = [];
  const isOver = () => performance.now() >= until && !(isEachOnce && happened.length < chosen.length);
  while (!isOver()) {
    if (waiting.length === 0) waiting = shuffled(chosen, scene);
    const fault = waiting.pop();
    if (fault === undefined) break;
    journal.write({ fault: fault.number, atMs: Math.round(performance.now()) });
    await fault.happen(scene).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${fault.number} (${fault.name}) could not happen or be healed`, { cause: error });
    });
    log(`seed ${seed}: ${fault.number} ${fault.name}`);
    for (const server of scene.stage.servers) if (!server.isUp()) await server.start();
    happened.push(fault.number);
    await delay(scene.chance.whole(200, 800));
  }
  return happened;
}

function shuffled(items: readonly Fault[], { chance }: Scene): Fault[] {
  return items
    .map((item) => ({ item, place: chance.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** What is still wrong when nothing more happens. */
async function comeToRest(workloads: readonly Workload[]): Promise<readonly string[]> {
  const until = performance.now() + restMaxMs;
  for (;;) {
    const wrong: string[] = [];
    for (const workload of workloads) {
      wrong.push(
        ...(await workload
          .verify()
          .catch((error: unknown) => [`${workload.name} cannot be verified: ${String(error)}`])),
      );
    }
    if (wrong.length === 0 || performance.now() > until) return wrong;
    await delay(restPollMs);
  }
}

/** For whoever looks for the reason. */
async function tellJobs(postgres: PostgreSql, log: RunInput['log']): Promise<void> {
  const rows = await postgres.query(
    `select kind, key, run_at, now() as now, attempts, holder, is_parked, last_error,
       (select count(*) from pg_locks where locktype = 'advisory' and objid = holder::oid and granted) as announced
     from job order by run_at limit 40`,
  );
  for (const row of rows) log(`  job ${JSON.stringify(row)}`);
}

function checkFigures({
  longestMs,
  residentMb,
}: {
  readonly longestMs: number;
  readonly residentMb: readonly number[];
}) {
  return [
    ...(longestMs > answerMaxMs ? [`a request took ${Math.round(longestMs)} ms`] : []),
    ...residentMb.filter((mb) => mb > residentMaxMb).map((mb) => `a server holds ${Math.round(mb)} MB`),
  ];
}

/** A server ends when it is killed or asked to, and never by itself. */
function checkDeaths({ servers }: Stage): readonly string[] {
  return servers.flatMap((server) =>
    server.deaths() === 0 ? [] : [`server ${server.name} ended ${server.deaths()} times by itself`],
  );
}

function openJournal(file: string): Journal {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  return { write: (line) => appendFileSync(file, `${JSON.stringify(line)}\n`) };
}
