/**
 * The numbered rows of hostile input (../shared/reference/security-reliability.md 2.3): each stands in the title of a test, in a file that
 * the table of test/README.md names for it. H: HTTP, J: resources, F: searches, T: transactions, P: rules, S (there U): subscriptions,
 * X: CDA, Z: archives, M: mails, L: HL7 v2, A: authentication and access.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const folder = import.meta.dirname;
const kinds = { H: 22, J: 20, F: 22, T: 12, P: 14, U: 15, X: 16, Z: 10, M: 12, L: 13, A: 27 } as const;
const all = Object.entries(kinds).flatMap(([kind, count]) =>
  Array.from({ length: count }, (_one, place) => `${kind}${place + 1}`),
);

/** `J1, J3 to J6 and T2` -> J1, J3, J4, J5, J6, T2 */
function numbersIn(text: string): readonly string[] {
  return [...text.matchAll(/\b([HJFTPUXZMLA])(\d{1,2})(?: to \1(\d{1,2}))?\b/g)].flatMap(
    ([, kind = '', from = '', to = from]) =>
      Array.from({ length: Number(to) - Number(from) + 1 }, (_one, place) => `${kind}${Number(from) + place}`),
  );
}

/** The literals that stand in calls of describe, it and test: titles, and rows of `each`. */
function titlesOf(file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true);
  const found: string[] = [];
  const collect = (node: ts.Node): void => {
    if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) return;
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    ts.forEachChild(node, collect);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(?:describe|it|test)\b/.test(node.expression.getText(source))) collect(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const numbers = new Map(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => [name, new Set(titlesOf(join(folder, name)).flatMap(numbersIn))]),
);

/** The rows of the table, as numbers and the files behind them. */
const table = readFileSync(join(folder, 'README.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, rows = '', where = ''] = /^\| ([^|]+) \| ([^|]+) \|$/.exec(line) ?? [];
    const files = [...where.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, name = '']) => name);
    return files.length === 0 ? [] : [{ rows: numbersIn(rows), files }];
  });

describe('Each numbered row of hostile input', () => {
  it.each(all)('%s stands in a title, in a file that test/README.md names for it', (row) => {
    const named = table.filter(({ rows }) => rows.includes(row)).flatMap(({ files }) => files);
    expect(named.filter((file) => numbers.get(file)?.has(row))).not.toEqual([]);
  });

  it('is in no row of the table that none of its files has', () => {
    const wrong = table.flatMap(({ rows, files }) =>
      rows.filter((row) => !files.some((file) => numbers.get(file)?.has(row))).map((row) => `${row}: ${files.join()}`),
    );
    expect(wrong).toEqual([]);
  });
});
