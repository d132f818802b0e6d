/** The whole server, as main.ts starts it, on a database, a clock and a log that belong to one test file. */
import { type App, startApp } from '../../src/app/index.ts';
import { createCountedIds, createLog, type Ids, readConfig } from '../../src/base/index.ts';
import type { CallerOf } from '../../src/http/index.ts';
import { createClient, type Client } from './client.ts';
import { openTestDatabase, type TestDatabase } from './db.ts';

export interface TestApp {
  readonly app: App;
  readonly client: Client;
  readonly database: TestDatabase['database'];
  /** Every line that was logged. */
  readonly logged: readonly string[];
  /** Stops the server and starts it again on the same database, as after a restart of the machine. */
  restart(settings?: Readonly<Record<string, string>>): Promise<TestApp>;
  /** A second instance on the same database; whoever starts it stops it. */
  another(): Promise<{ readonly client: Client; readonly app: App; stop(): Promise<void> }>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  /** SUTURE_CLOCK. */
  readonly clock?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly ids?: Ids;
  /** In place of authentication. */
  readonly callerOf?: CallerOf;
}

/** The morning on which the stories of the tests begin. */
export const morning = '2026-03-02T08:00:00+01:00';

export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = await openTestDatabase();
  try {
    return await start(database, options);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function start(database: TestDatabase, options: TestAppOptions): Promise<TestApp> {
  const { clock = morning, settings = {}, ids = createCountedIds('made'), callerOf } = options;
  const logged: string[] = [];
  const log = createLog('debug', (line) => {
    logged.push(line);
    if (process.env['TEST_LOG'] !== undefined) process.stderr.write(line);
  });
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: database.url,
    SUTURE_CLOCK: clock,
    SUTURE_ALLOW_TEST_INS: 'true',
    SUTURE_HOOKS_ALLOW_LOOPBACK: 'true',
    SUTURE_POOL_SIZE: '8',
    ...settings,
  });
  const app = await startApp({ config, ids, log, random: () => 0.5, ...(callerOf && { callerOf }) });
  return {
    app,
    client: createClient(app.baseUrl),
    database: database.database,
    logged,
    async restart(changed = {}) {
      await app.stop();
      return start(database, { ...options, ids, settings: { ...settings, ...changed } });
    },
    async another() {
      // Instances are told apart by chance.
      const second = await startApp({ config, ids, log, random: () => 0.25 });
      return { client: createClient(second.baseUrl), app: second, stop: () => second.stop() };
    },
    async close() {
      await app.stop();
      await database.close();
    },
  };
}
