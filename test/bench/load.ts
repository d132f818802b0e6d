/** Loads the territory over HTTP by transactions of 100 entries, and gives some stays a history. */
import type { Resource } from '../../src/fhir/resource.ts';
import { put, send, sendOrFail, transaction } from './client.ts';
import type { Territory } from './territory.ts';

const entriesPerBundle = 100;
const bundlesAtOnce = 4;
export const versionedPatients = 50;
export const versionsEach = 6;

export interface Loaded {
  readonly resources: number;
  readonly seconds: number;
}

/** Whether a server that was asked before still has it. */
export async function isLoaded(origin: string, basePath: string, { people }: Territory): Promise<boolean> {
  const last = people.at(-1)?.id ?? '';
  const { status } = await send(origin, { method: 'GET', path: `${basePath}/Patient/${last}` });
  return status === 200;
}

export async function loadTerritory(origin: string, basePath: string, territory: Territory): Promise<Loaded> {
  const started = performance.now();
  const bundles = inBundles(territory);
  let resources = 0;
  await atOnce(bundlesAtOnce, bundles, async (bundle) => {
    resources += bundle.length;
    await sendOrFail(origin, transaction(basePath, bundle, 'PUT'));
  });
  const seconds = (performance.now() - started) / 1000;
  await giveHistory(origin, basePath, territory);
  return { resources, seconds };
}

function* inBundles({ shared, people, pathway }: Territory): Generator<readonly Resource[]> {
  let bundle: Resource[] = [...shared];
  for (const n of people.keys()) {
    bundle.push(...pathway(n));
    while (bundle.length >= entriesPerBundle) {
      yield bundle.slice(0, entriesPerBundle);
      bundle = bundle.slice(entriesPerBundle);
    }
  }
  if (bundle.length > 0) yield bundle;
}

async function giveHistory(origin: string, basePath: string, { people, pathway }: Territory): Promise<void> {
  const some = [...people.keys()].slice(0, versionedPatients);
  await atOnce(bundlesAtOnce, some[Symbol.iterator](), async (n) => {
    const stay = pathway(n).find(({ id }) => id?.endsWith('-enc-1'));
    for (let version = 2; stay !== undefined && version <= versionsEach; version++) {
      const length = { value: version, unit: 'jour', system: 'http://unitsofmeasure.org', code: 'd' };
      await sendOrFail(origin, put(basePath, { ...stay, length }));
    }
  });
}

async function atOnce<T>(count: number, items: Iterator<T>, work: (item: T) => Promise<void>): Promise<void> {
  async function run(): Promise<void> {
    for (let next = items.next(); next.done !== true; next = items.next()) await work(next.value);
  }
  await Promise.all(Array.from({ length: count }, run));
}
