/** The verdicts do not depend on the zone of the process: the dated tests again, in processes of other zones than this. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const files = [
  'test/fhir/fhirpath-dates.test.ts',
  'test/rules/calendar.test.ts',
  'test/rules/scenarios.test.ts',
  'test/breaks/dated-scenarios.test.ts',
];
const here = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const others = ['UTC', 'Europe/Paris', 'Pacific/Auckland'].filter((zone) => zone !== here);

async function runIn(zone: string): Promise<string> {
  const jest = ['node_modules/jest/bin/jest.js', '--config', 'test/support/jest.pure.config.js', '--ci', '--runInBand'];
  const options = { cwd: root, env: { ...process.env, TZ: zone } };
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ['--experimental-vm-modules', ...jest, ...files],
    options,
  );
  return stderr;
}

describe('In a process of another time zone', () => {
  test.concurrent.each(others)(
    'the dated tests pass: %s',
    async (zone) => {
      expect(await runIn(zone)).toContain(`Test Suites: ${files.length} passed`);
    },
    120_000,
  );
});
