/**
 * The rows U1 to U15 of the hostile inputs (../shared/reference/security-reliability.md: subscription endpoints; S1 to S15 in issue 6):
 * each stands by its number in the title of a test of this folder, or of that of access.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

it('every row is a test', () => {
  const folders = [import.meta.dirname, join(import.meta.dirname, '../access')];
  const names = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const titles = names
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => [...readFileSync(name, 'utf8').matchAll(/\((U\d+(?:, U\d+)*)\)'/g)])
    .flatMap(([, list = '']) => list.split(', '));
  const rows = Array.from({ length: 15 }, (_none, index) => `U${index + 1}`);
  expect(rows.filter((row) => !titles.includes(row))).toEqual([]);
});
