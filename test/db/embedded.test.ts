import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createLog } from '../../src/base/index.ts';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/index.ts';

const log = createLog('silent');
let parent: string;
let folder: string;
let running: EmbeddedDatabase | undefined;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "suture's, embedded-")); // a path that needs every kind of quoting;
  folder = join(parent, 'postgres');
  await mkdir(`${folder}.new-4194304`); // what a start that was killed left: above the largest pid of Linux
});
afterEach(async () => {
  await running?.stop({ force: true });
});
afterAll(() => rm(parent, { recursive: true }));

async function start(): Promise<EmbeddedDatabase> {
  running = await startEmbedded({ folder, settings: { shared_buffers: '16MB', max_connections: '10' }, log });
  return running;
}

async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  it('is made in a private folder, with what a crashed start left cleared away', async () => {
    const { wasRunning } = await start();
    expect(wasRunning).toBe(false);
    expect(await readdir(parent)).toEqual(['postgres']);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'password'))).mode & 0o777).toBe(0o600);
  });

  it('is set up to lose nothing that was answered, and for records of a few kilobytes', async () => {
    const { url } = await start();
    const names = [
      'server_encoding',
      'data_checksums',
      'synchronous_commit',
      'fsync',
      'full_page_writes',
      'shared_buffers',
      'wal_compression',
      'listen_addresses',
    ];
    const values = await ask(
      url,
      `select string_agg(current_setting(name), ' ' order by place) from unnest('{${names.join()}}'::text[]) with ordinality as s(name, place)`,
    );
    expect(values).toBe('UTF8 on on on on 16MB pglz ');
  });

  it('sorts the same everywhere and knows French capitals', async () => {
    const { url } = await start();
    expect(
      await ask(
        url,
        "select lower('ÉÀŒÇ') || (select string_agg(x, '' order by x) from unnest('{é,a,Z,b}'::text[]) x)",
      ),
    ).toBe('éàœçZabé');
  });

  it('wants the password', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'x';
    await expect(ask(wrong.toString(), 'select 1')).rejects.toThrow('password authentication failed');
  });

  it('keeps what was committed, and answers no longer once it has stopped', async () => {
    const first = await start();
    await ask(first.url, 'create table bed as select 7 as number');
    expect(await first.stop()).toBe(true);
    await expect(ask(first.url, 'select 1')).rejects.toThrow();
    const second = await start();
    expect(await ask(second.url, 'select number from bed')).toBe(7);
  });

  it('goes on with a PostgreSQL that a killed Suture left behind', async () => {
    const first = await start();
    const second = await start();
    expect(second.wasRunning).toBe(true);
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'select 1')).toBe(1);
  });

  it('comes back after it was itself killed', async () => {
    const { url } = await start();
    await ask(url, 'create table ward as select 8 as number');
    process.kill(await postmasterPid(), 'SIGKILL');
    const again = await start();
    expect(await ask(again.url, 'select number from ward')).toBe(8);
  });

  it('is left running by whoever stops while another is connected', async () => {
    const { url, stop } = await start();
    const named = new URL(url);
    named.searchParams.set('application_name', 'another process');
    const client = new pg.Client({ connectionString: named.toString() });
    client.on('error', () => undefined);
    await client.connect();
    expect(await stop()).toBe(false);
    expect(await ask(url, 'select 1')).toBe(1);
    await client.end();
  });

  it('is started once by two that start at once', async () => {
    const both = await Promise.all([start(), start()]);
    expect(both[0].url).toBe(both[1].url);
    expect(await ask(both[1].url, 'select 1')).toBe(1);
  });

  it('starts when the pid it left now belongs to another program', async () => {
    const { stop } = await start();
    const file = join(folder, 'cluster', 'postmaster.pid');
    const left = await readFile(file, 'utf8');
    await stop();
    const stranger = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await writeFile(file, left.replace(/^\d+/, String(stranger.pid)));
    expect((await start()).wasRunning).toBe(false);
    stranger.kill();
  });

  it('listens on loopback where the path is too long for a socket', async () => {
    const deep = join(parent, 'a-folder-with-a-rather-long-name'.repeat(3), 'postgres');
    const embedded = await startEmbedded({ folder: deep, log });
    expect(new URL(embedded.url).searchParams.get('host')).toBe('127.0.0.1');
    expect(await ask(embedded.url, 'show listen_addresses')).toBe('127.0.0.1');
    await embedded.stop();
  });

  it('says why it does not start', async () => {
    await expect(startEmbedded({ folder, settings: { shared_buffers: 'much' }, log })).rejects.toThrow(
      'shared_buffers',
    );
  });

  it('never writes a statement or a value into its log', async () => {
    const { url } = await start();
    await expect(ask(url, "select 'Marqueur-Secret'::integer")).rejects.toThrow('Marqueur');
    await running?.stop();
    expect(await readFile(join(folder, 'log'), 'utf8')).not.toContain('Marqueur');
  });
});

async function postmasterPid(): Promise<number> {
  return Number.parseInt(await readFile(join(folder, 'cluster', 'postmaster.pid'), 'utf8'), 10);
}
