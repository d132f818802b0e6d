/**
 * Forward migrations: a database of a former schema, with a record in it and somebody who goes on writing, comes up to date and is
 * served; and no migration from 0049 on keeps writers of a large table out (src/decisions/0052).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLog } from '../../src/base/index.ts';
import { migrate, migrationsFolder } from '../../src/db/index.ts';
import { startTestApp } from '../support/app.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

/** The schema before access, audit and clients: what the first sites would have. */
const formerLevel = 34 - 1;
const patients = 20;

let test: TestDatabase;
let longestMs = 0;
let writes = 0;

const log = createLog('silent');

async function insertRecord(): Promise<void> {
  await test.database.query({
    text: `with made as (
             insert into resource (rid, type, id, version, last_updated, method, is_deleted, ord, patients, keys, raw)
             select nextval('rid_sequence'), 'Patient', 'old-' || n, 2, '2025-06-01T08:00:00Z', 'PUT', false, 0, '{}', '{}',
               format('{"resourceType":"Patient","id":"old-%s","meta":{"versionId":"2","lastUpdated":"2025-06-01T08:00:00.000Z"},"active":true,"generalPractitioner":[{"reference":"Practitioner/gp"}]}', n)
             from generate_series(1, $1) n returning rid, id)
           insert into version (rid, version, type, id, last_updated, method, raw)
           select rid, 1, 'Patient', id, '2025-05-01T08:00:00Z', 'PUT',
             format('{"resourceType":"Patient","id":"%s","meta":{"versionId":"1","lastUpdated":"2025-05-01T08:00:00.000Z"},"active":false}', id)
           from made`,
    values: [patients],
  });
}

beforeAll(async () => {
  test = await openTestDatabase('none');
  await migrate({ url: test.url, folder: migrationsFolder, log, upTo: formerLevel });
  await insertRecord();
  let isOver = false;
  // As an instance of the former version that still runs.
  const writer = (async () => {
    while (!isOver) {
      const started = performance.now();
      const id = `old-${1 + (writes++ % patients)}`;
      await test.database.query({
        text: 'update resource set ord = ord + 1 where type = $1 and id = $2',
        values: ['Patient', id],
      });
      longestMs = Math.max(longestMs, performance.now() - started);
    }
  })();
  const applied = await migrate({ url: test.url, folder: migrationsFolder, log });
  isOver = true;
  await writer;
  expect(applied.length).toBeGreaterThan(10);
}, 60_000);
afterAll(() => test?.close());

describe('A database of a former schema', () => {
  it('comes up to date while somebody writes, who never waits until his limit', () => {
    expect(writes).toBeGreaterThan(5);
    expect(longestMs).toBeLessThan(2000);
  });

  it('is served by the server of today: what was there is read, with its history, and written on', async () => {
    const app = await startTestApp({ settings: { DATABASE_URL: test.url } });
    try {
      const { client } = app;
      expect((await client.get('Patient/old-7')).json).toMatchObject({
        id: 'old-7',
        meta: { versionId: '2' },
        active: true,
      });
      expect((await client.get('Patient/old-7/_history')).json.entry).toHaveLength(2);
      expect((await client.get('Patient/old-7/_history/1')).json.active).toBe(false);
      const changed = { resourceType: 'Patient', id: 'old-7', active: true, name: [{ family: 'Le Goff' }] };
      const put = await client.put(changed, { 'if-match': 'W/"2"' });
      expect([put.status, put.headers.get('etag')]).toEqual([200, 'W/"3"']);
      await client.settle();
      expect(await client.search('Patient?name=le goff')).toHaveLength(1);
      expect((await client.get('/health/ready')).status).toBe(200);
    } finally {
      await app.close();
    }
  });
});

