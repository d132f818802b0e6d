/**
 * The library of a running server: what its packages define, then what R4 itself publishes.
 *
 * Only the index is held from the start; a definition is read from the database when somebody asks for it. Who asks is
 * synchronous (validation, terminology): `settle` runs the work, reads what was found not at hand, and runs it again.
 */
import type { Database, Listener } from '../db/index.ts';
import {
  compareVersions,
  type ConformanceResource,
  type ConformanceType,
  joinLibraries,
  type Library,
  matchesVersion,
  NotAtHand,
  readCanonical,
} from '../fhir/index.ts';
import {
  type IndexRow,
  type LoadedPackage,
  packagesChannel,
  readBody,
  readIndex,
  readPackages,
} from './packages.sql.ts';
import { slim } from './slim.ts';

export interface Shelf extends Library {
  /** The result of synchronous work over the library, whatever of it had to be read first. */
  settle<T>(work: () => T): Promise<T>;
  packages(): readonly LoadedPackage[];
  /** Changes when other packages are loaded: what was made from the library before is out of date. */
  generation(): number;
  close(): Promise<void>;
}

export interface ShelfInput {
  readonly db: Database;
  /** Asked where no package knows: R4 itself and the project's own definitions. */
  readonly others: readonly Library[];
}

const types: readonly ConformanceType[] = [
  'StructureDefinition',
  'ValueSet',
  'CodeSystem',
  'ConceptMap',
  'Questionnaire',
];
/** A definition names others, which name others: far more than any guide does. */
const roundsMax = 5000;

export async function openShelf({ db, others }: ShelfInput): Promise<Shelf> {
  let content = await readContent(db);
  let generation = 0;
  let isFirstWake = true;
  const refresh = async (): Promise<void> => {
    content = await readContent(db);
    generation++;
  };
  const listener: Listener = db.listen(packagesChannel, () => {
    // The first wake says only that the connection is there.
    if (isFirstWake) isFirstWake = false;
    else void refresh().catch(() => undefined);
  });
  const packaged: Library = { find: (type, canonical) => content.find(type, canonical) };
  const library = joinLibraries(packaged, ...others);
  return {
    find: (type, canonical) => library.find(type, canonical),
    async settle(work) {
      for (let round = 0; round < roundsMax; round++) {
        try {
          return work();
        } catch (error) {
          if (!(error instanceof NotAtHand)) throw error;
          await content.read(error.type, error.canonical);
        }
      }
      throw new Error('definitions name one another without end');
    },
    packages: () => content.packages,
    generation: () => generation,
    close: () => listener.close(),
  };
}

interface Content extends Library {
  readonly packages: readonly LoadedPackage[];
  read(type: ConformanceType, canonical: string): Promise<void>;
}

async function readContent(db: Database): Promise<Content> {
  const [packages, rows] = [await readPackages(db), await readIndex(db, types)];
  const shelves = new Map<string, IndexRow[]>();
  for (const row of rows) {
    const key = `${row.type} ${row.url}`;
    const shelf = shelves.get(key);
    if (shelf === undefined) shelves.set(key, [row]);
    else shelf.push(row);
  }
  for (const shelf of shelves.values()) if (shelf.length > 1) shelf.sort(newestFirst);
  const bodies = new Map<IndexRow, ConformanceResource>();
  const locate = (type: ConformanceType, canonical: string): IndexRow | undefined => {
    const { url, version } = readCanonical(canonical);
    const shelf = shelves.get(`${type} ${url}`);
    return version === undefined ? shelf?.[0] : shelf?.find((row) => matchesVersion(row.version, version));
  };
  return {
    packages,
    find(type, canonical) {
      const row = locate(type, canonical);
      const body = row === undefined ? undefined : bodies.get(row);
      if (row !== undefined && body === undefined) throw new NotAtHand(type, canonical);
      return body;
    },
    async read(type, canonical) {
      const row = locate(type, canonical);
      const body = row === undefined ? undefined : await readBody(db, row);
      if (row !== undefined && body !== undefined)
        bodies.set(row, slim(JSON.parse(body) as Readonly<Record<string, unknown>>));
      else throw new Error(`${canonical} was taken away while it was being read`);
    },
  };
}

function newestFirst(left: IndexRow, right: IndexRow): number {
  return compareVersions(right.version, left.version) || compareVersions(right.packageVersion, left.packageVersion);
}
