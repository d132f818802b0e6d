/** Backup and restore: of one instant, with writes going on; what is restored is what was there, and a server goes on with it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCountedIds, createLog, Problem } from '../../src/base/index.ts';
import { backUp, type Manifest, migrationsFolder, restore } from '../../src/db/index.ts';
import type { PostgreSql } from '../faults/stage.ts';
import { createRows } from '../faults/workloads/rows.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { episode, person, professionals, stay } from '../support/builders.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { judgment } from './view.ts';

let test: TestApp;
let url: string;
let folder: string;
let target: TestDatabase;
let manifest: Manifest;
/** Pairs that were answered before the backup began. */
let before = 0;

const log = createLog('silent');
const put = (folderName: string, to: string) =>
  restore({ url: to, folder: join(folder, folderName), log, migrations: migrationsFolder });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'suture-backup-'));
  test = await startTestApp({ settings: { SUTURE_AUDIT: 'on' } });
  const [row] = await test.database.query<{ name: string }>({ text: 'select current_database() as name' });
  const server = new URL(process.env['TEST_SERVER_URL'] ?? '');
  server.pathname = `/${row?.name}`;
  url = server.toString();
  const { client } = test;
  await client.putAll(...professionals());
  const who = person('kept', 61);
  await client.putAll(...episode(who), stay('kept', '2026-03-02T16:20:00+01:00'));
  await client.settle();

  let isOver = false;
  const pair = (n: number) => ({
    resourceType: 'Bundle',
    type: 'transaction',
    entry: ['left', 'right'].map((side) => ({
      resource: { resourceType: 'Basic', id: `${side}-${n}`, code: { text: `${n}\t\\N\\.` } },
      request: { method: 'PUT', url: `Basic/${side}-${n}` },
    })),
  });
  let n = 0;
  const writers = [1, 2, 3].map(async () => {
    while (!isOver) expect((await client.post('', pair(n++))).status).toBe(200);
  });
  while (n < 12) await new Promise((resume) => setImmediate(resume));
  before = n - 3;
  manifest = await backUp({ url, folder: join(folder, 'one') });
  isOver = true;
  await Promise.all(writers);
  target = await openTestDatabase('none');
  await put('one', target.url);
}, 120_000);
afterAll(async () => {
  await test?.close();
  await target?.close();
  await rm(folder, { recursive: true, force: true });
});

async function problemOf(work: Promise<unknown>): Promise<Problem | undefined> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  return undefined;
}

describe('A backup', () => {
  it('is of one instant: each transaction whole or not at all, all that was answered before', async () => {
    const rows = await target.database.query<{ side: string; count: number }>({
      text: `select split_part(id, '-', 1) as side, count(*)::integer as count from resource where type = 'Basic'
             and id ~ '^(left|right)-' group by 1 order by 1`,
    });
    expect(rows.map(({ side }) => side)).toEqual(['left', 'right']);
    expect(rows[0]?.count).toBe(rows[1]?.count);
    expect(rows[0]?.count).toBeGreaterThanOrEqual(before);
  });

  it('that is restored and taken again has the same rows in every table', async () => {
    const again = await backUp({ url: target.url, folder: join(folder, 'two') });
    const shown = ({ tables }: Manifest) =>
      tables
        .filter(({ name }) => name !== 'reader' && name !== 'job')
        .map(({ name, rows, sha256 }) => [name, rows, sha256]);
    expect(shown(again)).toEqual(shown(manifest));
    expect(again.migrations).toEqual(manifest.migrations);
    expect(manifest.tables.find(({ name }) => name === 'resource')?.rows).toBeGreaterThan(20);
    expect(manifest.tables.find(({ name }) => name === 'audit_event')?.rows).toBeGreaterThan(5);
  });

  it('is not written over another', async () => {
    expect((await problemOf(backUp({ url, folder: join(folder, 'one') })))?.category).toBe('conflict');
  });
});

