/** Zip files from outside: rows Z1 to Z8 of the hostile inputs, and that what is right is read. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readZip, type ZipResult } from '../../src/formats/index.ts';
import { type Entries, patched, zipOf } from '../letters/xdm.ts';

const plain: Entries = [
  ['README.TXT', 'bonjour'],
  ['IHE_XDM/SUBSET01/METADATA.XML', '<a/>'],
];
const told = (result: ZipResult) =>
  result.kind === 'refused' ? result.issue.text : `${result.entries.length} entrées`;

test('an archive is read whole, its names with slashes', async () => {
  const archive = patched(await zipOf(plain), 'IHE_XDM/SUBSET01/METADATA.XML', 'IHE_XDM\\SUBSET01\\METADATA.XML');
  const result = await readZip(archive);
  expect(
    result.kind === 'entries' && result.entries.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]),
  ).toEqual([
    ['README.TXT', 'bonjour'],
    ['IHE_XDM/SUBSET01/METADATA.XML', '<a/>'],
  ]);
});

describe('is refused', () => {
  test.each([
    ['../../../x/y', '../../../x/y'],
    ['/etc/passwds', '/etc/passwds'],
    ['..\\..\\x\\yzz', '..\\..\\x\\yzz'],
    ['C:\\windows\\x', 'C:\\windows\\x'],
    ['a NUL', 'name\u0000.xml.z'],
    ['dots at the end', 'abcdefghi/..'],
  ])('Z1: a name like %s', async (_, name) => {
    const honest = 'N'.repeat(name.length);
    expect((await readZip(patched(await zipOf([[honest, 'x']]), honest, name))).kind).toBe('refused');
  });

  test('Z2: a name twice, in any case', async () => {
    const archive = await zipOf([
      ['DOC1.XML', 'a'],
      ['DOC2.XML', 'b'],
    ]);
    expect(told(await readZip(patched(archive, 'DOC2.XML', 'DOC1.XML')))).toBe('deux entrées de même nom');
    expect(told(await readZip(patched(archive, 'DOC2.XML', 'doc1.xml')))).toBe('deux entrées de même nom');
  });

  test.each([
    ['a link', 0o120777],
    ['a device', 0o060644],
    ['setuid', 0o104755],
  ])('Z3: %s', async (_, mode) => {
    expect(told(await readZip(await zipOf([['a', 'x', mode]])))).toBe('entrée qui n’est ni fichier ni dossier');
  });

  test('Z4: another name in the local header, bytes before the first one, and overlaps', async () => {
    const archive = await zipOf(plain, false);
    expect(told(await readZip(patched(archive, 'README.TXT', 'SECRET.TXT', 'first')))).toContain('des noms différents');
    expect((await readZip(Buffer.concat([Buffer.from('MZ'), archive]))).kind).toBe('refused');
    const twice = await zipOf(
      [
        ['A', 'same'],
        ['B', 'same'],
      ],
      false,
    );
    const second = twice.indexOf('PK\u0001\u0002', twice.indexOf('PK\u0001\u0002') + 1, 'latin1');
    twice.writeUInt32LE(0, second + 42);
    expect((await readZip(twice)).kind).toBe('refused');
  });

  test('Z5: a bomb, by ratio and by size, before it is unpacked', async () => {
    expect(told(await readZip(await zipOf([['bomb', Buffer.alloc(20_000_000)]])))).toContain('plus de 100 fois');
    const limits = { bytesMax: 1e6, entriesMax: 10, unpackedMax: 1000, ratioMax: 100 };
    expect(told(await readZip(await zipOf([['a', Buffer.alloc(1001, 'ab')]]), limits))).toContain('octets déployés');
  });

  test('Z6: more, or less, than the declared size', async () => {
    for (const size of [3, 100]) {
      const archive = await zipOf([['a', 'x'.repeat(50)]]);
      archive.writeUInt32LE(size, archive.indexOf('PK\u0001\u0002', 0, 'latin1') + 24);
      expect((await readZip(archive)).kind).toBe('refused');
    }
  });

  test('Z7: thousands of entries', async () => {
    const entries = Array.from({ length: 3000 }, (_, index) => [`e${index}`, ''] as const);
    expect(told(await readZip(await zipOf(entries)))).toBe('plus de 100 entrées');
  });

  test('Z8: encryption, an unknown method, a wrong sum', async () => {
    const central = (archive: Buffer) => archive.indexOf('PK\u0001\u0002', 0, 'latin1');
    const change = async (offset: number, value: number) => {
      const archive = await zipOf([['a', 'content']]);
      archive.writeUInt16LE(value, central(archive) + offset);
      return told(await readZip(archive));
    };
    expect(await change(8, 1)).toBe('entrée chiffrée');
    expect(await change(10, 12)).toBe('compression inconnue');
    expect(await change(16, 0xabcd)).toBe('somme de contrôle d’une entrée fausse');
  });

  test('what is no archive, or one cut short', async () => {
    const archive = await zipOf(plain);
    expect(await readZip(Buffer.from('PK\u0003\u0004'))).toMatchObject({ kind: 'refused' });
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), async (length) => {
        expect((await readZip(archive.subarray(0, length))).kind).toBe('refused');
      }),
      { numRuns: 50 },
    );
  });
});

test('an archive with any byte changed is read or refused, never thrown', async () => {
  const archive = await zipOf(plain);
  const change = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(change, async (changes) => {
      const copy = Buffer.from(archive);
      for (const [at, value] of changes) copy[at] = value;
      expect(['entries', 'refused']).toContain((await readZip(copy)).kind);
    }),
    { numRuns: 200 },
  );
});
