/** store_commit: versions, history, index rows and changes of one write, all or nothing. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createStore, everything, type Store } from '../../src/store/index.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let test: TestDatabase;
let store: Store;
let nowMs = Date.parse('2026-03-02T08:00:00.123Z');

/** Index values told by the resource itself: this file is about writing them, not about computing them. */
interface Indexed {
  readonly tokens?: readonly number[];
  readonly ord?: number;
  readonly dates?: readonly (readonly [number, number, number])[];
  readonly strings?: readonly (readonly [number, string])[];
  readonly patients?: readonly string[];
}

beforeAll(async () => {
  test = await openTestDatabase();
  store = createStore({
    db: test.database,
    index(resource) {
      const { tokens = [], ord = 0, dates = [], strings = [], patients = [] } = (resource['index'] ?? {}) as Indexed;
      return {
        tokens: tokens.map(BigInt),
        drivers: tokens.map(BigInt),
        ord,
        dates: dates.map(([k, lo, hi]) => ({ k: BigInt(k), lo, hi })),
        strings: strings.map(([k, v]) => ({ k: BigInt(k), v })),
        numbers: [],
        patients,
        references: [],
      };
    },
    compartmentKeys: () => [],
    now: () => nowMs,
    onCommit: () => undefined,
  });
});

afterAll(() => test.close());

function patient(id: string, index: Indexed = {}, more: object = {}): Resource {
  return { resourceType: 'Patient', id, ...more, index };
}

async function rowsOf(table: string): Promise<readonly object[]> {
  const columns = { token_index: 'k, ord', date_index: 'k, lo, hi', string_index: 'k, v' }[table] ?? '*';
  return test.database.query({ text: `select ${columns} from ${table} order by ${columns}` });
}

