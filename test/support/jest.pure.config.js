// The ring of tests that need no PostgreSQL (`npm run test:pure`): every test file that does not ask for a database.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import base from '../../jest.config.js';

const { globalSetup: _setUp, globalTeardown: _tearDown, ...withoutServer } = base;
const rootDir = join(import.meta.dirname, '../..');
const testFiles = readdirSync(join(rootDir, 'test'), { recursive: true }).filter((name) => name.endsWith('.test.ts'));
const asksForDatabase = (name) => /support\/(db|app)\.ts'/.test(readFileSync(join(rootDir, 'test', name), 'utf8'));

export default {
  ...withoutServer,
  rootDir,
  testPathIgnorePatterns: [
    ...base.testPathIgnorePatterns,
    ...testFiles.filter(asksForDatabase).map((name) => `/test/${name}$`),
  ],
};
