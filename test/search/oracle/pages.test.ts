/**
 * The same oracle, asked for what stands around a search: pages of any size in any order (together the whole, nothing twice, what has no
 * value last), conditions put together by `_filter`, members of a `_list` (https://hl7.org/fhir/R4/search.html#sort, #paging, #list;
 * https://hl7.org/fhir/R4/search_filter.html). A round is one question.
 *
 * 10,000 rounds: SUTURE_ORACLE_ROUNDS=10000 npm test -- test/search/oracle
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { loadDefinitions } from '../../../src/fhir/index.ts';
import {
  createIndexer,
  createSearchContext,
  type PageRow,
  parseSearch,
  type Position,
  toSql,
} from '../../../src/search/index.ts';
import { openTestDatabase, type TestDatabase } from '../../support/db.ts';
import { loadResources } from '../record.ts';
import { type Chance, createChance } from './chance.ts';
import { oracle, type World } from './match.ts';
import { base, isA, makeRecord, valueSets } from './people.ts';
import { Asker, type Pair, parametersAsked } from './questions.ts';

const rounds = Number(process.env['SUTURE_ORACLE_ROUNDS'] ?? 500);
const seedGiven = process.env['SUTURE_ORACLE_SEED'];
const questionsPerRecord = 25;
jest.setTimeout(60_000 + rounds * 500);

const now = Date.parse('2026-03-02T08:00:00Z');
const context = createSearchContext({ definitions: loadDefinitions(), zone: 'UTC', baseUrl: base });

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await openTestDatabase();
});
afterAll(() => testDatabase.close());

/** Ids page by page. */
async function walk(type: string, pairs: readonly Pair[], count: number): Promise<readonly string[]> {
  const search = parseSearch(context, type, pairs, { now });
  const found: string[] = [];
  let after: Position | undefined;
  for (let page = 0; page < 500; page++) {
    const statement = toSql(context, search, { visible: () => 'true', count, after });
    const rows = await testDatabase.database.query<PageRow>(statement);
    const shown = rows.slice(0, count);
    found.push(...shown.map(({ id }) => id));
    const last = shown.at(-1);
    if (rows.length <= count || last === undefined) return found;
    after = statement.positionOf(last);
  }
  return found;
}

interface Question {
  readonly pairs: readonly Pair[];
  readonly expected: readonly string[];
  readonly sorted: readonly string[];
}

const sortable: ReadonlySet<string> = new Set(['date', 'string', 'number', 'quantity']);

/** One or several sort keys. Tokens and references need a selective criterion beside them: `_id` of all is one. */
function sortOf({ pick, below }: Chance, type: string): readonly string[] {
  const codes = parametersAsked(type).filter((parameter) => sortable.has(parameter.type));
  const keys = Array.from({ length: below(3) }, () => (below(2) === 0 ? '' : '-') + pick(codes).code);
  return keys.filter((key, place) => keys.findIndex((one) => one.replace('-', '') === key.replace('-', '')) === place);
}

/** Conditions without modifier, which a filter can say with the same meaning. */
function plainOf(world: World, asker: Asker, type: string): Pair | undefined {
  for (let tries = 0; tries < 200; tries++) {
    const asked = asker.question();
    const pair = asked.type === type ? asked.pairs.find(([name, value]) => isPlain(type, name, value)) : undefined;
    if (pair !== undefined && isAnswered(() => oracle(world, type, [pair]))) return pair;
  }
  return undefined;
}

function isPlain(type: string, name: string, value: string): boolean {
  const kind = parametersAsked(type).find(({ code }) => code === name)?.type;
  return /^(?:token|date|number)$/.test(kind ?? '') && /^[\w:|/.+-]+$/.test(value) && !value.endsWith('|');
}

function isAnswered(ask: () => unknown): boolean {
  try {
    ask();
    return true;
  } catch {
    return false;
  }
}

interface Said {
  readonly text: string;
  readonly ids: ReadonlySet<string>;
}

/** `date=ge2026` -> `date ge "2026"`; then and, or, not over those. */
function filterOf(world: World, { asker, chance }: { asker: Asker; chance: Chance }, type: string): Said | undefined {
  const all = world.resources.filter((one) => one.resourceType === type).map(({ id }) => String(id));
  const say = (depth: number): Said | undefined => {
    const way = depth === 0 ? 3 : chance.below(4);
    if (way === 3) return sayPlain(world, type, plainOf(world, asker, type));
    const left = say(depth - 1);
    if (left === undefined) return undefined;
    if (way === 2) return { text: `not (${left.text})`, ids: new Set(all.filter((id) => !left.ids.has(id))) };
    const right = say(depth - 1);
    if (right === undefined) return undefined;
    const isBoth = way === 0;
    const ids = all.filter((id) =>
      isBoth ? left.ids.has(id) && right.ids.has(id) : left.ids.has(id) || right.ids.has(id),
    );
    return { text: `(${left.text}) ${isBoth ? 'and' : 'or'} (${right.text})`, ids: new Set(ids) };
  };
  return say(2);
}