describe('commit', () => {
  it('gives version 1 and writes id, versionId and lastUpdated into the text', async () => {
    const [written] = await store.commit([
      { method: 'POST', type: 'Patient', id: 'a', resource: patient('a', {}, { meta: { tag: [{ code: 't' }] } }) },
    ]);
    expect(written).toMatchObject({ outcome: 'created', version: 1 });
    expect(written?.raw).toBe(
      '{"resourceType":"Patient","id":"a","meta":{"versionId":"1","lastUpdated":"2026-03-02T08:00:00.123Z","tag":[{"code":"t"}]},"index":{}}',
    );
    const read = await store.read('Patient', 'a', everything);
    expect(read).toMatchObject({ version: 1, isDeleted: false, method: 'POST', raw: written?.raw });
  });

  it('replaces the index rows that changed and keeps the others', async () => {
    await test.database.query({ text: 'truncate token_index, date_index, string_index' });
    const first = { tokens: [1, 2], ord: 5, dates: [[1, 0, 9]], strings: [[1, 'x']] } as const;
    const second = {
      tokens: [2, 3],
      ord: 5,
      dates: [
        [1, 0, 9],
        [2, 1, 2],
      ],
      strings: [[1, 'y']],
    } as const;
    await store.commit([{ method: 'PUT', type: 'Patient', id: 'b', resource: patient('b', first) }]);
    await store.commit([{ method: 'PUT', type: 'Patient', id: 'b', resource: patient('b', second) }]);
    expect(await rowsOf('token_index')).toEqual([
      { k: '2', ord: '5' },
      { k: '3', ord: '5' },
    ]);
    expect(await rowsOf('date_index')).toEqual([
      { k: '1', lo: '0', hi: '9' },
      { k: '2', lo: '1', hi: '2' },
    ]);
    expect(await rowsOf('string_index')).toEqual([{ k: '1', v: 'y' }]);
    await store.commit([{ method: 'PUT', type: 'Patient', id: 'b', resource: patient('b', { ...second, ord: 6 }) }]);
    expect(await rowsOf('token_index')).toEqual([
      { k: '2', ord: '6' },
      { k: '3', ord: '6' },
    ]);
    await store.commit([{ method: 'DELETE', type: 'Patient', id: 'b' }]);
    expect([
      ...(await rowsOf('token_index')),
      ...(await rowsOf('date_index')),
      ...(await rowsOf('string_index')),
    ]).toEqual([]);
  });

  it('keeps a complete history through deletion and return', async () => {
    await store.commit([{ method: 'PUT', type: 'Patient', id: 'c', resource: patient('c') }]);
    await store.commit([{ method: 'DELETE', type: 'Patient', id: 'c' }]);
    const [back] = await store.commit([{ method: 'PUT', type: 'Patient', id: 'c', resource: patient('c') }]);
    expect(back).toMatchObject({ outcome: 'created', version: 3 });
    const history = await store.history('Patient', 'c', { limit: 10 }, everything);
    expect(history.map(({ version, method, isDeleted }) => [version, method, isDeleted])).toEqual([
      [3, 'PUT', false],
      [2, 'DELETE', true],
      [1, 'PUT', false],
    ]);
    expect((await store.readVersion('Patient', 'c', 1, everything))?.raw).toContain('"versionId":"1"');
    expect(await store.readVersion('Patient', 'c', 4, everything)).toBeUndefined();
  });

  it('changes nothing when it deletes what is not there', async () => {
    const [written] = await store.commit([{ method: 'DELETE', type: 'Patient', id: 'never' }]);
    expect(written).toMatchObject({ outcome: 'unchanged', version: 0 });
    expect(await store.read('Patient', 'never', everything)).toBeUndefined();
  });

  it('writes nothing at all when one expected version is not current', async () => {
    await store.commit([{ method: 'PUT', type: 'Patient', id: 'd', resource: patient('d') }]);
    const both = store.commit([
      { method: 'PUT', type: 'Patient', id: 'e', resource: patient('e') },
      { method: 'PUT', type: 'Patient', id: 'd', resource: patient('d'), expectVersion: 7 },
    ]);
    await expect(both).rejects.toMatchObject({ category: 'precondition' });
    expect(await store.read('Patient', 'e', everything)).toBeUndefined();
  });

  it('refuses an id that is taken where a new one is expected', async () => {
    const again = store.commit([{ method: 'POST', type: 'Patient', id: 'd', resource: patient('d'), expectNew: true }]);
    await expect(again).rejects.toMatchObject({ category: 'conflict' });
  });

  it('never moves lastUpdated back when the clock does', async () => {
    nowMs += 5000;
    await store.commit([{ method: 'PUT', type: 'Patient', id: 'f', resource: patient('f') }]);
    nowMs -= 5000;
    const [second] = await store.commit([{ method: 'PUT', type: 'Patient', id: 'f', resource: patient('f') }]);
    expect(second?.lastUpdated.getTime()).toBe(nowMs + 5000);
  });

  it('gives each of many concurrent updates a version of its own', async () => {
    await store.commit([{ method: 'PUT', type: 'Patient', id: 'g', resource: patient('g') }]);
    const updates = Array.from({ length: 40 }, (_one, index) =>
      store.commit([{ method: 'PUT', type: 'Patient', id: 'g', resource: patient('g', { tokens: [index] }) }]),
    );
    const versions = (await Promise.all(updates)).flat().map(({ version }) => version);
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_one, index) => index + 2));
    const current = await store.read('Patient', 'g', everything);
    const tokens = await test.database.query<{ k: string }>({
      text: "select t.k from token_index t join resource r using (rid) where r.type = 'Patient' and r.id = 'g'",
    });
    expect(tokens.map(({ k }) => Number(k))).toEqual(
      (JSON.parse(current?.raw ?? '') as { index: Indexed }).index.tokens,
    );
  });

  it('does not deadlock when bundles write the same resources in opposite orders', async () => {
    const ids = ['h1', 'h2', 'h3', 'h4'];
    const entries = ids.map((id) => ({ method: 'PUT' as const, type: 'Patient', id, resource: patient(id) }));
    await store.commit(entries);
    const rounds = Array.from({ length: 20 }, (_one, index) =>
      store.commit(index % 2 === 0 ? entries : [...entries].reverse()),
    );
    await Promise.all(rounds);
    expect((await store.read('Patient', 'h1', everything))?.version).toBe(21);
  });

  it('leaves one change for each version, with the patients of the version before too', async () => {
    await test.database.query({ text: 'truncate change' });
    await store.commit([
      { method: 'PUT', type: 'Patient', id: 'i', resource: patient('i', { patients: ['Patient/1'] }) },
    ]);
    await store.commit([
      { method: 'PUT', type: 'Patient', id: 'i', resource: patient('i', { patients: ['Patient/2'] }) },
    ]);
    const changes = await test.database.query<{ version: number; patients: string[] }>({
      text: 'select version, patients from change order by seq',
    });
    expect(changes.map(({ version, patients }) => [version, [...patients].sort()])).toEqual([
      [1, ['Patient/1']],
      [2, ['Patient/1', 'Patient/2']],
    ]);
  });

  it('undoes everything when the transaction around it fails', async () => {
    const failed = store.transaction(async (session) => {
      await session.commit([{ method: 'PUT', type: 'Patient', id: 'j', resource: patient('j') }]);
      expect(await session.read('Patient', 'j', everything)).toBeDefined();
      throw new Error('later');
    });
    await expect(failed).rejects.toThrow('later');
    expect(await store.read('Patient', 'j', everything)).toBeUndefined();
  });
});
