/** The packages beside the project (`../shared/packages`), read as a library for trials. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLibrary, joinLibraries, type Library } from '../../../src/fhir/index.ts';
import { createBaseLibrary, type PackageFile, readPackage } from '../../../src/packages/index.ts';
import { slim } from '../../../src/packages/slim.ts';

export const packagesFolder = fileURLToPath(new URL('../../../../shared/packages/', import.meta.url));
export const hasPackages = existsSync(join(packagesFolder, 'oracle'));

/** R4's own core stands behind them all: it is compiled in. */
function packageFiles(): readonly string[] {
  const names = readdirSync(packagesFolder).filter(
    (name) => name.endsWith('.tgz') && !name.startsWith('hl7.fhir.r4.core'),
  );
  return [...names.sort(), ...readdirSync(join(packagesFolder, 'alt')).map((name) => `alt/${name}`)];
}

interface Read extends PackageFile {
  readonly file: string;
  readonly library: Library;
}

let packages: readonly Read[] | undefined;

async function readAll(): Promise<readonly Read[]> {
  packages ??= await Promise.all(
    packageFiles().map(async (file) => {
      const read = await readPackage(readFileSync(join(packagesFolder, file)));
      const definitions = read.definitions.filter(({ type }) => types.has(type));
      const resources = definitions.map(({ body }) => slim(JSON.parse(body) as Readonly<Record<string, unknown>>));
      return { ...read, file, library: createLibrary(resources) };
    }),
  );
  return packages;
}

const types: ReadonlySet<string> = new Set(['StructureDefinition', 'ValueSet', 'CodeSystem']);

/** What a package sees: itself, the versions that it and its dependencies ask for, then whatever else there is. */
export async function libraryFor(key: string): Promise<Library> {
  const all = await readAll();
  const own = all.find(({ file }) => file === `${key}.tgz` || file === `alt/${key}.tgz`);
  if (own === undefined) throw new Error(`no package ${key}`);
  const order = new Set([own]);
  for (const one of order)
    for (const [name, version] of Object.entries(one.dependencies)) {
      const known = all.filter((other) => other.name === name);
      const found = known.find((other) => other.version === version) ?? known.at(-1);
      if (found !== undefined) order.add(found);
    }
  for (const other of all) if (!other.file.startsWith('alt/')) order.add(other);
  return joinLibraries(...[...order].map(({ library }) => library), createBaseLibrary());
}
