/**
 * Processor time by process, as Linux tells it. On a machine that others use too, what an operation costs is steadier than
 * how many are done in a second.
 */
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';

/** Microseconds since the start of the processes. */
export interface CpuTimes {
  /** Of the server, or of what takes its place at the limit. */
  readonly process: number;
  /** Of PostgreSQL with all its processes. */
  readonly database: number;
}

export interface CpuMeter {
  /** Undefined where the system does not tell. */
  read(pid: number): Promise<CpuTimes | undefined>;
}

/** Ticks of /proc/PID/stat: 100 in a second on every Linux that Node runs on. */
const tickUs = 10_000;

export async function createCpuMeter(databaseUrl: string): Promise<CpuMeter> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const postmaster = (await readStat(rows[0]?.pid ?? 0))?.parent;
  await client.end();
  return {
    async read(pid) {
      const [own, database] = [await readStat(pid), await familyTicks(postmaster)];
      if (own === undefined || database === undefined) return undefined;
      return { process: own.ticks * tickUs, database: database * tickUs };
    },
  };
}

interface Stat {
  readonly parent: number;
  readonly ticks: number;
  /** Of children that have ended. */
  readonly childTicks: number;
}

async function readStat(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The name of the program stands in parentheses and may hold anything.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const field = (number: number) => fields[number - 3] ?? 0;
  return { parent: field(4), ticks: field(14) + field(15), childTicks: field(16) + field(17) };
}

async function familyTicks(postmaster: number | undefined): Promise<number | undefined> {
  const head = postmaster === undefined ? undefined : await readStat(postmaster);
  if (head === undefined) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(readStat));
  const children = stats.filter((stat) => stat?.parent === postmaster);
  return head.ticks + head.childTicks + children.reduce((sum, stat) => sum + (stat?.ticks ?? 0), 0);
}
