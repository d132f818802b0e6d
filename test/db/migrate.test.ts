import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLog } from '../../src/base/index.ts';
import { migrate, migrationsFolder } from '../../src/db/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

const log = createLog('silent');
let test: TestDatabase;
let folder: string;
beforeEach(async () => {
  test = await openTestDatabase('none');
  folder = await mkdtemp(join(tmpdir(), 'suture-migrations-'));
});
afterEach(async () => {
  await test.close();
  await rm(folder, { recursive: true });
});

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

const run = () => migrate({ url: test.url, folder, log });

async function tables(): Promise<readonly unknown[]> {
  const rows = await test.database.query({
    text: "select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migration' order by 1",
  });
  return rows.map(({ name }) => name);
}

describe('migrate', () => {
  it('applies the files in order, each once', async () => {
    await write({
      '0002-stay.sql': 'create table stay (bed integer references bed)',
      '0001-bed.sql': 'create table bed (number integer primary key);\ninsert into bed values (1);',
      'README.md': 'not a migration',
    });
    expect(await run()).toEqual(['0001-bed.sql', '0002-stay.sql']);
    expect(await run()).toEqual([]);
    await write({ '0003-ward.sql': 'create table ward ()' });
    expect(await run()).toEqual(['0003-ward.sql']);
    expect(await tables()).toEqual(['bed', 'stay', 'ward']);
  });

  it('lets several instances start at once', async () => {
    await write({
      '0001-bed.sql': 'create table bed (number integer)',
      '0002-bed-number.sql': '-- no-transaction\ncreate index concurrently bed_number on bed (number)',
      '0003-slow.sql': 'select pg_sleep(0.2)',
    });
    const applied = await Promise.all([run(), run(), run()]);
    expect(applied.flat().sort()).toEqual(['0001-bed.sql', '0002-bed-number.sql', '0003-slow.sql']);
  });

  it('undoes a file that fails, keeps those before it, and names the place', async () => {
    await write({
      '0001-bed.sql': 'create table bed ()',
      '0002-ward.sql': 'create table ward ();\ncreate table bed ();\n',
      '0003-stay.sql': 'create table stay ()',
    });
    await expect(run()).rejects.toThrow(
      'the migration 0002-ward.sql failed: SQLSTATE 42P07, relation "bed" already exists',
    );
    expect(await tables()).toEqual(['bed']);
    await write({ '0002-ward.sql': 'create table ward ()' });
    expect(await run()).toEqual(['0002-ward.sql', '0003-stay.sql']);
  });

  it('names the line of a syntax error, and never a value', async () => {
    await write({ '0001-bed.sql': 'create table bed ();\n\ncreate tabel ward ();' });
    await expect(run()).rejects.toThrow('SQLSTATE 42601 in line 3, syntax error at or near "tabel"');
    await write({ '0001-bed.sql': "select 'Martin'::integer" });
    await expect(run()).rejects.toThrow(/SQLSTATE 22P02 in line 1$/);
  });

  it('refuses a file that was changed after it was applied, but not other line ends', async () => {
    await write({ '0001-bed.sql': 'create table bed ();\n' });
    await run();
    await write({ '0001-bed.sql': 'create table bed ();\r\n' });
    expect(await run()).toEqual([]);
    await write({ '0001-bed.sql': 'create table bed (number integer);\n' });
    await expect(run()).rejects.toThrow('0001-bed.sql was changed');
  });

  it('refuses a schema newer than itself', async () => {
    await write({ '0001-bed.sql': 'create table bed ()', '0002-ward.sql': 'create table ward ()' });
    await run();
    await rm(join(folder, '0002-ward.sql'));
    await expect(run()).rejects.toThrow('does not know: start a newer one');
  });

  it('refuses a file that comes before an applied one', async () => {
    await write({ '0002-ward.sql': 'create table ward ()' });
    await run();
    await write({ '0001-bed.sql': 'create table bed ()' });
    await expect(run()).rejects.toThrow('0001-bed.sql comes before');
  });

  it.each([
    [{ '1-bed.sql': '' }, '1-bed.sql is not named NNNN-name.sql'],
    [{ '0001-bed.sql': '', '0001-ward.sql': '' }, 'two migrations have the number of 0001-bed.sql'],
  ])('refuses a folder that is out of order (%j)', async (files, message) => {
    await write(files);
    await expect(run()).rejects.toThrow(message);
  });

  it("brings an empty database to the project's schema", async () => {
    const files = (await readdir(migrationsFolder)).sort();
    expect(await migrate({ url: test.url, folder: migrationsFolder, log })).toEqual(files);
  });
});
