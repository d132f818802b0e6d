/**
 * SQL and the predicate against an oracle that was written from the standard's text alone (match.ts, ranges.ts, elements.ts): random
 * records, random questions to every search parameter of fifteen types. A round is one question.
 *
 * 10,000 rounds: SUTURE_ORACLE_ROUNDS=10000 npm test -- test/search/oracle
 * One seed again: SUTURE_ORACLE_SEED=17 npm test -- test/search/oracle
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { loadDefinitions, type Resource } from '../../../src/fhir/index.ts';
import {
  createIndexer,
  createPredicate,
  createSearchContext,
  type PageRow,
  parseSearch,
  type Terminology,
  toCountSql,
  toSql,
} from '../../../src/search/index.ts';
import { openTestDatabase, type TestDatabase } from '../../support/db.ts';
import { loadResources } from '../record.ts';
import { createChance } from './chance.ts';
import { oracle, type World } from './match.ts';
import { base, isA, makeRecord, makers, valueSets } from './people.ts';
import { Asker, type Pair, parametersAsked } from './questions.ts';

const rounds = Number(process.env['SUTURE_ORACLE_ROUNDS'] ?? 500);
const seedGiven = process.env['SUTURE_ORACLE_SEED'];
const questionsPerRecord = 20;
jest.setTimeout(60_000 + rounds * 500);

const children = (code: string): readonly string[] => {
  const direct = Object.keys(isA).filter((child) => isA[child] === code);
  return [code, ...direct.flatMap(children)];
};
const parents = (code: string): readonly string[] => {
  const parent = isA[code];
  return parent === undefined ? [code] : [code, ...parents(parent)];
};
const codeOf = (key: string): string => key.split('|').slice(1).join('|');

const terminology: Terminology = {
  codes: (valueSet) => valueSets[valueSet]?.map((key) => ({ system: key.split('|')[0] ?? '', code: codeOf(key) })),
  below: (system, code) => children(`${system}|${code}`).map(codeOf),
  above: (system, code) => parents(`${system}|${code}`).map(codeOf),
};

const now = Date.parse('2026-03-02T08:00:00Z');
const context = createSearchContext({ definitions: loadDefinitions(), zone: 'UTC', baseUrl: base, terminology });

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await openTestDatabase();
});
afterAll(() => testDatabase.close());

/** Ids by SQL, how many the count says, and ids by the predicate where it can be asked. */
async function answers(type: string, pairs: readonly Pair[], record: readonly Resource[]) {
  const search = parseSearch(context, type, pairs, { now });
  const rows = await testDatabase.database.query<PageRow>(
    toSql(context, search, { visible: () => 'true', count: 100 }),
  );
  const [counted] = await testDatabase.database.query<{ count: string }>(toCountSql(context, search, () => 'true'));
  const isLocal = pairs.every(([name]) => !name.includes('.') && !name.startsWith('_has'));
  const own = record.filter((each) => each.resourceType === type);
  const predicate = isLocal ? createPredicate(context, search) : undefined;
  const predicted = predicate && own.filter((each) => predicate(each)).map(({ id }) => id);
  return { ids: rows.map(({ id }) => id).sort(), count: Number(counted?.count), predicted };
}

test('a search finds what the standard says, over every parameter', async () => {
  let found = 0;
  const faults: string[] = [];
  const asked = new Set<string>();
  const records = seedGiven === undefined ? Math.ceil(rounds / questionsPerRecord) : 1;
  for (let place = 0; place < records; place++) {
    const seed = seedGiven === undefined ? place : Number(seedGiven);
    const chance = createChance(seed);
    const record = makeRecord(chance);
    const world: World = { resources: record, base, valueSets, isA };
    await loadResources(testDatabase.database, record, createIndexer(context));
    const asker = new Asker(chance, record);
    for (let round = 0; round < questionsPerRecord; round++) {
      const { type, pairs } = asker.question();
      const label = `seed ${seed}: ${type}?${pairs.map((pair) => pair.join('=')).join('&')}`;
      const expected = [...oracle(world, type, pairs)].sort();
      const answered = await answers(type, pairs, record).catch((error: unknown) => String(error));
      if (typeof answered === 'string') {
        faults.push(`${label}: ${answered}`);
        continue;
      }
      const { ids, count, predicted } = answered;
      const wanted = expected.join();
      if (ids.join() !== wanted) faults.push(`${label}: expected ${wanted}, SQL found ${ids.join()}`);
      if (count !== expected.length) faults.push(`${label}: expected ${wanted}, SQL counted ${count}`);
      if ((predicted ?? expected).join() !== wanted)
        faults.push(`${label}: expected ${wanted}, predicted ${predicted?.join()}`);
      found += expected.length;
      for (const [name] of pairs) asked.add(`${type} ${name.split(/[:.]/, 1)[0]}`);
    }
  }
  expect(faults.slice(0, 20)).toEqual([]);
  expect(found).toBeGreaterThan(records);
  const all = Object.keys(makers).flatMap((type) => parametersAsked(type).map(({ code }) => `${type} ${code}`));
  if (rounds >= 10_000) expect(all.filter((one) => !asked.has(one))).toEqual([]);
});
