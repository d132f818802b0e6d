/**
 * The shape of the code (src/ARCHITECTURE.md), proved: rows import only from rows above them, and only through the other
 * folder's index.ts; pure folders do no input or output; Fastify, PostgreSQL and SQL stay where they belong.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const rows: Readonly<Record<string, number>> = {
  base: 0,
  db: 1,
  fhir: 1,
  formats: 1,
  access: 2,
  letters: 2,
  queue: 2,
  search: 2,
  terminology: 2,
  validation: 2,
  audit: 3,
  documents: 3,
  identity: 3,
  rules: 3,
  store: 3,
  packages: 3,
  breaks: 4,
  indicators: 4,
  notify: 4,
  interactions: 5,
  bridge: 6,
  console: 6,
  listeners: 6,
  http: 7,
  demo: 7, // a client: it speaks HTTP to the server
  app: 8,
};
const top = 9;

const pureFolders = [
  'access',
  'documents',
  'fhir',
  'formats',
  'letters',
  'rules',
  'search',
  'terminology',
  'validation',
];
/** Reads what `npm run build` made. */
const loader = 'fhir/definitions.ts';
/** Steps of `npm run build`: no part of the server. */
const isBuildStep = (file: string) => file === 'build.ts' || /^\w+\/build\//.test(file);

const inputAndOutput = /^(pg|fastify|node:(fs|fs\/promises|net|http|https|http2|dns|child_process|worker_threads))$/;
/** `*.sql.ts`: statements of a folder on its own tables. */
const placesOfSql = /^(db|queue|store)\/|^search\/(to-sql|pages|\w+-page|sql|include)\.ts$|\.sql\.ts$/;
const placesOfWrites = /^(db|queue|store)\/|\.sql\.ts$/;

const src = join(import.meta.dirname, '../src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(sep).join('/'));
const trees = new Map(
  files.map((file) => [file, ts.createSourceFile(file, readFileSync(join(src, file), 'utf8'), ts.ScriptTarget.Latest)]),
);

interface Import {
  readonly file: string;
  /** A file below src, or the name of a package. */
  readonly target: string;
  readonly isOurs: boolean;
}

const imports: readonly Import[] = [...trees].flatMap(([file, tree]) =>
  ts.preProcessFile(tree.text).importedFiles.map(({ fileName }) => {
    const isOurs = fileName.startsWith('.');
    return { file, target: isOurs ? posix.join(posix.dirname(file), fileName) : fileName, isOurs };
  }),
);

function folderOf(file: string): string | undefined {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : undefined;
}

function rowOf(file: string): number {
  const folder = folderOf(file);
  return folder === undefined ? top : (rows[folder] ?? Number.NaN);
}

/** Imports that are there when the program runs: one of types alone leaves nothing behind. */
const running = new Map(
  [...trees].map(([file, tree]) => {
    const targets = tree.statements.flatMap((statement) => {
      const from = sourceOf(statement);
      return from?.startsWith('.') === true ? [posix.join(posix.dirname(file), from)] : [];
    });
    return [file, targets] as const;
  }),
);

function sourceOf(statement: ts.Statement): string | undefined {
  if (ts.isImportDeclaration(statement)) {
    const { importClause: clause, moduleSpecifier } = statement;
    const named = clause?.namedBindings;
    const isTypes =
      clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
      (clause?.name === undefined &&
        named !== undefined &&
        ts.isNamedImports(named) &&
        named.elements.every(({ isTypeOnly }) => isTypeOnly));
    return isTypes ? undefined : (moduleSpecifier as ts.StringLiteral).text;
  }
  if (!ts.isExportDeclaration(statement) || statement.isTypeOnly || statement.moduleSpecifier === undefined) return;
  const named = statement.exportClause;
  const isTypes =
    named !== undefined && ts.isNamedExports(named) && named.elements.every(({ isTypeOnly }) => isTypeOnly);
  return isTypes ? undefined : (statement.moduleSpecifier as ts.StringLiteral).text;
}

/** Files that come back to themselves, each circle told once. */
function circles(targetsOf: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  function walk(file: string, way: readonly string[]): void {
    const at = way.indexOf(file);
    if (at >= 0) found.push([...way.slice(at), file].join(' > '));
    if (at >= 0 || done.has(file)) return;
    for (const target of targetsOf.get(file) ?? []) walk(target, [...way, file]);
    done.add(file);
  }
  for (const file of targetsOf.keys()) walk(file, []);
  return found;
}

const shown = (found: readonly Import[]) => found.map(({ file, target }) => `${file} imports ${target}`);

/** String and template texts, with their place. */
function textsOf(file: string): readonly { readonly place: string; readonly text: string }[] {
  const tree = trees.get(file) as ts.SourceFile;
  const texts: { place: string; text: string }[] = [];
  function visit(node: ts.Node): void {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) {
      const { line } = tree.getLineAndCharacterOfPosition(node.pos);
      texts.push({ place: `${file}:${line + 1}`, text: node.text });
    }
    ts.forEachChild(node, visit);
  }
  visit(tree);
  return texts;
}

