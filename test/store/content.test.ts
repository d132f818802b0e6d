/** Data of Binaries goes into the record byte for byte, whatever its size, and leaves nothing on its way. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createStore, everything, type Store, type WriteEntry } from '../../src/store/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';

let test: TestDatabase;
let store: Store;

beforeAll(async () => {
  test = await openTestDatabase();
  const none = { tokens: [], drivers: [], dates: [], strings: [], numbers: [], patients: [], references: [] };
  store = createStore({
    db: test.database,
    index: () => ({ ...none, ord: 0 }),
    compartmentKeys: () => [],
    now: () => Date.parse('2026-03-02T08:00:00.000Z'),
    onCommit: () => undefined,
  });
});
afterAll(() => test.close());

function binary(id: string, content: Uint8Array): WriteEntry {
  const resource = { resourceType: 'Binary', id, contentType: 'application/pdf' };
  return { method: 'PUT', type: 'Binary', id, resource, content };
}

async function rawOf(id: string): Promise<string> {
  const stored = await store.read('Binary', id, everything);
  return stored?.raw ?? '';
}

async function dataOf(id: string): Promise<Buffer> {
  const { data = '' } = JSON.parse(await rawOf(id)) as { data?: string };
  return Buffer.from(data, 'base64');
}

async function staged(): Promise<number> {
  const [row] = await test.database.query<{ count: number }>({
    text: 'select count(*)::int as count from staged_content',
  });
  return row?.count ?? -1;
}

describe('The content of a Binary', () => {
  it.each([1, 2, 3, 131_072, 131_073, 393_216, 393_217, 2_000_000])('of %i bytes is stored as it is', async (size) => {
    const bytes = randomBytes(size);
    const [written] = await store.commit([binary(`size-${size}`, bytes)]);
    expect(written).toMatchObject({ outcome: 'created', version: 1 });
    expect((await dataOf(`size-${size}`)).equals(bytes)).toBe(true);
    expect(await rawOf(`size-${size}`)).toMatch(
      /^{"resourceType":"Binary".*,"contentType":"application\/pdf","data":"[^"]+"}$/,
    );
    expect(await staged()).toBe(0);
  });

  it('goes to its own entry among several, in one transaction that keeps or loses all', async () => {
    const [one, two] = [randomBytes(500_000), randomBytes(700_000)];
    const patient: WriteEntry = {
      method: 'PUT',
      type: 'Patient',
      id: 'p',
      resource: { resourceType: 'Patient', id: 'p' },
    };
    await store.commit([patient, binary('one', one), { ...patient, id: 'q' }, binary('two', two)]);
    expect((await dataOf('one')).equals(one)).toBe(true);
    expect((await dataOf('two')).equals(two)).toBe(true);
    const lost = store.commit([binary('three', one), { ...binary('two', one), expectVersion: 7 }]);
    await expect(lost).rejects.toMatchObject({ category: 'precondition' });
    expect(await rawOf('three')).toBe('');
    expect((await dataOf('two')).equals(two)).toBe(true);
    expect(await staged()).toBe(0);
  });

  it('is stored by each commit of a transaction anew, and the former version keeps its own', async () => {
    const [former, later] = [randomBytes(300_000), randomBytes(400_000)];
    await store.transaction(async (session) => {
      await session.commit([binary('twice', former)]);
      await session.commit([{ method: 'DELETE', type: 'Patient', id: 'nobody' }]);
      await session.commit([binary('twice', later)]);
    });
    expect((await dataOf('twice')).equals(later)).toBe(true);
    const first = await store.readVersion('Binary', 'twice', 1, everything);
    expect(Buffer.from((JSON.parse(first?.raw ?? '{}') as { data: string }).data, 'base64').equals(former)).toBe(true);
  });

  it('does not meet the content of another transaction', async () => {
    const contents = Array.from({ length: 8 }, () => randomBytes(600_000));
    await Promise.all(contents.map((bytes, place) => store.commit([binary(`many-${place}`, bytes)])));
    for (const [place, bytes] of contents.entries()) expect((await dataOf(`many-${place}`)).equals(bytes)).toBe(true);
  });
});
