#!/usr/bin/env node
/** The process: commands, environment, signals. Everything else is made in app.ts. */
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { type App, clientsUsage, runClients, startApp, startOwnPostgres } from './app/index.ts';
import { createRuleCheck } from './check-rules.ts';
import {
  createLog,
  createRandomIds,
  createRealClock,
  type Log,
  Problem,
  readConfig,
  stopLimits,
} from './base/index.ts';
import {
  backUp,
  type Database,
  type Manifest,
  migrate,
  migrationsFolder,
  openDatabase,
  restore,
  type TableBackup,
} from './db/index.ts';
import { createPrinter, demoStartMs, playDemo } from './demo/index.ts';
import { type Added, addPackage, readPackages } from './packages/index.ts';

const usage = `suture serve                          start the server (settings: environment variables, see README.md)
suture demo [--exit] [--letter FILE]  play the demo and leave the server up
suture migrate                        bring the schema of the database up to date
suture backup FOLDER                  everything that the database holds, as of now, while the server goes on
suture restore FOLDER                 a backup into an empty database
suture rules check FILE...            check rule sets as the server would, and run their fixtures
suture packages add FILE.tgz ...      load FHIR packages [--allow-missing: without what they depend on]
suture packages list                  the packages that are loaded
${clientsUsage}`;

type Environment = Readonly<Record<string, string | undefined>>;

const environment: Environment = process.env;

/**
 * V8 lets its heap grow to several times of what lives in it before it looks for garbage: under transactions a server of 100 MB stood
 * at 460. Looking when it has grown by two fifths holds it at 230, for no throughput that could be measured.
 */
const heapGrowth = '--heap-growing-percent=40';

async function serve(): Promise<void> {
  await start(environment);
}

/** `afterStop` runs behind everything else when the server stops. */
async function start(settings: Environment, afterStop: () => Promise<void> = () => Promise.resolve()): Promise<App> {
  setFlagsFromString(heapGrowth);
  const config = readConfig(settings);
  const log = createLog(config.logLevel);
  if (config.isNetworkOpen && config.auth === 'none')
    log.warn({ component: 'main' }, 'SUTURE_OPEN_NETWORK: anybody who reaches this port can read and write');
  // eslint-disable-next-line no-restricted-properties -- the one source of chance
  const app = await startApp({ config, ids: createRandomIds(), log, random: Math.random });
  const stop = (): Promise<void> => app.stop().then(afterStop);
  stopOnSignal({ ...app, stop }, log, config.stopMs);
  process.stdout.write(`Suture is ready at ${app.baseUrl}\n`);
  return { ...app, stop };
}

/** The first signal stops gracefully, within its time; the second at once. */
function stopOnSignal(app: Pick<App, 'leave' | 'stop'>, log: Log, stopMs: number): void {
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      log.info({ component: 'main', reason: signal }, 'stopping');
      app.leave();
      const cutOff = (): never => {
        log.warn(
          { component: 'main', reason: 'timeout' },
          'stopped with work under way: it is done after the next start',
        );
        process.exit(0);
      };
      setTimeout(cutOff, stopMs);
      void delay(Math.min(stopLimits.leaveMs, stopMs / 4))
        .then(app.stop)
        .then(() => process.exit(0));
    });
  }
}

const demoSettings = {
  SUTURE_CLOCK: new Date(demoStartMs).toISOString(),
  SUTURE_ALLOW_TEST_INS: 'true',
  SUTURE_LOG_LEVEL: 'error',
};

async function demo(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { exit: { type: 'boolean', default: false }, letter: { type: 'string' } },
  });
  const folder = `${environment['SUTURE_DATA_DIR'] ?? './data'}/demo-${process.pid}`;
  // Its own database, always: the demo never writes into one that somebody uses.
  const { DATABASE_URL: _databaseUrl, ...others } = environment;
  const settings = { ...demoSettings, ...others, SUTURE_DATA_DIR: folder };
  const app = await start(settings, () => rm(folder, { recursive: true, force: true }));
  const printer = createPrinter((text) => process.stdout.write(text), process.stdout.isTTY);
  try {
    await playDemo({ baseUrl: app.baseUrl, printer, letterFile: values.letter });
  } catch (error) {
    await app.stop();
    throw error;
  }
  if (values.exit) {
    await app.stop();
    process.exit(0);
  }
  process.stdout.write(`\nThe server stays up at ${app.baseUrl} (Ctrl-C ends it)\n`);
}

async function migrateOnly(): Promise<void> {
  const config = readConfig(environment);
  const log = createLog(config.logLevel);
  const embedded = config.databaseUrl === undefined ? await startOwnPostgres(config, log) : undefined;
  const applied = await migrate({ url: embedded?.url ?? config.databaseUrl ?? '', folder: migrationsFolder, log });
  await embedded?.stop();
  process.stdout.write(applied.length === 0 ? 'the schema is up to date\n' : `applied ${applied.join(', ')}\n`);
}

