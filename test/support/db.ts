/** A database of its own for a test file: a clone of the migrated template, gone when it is closed. */
import { randomBytes } from 'node:crypto';
import { createLog } from '../../src/base/index.ts';
import { type Database, openDatabase } from '../../src/db/index.ts';
import { runOnServer, urlOfDatabase } from './server.ts';

export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  /** Closes the connections and drops the database. */
  close(): Promise<void>;
}

/** `template: 'none'` gives an empty database, for tests of the migrations themselves. */
export async function openTestDatabase(template: 'migrated' | 'none' = 'migrated'): Promise<TestDatabase> {
  const server = process.env['TEST_SERVER_URL'];
  const migrated = process.env['TEST_TEMPLATE_NAME'];
  if (server === undefined || migrated === undefined) throw new Error('global-setup.ts has not run');
  const name = migrated.replace('template', randomBytes(6).toString('hex'));
  const source = template === 'none' ? 'template0' : migrated;
  await runOnServer(server, `create database ${name} template ${source}`);
  const url = urlOfDatabase(server, name);
  const database = openDatabase({ url, poolSize: 4, log: createLog('silent'), random: () => 0.5 });
  return {
    url,
    database,
    async close() {
      await database.close();
      await runOnServer(server, `drop database ${name} with (force)`);
    },
  };
}
