/** The dated scenarios that need a server, again in processes of other time zones than this (as test/rules/time-zones.test.ts). */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { openTestDatabase } from '../support/db.ts';

const root = join(import.meta.dirname, '../..');
const here = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const others = ['UTC', 'Europe/Paris', 'Pacific/Auckland'].filter((zone) => zone !== here);

/** On the PostgreSQL server of this run, in databases of its own. */
async function runIn(zone: string, url: string): Promise<string> {
  const env = { ...process.env, TZ: zone, TEST_DATABASE_URL: url };
  const jest = ['node_modules/jest/bin/jest.js', '--ci', '--runInBand', 'test/flows/dated-scenarios.test.ts'];
  const { stderr } = await promisify(execFile)(process.execPath, ['--experimental-vm-modules', ...jest], {
    cwd: root,
    env,
  });
  return stderr;
}

describe('On a server of another time zone', () => {
  test.each(others)(
    'the dated scenarios end the same: %s',
    async (zone) => {
      const database = await openTestDatabase();
      try {
        expect(await runIn(zone, process.env['TEST_SERVER_URL'] ?? database.url)).toContain('Test Suites: 1 passed');
      } finally {
        await database.close();
      }
    },
    300_000,
  );
});
