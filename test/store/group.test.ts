/** Group commit: writes that come together are committed together, and each has its own result. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Problem } from '../../src/base/index.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { createStore, everything, type Store, type WriteEntry, type Written } from '../../src/store/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let test: TestDatabase;
let store: Store;

beforeAll(async () => {
  test = await openTestDatabase();
  store = createStore({
    db: test.database,
    index: ({ label, key }) => ({
      tokens: [BigInt(key as number)],
      drivers: [BigInt(key as number)],
      ord: 0,
      dates: [],
      strings: label === undefined ? [] : [{ k: 1n, v: label as string }],
      numbers: [],
      patients: [],
      references: [],
    }),
    compartmentKeys: () => [],
    now: () => Date.parse('2026-03-02T08:00:00.000Z'),
    onCommit: () => undefined,
  });
});

afterAll(() => test.close());

function patient(id: string, more: object = {}): Resource {
  return { resourceType: 'Patient', id, key: 7, ...more };
}

function put(id: string, more: Partial<WriteEntry> = {}): WriteEntry {
  return { method: 'PUT', type: 'Patient', id, resource: patient(id), ...more };
}

/** All at once; each result, or the category of its refusal. */
async function writeAll(entries: readonly WriteEntry[]): Promise<readonly (Written | string)[]> {
  const settled = await Promise.allSettled(entries.map((entry) => store.commit([entry])));
  return settled.map((one) => {
    if (one.status === 'fulfilled') return one.value[0] ?? 'nothing';
    return one.reason instanceof Problem ? one.reason.category : String(one.reason);
  });
}

async function changesOf(prefix: string): Promise<readonly { id: string; version: number; xid: string }[]> {
  return test.database.query({
    text: 'select id, version, xid::text as xid from change where id like $1 order by seq',
    values: [`${prefix}%`],
  });
}

function ids(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_one, n) => `${prefix}-${n}`);
}

/** A transaction that does `work` and then waits for `release`. */
async function hold(work: (held: Store) => Promise<unknown>): Promise<() => Promise<void>> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let begun = (): void => undefined;
  const isHeld = new Promise<void>((resolve) => (begun = resolve));
  const ended = store.transaction(async (session) => {
    await work({ ...store, ...session });
    begun();
    await released;
  });
  await Promise.race([isHeld, ended]);
  return async () => {
    release();
    await ended;
  };
}