const sql =
  /^\s*(select|with)\s[\s\S]*\s(from|as)\s|^\s*(insert\s+into|update\s+\w+\s+set|delete\s+from|create\s+table|lock\s+table)\s/i;
const write = /\b(insert\s+into|update\s+\w+(\s+\w+)?\s+set|delete\s+from|truncate)\s/i;

describe('the source code', () => {
  it('has no folder without a row', () => {
    const folders = new Set(files.map(folderOf).filter((folder) => folder !== undefined));
    expect([...folders].filter((folder) => rows[folder] === undefined)).toEqual([]);
  });

  it('imports only from rows above', () => {
    const wrong = imports.filter(
      ({ file, target, isOurs }) => isOurs && folderOf(file) !== folderOf(target) && !(rowOf(target) < rowOf(file)),
    );
    expect(shown(wrong)).toEqual([]);
  });

  it('has no circle of imports', () => {
    expect(circles(running)).toEqual([]);
  });

  it('imports other folders only through their index.ts', () => {
    const wrong = imports.filter(
      ({ file, target, isOurs }) =>
        isOurs &&
        folderOf(target) !== undefined &&
        folderOf(file) !== folderOf(target) &&
        target !== `${folderOf(target)}/index.ts` &&
        !(file === 'build.ts' && isBuildStep(target)),
    );
    expect(shown(wrong)).toEqual([]);
  });

  it('never takes a step of the build into the server', () => {
    expect(shown(imports.filter(({ file, target }) => isBuildStep(target) && !isBuildStep(file)))).toEqual([]);
  });

  it('does no input or output in its pure folders', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        pureFolders.includes(folderOf(file) ?? '') &&
        !isBuildStep(file) &&
        inputAndOutput.test(target) &&
        !(file === loader && target === 'node:fs'),
    );
    expect(shown(wrong)).toEqual([]);
  });

  it('knows Fastify only in http and above', () => {
    const wrong = imports.filter(
      ({ file, target }) => /^@?fastify/.test(target) && rowOf(file) < (rows['http'] as number),
    );
    expect(shown(wrong)).toEqual([]);
  });

  it('knows the driver of PostgreSQL only in db', () => {
    expect(shown(imports.filter(({ file, target }) => target === 'pg' && folderOf(file) !== 'db'))).toEqual([]);
  });

  it('has SQL only in db, queue, store, the compiler of search, and *.sql.ts', () => {
    const wrong = files
      .filter((file) => !placesOfSql.test(file))
      .flatMap((file) => textsOf(file).filter(({ text }) => sql.test(text)));
    expect(wrong.map(({ place }) => place)).toEqual([]);
  });

  it('writes to the database only in db, queue, store and *.sql.ts', () => {
    const readers = files.filter((file) => !placesOfWrites.test(file));
    const wrong = readers.flatMap((file) => textsOf(file).filter(({ text }) => write.test(text)));
    expect(wrong.map(({ place }) => place)).toEqual([]);
  });

  it('keeps tests beside what they test: each folder of test has its folder in src', () => {
    const others = new Set(['bench', 'conformance', 'faults', 'flows', 'fuzz', 'simulate', 'support']);
    const folders = readdirSync(dirname(import.meta.filename), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const strays = folders.filter(({ name }) => !others.has(name) && rows[name] === undefined);
    expect(strays.map(({ name }) => name)).toEqual([]);
  });
});

describe('the rules of this test', () => {
  it('find a circle of imports, and leave those alone that only meet again', () => {
    const around = { a: ['b'], b: ['c', 'd'], c: ['b'], d: [] };
    expect(circles(new Map(Object.entries(around)))).toEqual(['b > c > b']);
    expect(circles(new Map(Object.entries({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })))).toEqual([]);
  });

  it.each([
    'select 1 as one from x',
    ' with a as (select 1) select * from a',
    'insert into job values ($1)',
    'update job set holder = $1',
    'delete from job',
  ])('take this for SQL: %s', (text) => {
    expect(sql.test(text)).toBe(true);
  });

  it.each(['select the patient', 'with a letter', 'delete what is not there', 'from', 'insert', 'update the Task'])(
    'do not take this for SQL: %s',
    (text) => {
      expect(sql.test(text)).toBe(false);
    },
  );
});
