/**
 * The second column: the same reads at several times the data, in a folder that stays (kept.ts), each measured beside the smaller
 * record in turn, so that what the machine does meanwhile falls on both. What is compared is the processor time of one request.
 */
import { type Bench, costOfServer } from './compare.ts';
import { createCpuMeter } from './cpu.ts';
import { openKept } from './kept.ts';
import { driveHttp } from './measure.ts';
import { operationNames, prepareOperation, readNames, type World } from './operations.ts';
import type { Cost } from './table.ts';

export interface LargerInput {
  readonly bench: Bench;
  readonly folder: string;
  readonly patients: number;
  readonly seed: number;
  readonly isAsked: (name: string) => boolean;
  readonly tell: (text: string) => void;
  readonly onOpened: (stop: () => Promise<void>) => void;
}

interface Measured {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly cost: Cost | undefined;
}

interface Row {
  readonly name: string;
  readonly small: Measured;
  readonly large: Measured;
  readonly alone: Measured;
}

/** Lines of a table: per request, processor time here and there, and how long one client alone waits there. */
export async function measureLarger(input: LargerInput): Promise<readonly string[]> {
  const { bench, patients, tell } = input;
  const larger = await openLarger(input);
  const rows: Row[] = [];
  for (const name of operationNames.filter((one) => readNames.has(one) && input.isAsked(one))) {
    tell(`${name}, ${patients} patients`);
    try {
      rows.push({
        name,
        small: await measure(bench, name, bench.world.connections),
        large: await measure(larger, name, bench.world.connections),
        alone: await measure(larger, name, 1),
      });
    } catch (error) {
      tell(`  left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return tableLines(rows, bench.world, patients);
}

async function openLarger({ bench, folder, patients, seed, tell, onOpened }: LargerInput): Promise<Bench> {
  const { territory: small, ...world } = bench.world;
  const { served, territory } = await openKept({ folder, patients, seed, todayMs: small.todayMs, tell });
  onOpened(() => served.stop());
  const base = new URL(served.baseUrl);
  return {
    ...bench,
    world: { ...world, origin: base.origin, basePath: base.pathname, territory },
    served,
    meter: await createCpuMeter(served.databaseUrl),
  };
}

async function measure(bench: Bench, name: string, connections: number): Promise<Measured> {
  const { world } = bench;
  const { next } = await prepareOperation(world, name);
  const drive = (seconds: number) => driveHttp(world.origin, next, { connections, seconds });
  const { figures, cost } = await costOfServer(bench, { drive });
  if (figures.failed > 0) throw new Error(figures.failures.join(', '));
  return { medianMs: figures.medianMs, p99Ms: figures.p99Ms, cost };
}

const heads = [
  'operation',
  'cpu us',
  'cpu us, larger',
  'ratio',
  'median ms, larger',
  'p99 ms',
  'one client, median ms',
];

function tableLines(rows: readonly Row[], { territory }: World, patients: number): readonly string[] {
  const cells = [heads, ...rows.map(rowCells)];
  const widths = heads.map((_head, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  const [head = [], ...body] = cells;
  return [
    `the same at ${patients} patients beside ${territory.people.length}:`,
    line(head),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...body.map(line),
  ];
}

function rowCells({ name, small, large, alone }: Row): readonly string[] {
  const sum = ({ cost }: Measured) => (cost === undefined ? undefined : cost.processUs + cost.databaseUs);
  const [here, there] = [sum(small), sum(large)];
  const text = ({ cost }: Measured) =>
    cost === undefined ? '' : `${Math.round(cost.processUs)} + ${Math.round(cost.databaseUs)}`;
  return [
    name,
    text(small),
    text(large),
    here === undefined || there === undefined ? '' : (there / here).toFixed(2),
    large.medianMs.toFixed(1),
    large.p99Ms.toFixed(1),
    alone.medianMs.toFixed(1),
  ];
}
