/** Packages in the database: loaded once and whole, versions side by side, read when somebody asks. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLog } from '../../src/base/index.ts';
import type { Database } from '../../src/db/index.ts';
import {
  addPackage,
  createBaseLibrary,
  loadFolder,
  openShelf,
  readPackages,
  type Shelf,
} from '../../src/packages/index.ts';
import { createTerminology } from '../../src/terminology/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { colours, type Files, guide, makeTarball } from './tarball.ts';

const system = 'https://guide.example/fhir/CodeSystem/colours';
const options = { nowMs: Date.parse('2026-03-02T08:00:00Z'), allowsMissing: false };

let test: TestDatabase;
let db: Database;
let shelf: Shelf;
beforeAll(async () => {
  test = await openTestDatabase();
  db = test.database;
  shelf = await openShelf({ db, others: [createBaseLibrary()] });
});
afterAll(async () => {
  await shelf.close();
  await test.close();
});

const add = async (files: Files, changes: object = {}) =>
  addPackage(db, await makeTarball(files), { ...options, ...changes });

describe('a package that is added', () => {
  it('is there once, however often it is added', async () => {
    expect(await add(guide([colours('1.2.0', 'red')]))).toMatchObject({ outcome: 'added', definitions: 1 });
    expect(await add(guide([colours('1.2.0', 'red')]))).toMatchObject({
      outcome: 'already-there',
      name: 'fr.example.guide',
    });
    expect(await readPackages(db)).toHaveLength(1);
  });

  it('does not take the place of another content under its name and version', async () => {
    await expect(add(guide([colours('1.2.0', 'green')]))).rejects.toThrow('loaded already, with another content');
  });

  it('stands beside its other versions', async () => {
    await add(guide([colours('1.10.0', 'red', 'blue')], { version: '1.10.0' }));
    const after = await openShelf({ db, others: [] });
    const count = (canonical: string) =>
      after.settle(() => createTerminology(after).codeSystem(canonical)?.concepts.size);
    expect([await count(`${system}|1.2.0`), await count(`${system}|1.10`), await count(system)]).toEqual([1, 2, 2]);
    expect(await count(`${system}|3.0.0`)).toBeUndefined();
    await after.close();
  });

  it('is refused when something it depends on is not there, unless that is allowed', async () => {
    const files = guide([], {
      name: 'fr.example.other',
      dependencies: { 'fr.example.absent': '1.0.0', 'fr.example.guide': '1.2.x' },
    });
    await expect(add(files)).rejects.toThrow('depends on fr.example.absent 1.0.0, which is not loaded');
    expect((await add(files, { allowsMissing: true })).missing).toEqual([
      { name: 'fr.example.absent', version: '1.0.0', instead: undefined },
    ]);
  });

  it('tells of a dependency that is there in another version', async () => {
    const added = await add(guide([], { name: 'fr.example.third', dependencies: { 'fr.example.guide': '9.0.0' } }));
    expect(added.missing).toEqual([{ name: 'fr.example.guide', version: '9.0.0', instead: '1.10.0' }]);
  });

  it('leaves nothing behind when it is broken', async () => {
    const before = (await readPackages(db)).length;
    await expect(add({ ...guide([], { name: 'fr.example.broken' }), 'package/z.json': '{' })).rejects.toThrow(
      'not JSON',
    );
    expect(await readPackages(db)).toHaveLength(before);
  });
});

describe('the shelf', () => {
  it('knows what R4 itself publishes', async () => {
    const terminology = createTerminology(shelf);
    const member = (code: string) =>
      terminology.member(
        'http://hl7.org/fhir/ValueSet/administrative-gender',
        'http://hl7.org/fhir/administrative-gender',
        code,
      );
    expect(await shelf.settle(() => [member('female'), member('homme')])).toEqual(['in', 'out']);
  });

  it('sees a package that another instance adds', async () => {
    const isThere = () => shelf.packages().some(({ name }) => name === 'fr.example.late');
    await add(guide([], { name: 'fr.example.late' }));
    for (let round = 0; !isThere() && round < 200; round++) await db.query({ text: 'select pg_sleep(0.02)' });
    expect(isThere()).toBe(true);
    expect(shelf.generation()).toBeGreaterThan(0);
  });

  it('is filled from a folder, without the packages that are broken', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'suture-packages-'));
    await writeFile(join(folder, 'a.tgz'), await makeTarball(guide([], { name: 'fr.example.folder' })));
    await writeFile(join(folder, 'b.tgz'), 'broken');
    await loadFolder({ db, folder, log: createLog('silent'), nowMs: options.nowMs });
    expect((await readPackages(db)).map(({ name }) => name)).toContain('fr.example.folder');
  });
});
