/**
 * A FHIR NPM package (https://hl7.org/fhir/packages.html) read from its .tgz: `package/package.json` and the
 * definitions beside it. Examples and what else a package may carry are left out. One fault refuses the whole package.
 *
 * Sizes are counted while unpacking, names are never used as paths: nothing is written to disk.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';

export interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly canonical: string | undefined;
  readonly title: string | undefined;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly contentHash: Buffer;
  readonly definitions: readonly Definition[];
}

export interface Definition {
  readonly type: string;
  readonly url: string;
  readonly version: string;
  readonly body: string;
}

type Entry = ReturnType<typeof extract> extends AsyncIterable<infer One> ? One : never;

export const packageLimits = {
  /** Of the file, and of what comes out of it. */
  fileBytesMax: 256 * 1024 * 1024,
  contentBytesMax: 2 * 1024 * 1024 * 1024,
  entryBytesMax: 128 * 1024 * 1024,
  entriesMax: 60_000,
} as const;

/** Throws `unprocessable` with what is wrong and where. */
export async function readPackage(
  file: Uint8Array,
  limits: typeof packageLimits = packageLimits,
): Promise<PackageFile> {
  if (file.byteLength > limits.fileBytesMax) throw tooMuch(`the file is longer than ${limits.fileBytesMax} bytes`);
  const texts = await unpack(file, limits);
  const manifest = readManifest(texts.get('package.json'));
  const read = [...texts].flatMap(([name, text]) => (isIndex(name) ? [] : readDefinition(name, text)));
  const definitions = withoutRepeatedGuides(read);
  requireDistinct(definitions);
  return { ...manifest, contentHash: createHash('sha256').update(file).digest(), definitions };
}

function isIndex(name: string): boolean {
  return name === 'package.json' || name.endsWith('.index.json');
}

/** The JSON files that stand directly in the folder `package`. */
async function unpack(file: Uint8Array, limits: typeof packageLimits): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const unpacked = Readable.from([file]).pipe(createGunzip());
  const entries = extract();
  unpacked.on('error', (error) => entries.destroy(error));
  unpacked.pipe(entries);
  let bytes = 0;
  let count = 0;
  try {
    for await (const entry of entries) {
      const { name, type, size = 0 } = entry.header;
      if (++count > limits.entriesMax) throw tooMuch(`there are more than ${limits.entriesMax} files in it`);
      requireSafe(name, type);
      bytes += size;
      if (size > limits.entryBytesMax || bytes > limits.contentBytesMax) throw tooMuch('its content is too long');
      const inner = type === 'file' ? innerName(name) : undefined;
      if (inner === undefined) entry.resume();
      else if (texts.has(inner)) throw broken(`${inner} is in it twice`);
      else texts.set(inner, await readText(entry, inner));
    }
  } catch (error) {
    throw error instanceof Problem ? error : broken('it cannot be unpacked: expected a gzipped tar file');
  } finally {
    unpacked.destroy();
    entries.destroy();
  }
  return texts;
}

/** Names with a leading point are of the packer's file system (macOS writes `._package.json`), not of the package. */
function innerName(name: string): string | undefined {
  return /^package\/([^./][^/]*\.json)$/.exec(name)?.[1];
}

/** Nothing is written to disk; a package with such names is still not one to trust. */
function requireSafe(name: string, type: Entry['header']['type']): void {
  const isOutside = name.startsWith('/') || /^[A-Za-z]:/.test(name) || name.split(/[/\\]/).includes('..');
  if (isOutside || name.includes('\0')) throw broken('a file in it has a name that leads outside');
  if (type !== 'file' && type !== 'directory') throw broken('something in it is neither a file nor a folder');
}

async function readText(entry: Entry, name: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of entry) parts.push(part as Buffer);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw broken(`${name} is not UTF-8`);
  }
}

type Data = Readonly<Record<string, unknown>>;

function parseObject(name: string, text: string): Data {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken(`${name} is not JSON`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Data;
  throw broken(`${name} is no JSON object`);
}

const nameForm = /^[a-z0-9][a-z0-9._-]{0,213}$/i;
const versionForm = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,99}$/;

function readManifest(text: string | undefined): Omit<PackageFile, 'contentHash' | 'definitions'> {
  if (text === undefined) throw broken('package/package.json is missing');
  const manifest = parseObject('package.json', text);
  const { name, version, canonical, title, dependencies = {} } = manifest;
  if (typeof name !== 'string' || !nameForm.test(name)) throw broken('package.json has no proper name');
  if (typeof version !== 'string' || !versionForm.test(version)) throw broken('package.json has no proper version');
  requireR4(manifest);
  return {
    name,
    version,
    canonical: typeof canonical === 'string' ? canonical : undefined,
    title: typeof title === 'string' ? title : undefined,
    dependencies: readDependencies(dependencies),
  };
}

function requireR4(manifest: Data): void {
  const versions = manifest['fhirVersions'] ?? manifest['fhir-version-list'];
  const isR4 = (version: unknown): boolean => typeof version === 'string' && version.startsWith('4.0');
  if (Array.isArray(versions) && versions.length > 0 && !versions.some(isR4))
    throw broken('it is for another version of FHIR: expected 4.0.1');
}

function readDependencies(dependencies: unknown): Readonly<Record<string, string>> {
  const entries = typeof dependencies === 'object' && dependencies !== null ? Object.entries(dependencies) : [];
  return Object.fromEntries(
    entries.map(([name, version]) => {
      if (!nameForm.test(name) || typeof version !== 'string')
        throw broken('package.json has a dependency without name or version');
      return [name, version];
    }),
  );
}

/** What has no canonical URL cannot be asked for; what is no resource (a schema, say) is of no use here. */
function readDefinition(name: string, text: string): readonly Definition[] {
  const { resourceType: type, url, version, ...rest } = parseObject(name, text) as Partial<Resource>;
  if (typeof type !== 'string' || typeof url !== 'string') return [];
  const isStrange = /\s/.test(url) || (version !== undefined && typeof version !== 'string');
  if (isStrange) throw broken(`${name} has no proper canonical URL and version`);
  if (type === 'StructureDefinition') requireElements(name, rest);
  return [{ type, url, version: version ?? '', body: text }];
}

function requireElements(name: string, { snapshot, differential }: Data): void {
  const count = (view: unknown): number => {
    const { element } = (view ?? {}) as { readonly element?: unknown };
    return Array.isArray(element) ? element.length : 0;
  };
  if (count(snapshot) === 0 && count(differential) === 0)
    throw broken(`${name} has neither a snapshot nor a differential`);
}

/** The publisher of guides puts its ImplementationGuide into packages under two names; nothing is judged by it. */
function withoutRepeatedGuides(definitions: readonly Definition[]): readonly Definition[] {
  const guides = new Set<string>();
  return definitions.filter(({ type, url, version }) => {
    if (type !== 'ImplementationGuide') return true;
    const isRepeated = guides.has(`${url}|${version}`);
    guides.add(`${url}|${version}`);
    return !isRepeated;
  });
}

function requireDistinct(definitions: readonly Definition[]): void {
  const seen = new Set<string>();
  for (const { type, url, version } of definitions) {
    const key = `${type} ${url}|${version}`;
    if (seen.has(key)) throw broken(`${key} is in it twice`);
    seen.add(key);
  }
}

function broken(reason: string): Problem {
  return new Problem('unprocessable', `the package is refused: ${reason}`);
}

function tooMuch(reason: string): Problem {
  return new Problem('content-too-costly', `the package is refused: ${reason}`);
}