function sayPlain(world: World, type: string, pair: Pair | undefined): Said | undefined {
  if (pair === undefined) return undefined;
  const [name, value] = pair;
  const kind = parametersAsked(type).find(({ code }) => code === name)?.type;
  const [, prefix = '', rest = value] =
    kind === 'token' ? [] : (/^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)$/.exec(value) ?? []);
  const ids = new Set([...oracle(world, type, [pair])].map(String));
  return { text: `${name} ${prefix === '' ? 'eq' : prefix} "${rest}"`, ids };
}

function makeQuestion(world: World, { asker, chance }: { asker: Asker; chance: Chance }, type: string): Question {
  const sort = sortOf(chance, type);
  const sorted: readonly Pair[] = sort.length === 0 ? [] : [['_sort', sort.join(',')]];
  const way = chance.below(3);
  const own = world.resources.filter((one) => one.resourceType === type);
  const lists = world.resources.filter((one) => one.resourceType === 'List');
  const list = way === 1 && lists.length > 0 ? chance.pick(lists) : undefined;
  if (list !== undefined) {
    const items = ((list as unknown as { entry?: { item?: { reference?: string } }[] }).entry ?? []).map(({ item }) =>
      (item?.reference ?? '').replace(`${base}/`, '').replace(/\/_history\/.*$/, ''),
    );
    const expected = own.filter(({ id }) => items.includes(`${type}/${id}`)).map(({ id }) => String(id));
    return { pairs: [['_list', String(list.id)], ...sorted], expected, sorted: sort };
  }
  const filter = way === 2 ? filterOf(world, { asker, chance }, type) : undefined;
  if (filter !== undefined) {
    return { pairs: [['_filter', filter.text], ...sorted], expected: [...filter.ids], sorted: sort };
  }
  for (;;) {
    const asked = asker.question();
    if (asked.type !== type || asked.pairs.some(([name]) => /:(?:not-)?in$|:above$|:below$/.test(name))) continue;
    return {
      pairs: [...asked.pairs, ...sorted],
      expected: [...oracle(world, type, asked.pairs)].map(String),
      sorted: sort,
    };
  }
}

/** Where the first sort parameter has no value, by the oracle. */
function lacking(world: World, type: string, [first]: readonly string[]): ReadonlySet<string> {
  if (first === undefined) return new Set();
  const code = first.replace('-', '');
  if (['_id', '_lastUpdated'].includes(code)) return new Set();
  return new Set([...oracle(world, type, [[`${code}:missing`, 'true']])].map(String));
}

async function faultOf(world: World, chance: Chance, type: string, question: Question): Promise<string | undefined> {
  const { pairs, expected, sorted } = question;
  const count = 1 + chance.below(6);
  const paged = await walk(type, pairs, count);
  const wanted = [...expected].sort().join();
  if ([...paged].sort().join() !== wanted)
    return `pages of ${count} have ${[...paged].sort().join()}, expected ${wanted}`;
  const whole = await walk(type, pairs, 1000);
  if (whole.join() !== paged.join()) return `pages of ${count} are ordered ${paged.join()}, the whole ${whole.join()}`;
  const without = lacking(world, type, sorted);
  const places = paged.map((id) => without.has(id));
  if (places.lastIndexOf(false) > places.indexOf(true) && places.includes(true))
    return `what has no ${sorted[0]} is not last: ${paged.join()}`;
  return undefined;
}

test('pages, filters and lists find what the standard says, in one order', async () => {
  const faults: string[] = [];
  const asked = { _sort: 0, _filter: 0, _list: 0, found: 0 };
  const records = seedGiven === undefined ? Math.ceil(rounds / questionsPerRecord) : 1;
  for (let place = 0; place < records; place++) {
    const seed = seedGiven === undefined ? 70_000 + place : Number(seedGiven);
    const chance = createChance(seed);
    const record = makeRecord(chance);
    const world: World = { resources: record, base, valueSets, isA };
    await loadResources(testDatabase.database, record, createIndexer(context));
    const asker = new Asker(chance, record);
    const types = [...new Set(record.map(({ resourceType }) => resourceType))];
    for (let round = 0; round < questionsPerRecord; round++) {
      const type = chance.pick(types);
      const question = makeQuestion(world, { asker, chance }, type);
      countNames(asked, question.pairs);
      asked.found += question.expected.length;
      const fault = await faultOf(world, chance, type, question).catch((error: unknown) => String(error));
      const label = `seed ${seed}: ${type}?${question.pairs.map((pair) => pair.join('=')).join('&')}`;
      if (fault !== undefined) faults.push(`${label}: ${fault}`);
    }
  }
  expect(faults.slice(0, 20)).toEqual([]);
  if (seedGiven === undefined) for (const many of Object.values(asked)) expect(many).toBeGreaterThan(records);
});

/** How often each of the parameters was asked for that the test must not leave out. */
function countNames(asked: Record<string, number>, pairs: readonly (readonly [name: string, value: string])[]): void {
  for (const [name] of pairs) if (name in asked) asked[name] = (asked[name] ?? 0) + 1;
}
