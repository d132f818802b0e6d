/**
 * Where the parts are put together. Building the server is this function; the environment, signals and the process
 * belong to main.ts. Time, ids and randomness come from outside, so that a test states them.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { systemCaller } from './access/index.ts';
import {
  type Clock,
  type Config,
  createLifecycle,
  createManualClock,
  createRealClock,
  type Ids,
  type Lifecycle,
  type Log,
  type ManualClock,
} from './base/index.ts';
import {
  createDigestWork,
  createFollower,
  createJudgeWork,
  createPlaces,
  createQueryCheck,
  createRuleBooks,
  createSelect,
  type EngineInput,
  installShipped,
  readShipped,
} from './breaks/index.ts';
import {
  type Database,
  type EmbeddedDatabase,
  migrate,
  migrationsFolder,
  openDatabase,
  startEmbedded,
} from './db/index.ts';
import {
  type ConformanceResource,
  createLibrary,
  type Definitions,
  loadDefinitions,
  type Resource,
} from './fhir/index.ts';
import { type CallerOf, createHttp, reservePort } from './http/index.ts';
import {
  breakGuards,
  breakOperations,
  bulkOperations,
  type Context,
  createBulkWorks,
  everythingOperations,
  ingestOperations,
  measureOperations,
  metaOperations,
  referenceOperations,
  searchParameterGuard,
  ruleOperations,
  subscriptionOperations,
  terminologyOperations,
  validateOperations,
} from './interactions/index.ts';
import { measureResources } from './indicators/index.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import {
  createNotify,
  createSmtp,
  type Notify,
  type NotifyInput,
  shippedTopicResources,
  socketPath,
} from './notify/index.ts';
import { createTimeKeeper, createWorkers, keepHolder, keptClock, settleOrFail, type Workers } from './queue/index.ts';
import type { RuleSetting } from './rules/index.ts';
import {
  compartmentKeys,
  createIndexer,
  createSearchContext,
  type SearchContext,
  typesOfBase,
} from './search/index.ts';
import {
  createReindexWork,
  createStore,
  type CustomParameters,
  followCustomParameters,
  openPointers,
  serverSecret,
  type Store,
} from './store/index.ts';
import {
  type Conformance,
  createBaseLibrary,
  createConformance,
  loadFolder,
  openShelf,
  type Shelf,
} from './packages/index.ts';

export interface AppInput {
  readonly config: Config;
  readonly ids: Ids;
  readonly log: Log;
  /** In [0, 1): jitter of retries, the number of this instance. */
  readonly random: () => number;
  /** Who asks; without it everybody may everything. */
  readonly callerOf?: CallerOf;
}

export interface App {
  /** FHIR base, without trailing slash. */
  readonly baseUrl: string;
  readonly http: FastifyInstance;
  readonly clock: Clock;
  stop(): Promise<void>;
}

export const softwareVersion = '0.1.0';
const limits = { bundleEntriesMax: 500, pageDefault: 20, pageMax: 1000 };
/** Resources that one conditional delete takes where several are allowed. */
const deletesMax = 1000;

