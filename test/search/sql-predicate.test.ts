/**
 * SQL against predicate: over random records and random queries, all pages together are the resources that the predicate
 * takes, each once, in the order asked for; what is not visible leaves no trace. Chains and `_has` are held against a walk
 * over the record in memory.
 *
 * More rounds: SUTURE_SEARCH_ROUNDS=2000 npm test -- test/search/sql-predicate
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { Resource } from '../../src/fhir/index.ts';
import {
  createPredicate,
  type PageRow,
  parseSearch,
  type Position,
  type Search,
  toCountSql,
  toIncludeSql,
  toSql,
  type Visible,
} from '../../src/search/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { context, index, loadResources, now } from './record.ts';
import { chainQueries, type Parameters, randomQueries, records } from './samples.ts';

const rounds = Number(process.env['SUTURE_SEARCH_ROUNDS'] ?? 20);
jest.setTimeout(30_000 + rounds * 5000);
const queriesPerRecord = 25;
const everything: Visible = () => 'true';

/** A record is long: the query that failed and the seed say enough. */
function settings<T>(numRuns: number): fc.Parameters<T> {
  return {
    numRuns,
    endOnFailure: true,
    reporter({ failed, seed, counterexamplePath, errorInstance }) {
      if (failed) throw new Error(`seed ${seed}, path ${counterexamplePath}`, { cause: errorInstance });
    },
  };
}

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await openTestDatabase();
});
afterAll(() => testDatabase.close());

/** All pages, one after the other. */
async function searchPages(search: Search, pageSize: number, visible: Visible): Promise<readonly PageRow[]> {
  const rows: PageRow[] = [];
  let after: Position | undefined;
  for (let page = 0; page < 200; page++) {
    const statement = toSql(context, search, { visible, count: pageSize, after });
    const found = await testDatabase.database.query<PageRow>(statement);
    rows.push(...found.slice(0, pageSize));
    const last = found[pageSize - 1];
    if (found.length <= pageSize || last === undefined) return rows;
    after = statement.positionOf(last);
  }
  throw new Error('the pages do not end');
}

async function count(search: Search, visible: Visible): Promise<number> {
  const [row] = await testDatabase.database.query<{ count: string }>(toCountSql(context, search, visible));
  return Number(row?.count);
}

const name = ({ resourceType, id }: Resource) => `${resourceType}/${id}`;
const nameRow = ({ type, id }: PageRow) => `${type}/${id}`;
const parse = (type: string | undefined, parameters: Parameters) => parseSearch(context, type, parameters, { now });

/** Sort value by definition: of several values the one that comes first in the order asked. */
function sortValue(
  resource: Resource,
  { parameter, isDescending }: Search['result']['sorts'][number],
): string | number | undefined {
  if (parameter.column === 'id') return resource.id;
  if (parameter.column === 'lastUpdated') return resource.meta?.lastUpdated;
  const values = index(resource);
  const keys = new Set(parameter.paths.map((path) => `${path.name}`));
  const known = (prefix: string) => new Set([...keys].map((path) => context.readers.hash(`${prefix}${path}`)));
  const found =
    parameter.type === 'string'
      ? values.strings.filter(({ k }) => known('t').has(k)).map(({ v }) => v)
      : (parameter.type === 'date' ? values.dates : values.numbers)
          .filter(({ k }) => known(parameter.type === 'date' ? 'd' : 'q').has(k))
          .map(({ lo }) => lo);
  const sorted = [...found].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return isDescending ? sorted.at(-1) : sorted[0];
}

function expectSorted(resources: readonly Resource[], search: Search): void {
  const keys = resources.map((resource) => search.result.sorts.map((sort) => sortValue(resource, sort)));
  for (let place = 1; place < keys.length; place++) {
    const [before, after] = [keys[place - 1] ?? [], keys[place] ?? []];
    const differs = before.findIndex((value, at) => value !== after[at]);
    if (differs < 0) continue;
    const [left, right] = [before[differs], after[differs]];
    if (left === undefined) throw new Error('a missing value stands before a present one');
    if (right === undefined) continue;
    expect(search.result.sorts[differs]?.isDescending ? left > right : left < right).toBe(true);
  }
}

