/**
 * One operation beside its limit: the limit is measured in two halves around it, so that a change of the machine's pace falls
 * on both. Its cost counts until the work that it left behind is done as well.
 */
import { sendOrFail, settle } from './client.ts';
import type { CpuMeter } from './cpu.ts';
import { driveHttp, type Figures, meanRate, warmUpShare } from './measure.ts';
import type { Limit, Operation, World } from './operations.ts';
import type { Served } from './processes.ts';
import type { RawPages } from './raw-pages.ts';
import type { RawWrites } from './raw-writes.ts';
import type { Cost, ResultRow } from './table.ts';

export interface Bench {
  readonly world: World;
  readonly seconds: number;
  /** Before an operation is measured it runs so long: a server's code is compiled while it runs, for some thousand requests. */
  readonly warmUpSeconds: number;
  /** Undefined, as all that follows, for another server (`--base`). */
  readonly served: Served | undefined;
  readonly meter: CpuMeter | undefined;
  readonly pages: RawPages | undefined;
  /** Limits that have been warmed up: each is always the same code. */
  readonly warmLimits: Set<Limit>;
  /** Opened when first asked for: it copies every table. */
  rawWrites(): Promise<RawWrites | undefined>;
}

export async function compare(bench: Bench, operation: Operation): Promise<ResultRow> {
  const { name, next, perRequest, connections } = operation;
  const { world, seconds } = bench;
  const raw = await limitOf(bench, operation);
  if (raw !== undefined && !bench.warmLimits.has(operation.limit)) {
    await raw(bench.warmUpSeconds);
    bench.warmLimits.add(operation.limit);
  }
  const before = await raw?.(seconds / 2);
  const { figures, backlogMs, cost } = await costOfServer(bench, {
    drive: (forSeconds) => driveHttp(world.origin, next, { connections, seconds: forSeconds }),
    rest: async () => (operation.limit === 'page' ? undefined : settle(world.origin)),
  });
  const after = await raw?.(seconds / 2);
  const drained = figures.countAll / (seconds * (1 + warmUpShare) + (backlogMs ?? 0) / 1000);
  return {
    name,
    unit: perRequest === 1 ? 'requests' : 'entries',
    perSecond: figures.perSecond * perRequest,
    figures,
    ...(before && after && { rawPerSecond: meanRate(before.figures, after.figures) * perRequest }),
    cost,
    rawCost: after?.cost,
    ...(backlogMs === undefined ? {} : { remark: `${Math.round(drained * perRequest)}/s with its judgments done` }),
  };
}

interface Run {
  readonly drive: (seconds: number) => Promise<Figures>;
  /** Waits for what was left behind; answers the ms it took. */
  readonly rest?: () => Promise<number | undefined>;
}

export interface Costed {
  readonly figures: Figures;
  readonly backlogMs: number | undefined;
  readonly cost: Cost | undefined;
}

/** Of a server that has been at this work for a while. */
export async function costOfServer({ meter, served, seconds, warmUpSeconds }: Bench, run: Run): Promise<Costed> {
  await run.drive(warmUpSeconds);
  await run.rest?.();
  return costOf(meter, served?.pid, { ...run, drive: () => run.drive(seconds) });
}

async function costOf(
  meter: CpuMeter | undefined,
  pid: number | undefined,
  { drive, rest }: { readonly drive: () => Promise<Figures>; readonly rest?: Run['rest'] },
): Promise<Costed> {
  const before = pid === undefined ? undefined : await meter?.read(pid);
  const figures = await drive();
  const backlogMs = await rest?.();
  const after = pid === undefined ? undefined : await meter?.read(pid);
  if (before === undefined || after === undefined) return { figures, backlogMs, cost: undefined };
  const each = (usBefore: number, usAfter: number) => (usAfter - usBefore) / figures.countAll;
  const cost = {
    processUs: each(before.process, after.process),
    databaseUs: each(before.database, after.database),
  };
  return { figures, backlogMs, cost };
}

type DriveLimit = (seconds: number) => Promise<Costed>;

async function limitOf(bench: Bench, operation: Operation): Promise<DriveLimit | undefined> {
  const { meter, pages } = bench;
  const { limit, next, connections } = operation;
  const { origin } = bench.world;
  if (limit === 'page') {
    await pages?.keep(origin, next);
    return pages && ((seconds) => costOf(meter, pages.pid, { drive: () => pages.drive({ connections, seconds }) }));
  }
  // The first one alone, so that a refusal is told with its reason.
  await sendOrFail(origin, next());
  const writes = await bench.rawWrites();
  return writes && ((seconds) => costOf(meter, process.pid, { drive: () => writes[limit]({ connections, seconds }) }));
}
