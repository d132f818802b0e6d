/** Arrays in binary form come to PostgreSQL as what they are. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  bigintArray,
  booleanArray,
  doubleArray,
  integerArray,
  textArray,
  wholeNumberArray,
} from '../../src/db/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let test: TestDatabase;

beforeAll(async () => {
  test = await openTestDatabase('none');
});
afterAll(() => test.close());

const far = Number.MAX_SAFE_INTEGER;

it.each([
  ['text', textArray(['', 'a"b\\c{d},e', 'Émilie 😀', null, 'NULL']), ['', 'a"b\\c{d},e', 'Émilie 😀', null, 'NULL']],
  ['text', textArray([]), []],
  ['integer', integerArray([0, -1, 2_147_483_647, null]), [0, -1, 2_147_483_647, null]],
  [
    'bigint',
    wholeNumberArray([0, -1, far, -far, 1_772_438_400_000, null]),
    ['0', '-1', String(far), String(-far), '1772438400000', null],
  ],
  ['bigint', bigintArray([-(2n ** 63n), 2n ** 63n - 1n, 7n]), [String(-(2n ** 63n)), String(2n ** 63n - 1n), '7']],
  ['double precision', doubleArray([1.5, -0.1, 1e300]), [1.5, -0.1, 1e300]],
  ['boolean', booleanArray([true, false]), [true, false]],
])('as %s[]', async (type, sent, expected) => {
  const [row] = await test.database.query<{ found: unknown }>({
    text: `select $1::${type}[] as found, array_ndims($1::${type}[]) as dimensions`,
    values: [sent],
  });
  expect(row).toEqual({ found: expected, dimensions: expected.length === 0 ? null : 1 });
});
