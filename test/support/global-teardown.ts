import type { TestServer } from './global-setup.ts';
import { dropDatabases } from './server.ts';

export default async function tearDown(): Promise<void> {
  const server = (globalThis as { sutureTestServer?: TestServer }).sutureTestServer;
  if (server === undefined) return;
  await dropDatabases(process.env['TEST_SERVER_URL'] as string, process.pid);
  await server.stop();
}
