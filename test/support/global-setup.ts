/**
 * Brings up the PostgreSQL that the tests run on, once for all files, with a migrated database to clone:
 * TEST_DATABASE_URL when it is set, else a container where Docker answers, else the embedded one. Never none.
 */
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/index.ts';
import { migrate, migrationsFolder, startEmbedded } from '../../src/db/index.ts';
import { dropDatabases, runOnServer, templateName, urlOfDatabase } from './server.ts';

/** What global-teardown.ts undoes; both run in one process. */
export interface TestServer {
  stop(): Promise<void>;
}

const log = createLog('warn');
const embeddedPrefix = 'suture-test-';
/** Nothing here must survive a crash. */
const forgetful = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '128MB' };

export default async function setUp(): Promise<void> {
  const { url, kind, stop } = (await fromEnvironment()) ?? (await fromContainer()) ?? (await fromEmbedded());
  const template = templateName(process.pid);
  try {
    await runOnServer(url, `create database ${template}`);
    await migrate({ url: urlOfDatabase(url, template), folder: migrationsFolder, log });
  } catch (error) {
    await dropDatabases(url, process.pid); // jest tears nothing down when the setup fails
    await stop();
    throw error;
  }
  process.env['TEST_SERVER_URL'] = url; // inherited by the workers
  process.env['TEST_TEMPLATE_NAME'] = template;
  Object.assign(globalThis, { sutureTestServer: { stop } satisfies TestServer });
  process.stderr.write(`tests run on PostgreSQL from ${kind}\n`);
}

interface StartedServer extends TestServer {
  readonly url: string;
  readonly kind: string;
}

async function fromEnvironment(): Promise<StartedServer | undefined> {
  const url = process.env['TEST_DATABASE_URL'];
  return url === undefined ? undefined : { url, kind: 'TEST_DATABASE_URL', stop: async () => undefined };
}

async function fromContainer(): Promise<StartedServer | undefined> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  const docker = await getContainerRuntimeClient().catch(() => undefined);
  if (docker === undefined) return undefined;
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const container = await new PostgreSqlContainer('postgres:17').start();
  const stop = async () => void (await container.stop());
  return { url: container.getConnectionUri(), kind: 'a container', stop };
}

async function fromEmbedded(): Promise<StartedServer> {
  await removeAbandoned();
  const folder = join(tmpdir(), `${embeddedPrefix}${process.pid}`);
  const embedded = await startEmbedded({ folder: join(folder, 'postgres'), settings: forgetful, log });
  const stop = async () => {
    await embedded.stop({ force: true });
    await rm(folder, { recursive: true });
  };
  return { url: embedded.url, kind: 'the embedded binaries', stop };
}

/** A test run that was killed could not tear down. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const maker = Number(name.slice(embeddedPrefix.length));
    if (!name.startsWith(embeddedPrefix) || !Number.isInteger(maker) || isAlive(maker)) continue;
    await removeServer(join(tmpdir(), name)).catch(() => undefined); // another test run is at it just now
  }
}

async function removeServer(folder: string): Promise<void> {
  const embedded = await startEmbedded({ folder: join(folder, 'postgres'), settings: forgetful, log });
  await embedded.stop({ force: true });
  await rm(folder, { recursive: true });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
