/** A primary and its streaming standby, both embedded, in a temporary folder: the second is a cold copy of the first. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createLog } from '../../src/base/index.ts';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/index.ts';

export interface StandbyPair {
  readonly primaryUrl: string;
  readonly standbyUrl: string;
  readonly standbyFolder: string;
  startStandby(): Promise<void>;
  /** SIGKILL of the postmaster: PostgreSQL ends as in a crash. */
  kill(which: 'primary' | 'standby'): Promise<void>;
  close(): Promise<void>;
}

/** Under which the standby is known to its primary. */
export const standbyName = 'beside';

/** Processes are killed here, machines are not: what was written need not be on the disk. */
const settings = { fsync: 'off', shared_buffers: '64MB', wal_keep_size: '512MB', max_connections: '60' };

export async function startPair(): Promise<StandbyPair> {
  const parent = await mkdtemp(join(tmpdir(), 'pair-'));
  const folders = { primary: join(parent, 'a'), standby: join(parent, 'b') };
  const log = createLog('silent');
  await (await startEmbedded({ folder: folders.primary, settings, log })).stop({ force: true });
  await cp(folders.primary, folders.standby, { recursive: true });
  await writeFile(join(folders.standby, 'cluster', 'standby.signal'), '');
  const password = await readFile(join(folders.primary, 'password'), 'utf8');
  const conninfo = `host=${folders.primary} user=suture password=${password} application_name=${standbyName}`;
  const running: Partial<Record<'primary' | 'standby', EmbeddedDatabase>> = {};
  const startStandby = async (): Promise<EmbeddedDatabase> =>
    (running.standby = await startEmbedded({
      folder: folders.standby,
      settings: { ...settings, primary_conninfo: conninfo },
      log,
    }));
  const primary = (running.primary = await startEmbedded({ folder: folders.primary, settings, log }));
  const standby = await startStandby();
  return {
    primaryUrl: primary.url,
    standbyUrl: standby.url,
    standbyFolder: folders.standby,
    startStandby: async () => void (await startStandby()),
    async kill(which) {
      const pid = Number.parseInt(await readFile(join(folders[which], 'cluster', 'postmaster.pid'), 'utf8'), 10);
      process.kill(pid, 'SIGKILL');
      while (isAlive(pid)) await new Promise((resume) => setTimeout(resume, 5));
    },
    async close() {
      await Promise.all(Object.values(running).map((one) => one.stop({ force: true })));
      await rm(parent, { recursive: true, force: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export async function ask<Row extends object>(url: string, text: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}