describe('single writes that come together', () => {
  it('are few transactions, and each answers its own version and text', async () => {
    const results = await writeAll(ids('many', 40).map((id) => put(id, { method: 'POST', expectNew: true })));
    for (const [n, one] of results.entries()) {
      expect(one).toMatchObject({ outcome: 'created', id: `many-${n}`, version: 1 });
      expect((one as Written).raw).toContain(`"id":"many-${n}"`);
      expect((await store.read('Patient', `many-${n}`, everything))?.raw).toBe((one as Written).raw);
    }
    const changes = await changesOf('many');
    expect(changes).toHaveLength(40);
    expect(new Set(changes.map(({ xid }) => xid)).size).toBeLessThanOrEqual(4);
    const rows = await test.database.query({
      text: `select 1 from token_index t join resource r using (rid) where r.id like 'many-%'`,
    });
    expect(rows).toHaveLength(40);
  });

  it('let one update win of several with the same If-Match', async () => {
    await writeAll([put('match'), ...ids('beside', 10).map((id) => put(id))]);
    const same = Array.from({ length: 6 }, () => put('match', { expectVersion: 1 }));
    const results = await writeAll([...ids('beside', 10).map((id) => put(id)), ...same]);
    const own = results.slice(10);
    expect(own.filter((one) => one === 'precondition')).toHaveLength(5);
    expect(own.filter((one) => typeof one === 'object')).toMatchObject([{ outcome: 'updated', version: 2 }]);
    expect(results.slice(0, 10)).toMatchObject(Array.from({ length: 10 }, () => ({ version: 2 })));
    expect((await changesOf('match')).map(({ version }) => version)).toEqual([1, 2]);
  });

  it('number the versions of one resource without gap or repetition', async () => {
    const results = await writeAll(Array.from({ length: 30 }, () => put('hot')));
    const versions = results.map((one) => (typeof one === 'string' ? one : one.version));
    expect([...versions].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 30 }, (_one, n) => n + 1));
    expect((await changesOf('hot')).map(({ version }) => version)).toEqual(
      Array.from({ length: 30 }, (_one, n) => n + 1),
    );
  });

  it('are refused one by one: an id that is taken, a version that is not there, a value that cannot be stored', async () => {
    await writeAll([put('taken')]);
    const bad = { resource: patient('bad', { label: 'a\u0000b' }) };
    const results = await writeAll([
      ...ids('good', 5).map((id) => put(id)),
      put('taken', { method: 'POST', expectNew: true }),
      put('absent', { expectVersion: 3 }),
      { method: 'DELETE', type: 'Patient', id: 'never-there' },
      ...ids('fine', 5).map((id) => put(id)),
    ]);
    expect(results.slice(5, 7)).toEqual(['conflict', 'precondition']);
    expect(results[7]).toMatchObject({ outcome: 'unchanged' });
    expect([...results.slice(0, 5), ...results.slice(8)]).toMatchObject(
      Array.from({ length: 10 }, () => ({ outcome: 'created', version: 1 })),
    );
    const others = await writeAll([...ids('good', 5).map((id) => put(id)), put('bad', bad), put('fine-0')]);
    expect(others[5]).toBe('unprocessable');
    expect([...others.slice(0, 5), others[6]]).toMatchObject(
      Array.from({ length: 6 }, () => ({ outcome: 'updated', version: 2 })),
    );
    expect(await changesOf('bad')).toEqual([]);
    expect((await changesOf('good')).filter(({ version }) => version === 2)).toHaveLength(5);
  });

  it('do not wait for the one whose resource somebody holds', async () => {
    await writeAll([put('held')]);
    const release = await hold((held) => held.lockResources(['Patient/held']));
    const first = writeAll(ids('free', 4).map((id) => put(id)));
    let isAnswered = false;
    const held = store.commit([put('held')]).finally(() => (isAnswered = true));
    const rest = await writeAll([...ids('free', 12).slice(4), 'free-0'].map((id) => put(id)));
    expect(await first).toMatchObject(Array.from({ length: 4 }, () => ({ outcome: 'created' })));
    expect(rest.map((one) => (one as Written).outcome)).toEqual([...Array<string>(8).fill('created'), 'updated']);
    expect(isAnswered).toBe(false);
    await release();
    expect(await held).toMatchObject([{ outcome: 'updated', version: 2 }]);
  });

  it('are told that nobody knows, and not repeated, when the connection breaks under them', async () => {
    const release = await hold((held) => held.commit([put('contested')]));
    const writers = writeAll([
      ...ids('early', 2).map((id) => put(id)),
      put('contested'),
      ...ids('lost', 3).map((id) => put(id)),
    ]);
    const waiting = `state = 'active' and wait_event_type = 'Lock' and datname = current_database()`;
    const isWaiting = async () =>
      (await test.database.query({ text: `select 1 from pg_stat_activity where ${waiting}` })).length > 0;
    while (!(await isWaiting()));
    await test.database.query({ text: `select pg_terminate_backend(pid) from pg_stat_activity where ${waiting}` });
    const results = await writers;
    await release();
    expect(results.slice(0, 2)).toMatchObject([{ outcome: 'created' }, { outcome: 'created' }]);
    expect(results.slice(2)).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable']);
    expect(await changesOf('lost')).toEqual([]);
    expect((await changesOf('contested')).map(({ version }) => version)).toEqual([1]);
  });
});
