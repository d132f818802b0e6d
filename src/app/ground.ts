/** What everything else stands on: settings, definitions, database, clock, store, and what is known of profiles and codes. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  type Config,
  createManualClock,
  createRealClock,
  databaseLimits,
  type Ids,
  type Lifecycle,
  type Log,
  type ManualClock,
} from '../base/index.ts';
import { type Access, createAccess, createFactReader, type FactReader, graceDefaultMs } from '../access/index.ts';
import { createQueryCheck, readShipped } from '../breaks/index.ts';
import {
  type Database,
  type EmbeddedDatabase,
  migrate,
  migrationsFolder,
  openDatabase,
  startEmbedded,
} from '../db/index.ts';
import {
  type ConformanceResource,
  createLibrary,
  type Definitions,
  type Library,
  loadDefinitions,
  type Resource,
} from '../fhir/index.ts';
import type { CallerOf } from '../http/index.ts';
import type { ReplicaStore } from '../interactions/index.ts';
import { openReadReplica } from './replica.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openTracing } from './tracing.ts';
import { softwareVersion } from './version.ts';
import { keepHolder, keptClock } from '../queue/index.ts';
import type { RuleSetting } from '../rules/index.ts';
import {
  canonicalIdentifier,
  compartmentKeys,
  createIndexer,
  createSearchContext,
  rowCondition,
  type CustomParameter,
  type Indexer,
  type SearchContext,
} from '../search/index.ts';
import {
  createStore,
  type CustomParameters,
  followCustomParameters,
  openFacts,
  openPointers,
  type Store,
} from '../store/index.ts';
import {
  baseSearchTerms,
  type Conformance,
  createBaseLibrary,
  createConformance,
  loadFolder,
  openShelf,
  type Shelf,
} from '../packages/index.ts';

export interface AppInput {
  readonly config: Config;
  readonly ids: Ids;
  readonly log: Log;
  /** In [0, 1): jitter of retries, the number of this instance. */
  readonly random: () => number;
  /** Who asks; without it everybody may everything. */
  readonly callerOf?: CallerOf;
}

/** What everything else stands on. */
export interface Ground extends AppInput {
  readonly baseUrl: string;
  readonly definitions: Definitions;
  readonly db: Database;
  /** A few connections of their own, for health and metrics: they answer when requests have all the others. */
  readonly watch: Database;
  readonly clock: Clock;
  readonly search: SearchContext;
  readonly customParameters: CustomParameters;
  /** Search parameters that people added, as they are now. */
  readonly custom: () => readonly CustomParameter[];
  /** What of a resource its index rows hold. */
  readonly index: Indexer;
  readonly store: Store;
  /** undefined where there is none. */
  readonly replica: ReplicaStore | undefined;
  readonly access: Access;
  readonly facts: FactReader;
  /** Calls `wake` after each commit from now on. */
  readonly onCommit: (wake: () => void) => void;
  readonly holder: number;
  readonly metrics: Metrics;
  readonly setting: RuleSetting;
  readonly shipped: readonly Resource[];
  readonly shelf: Shelf;
  readonly conformance: Conformance;
}

export async function openGround(input: AppInput, baseUrl: string, lifecycle: Lifecycle): Promise<Ground> {
  const { config } = input;
  const definitions = loadDefinitions();
  const { db, watch } = await openData(input, lifecycle);
  const clock = await openClock(config, db);
  const base = createBaseLibrary();
  const terminology = baseSearchTerms(base, definitions);
  const search = createSearchContext({ definitions, zone: config.zone, baseUrl, terminology });
  let known: readonly CustomParameter[] = [];
  let renewReplica = (): void => undefined;
  const define = (custom: readonly CustomParameter[]): void => {
    search.parameters.define((known = custom));
    // The index of a new one may not be there yet.
    renewReplica();
  };
  const customParameters = await followCustomParameters({ db, log: input.log, define });
  lifecycle.onStop('search parameters', () => customParameters.close());
  const holder = await takeHolder(input, db, lifecycle);
  const setting = { definitions, checkQuery: createQueryCheck(search) };
  const metrics = createMetrics({
    ...{ watch, log: input.log, now: clock.now },
    tracing: await openTracing(config, { version: softwareVersion, instance: holder }, lifecycle),
  });
  let wake = (): void => undefined;
  const index = createIndexer(search);
  await openPointers(db, config.references, (resource) => index(resource).references);
  const facts = createFactReader({ ...search.readers, canonical: canonicalIdentifier });
  await openFacts(db, facts);
  const storeOf = (over: Database): Store =>
    createStore({
      db: over,
      index,
      facts,
      references: config.references,
      compartmentKeys: (patient, types) => compartmentKeys(search, patient, types),
      now: clock.now,
      onCommit: () => wake(),
    });
  const store = storeOf(db);
  const replica = openReadReplica(input, { db, watch, metrics, storeOf }, lifecycle);
  if (replica !== undefined) renewReplica = replica.renew;
  const access = createAccess({
    now: clock.now,
    graceMs: graceDefaultMs,
    constraint: (type, parameters) => rowCondition(search, type, parameters),
  });
  const onCommit: Ground['onCommit'] = (callback) => {
    wake = callback;
  };
  const knowledge = await openKnowledge(input, { db, clock, definitions, base }, lifecycle);
  return {
    ...{ ...input, baseUrl, definitions, db, watch, clock, search, customParameters, custom: () => known },
    ...{ index, store, replica, access, facts, onCommit, holder, metrics, setting, ...knowledge },
  };
}

