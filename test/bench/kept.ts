/**
 * A larger territory in a folder that stays: loaded once, measured often. Made whole or not at all: a mark is written when
 * the load is over, and a folder without it is not used.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog } from '../../src/base/index.ts';
import { startEmbedded } from '../../src/db/index.ts';
import { loadPastServer } from './bulk-load.ts';
import { type Served, startServer } from './processes.ts';
import { createTerritory, type Territory } from './territory.ts';

const dayMs = 24 * 3_600_000;

/** While loading only: what a crash would lose is loaded again. */
const fastSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '8GB' };

export interface KeptInput {
  readonly folder: string;
  readonly patients: number;
  readonly seed: number;
  readonly todayMs: number;
  readonly tell: (text: string) => void;
}

interface Mark {
  readonly patients: number;
  readonly seed: number;
  /** Pathways lie before this day, which is that of the load. */
  readonly todayMs: number;
}

/** Loads the territory when the folder has none, and starts a server on it. */
export async function openKept(input: KeptInput): Promise<{ readonly served: Served; readonly territory: Territory }> {
  const { folder, patients, seed, todayMs } = input;
  const mark = (await readMark(folder)) ?? (await load(input, { patients, seed, todayMs }));
  if (mark.patients !== patients || mark.seed !== seed) {
    throw new Error(`${folder} holds ${mark.patients} patients of seed ${mark.seed}: name another folder`);
  }
  return { served: await startServer(folder), territory: createTerritory(patients, seed, mark.todayMs) };
}

const markPath = (folder: string): string => join(folder, 'loaded.json');

async function readMark(folder: string): Promise<Mark | undefined> {
  const text = await readFile(markPath(folder), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Mark);
}

async function load({ folder, tell }: KeptInput, mark: Mark): Promise<Mark> {
  await mkdir(folder, { recursive: true });
  // The server makes the tables and installs the rules, and says under which URL it will be asked.
  const first = await startServer(folder);
  const { baseUrl } = first;
  await first.stop();
  const database = await startEmbedded({
    folder: join(folder, 'database'),
    settings: fastSettings,
    log: createLog('error'),
  });
  const started = performance.now();
  const territory = createTerritory(mark.patients, mark.seed, mark.todayMs - (mark.todayMs % dayMs));
  try {
    const count = await loadPastServer({ databaseUrl: database.url, baseUrl, territory, tell });
    tell(`${count} resources in ${Math.round((performance.now() - started) / 1000)} s`);
  } finally {
    await database.stop({ force: true });
  }
  await writeFile(markPath(folder), JSON.stringify(mark));
  return mark;
}
