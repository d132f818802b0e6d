/** https://hl7.org/fhir/packages.html: what a package must be; one fault refuses the whole. */
import { describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { Problem } from '../../src/base/index.ts';
import { packageLimits, readPackage } from '../../src/packages/index.ts';
import { colours, type Files, guide, makeTarball, manifest } from './tarball.ts';

const profile = {
  resourceType: 'StructureDefinition',
  url: 'https://guide.example/fhir/StructureDefinition/p',
  version: '1',
};

describe('a package', () => {
  it('is read with its manifest and the definitions that have a canonical', async () => {
    const files = {
      ...guide([colours('1.2.0', 'red'), { resourceType: 'Patient', id: 'x' }]),
      'package/.index.json': { files: [] },
      'package/._package.json': 'what macOS packs beside each file, not read',
      'package/example/Patient-x.json': 'not read',
      'package/other/notes.txt': 'not read',
    };
    const read = await readPackage(await makeTarball(files));
    expect(read).toMatchObject({ name: manifest.name, version: '1.2.0', canonical: manifest.canonical });
    expect(read.definitions).toEqual([
      {
        type: 'CodeSystem',
        url: 'https://guide.example/fhir/CodeSystem/colours',
        version: '1.2.0',
        body: JSON.stringify(colours('1.2.0', 'red')),
      },
    ]);
  });

  const broken: readonly (readonly [string, Files, string])[] = [
    ['without a manifest', { 'package/x.json': {} }, 'package/package.json is missing'],
    ['whose manifest has no name', guide([], { name: undefined }), 'no proper name'],
    ['whose name leads elsewhere', guide([], { name: '../x' }), 'no proper name'],
    ['whose manifest has no version', guide([], { version: 3 }), 'no proper version'],
    ['for another version of FHIR', guide([], { fhirVersions: ['5.0.0'] }), 'another version of FHIR'],
    ['with a file that is not JSON', { ...guide([]), 'package/x.json': '{' }, 'x.json is not JSON'],
    ['with a file that is no object', { ...guide([]), 'package/x.json': '[]' }, 'x.json is no JSON object'],
    ['with a profile that says nothing', guide([profile]), 'neither a snapshot nor a differential'],
    ['with one definition twice', guide([colours('1'), colours('1')]), 'is in it twice'],
    ['with a name that leads outside', { ...guide([]), 'package/../../x.json': {} }, 'leads outside'],
    ['with an absolute name', { ...guide([]), '/etc/x.json': {} }, 'leads outside'],
  ];

  it.each(broken)('%s is refused', async (_title, files, reason) => {
    const tarball = await makeTarball(files);
    await expect(readPackage(tarball)).rejects.toThrow(reason);
    await expect(readPackage(tarball)).rejects.toBeInstanceOf(Problem);
  });

  it('with its ImplementationGuide under two names is read', async () => {
    const made = {
      resourceType: 'ImplementationGuide',
      url: 'https://guide.example/fhir/ImplementationGuide/x',
      version: '1',
    };
    const files = { ...guide([colours('1')]), 'package/ImplementationGuide-x.json': made, 'package/ig-r4.json': made };
    const { definitions } = await readPackage(await makeTarball(files));
    expect(definitions.map(({ type }) => type).sort()).toEqual(['CodeSystem', 'ImplementationGuide']);
  });

  it('with a link in it is refused', async () => {
    const tarball = await makeTarball({ 'package/x': '' }, { type: 'symlink', linkname: '/etc/passwd' });
    await expect(readPackage(tarball)).rejects.toThrow('neither a file nor a folder');
  });

  it.each([
    ['bytes that are no gzip', Buffer.from('PK')],
    ['a gzip of something else', gzipSync(Buffer.from('x'.repeat(2000)))],
    ['half a package', gzipSync(Buffer.alloc(10)).subarray(0, 12)],
  ])('made of %s is refused', async (_title, bytes) => {
    await expect(readPackage(bytes)).rejects.toThrow('the package is refused');
  });

  it('is refused above each limit', async () => {
    const tarball = await makeTarball(guide([colours('1', 'red')]));
    const limits = (changes: object) => ({ ...packageLimits, ...changes }) as typeof packageLimits;
    await expect(readPackage(tarball, limits({ fileBytesMax: 10 }))).rejects.toThrow('longer than 10 bytes');
    await expect(readPackage(tarball, limits({ entriesMax: 1 }))).rejects.toThrow('more than 1 files');
    await expect(readPackage(tarball, limits({ entryBytesMax: 100 }))).rejects.toThrow('too long');
    await expect(readPackage(tarball, limits({ contentBytesMax: 300 }))).rejects.toThrow('too long');
  });
});
