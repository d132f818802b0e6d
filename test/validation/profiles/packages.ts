/** The packages beside the project (`../shared/packages`), read as a library for trials. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConformanceResource, createLibrary, joinLibraries, type Library } from '../../../src/fhir/index.ts';
import { createBaseLibrary, readPackage } from '../../../src/packages/index.ts';
import { slim } from '../../../src/packages/slim.ts';

export const packagesFolder = fileURLToPath(new URL('../../../../shared/packages/', import.meta.url));
export const hasPackages = existsSync(join(packagesFolder, 'oracle'));

/** R4's own core stands behind them all: it is compiled in. */
export function packageFiles(): readonly string[] {
  return readdirSync(packagesFolder)
    .filter((name) => name.endsWith('.tgz') && !name.startsWith('hl7.fhir.r4.core'))
    .sort();
}

const read = new Map<string, Promise<readonly ConformanceResource[]>>();

export function readDefinitions(file: string): Promise<readonly ConformanceResource[]> {
  const known = read.get(file) ?? readFresh(file);
  read.set(file, known);
  return known;
}

async function readFresh(file: string): Promise<readonly ConformanceResource[]> {
  const { definitions } = await readPackage(readFileSync(join(packagesFolder, file)));
  return definitions.map(({ body }) => slim(JSON.parse(body) as Readonly<Record<string, unknown>>));
}

export async function libraryOf(files: readonly string[]): Promise<Library> {
  const definitions = await Promise.all(files.map(readDefinitions));
  return joinLibraries(createLibrary(definitions.flat()), createBaseLibrary());
}
