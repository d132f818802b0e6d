/**
 * Loads a territory past the server, by the store's own write path in large commits: what a server would need an hour for is
 * there in minutes, in the same rows. The followers of changes are set behind what was loaded, so that nobody is judged.
 */
import { readFileSync } from 'node:fs';
import { createLog } from '../../src/base/index.ts';
import { type Database, openDatabase } from '../../src/db/index.ts';
import { type DefinitionsFile, readDefinitions } from '../../src/fhir/definitions.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { compartmentKeys, createIndexer, createSearchContext } from '../../src/search/index.ts';
import { createStore } from '../../src/store/index.ts';
import type { Territory } from './territory.ts';

const perCommit = 500;
const commitsAtOnce = 3;
const answerTold = 60_000;

/** This file runs as dist/bench/test/bench/bulk-load.js. */
const definitionsPath = new URL('../../../../generated/definitions.json', import.meta.url);

export interface BulkLoadInput {
  readonly databaseUrl: string;
  readonly baseUrl: string;
  readonly territory: Territory;
  readonly tell: (text: string) => void;
}

/** The tables must be there: a server has started on this database once. Answers how many resources were written. */
export async function loadPastServer({ databaseUrl, baseUrl, territory, tell }: BulkLoadInput): Promise<number> {
  const definitions = readDefinitions(JSON.parse(readFileSync(definitionsPath, 'utf8')) as DefinitionsFile);
  const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl });
  const log = createLog('error');
  const db = openDatabase({ url: databaseUrl, poolSize: commitsAtOnce, log, random: () => 0.5 });
  const store = createStore({
    db,
    index: createIndexer(search),
    compartmentKeys: (patient, types) => compartmentKeys(search, patient, types),
    now: () => performance.timeOrigin + performance.now(),
    onCommit: () => undefined,
  });
  let written = 0;
  const commits = inCommits(territory);
  async function run(): Promise<void> {
    for (let next = commits.next(); next.done !== true; next = commits.next()) {
      const entries = next.value.map((resource) => ({
        method: 'PUT' as const,
        type: resource.resourceType,
        id: resource.id ?? '',
        resource,
      }));
      await store.commit(entries);
      const before = written;
      written += entries.length;
      if (Math.floor(before / answerTold) < Math.floor(written / answerTold)) tell(`${written} resources`);
    }
  }
  try {
    await Promise.all(Array.from({ length: commitsAtOnce }, run));
    await passOver(db);
  } finally {
    await db.close();
  }
  return written;
}

function* inCommits({ shared, people, pathway }: Territory): Generator<readonly Resource[]> {
  let commit: Resource[] = [...shared];
  for (const n of people.keys()) {
    commit.push(...pathway(n));
    if (commit.length < perCommit) continue;
    yield commit;
    commit = [];
  }
  if (commit.length > 0) yield commit;
}

/** Everybody who follows the changes has read them. */
async function passOver(db: Database): Promise<void> {
  await db.query({
    text: `update reader set (xid, seq) = (select xid, seq from change order by xid desc, seq desc limit 1)
           where exists (select from change)`,
  });
  for (const text of ['vacuum analyze', 'checkpoint']) await db.query({ text });
}
