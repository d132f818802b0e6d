/**
 * What is asked of the server. Each operation makes its requests from the territory, in an order drawn by chance, so that
 * no two in a row ask for the same. Searches ask for pages of 20, the default.
 */
import type { Resource } from '../../src/fhir/resource.ts';
import { type Bundle, fhirJson, put, sendOrFail, transaction } from './client.ts';
import { versionedPatients, versionsEach } from './load.ts';
import type { HttpRequest } from './measure.ts';
import { batchSize } from './raw-writes.ts';
import { insSystem, phone, type Territory } from './territory.ts';

export interface World {
  readonly origin: string;
  /** Path of the FHIR base, `/fhir`. */
  readonly basePath: string;
  readonly territory: Territory;
  readonly connections: number;
  /** Of every request: a credential. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type Limit = 'page' | 'single' | 'update' | 'batch';

export interface Operation {
  readonly name: string;
  /** What its rate is compared with (raw-pages.ts, raw-writes.ts). */
  readonly limit: Limit;
  /** Resources that one request writes. */
  readonly perRequest: number;
  readonly connections: number;
  readonly next: () => HttpRequest;
}

type Prepare = (world: World) => (() => HttpRequest) | Promise<() => HttpRequest>;

const reads: readonly (readonly [string, Prepare])[] = [
  ['read', (world) => getAny(world, references(world))],
  [
    'vread',
    (world) =>
      getAny(
        world,
        versions(world).map(([stay, version]) => `${stay}/_history/${version}`),
      ),
  ],
  [
    'history of an instance',
    (world) =>
      getAny(
        world,
        versions(world).map(([stay]) => `${stay}/_history`),
      ),
  ],
  [
    'search by identifier',
    (world) => searchEach(world, (n, { territory }) => `Patient?identifier=${insSystem}|${territory.person(n).ins}`),
  ],
  [
    'search by patient and type',
    (world) => searchEach(world, (n, { territory }) => `Observation?patient=Patient/${territory.person(n).id}`),
  ],
  [
    'search by code and date',
    (world) =>
      searchEach(
        world,
        (n, { territory }) =>
          `Observation?code=http://loinc.org|${codes[n % codes.length]}&date=ge${dayBefore(territory, 10 + (n % 150))}`,
      ),
  ],
  [
    'search by name prefix',
    (world) =>
      searchEach(
        world,
        (n, { territory }) => `Patient?name=${encodeURIComponent(territory.person(n).family.slice(0, 4))}`,
      ),
  ],
  [
    'search chained',
    (world) =>
      searchEach(
        world,
        (n, { territory }) => `Encounter?patient.identifier=${insSystem}|${territory.person(n).ins}&status=finished`,
      ),
  ],
  [
    'search by _has',
    (world) =>
      searchEach(
        world,
        (n, { territory }) =>
          `Patient?birthdate=${territory.person(n).birthDate}&_has:Observation:patient:code=http://loinc.org|${codes[n % codes.length]}`,
      ),
  ],
  [
    '_include and _revinclude',
    (world) =>
      searchEach(
        world,
        (n, { territory }) =>
          `Encounter?patient=Patient/${territory.person(n).id}&_include=Encounter:patient&_include=Encounter:service-provider&_revinclude=Observation:encounter`,
      ),
  ],
  ['$everything', (world) => searchEach(world, (n, { territory }) => `Patient/${territory.person(n).id}/$everything`)],
  ['sorted, page 1', (world) => getAny(world, [sortedQuery])],
  ['sorted, page 50', async (world) => getPath(await pathOfPage(world, 50))],
  [
    '_total=accurate',
    (world) => searchEach(world, (n) => `Observation?code=http://loinc.org|${codes[n % codes.length]}&_total=accurate`),
  ],
  [
    '_total=accurate, two criteria',
    (world) =>
      searchEach(
        world,
        (n, { territory }) =>
          `Observation?code=http://loinc.org|${codes[n % codes.length]}&date=ge${dayBefore(territory, 10 + (n % 150))}&_total=accurate`,
      ),
  ],
]; // prettier-ignore

const writes: readonly (readonly [string, Limit, Prepare])[] = [
  ['create', 'single', (world) => newObservation(world, () => ({}))],
  [
    'conditional create',
    'single',
    (world) => newObservation(world, (value) => ({ 'if-none-exist': `identifier=${benchSystem}|${value}` })),
  ],
  ['update', 'update', changedPatient],
  ['transaction, 100 entries', 'batch', newPathways],
]; // prettier-ignore

export const readNames: ReadonlySet<string> = new Set(reads.map(([name]) => name));
export const operationNames = [...reads, ...writes].map(([name]) => name);

/** PostgreSQL needs fewer connections for large commits, and the two cores are full sooner. */
const transactionConnectionsMax = 4;