/** The fault suite's questions to the rows, after `defect` was done to what was restored, and undone. */
async function linesAfter(defect: string | undefined): Promise<readonly string[]> {
  let lines: readonly string[] = [];
  const undo = new Error('undo');
  await target.database
    .transaction(async (tx) => {
      if (defect !== undefined) await tx.query({ text: defect });
      const query: PostgreSql['query'] = (text) => tx.query({ text });
      lines = await createRows({ query }).verify();
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return lines;
}

describe('The rows of what was restored (F-20), as the fault suite asks them', () => {
  it('hold together, and their indexes agree with them', async () => {
    expect(await linesAfter(undefined)).toEqual([]);
  });

  const one = (table: string) => `ctid = (select ctid from ${table} limit 1)`;
  it.each<[string, string, RegExp]>([
    [
      'a version too many',
      `update resource set version = version + 1 where ${one('resource')}`,
      /has version \d+ over/,
    ],
    [
      'a version of nothing',
      `insert into version (rid, version, type, id, last_updated, method, raw) values (-7, 1, 'Patient', 'none', now(), 'PUT', '{}')`,
      /version 1 of Patient\/none belongs to no resource/,
    ],
    ...['token_index', 'date_index', 'string_index'].map((table): [string, string, RegExp] => [
      `a row of ${table} of nothing`,
      `update ${table} set rid = -7 where ${one(table)}`,
      new RegExp(`${table} holds a row of what is not there`),
    ]),
    [
      'an index row of what was deleted',
      `update resource set is_deleted = true where rid = (select rid from token_index limit 1)`,
      /token_index holds a row of what is not there/,
    ],
    [
      'a key that the resource does not have',
      `update resource set keys = '{}' where rid = (select rid from token_index limit 1)`,
      /token_index holds a key that/,
    ],
    ['a job of an instance that is gone', `update job set holder = 7 where ${one('job')}`, /is held by an instance/],
    [
      'a job that gave up',
      `update job set is_parked = true, last_error = 'fault' where ${one('job')}`,
      /gave up: fault/,
    ],
  ])('would tell %s', async (_what, defect, line) => {
    expect(await linesAfter(defect)).toContainEqual(expect.stringMatching(line));
  });
});

describe('A server on what was restored', () => {
  it('reads it, writes on, and its deadlines pass as they would have', async () => {
    const second = await startTestApp({
      ids: createCountedIds('second'),
      settings: { DATABASE_URL: target.url, SUTURE_AUDIT: 'on' },
    });
    const { client } = second;
    for (const path of [
      'Encounter?patient=kept',
      'Patient/kept/_history',
      'PlanDefinition?_count=100',
      'Basic?_count=1000',
    ]) {
      const resources = async (from: typeof client) => {
        const { status, json } = await from.get(path);
        expect([path, status, json.issue]).toEqual([path, 200, undefined]);
        return (json.entry as { resource: object }[]).map(({ resource }) => resource);
      };
      if (path.startsWith('Basic')) expect((await resources(client)).length).toBeGreaterThanOrEqual(2 * before);
      else expect([path, await resources(client)]).toEqual([path, await resources(test.client)]);
    }
    await client.settle();
    expect(await judgment(client, 'kept', 'RUP-20')).toMatchObject({ state: 'waiting' });
    const who = person('later', 62);
    await client.putAll(...episode(who), stay('later', '2026-03-02T17:00:00+01:00'));
    await client.moveClock('2026-03-03T00:00:01+01:00');
    for (const id of ['kept', 'later']) expect(await judgment(client, id, 'RUP-20')).toMatchObject({ state: 'broken' });
    await second.close();
  });
});

describe('A restore', () => {
  it('is refused onto a database in use, which stays as it is', async () => {
    const count = () => test.database.query({ text: 'select id from resource' }).then(({ length }) => length);
    const had = await count();
    const problem = await problemOf(put('one', url));
    expect([problem?.category, problem?.message]).toEqual([
      'conflict',
      expect.stringContaining('the database is in use'),
    ]);
    expect(await count()).toBe(had);
    const stranger = await openTestDatabase('none');
    await stranger.database.query({ text: 'create table theirs (x integer)' });
    expect((await problemOf(put('one', stranger.url)))?.category).toBe('conflict');
    await stranger.close();
  });

  it('of a damaged backup leaves a database that the whole one still goes into', async () => {
    const empty = await openTestDatabase('none');
    const file = join(folder, 'one', 'version.copy.gz');
    const whole = await readFile(file);
    await writeFile(file, whole.subarray(0, whole.length - 20));
    const problem = await problemOf(put('one', empty.url));
    expect([problem?.category, problem?.message]).toEqual(['incorrect', expect.stringContaining('version.copy.gz')]);
    const manifestFile = join(folder, 'one', 'manifest.json');
    const text = await readFile(manifestFile, 'utf8');
    await writeFile(file, whole);
    await writeFile(manifestFile, text.replace(/("name": "version"[^}]*"sha256": ")./, '$1x'));
    expect((await problemOf(put('one', empty.url)))?.category).toBe('incorrect');
    await writeFile(manifestFile, text);
    await put('one', empty.url);
    expect((await empty.database.query({ text: 'select id from resource' })).length).toBeGreaterThan(20);
    await empty.close();
  });

  it('is refused for a backup of a newer Suture, and where there is none', async () => {
    const empty = await openTestDatabase('none');
    const manifestFile = join(folder, 'one', 'manifest.json');
    const text = await readFile(manifestFile, 'utf8');
    const newer = {
      ...manifest,
      migrations: [...manifest.migrations, { number: 9999, name: '9999-later.sql', checksum: 'x' }],
    };
    await writeFile(manifestFile, JSON.stringify(newer));
    expect((await problemOf(put('one', empty.url)))?.message).toContain('start a newer one');
    await writeFile(manifestFile, text);
    expect((await problemOf(put('nothing', empty.url)))?.message).toContain('it has no manifest.json');
    await empty.close();
  });
});
