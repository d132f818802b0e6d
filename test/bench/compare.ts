/**
 * One operation beside its limit: the limit is measured in two halves around it, so that a change of the machine's pace falls
 * on both. Its cost counts until the work that it left behind is done as well.
 */
import { sendOrFail, settle } from './client.ts';
import type { CpuMeter } from './cpu.ts';
import { driveHttp, type Figures, type Load, meanRate, warmUpShare } from './measure.ts';
import type { Operation, World } from './operations.ts';
import type { Served } from './processes.ts';
import type { RawPages } from './raw-pages.ts';
import type { RawWrites } from './raw-writes.ts';
import type { Cost, ResultRow } from './table.ts';

export interface Bench {
  readonly world: World;
  readonly seconds: number;
  /** Undefined, as all that follows, for another server (`--base`). */
  readonly served: Served | undefined;
  readonly meter: CpuMeter | undefined;
  readonly pages: RawPages | undefined;
  /** Opened when first asked for: it copies every table. */
  rawWrites(): Promise<RawWrites | undefined>;
}

export async function compare(bench: Bench, operation: Operation): Promise<ResultRow> {
  const { name, next, perRequest, connections } = operation;
  const { world, seconds } = bench;
  const raw = await limitOf(bench, operation, { connections, seconds: seconds / 2 });
  const before = await raw?.();
  const { figures, backlogMs, cost } = await costOfServer(bench, {
    drive: () => driveHttp(world.origin, next, { connections, seconds }),
    rest: async () => (operation.limit === 'page' ? undefined : settle(world.origin)),
  });
  const after = await raw?.();
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
  readonly drive: () => Promise<Figures>;
  /** Waits for what was left behind; answers the ms it took. */
  readonly rest?: () => Promise<number | undefined>;
}

export interface Costed {
  readonly figures: Figures;
  readonly backlogMs: number | undefined;
  readonly cost: Cost | undefined;
}

export function costOfServer({ meter, served }: Bench, run: Run): Promise<Costed> {
  return costOf(meter, served?.pid, run);
}

async function costOf(meter: CpuMeter | undefined, pid: number | undefined, { drive, rest }: Run): Promise<Costed> {
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

async function limitOf(bench: Bench, operation: Operation, load: Load): Promise<(() => Promise<Costed>) | undefined> {
  const { meter, pages } = bench;
  const { limit, next } = operation;
  const { origin } = bench.world;
  if (limit === 'page') {
    await pages?.keep(origin, next);
    return pages && (() => costOf(meter, pages.pid, { drive: () => pages.drive(load) }));
  }
  // The first one alone, so that a refusal is told with its reason.
  await sendOrFail(origin, next());
  const writes = await bench.rawWrites();
  return writes && (() => costOf(meter, process.pid, { drive: () => writes[limit](load) }));
}