/** Tables that grow with the record. */
const large = [
  'resource',
  'version',
  'token_index',
  'date_index',
  'string_index',
  'number_index',
  'change',
  'job',
  'judgment',
  'break',
  'pointer',
  'access_relation',
  'access_identity',
  'access_content',
  'subscription_event',
  'delivery',
  'audit_event',
  'receipt',
];
const names = large.join('|');
/** What keeps writers out of a large table for as long as it is long, and what to write instead. */
const blocking: readonly (readonly [form: RegExp, instead: string])[] = [
  [
    new RegExp(`create (unique )?index (?!concurrently)([^;]* )?on (only )?(public\\.)?"?(${names})\\b`),
    'create index concurrently, alone in a file that begins with -- no-transaction',
  ],
  [
    new RegExp(`alter table (only )?(${names})\\b[^;]*\\badd column [^;,]*not null(?![^;,]*default)`),
    'a default that is a constant',
  ],
  [
    new RegExp(
      `alter table (only )?(${names})\\b[^;]*\\badd column [^;,]*default [^;,]*\\b(now|clock_timestamp|random|nextval|gen_random_uuid)\\b`,
    ),
    'a default that is a constant',
  ],
  [
    new RegExp(`alter table (only )?(${names})\\b[^;]*\\balter (column )?\\w+ (set data )?type\\b`),
    'a new column, filled by a job',
  ],
  [
    new RegExp(
      `alter table (only )?(${names})\\b[^;]*\\badd (constraint|check|unique|primary|foreign)(?![^;]*not valid)`,
    ),
    '... not valid, and validate it in a later file',
  ],
  [new RegExp(`alter table (only )?(${names})\\b[^;]*\\bset not null`), 'a check that is not valid, then validated'],
  [new RegExp(`(^|;)\\s*update (only )?(${names})\\b(?![^;]*\\bwhere\\b)`), 'a job that goes on in steps'],
  [/\bvacuum full\b|\bcluster\b|\breindex (?!\(?concurrently)/, 'the concurrent form'],
  [
    new RegExp(
      `\\b(rename|drop column|drop table)\\b[^;]*\\b(${names})\\b|alter table (only )?(${names})\\b[^;]*\\b(rename|drop column)\\b`,
    ),
    'to be dropped one version after the last one that reads it: name the record in a comment `contract:`',
  ],
];

/** Without comments, in lower case; tables that the file itself creates are small. */
function faultsOf(text: string): readonly string[] {
  const isContract = /^-- contract:/m.test(text);
  const plain = text
    .replaceAll(/--[^\n]*/g, '')
    .toLowerCase()
    .replaceAll(/\s+/g, ' ');
  // Bodies of functions run later, in steps; a block of `do` runs now.
  const outside = plain.replaceAll(/(\bdo )?\$(\w*)\$(.*?)\$\2\$/g, (_all, isNow?: string, _tag?: string, body = '') =>
    isNow === undefined ? '' : `; ${body};`,
  );
  const own = [...outside.matchAll(/create table (?:if not exists )?(\w+)/g)].map(([, name = '']) => name);
  return blocking.flatMap(([form, instead]) => {
    const found = form.exec(outside)?.[0];
    if (found === undefined || own.some((name) => found.includes(` ${name}`))) return [];
    return isContract && instead.includes('contract:') ? [] : [`${found.trim().slice(0, 100)} -> ${instead}`];
  });
}

describe('A migration', () => {
  it.each([
    ['create index x on resource (id);'],
    ['create unique index x\n  on token_index (k);'],
    ['create index job_parked on job (kind) where is_parked;'],
    ['create index if not exists x on public.job (kind);'],
    ['create index on job (kind);'],
    ['do $$ begin create index x on change (at); end $$;'],
    ['alter table job add column x text not null;'],
    ['alter table version add column x timestamptz default now();'],
    ['alter table version alter column rid type text;'],
    ['alter table change add constraint c check (seq > 0);'],
    ['update resource set ord = 0;'],
    ['alter table resource drop column ord;'],
    ['vacuum full resource;'],
  ])('that would block is found: %s', (text) => {
    expect(faultsOf(text)).toHaveLength(1);
  });

  it.each([
    ['-- no-transaction\ncreate index concurrently if not exists x on resource (id);'],
    ['create table receipt2 (id text);\ncreate index x on receipt2 (id);'],
    ["alter table job add column x text not null default '';"],
    ['alter table change add constraint c check (seq > 0) not valid;'],
    ['update resource set ord = 0 where rid < 100;'],
    ['create function f() returns void language sql as $body$ update resource set ord = 0; $body$;'],
    ['-- contract: nobody reads it since 0.2\nalter table resource drop column ord;'],
  ])('that does not block is let pass: %s', (text) => {
    expect(faultsOf(text)).toEqual([]);
  });

  /** Written before the rule: one index, of parked jobs alone, made in one pass over the jobs. */
  const before = new Set(['0059-parked-jobs.sql']);

  it('is let off only where it was released before the rule', () => {
    expect([...before].filter((name) => Number(name.slice(0, 4)) >= 60)).toEqual([]);
  });

  it('from 0049 on blocks nobody', () => {
    const files = readdirSync(migrationsFolder).filter(
      (name) => name.endsWith('.sql') && Number(name.slice(0, 4)) >= 49 && !before.has(name),
    );
    const faults = files.flatMap((name) =>
      faultsOf(readFileSync(join(migrationsFolder, name), 'utf8')).map((fault) => `${name}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });
});
