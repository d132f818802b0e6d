/**
 * The rows U1 to U15 of the hostile inputs (../shared/reference/security-reliability.md: subscription endpoints; S1 to S15 in issue 6):
 * each stands by its number in the title of a test of this folder, or here with the reason why not.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

/** Nobody is told apart yet: there is no authentication, so whoever reads may read everything, and nobody has a quota. */
const withoutAccess = 'waits for access control';
const reasons: Readonly<Record<string, string>> = { U9: withoutAccess };

it('every row is a test, or has its reason', () => {
  const names = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  const titles = names
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => [...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/\((U\d+(?:, U\d+)*)\)'/g)])
    .flatMap(([, list = '']) => list.split(', '));
  const rows = Array.from({ length: 15 }, (_none, index) => `U${index + 1}`);
  expect(rows.filter((row) => !titles.includes(row))).toEqual(Object.keys(reasons));
});