/** What the server knows of profiles and codes: its packages, its own definitions, R4. */
async function openKnowledge(
  { config, log }: AppInput,
  { db, clock, definitions, base }: Pick<Ground, 'db' | 'clock' | 'definitions'> & { readonly base: Library },
  lifecycle: Lifecycle,
): Promise<Pick<Ground, 'shipped' | 'shelf' | 'conformance'>> {
  const shipped = await readShipped();
  const { packagesFolder: folder } = config;
  if (folder !== undefined) await loadFolder({ db, folder, log, nowMs: clock.now() });
  const own = shipped.filter((resource): resource is ConformanceResource => typeof resource['url'] === 'string');
  const shelf = await openShelf({ db, others: [createLibrary(own), base] });
  lifecycle.onStop('packages', () => shelf.close());
  const required = config.validation === 'required' ? (config.requiredProfiles ?? []) : [];
  return { shipped, shelf, conformance: await createConformance({ definitions, shelf, required }) };
}

async function openData(
  { config, log, random }: AppInput,
  lifecycle: Lifecycle,
): Promise<Pick<Ground, 'db' | 'watch'>> {
  const url = config.databaseUrl ?? (await openEmbedded(config, log, lifecycle));
  await migrate({ url, folder: migrationsFolder, log });
  const { poolSize, statementTimeoutMs } = config;
  const db = openDatabase({ url, poolSize, statementTimeoutMs, log, random });
  lifecycle.onStop('database', () => db.close());
  const { watchPoolSize, watchTimeoutMs } = databaseLimits;
  const times = { statementTimeoutMs: watchTimeoutMs, acquireTimeoutMs: watchTimeoutMs };
  const watch = openDatabase({ url, poolSize: watchPoolSize, ...times, log, random });
  lifecycle.onStop('watch', () => watch.close());
  return { db, watch };
}

async function openEmbedded(config: Config, log: Log, lifecycle: Lifecycle): Promise<string> {
  const embedded = await startOwnPostgres(config, log);
  lifecycle.onStop('embedded database', async () => void (await embedded.stop()));
  return embedded.url;
}

/** The embedded PostgreSQL, in its own folder beside whatever else Suture keeps in the data folder. */
export async function startOwnPostgres({ dataFolder }: Config, log: Log): Promise<EmbeddedDatabase> {
  await mkdir(dataFolder, { recursive: true });
  return startEmbedded({ folder: join(dataFolder, 'postgres'), log });
}

/** A manual clock goes on from where it stood: the later of the setting and what was kept. */
async function openClock(config: Config, db: Database): Promise<Clock> {
  if (config.clock === 'real') return createRealClock();
  return createManualClock(Math.max(config.clock.startMs, (await keptClock(db)) ?? 0));
}

export function isManual(clock: Clock): clock is ManualClock {
  return clock.kind === 'manual';
}

const holderMax = 2 ** 31 - 2;

/** The number of this instance, announced as long as it lives. */
async function takeHolder({ log, random }: AppInput, db: Database, lifecycle: Lifecycle): Promise<number> {
  const holder = 1 + Math.floor(random() * holderMax);
  const kept = await keepHolder(db, holder, log);
  lifecycle.onStop('holder', () => kept.close());
  return holder;
}