export async function prepareOperation(world: World, name: string): Promise<Operation> {
  const read = reads.find(([one]) => one === name);
  if (read !== undefined) {
    return { name, limit: 'page', perRequest: 1, connections: world.connections, next: await read[1](world) };
  }
  const [, limit, prepare] = writes.find(([one]) => one === name) ?? [];
  if (limit === undefined || prepare === undefined) throw new Error(`no operation is called ${name}`);
  const isBatch = limit === 'batch';
  const connections = isBatch ? Math.min(world.connections, transactionConnectionsMax) : world.connections;
  return { name, limit, perRequest: isBatch ? batchSize : 1, connections, next: await prepare(world) };
}

const codes = [
  '8867-4',
  '8480-6',
  '29463-7',
  '8310-5',
  '718-7',
  '2160-0',
  '777-3',
  '751-8',
  '1988-5',
  '2857-1',
] as const;
const sortedQuery = 'Observation?_sort=-date&_count=20';
const benchSystem = 'urn:oid:1.2.250.1.999.3';
const chosenMax = 2_000;
const salts = { references: 11, searches: 12, subjects: 13 };

function getPath(path: string): () => HttpRequest {
  return () => ({ method: 'GET', path });
}

function getAny({ basePath }: World, paths: readonly string[]): () => HttpRequest {
  let turn = 0;
  return () => ({ method: 'GET', path: `${basePath}/${paths[turn++ % paths.length] ?? ''}` });
}

function searchEach(world: World, query: (n: number, world: World) => string): () => HttpRequest {
  return getAny(
    world,
    somePatients(world, salts.searches).map((n) => query(n, world).replaceAll('|', '%7C')),
  );
}

function somePatients({ territory }: World, salt: number): readonly number[] {
  const chance = territory.createChance(salt);
  const count = Math.min(chosenMax, 4 * territory.people.length);
  return Array.from({ length: count }, () => chance.whole(0, territory.people.length - 1));
}

/** Any resource of a pathway. */
function references(world: World): readonly string[] {
  const chance = world.territory.createChance(salts.references);
  return somePatients(world, salts.references).map((n) => {
    const pathway = world.territory.pathway(n);
    const one = pathway[chance.whole(0, pathway.length - 1)];
    return `${one?.resourceType ?? ''}/${one?.id ?? ''}`;
  });
}

/** The stays that were given a history (load.ts), in each of their versions. */
function versions({ territory }: World): readonly (readonly [stay: string, version: number])[] {
  return territory.people
    .slice(0, versionedPatients)
    .flatMap(({ id }) =>
      Array.from({ length: versionsEach }, (_one, at) => [`Encounter/${id}-enc-1`, at + 1] as const),
    );
}

async function pathOfPage({ origin, basePath, headers = {} }: World, page: number): Promise<string> {
  let path = `${basePath}/${sortedQuery}`;
  for (let at = 1; at < page; at++) {
    const bundle = JSON.parse(await sendOrFail(origin, { method: 'GET', path, headers })) as Bundle;
    const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    if (next === undefined) throw new Error(`there are only ${at} pages: take more patients`);
    const url = new URL(next);
    path = url.pathname + url.search;
  }
  return path;
}

export function dayBefore({ todayMs }: Territory, days: number): string {
  return new Date(todayMs - days * 24 * 3_600_000).toISOString().slice(0, 10);
}

function newObservation(world: World, headers: (value: string) => Record<string, string>): () => HttpRequest {
  const { territory, basePath } = world;
  const run = crypto.randomUUID();
  const subjects = somePatients(world, salts.subjects);
  let turn = 0;
  return () => {
    const value = `${run}-${++turn}`;
    const drawn = territory.observation(subjects[turn % subjects.length] ?? 0, 100 + (turn % 800));
    const resource: Resource = { ...drawn, identifier: [{ system: benchSystem, value }] };
    return {
      method: 'POST',
      path: `${basePath}/Observation`,
      headers: { ...fhirJson, ...headers(value) },
      body: JSON.stringify(resource),
    };
  };
}

/** A patient has another telephone number: the commonest correction. */
function changedPatient({ territory, basePath }: World): () => HttpRequest {
  const patients = territory.people.map((_person, n) => territory.pathway(n)[0]).filter((one) => one !== undefined);
  let turn = 0;
  return () => {
    const n = turn++ % patients.length;
    const variant = Math.ceil(turn / patients.length);
    const resource = patients[n] ?? { resourceType: 'Patient' };
    const [, ...others] = resource['telecom'] as readonly object[];
    const telecom = [{ system: 'phone', value: phone(n, variant), use: 'mobile' }, ...others];
    return put(basePath, { ...resource, telecom });
  };
}

/** Patients who were not there before: three pathways and ten more observations of the last one. */
function newPathways({ territory, basePath }: World): () => HttpRequest {
  let n = territory.people.length;
  return () => {
    const pathways = [0, 1, 2].flatMap(() => territory.pathway(n++));
    const missing = Math.max(0, batchSize - pathways.length);
    const more = Array.from({ length: missing }, (_one, variant) => territory.observation(n - 1, 200 + variant));
    return transaction(basePath, [...pathways, ...more].slice(0, batchSize), 'POST');
  };
}