describe('a search in SQL', () => {
  test('yields what the predicate takes, in pages, in order, and counts it', async () => {
    let matched = 0;
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.array(randomQueries, { minLength: queriesPerRecord, maxLength: queriesPerRecord }),
        async (resources, queries) => {
          await loadResources(testDatabase.database, resources);
          const byName = new Map(resources.map((resource) => [name(resource), resource]));
          for (const { type, parameters, sort, pageSize } of queries) {
            const sorted: Parameters = sort.length === 0 ? [] : [['_sort', sort.join(',')]];
            const search = parse(type, [...parameters, ...sorted]);
            const expected = resources.filter((resource) => createPredicate(context, search)(resource)).map(name);
            const rows = await searchPages(search, pageSize, everything);
            const label = `${type}?${search.accepted.map((pair) => pair.join('=')).join('&')}`;
            expect([label, ...rows.map(nameRow).sort()]).toEqual([label, ...expected.sort()]);
            expectSorted(
              rows.map((row) => byName.get(nameRow(row)) as Resource),
              search,
            );
            expect(await count(search, everything)).toBe(expected.length);
            matched += expected.length;
          }
        },
      ),
      settings(rounds),
    );
    expect(matched).toBeGreaterThan(rounds);
  });

  test('knows nothing of what is not visible, chains and counts included', async () => {
    const hidden = (resource: Resource) => resource.meta?.security?.some(({ code }) => code === 'V') === true;
    const key = context.readers.hash.bind(undefined);
    const hiddenKeys = (type: string) => key(`a${type}.meta.security\nv`);
    const visible: Visible = (alias, bind) =>
      `not ${alias}.keys && ${bind(['Patient', 'Practitioner', 'Encounter', 'Observation', 'Task', 'CarePlan'].map(hiddenKeys))}::bigint[]`;
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.array(randomQueries, { minLength: 10, maxLength: 10 }),
        fc.array(chainQueries, { minLength: 5, maxLength: 5 }),
        async (resources, queries, chains) => {
          const seen = resources.filter((resource) => !hidden(resource));
          const searches = [
            ...queries.map(({ type, parameters }) => parse(type, parameters)),
            ...chains.map(({ type, chain, parameter: [inner, value] }) => parse(type, [[`${chain}.${inner}`, value]])),
          ];
          await loadResources(testDatabase.database, seen);
          const without: Answer[] = [];
          for (const search of searches)
            without.push([(await searchPages(search, 3, everything)).map(nameRow), await count(search, everything)]);
          await loadResources(testDatabase.database, resources);
          const within: Answer[] = [];
          for (const search of searches)
            within.push([(await searchPages(search, 3, visible)).map(nameRow), await count(search, visible)]);
          const sorted = (answers: typeof within) =>
            answers.map(([rows, number]) => [[...(rows as string[])].sort(), number]);
          expect(sorted(within)).toEqual(sorted(without));
        },
      ),
      settings(Math.ceil(rounds / 4)),
    );
  });

  test('follows references forward and backward', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.array(chainQueries, { minLength: 20, maxLength: 20 }), async (resources, chains) => {
        await loadResources(testDatabase.database, resources);
        for (const { type, reference, chain, inner, parameter } of chains) {
          const [innerName, value] = parameter;
          const innerMatches = new Set(resources.filter(createMatcher(inner, [[innerName, value]])).map(name));
          const outer = resources.filter((one) => one.resourceType === type);
          const expected = outer.filter((one) => innerMatches.has(target(one, reference)));
          const found = await searchPages(parse(type, [[`${chain}.${innerName}`, value]]), 4, everything);
          const label = `${type}?${chain}.${innerName}=${value}`;
          expect([label, ...found.map(nameRow).sort()]).toEqual([label, ...expected.map(name).sort()]);
        }
      }),
      settings(Math.ceil(rounds / 4)),
    );
  });

  test('finds what is referred to by others', async () => {
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.array(randomQueries, { minLength: 20, maxLength: 20 }),
        async (resources, queries) => {
          await loadResources(testDatabase.database, resources);
          for (const { type, parameters } of queries) {
            const reference = { Encounter: 'subject', Observation: 'subject', CarePlan: 'subject', Task: 'for' }[type];
            const [parameter] = parameters;
            if (reference === undefined || parameter === undefined) continue;
            const targets = new Set(
              resources.filter(createMatcher(type, [parameter])).map((one) => target(one, reference)),
            );
            const expected = resources.filter((one) => one.resourceType === 'Patient' && targets.has(name(one)));
            const query: Parameters = [[`_has:${type}:patient:${parameter[0]}`, parameter[1]]];
            const found = await searchPages(parse('Patient', query), 4, everything);
            expect([query[0], ...found.map(nameRow).sort()]).toEqual([query[0], ...expected.map(name).sort()]);
          }
        },
      ),
      settings(Math.ceil(rounds / 4)),
    );
  });

  test('includes what a page refers to and what refers to it', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (resources) => {
        await loadResources(testDatabase.database, resources);
        const page = resources.filter(({ resourceType }) => resourceType === 'Encounter');
        const search = parse('Encounter', [
          ['_include', 'Encounter:patient'],
          ['_revinclude', 'Observation:encounter'],
          ['_include', 'Encounter:participant:Practitioner'],
        ]);
        const statement = toIncludeSql(context, search.result.includes, page, { visible: everything, limit: 1000 });
        const rows = statement === undefined ? [] : await testDatabase.database.query<PageRow>(statement);
        const pageNames = new Set(page.map(name));
        const wanted = new Set(
          page
            .flatMap((one) => [target(one, 'subject'), ...participants(one)])
            .filter((one) => !one.startsWith('Group/')),
        );
        const expected = resources.filter(
          (one) =>
            wanted.has(name(one)) || (one.resourceType === 'Observation' && pageNames.has(target(one, 'encounter'))),
        );
        expect(rows.map(nameRow).sort()).toEqual(expected.map(name).sort());
      }),
      settings(Math.ceil(rounds / 4)),
    );
  });

  test('searches several types at once', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.integer({ min: 1, max: 5 }), async (resources, pageSize) => {
        await loadResources(testDatabase.database, resources);
        for (const parameters of [
          [['_type', 'Encounter,Observation,CarePlan']],
          [
            ['_type', 'Encounter,CarePlan'],
            ['date', 'ge2026-03-01'],
          ],
          [
            ['_type', 'Encounter,CarePlan,Observation'],
            ['patient', 'p1'],
            ['_sort', '-date'],
          ],
          [
            ['_type', 'Encounter,CarePlan'],
            ['_sort', 'date'],
          ],
          [['_security', 'R']],
        ] as const) {
          const search = parse(undefined, parameters);
          const expected = resources.filter((resource) => createPredicate(context, search)(resource)).map(name);
          const rows = await searchPages(search, pageSize, everything);
          expect([parameters, ...rows.map(nameRow).sort()]).toEqual([parameters, ...expected.sort()]);
        }
      }),
      settings(Math.ceil(rounds / 4)),
    );
  });
});

type Answer = readonly [rows: readonly string[], count: number];

function createMatcher(type: string, parameters: Parameters): (resource: Resource) => boolean {
  const predicate = createPredicate(context, parse(type, parameters));
  return (resource) => predicate(resource);
}

/** The local target of a reference element, as `Type/id`. */
function target(resource: Resource, element: string): string {
  const text = (resource[element] as { reference?: string } | undefined)?.reference ?? '';
  return text.replace('https://suture.example/fhir/', '').replace(/\/_history\/.*/, '');
}

function participants(resource: Resource): readonly string[] {
  const list = (resource['participant'] ?? []) as readonly { individual?: { reference?: string } }[];
  return list.map(({ individual }) => individual?.reference ?? '');
}