type MoveData = (input: { readonly url: string; readonly folder: string; readonly log: Log }) => Promise<Manifest>;

async function moveData([folder, ...more]: readonly string[], move: MoveData): Promise<void> {
  if (folder === undefined || more.length > 0) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  const config = readConfig(environment);
  const log = createLog(config.logLevel);
  const embedded = config.databaseUrl === undefined ? await startOwnPostgres(config, log) : undefined;
  try {
    const { tables, takenAt } = await move({ url: embedded?.url ?? config.databaseUrl ?? '', folder, log });
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    process.stdout.write(`${tables.length} tables with ${rows} rows, as they stood at ${takenAt}\n`);
  } finally {
    await embedded?.stop();
  }
}

const takeBackup: MoveData = (input) => backUp({ ...input, tell: tellTable });
const putBack: MoveData = (input) => restore({ ...input, migrations: migrationsFolder, tell: tellTable });

function tellTable({ name, rows }: TableBackup): void {
  process.stdout.write(`${name} ${rows}\n`);
}

/** Answers 1 to the shell when one of the files has a fault. */
async function rules([verb, ...files]: readonly string[]): Promise<void> {
  if (verb !== 'check' || files.length === 0) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  const check = await createRuleCheck(readConfig(environment).zone);
  for (const file of files) {
    const { lines, rules: count, fixtures } = await check(file);
    for (const line of lines) process.stdout.write(`${line}\n`);
    if (lines.length > 0) process.exitCode = 1;
    else process.stdout.write(`${file}: ${count} rules, ${fixtures} fixtures, no fault\n`);
  }
}

async function packages([action, ...rest]: readonly string[]): Promise<void> {
  const { values, positionals: files } = parseArgs({
    args: rest,
    options: { 'allow-missing': { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (action !== 'list' && (action !== 'add' || files.length === 0)) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  await withDatabase(async (db) => {
    for (const file of files) {
      const options = { nowMs: createRealClock().now(), allowsMissing: values['allow-missing'] };
      process.stdout.write(describeAdded(await addPackage(db, await readFile(file), options)));
    }
    if (action === 'list')
      for (const { name, version } of await readPackages(db)) process.stdout.write(`${name} ${version}\n`);
  });
}

function describeAdded({ outcome, name, version, definitions, missing }: Added): string {
  if (outcome === 'already-there') return `${name} ${version} is loaded already\n`;
  const notes = missing.map(
    (one) =>
      `  depends on ${one.name} ${one.version}: ${one.instead === undefined ? 'not loaded' : `${one.instead} is`}\n`,
  );
  return `loaded ${name} ${version}: ${definitions} definitions\n${notes.join('')}`;
}

async function clients(args: readonly string[]): Promise<void> {
  const config = readConfig(environment);
  // eslint-disable-next-line no-restricted-properties -- the jitter of waits
  const input = { config, ids: createRandomIds(), log: createLog('error'), random: Math.random };
  const lines = await runClients(input, args);
  if (lines === undefined) {
    process.stderr.write(usage);
    process.exitCode = 2;
  }
  for (const line of lines ?? []) process.stdout.write(`${line}\n`);
}

/** The database of the settings, migrated; an embedded one runs as long as the work, or longer where a server has it. */
async function withDatabase(work: (db: Database) => Promise<void>): Promise<void> {
  const config = readConfig(environment);
  const log = createLog(config.logLevel);
  const embedded = config.databaseUrl === undefined ? await startOwnPostgres(config, log) : undefined;
  const url = embedded?.url ?? config.databaseUrl ?? '';
  try {
    await migrate({ url, folder: migrationsFolder, log });
    // eslint-disable-next-line no-restricted-properties -- the jitter of waits
    const db = openDatabase({ url, poolSize: 2, log, random: Math.random });
    await work(db).finally(() => db.close());
  } finally {
    await embedded?.stop();
  }
}

async function run(command: string | undefined, args: readonly string[]): Promise<void> {
  switch (command) {
    case 'serve':
      return serve();
    case 'demo':
      return demo(args);
    case 'migrate':
      return migrateOnly();
    case 'backup':
      return moveData(args, takeBackup);
    case 'restore':
      return moveData(args, putBack);
    case 'rules':
      return rules(args);
    case 'clients':
      return clients(args);
    case 'packages':
      return packages(args);
    default:
      process.stderr.write(usage);
      process.exitCode = 2;
  }
}

const [command, ...args] = process.argv.slice(2);
run(command, args).catch((error: unknown) => {
  const lines =
    error instanceof Problem
      ? error.issues.map(({ text }) => text)
      : [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  process.stderr.write(`Suture cannot go on:\n${lines.map((line) => `  ${line}\n`).join('')}`);
  process.exit(1);
});
