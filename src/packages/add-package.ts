/** Packages into the database: once, as a whole, with what they depend on checked. */
import { createHash } from 'node:crypto';
import { Problem } from '../base/index.ts';
import { type Database, databaseFaultOf } from '../db/index.ts';
import { compareVersions } from '../fhir/index.ts';
import { announcePackages, insertPackage, type LoadedPackage, readPackages } from './packages.sql.ts';
import { type PackageFile, readPackage } from './read-package.ts';

export interface Added {
  readonly outcome: 'added' | 'already-there';
  readonly name: string;
  readonly version: string;
  readonly definitions: number;
  /** Dependencies that are not loaded in the version that is asked for: as `name version`, with what is there instead. */
  readonly missing: readonly Missing[];
}

export interface Missing {
  readonly name: string;
  readonly version: string;
  /** Another version of it that is loaded. */
  readonly instead: string | undefined;
}

export interface AddOptions {
  readonly nowMs: number;
  /** Load it although something it depends on is not there in any version. */
  readonly allowsMissing: boolean;
}

/** Throws `unprocessable` for a broken package, `conflict` for another content under a name and version already loaded. */
export async function addPackage(db: Database, bytes: Uint8Array, options: AddOptions): Promise<Added> {
  const hash = createHash('sha256').update(bytes).digest();
  const loaded = await readPackages(db);
  const same = loaded.find(({ contentHash }) => contentHash.equals(hash));
  if (same !== undefined) return { outcome: 'already-there', definitions: 0, missing: [], ...pickName(same) };
  const file = await readPackage(bytes);
  const missing = findMissing(file, loaded);
  requireDependencies(missing, options);
  requireNew(file, loaded);
  await insertWhole(db, file, options.nowMs);
  return { outcome: 'added', definitions: file.definitions.length, missing, ...pickName(file) };
}

function pickName({ name, version }: { readonly name: string; readonly version: string }) {
  return { name, version };
}

async function insertWhole(db: Database, file: PackageFile, nowMs: number): Promise<void> {
  try {
    await db.transaction(async (tx) => {
      await insertPackage(tx, file, nowMs);
      await announcePackages(tx);
    });
  } catch (error) {
    if (databaseFaultOf(error)?.sqlState !== '23505') throw error;
    throw new Problem('conflict', `${file.name} ${file.version} is being loaded by somebody else`, { cause: error });
  }
}

function requireNew({ name, version }: PackageFile, loaded: readonly LoadedPackage[]): void {
  if (!loaded.some((one) => one.name === name && one.version === version)) return;
  throw new Problem('conflict', `${name} ${version} is loaded already, with another content`);
}

function requireDependencies(missing: readonly Missing[], { allowsMissing }: AddOptions): void {
  const absent = missing.filter(({ instead }) => instead === undefined);
  if (allowsMissing || absent.length === 0) return;
  const names = absent.map(({ name, version }) => `${name} ${version}`).join(', ');
  throw new Problem('unprocessable', `the package is refused: it depends on ${names}, which is not loaded`);
}

/** R4 itself is compiled in. */
const builtIn = /^hl7\.fhir\.r4\.(?:core|expansions)$/;

function findMissing({ dependencies }: PackageFile, loaded: readonly LoadedPackage[]): Missing[] {
  return Object.entries(dependencies)
    .filter(([name]) => !builtIn.test(name))
    .flatMap(([name, version]) => {
      const versions = loaded.filter((one) => one.name === name).map((one) => one.version);
      if (versions.some((one) => matchesAsked(one, version))) return [];
      return [{ name, version, instead: versions.sort(compareVersions).at(-1) }];
    });
}

/** `1.2.x`, `latest` and `current` leave the rest open. */
function matchesAsked(version: string, asked: string): boolean {
  if (['latest', 'current', 'dev', '*'].includes(asked)) return true;
  return version === asked || (asked.endsWith('.x') && version.startsWith(asked.slice(0, -1)));
}