/** Starts everything and listens. A failure half-way closes what was opened. */
export async function startApp(input: AppInput): Promise<App> {
  const lifecycle = createLifecycle(input.log);
  try {
    return await openApp(input, lifecycle);
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function openApp(input: AppInput, lifecycle: Lifecycle): Promise<App> {
  const { config } = input;
  const reserved = await reservePort(config.host, config.port);
  lifecycle.onStop('port', () => reserved.release());
  const baseUrl = config.baseUrl ?? `http://${urlHost(config.host)}:${reserved.port}/fhir`;
  const ground = await openGround(input, baseUrl, lifecycle);
  const work = await openWork(ground, lifecycle);
  const http = await openHttp(ground, work);
  lifecycle.onStop('http', () => http.close());
  // Before: a server waits for its connections to end.
  lifecycle.onStop('websockets', () => work.notify.sockets.stop());
  await reserved.release();
  await http.listen({ host: config.host, port: reserved.port });
  return { baseUrl, http, clock: ground.clock, stop: () => lifecycle.stop() };
}

/** What everything else stands on. */
interface Ground extends AppInput {
  readonly baseUrl: string;
  readonly definitions: Definitions;
  readonly db: Database;
  readonly clock: Clock;
  readonly search: SearchContext;
  readonly customParameters: CustomParameters;
  readonly store: Store;
  /** Calls `wake` after each commit from now on. */
  readonly onCommit: (wake: () => void) => void;
  readonly holder: number;
  readonly metrics: Metrics;
  readonly setting: RuleSetting;
  readonly shipped: readonly Resource[];
  readonly shelf: Shelf;
  readonly conformance: Conformance;
}

async function openGround(input: AppInput, baseUrl: string, lifecycle: Lifecycle): Promise<Ground> {
  const { config } = input;
  const definitions = loadDefinitions();
  const db = await openData(input, lifecycle);
  const clock = await openClock(config, db);
  const search = createSearchContext({ definitions, zone: config.zone, baseUrl });
  const customParameters = await followCustomParameters({ db, log: input.log, define: search.parameters.define });
  lifecycle.onStop('search parameters', () => customParameters.close());
  const holder = await takeHolder(input, db, lifecycle);
  const setting = { definitions, checkQuery: createQueryCheck(search) };
  const metrics = createMetrics(db, clock.now);
  let wake = (): void => undefined;
  const index = createIndexer(search);
  await openPointers(db, config.references, (resource) => index(resource).references);
  const store = createStore({
    db,
    index,
    references: config.references,
    compartmentKeys: (patient, types) => compartmentKeys(search, patient, types),
    now: clock.now,
    onCommit: () => wake(),
  });
  const onCommit: Ground['onCommit'] = (callback) => {
    wake = callback;
  };
  const knowledge = await openKnowledge(input, { db, clock, definitions }, lifecycle);
  return {
    ...{ ...input, baseUrl, definitions, db, clock, search, customParameters },
    ...{ store, onCommit, holder, metrics, setting, ...knowledge },
  };
}

/** What the server knows of profiles and codes: its packages, its own definitions, R4. */
async function openKnowledge(
  { config, log }: AppInput,
  { db, clock, definitions }: Pick<Ground, 'db' | 'clock' | 'definitions'>,
  lifecycle: Lifecycle,
): Promise<Pick<Ground, 'shipped' | 'shelf' | 'conformance'>> {
  const shipped = await readShipped();
  const { packagesFolder: folder } = config;
  if (folder !== undefined) await loadFolder({ db, folder, log, nowMs: clock.now() });
  const own = shipped.filter((resource): resource is ConformanceResource => typeof resource['url'] === 'string');
  const shelf = await openShelf({ db, others: [createLibrary(own), createBaseLibrary()] });
  lifecycle.onStop('packages', () => shelf.close());
  const required = config.validation === 'required' ? (config.requiredProfiles ?? []) : [];
  return { shipped, shelf, conformance: await createConformance({ definitions, shelf, required }) };
}

interface Work {
  readonly context: Context;
  readonly engine: EngineInput;
  readonly notify: Notify;
  readonly workers: Workers;
}

async function openWork(ground: Ground, lifecycle: Lifecycle): Promise<Work> {
  const { config, log, setting } = ground;
  const engine: EngineInput = {
    ...ground,
    places: createPlaces(config.zone),
    quietHours: config.quietHours,
    proofAwaitedMs: config.proofAwaitedHours * 3_600_000,
    ruleBook: createRuleBooks(setting, log),
    select: createSelect(ground.search),
    metrics: ground.metrics.engine,
  };
  const notify = createNotify({ ...ground, ...channelSettings(config), onAttempt: ground.metrics.attempted });
  await installShipped(ground.store, [...ground.shipped, ...measureResources(), ...shippedTopicResources]);
  const context = await createContext(ground, engine, notify);
  const workers = createWorkers({
    ...ground,
    followers: [createFollower(engine), notify.follower],
    works: [
      createJudgeWork(engine),
      createDigestWork(engine),
      ...notify.works,
      ...createBulkWorks({ context, holder: ground.holder }),
      reindexWork(ground),
    ],
  });
  ground.onCommit(workers.wake);
  await workers.start();
  lifecycle.onStop('workers', () => workers.stop());
  return { context, engine, notify, workers };
}

async function createContext(ground: Ground, engine: EngineInput, notify: Notify): Promise<Context> {
  const { clock, config, db } = ground;
  return {
    ...ground,
    indexValues: createIndexer(ground.search),
    validate: createValidate(ground),
    packages: ground.shelf.packages,
    guards: [...breakGuards(engine, ground.setting), notify.guard, searchParameterGuard(ground.search, clock)],
    references: config.references,
    limits: { ...limits, deletesMax: config.conditionalDelete === 'multiple' ? deletesMax : 1 },
    subscriptions: notify,
    secret: await serverSecret(db, 'page-links', randomBytes(32)),
    softwareVersion,
    startedAtMs: clock.now(),
  };
}

function reindexWork({ search, customParameters, ...ground }: Ground) {
  return createReindexWork({
    ...ground,
    index: createIndexer(search),
    typesOf: (base) => typesOfBase(search, base),
    reload: customParameters.reload,
  });
}

/** What subscriptions may reach. */
function channelSettings(config: Config): Pick<NotifyInput, 'allowsLoopback' | 'origins' | 'mail'> {
  const { allowsLoopbackHooks, hookOrigins, smtpUrl, mailFrom, mailDomains } = config;
  const hasMail = smtpUrl !== undefined && mailFrom !== undefined && mailDomains !== undefined;
  return {
    allowsLoopback: allowsLoopbackHooks,
    ...(hookOrigins === undefined ? {} : { origins: hookOrigins }),
    ...(hasMail
      ? { mail: { send: createSmtp({ server: new URL(smtpUrl), from: mailFrom }), domains: mailDomains } }
      : {}),
  };
}

async function openHttp(ground: Ground, { context, engine, notify, workers }: Work): Promise<FastifyInstance> {
  const { clock, config, db, metrics } = ground;
  const keeper = isManual(clock) ? createTimeKeeper({ db, clock, workers }) : undefined;
  return createHttp({
    ...ground,
    callerOf: ground.callerOf ?? (() => systemCaller),
    context,
    operations: [
      ...breakOperations(engine),
      ...ruleOperations({ ...ground.setting, ...engine }),
      ...measureOperations({ db, zone: config.zone }),
      ...ingestOperations({ allowsTestIns: config.allowsTestIns, zone: config.zone }),
      ...subscriptionOperations(notify.answers),
      ...everythingOperations,
      ...metaOperations,
      ...referenceOperations,
      ...bulkOperations,
      ...terminologyOperations(ground.conformance),
      ...validateOperations({
        ...ground,
        resourceTypes: ground.definitions.resourceTypes,
        checksClaims: checksClaims(config),
      }),
    ],
    sockets: { path: `/fhir${socketPath}`, accept: notify.sockets.accept },
    onAnswered: metrics.requested,
    admin: {
      clock,
      moveClock: keeper === undefined ? undefined : (instantMs) => told(notify, keeper.moveTo(instantMs)),
      settle: () => told(notify, settleOrFail(workers)),
      isReady: () => isReady(db),
      metrics: async () => metrics.text(await notify.figures()),
    },
  });
}

/** Websockets are not fed by jobs: they look by themselves, and here before anybody says that all is done. */
async function told<T>(notify: Notify, work: Promise<T>): Promise<T> {
  const result = await work;
  await notify.sockets.flush();
  return result;
}

/** An IPv6 address stands in brackets in a URL (RFC 3986 §3.2.2). */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

async function openData({ config, log, random }: AppInput, lifecycle: Lifecycle): Promise<Database> {
  const url = config.databaseUrl ?? (await openEmbedded(config, log, lifecycle));
  await migrate({ url, folder: migrationsFolder, log });
  const db = openDatabase({ url, poolSize: config.poolSize, log, random });
  lifecycle.onStop('database', () => db.close());
  return db;
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

function isManual(clock: Clock): clock is ManualClock {
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

/** As writes are judged: warnings only of what could not be checked. */
function createValidate({ conformance, config }: Ground): Context['validate'] {
  const expectations = { checksClaims: checksClaims(config) };
  return (resource, typeExpected) =>
    conformance.validate(resource, typeExpected === undefined ? expectations : { ...expectations, typeExpected });
}

function checksClaims({ validation }: Config): boolean {
  return validation !== 'off';
}

async function isReady(db: Database): Promise<boolean> {
  return db.query({ text: 'select 1' }).then(
    () => true,
    () => false,
  );
}
