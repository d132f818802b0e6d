/**
 * Outside truth: the subscription checks against any server. `SUTURE_URL` names its FHIR base; left out when it is not set.
 * The server must be allowed to call this machine (SUTURE_HOOKS_ALLOW_LOOPBACK), and have a real clock. The same checks run
 * against a server of our own in test/notify/conformance.test.ts.
 */
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { checks } from './subscriptions/checks.ts';
import { settingsFor } from './subscriptions/settings.ts';
import { openWorld, type World } from './subscriptions/world.ts';

const baseUrl = process.env['SUTURE_URL'];
let world: World;

(baseUrl === undefined ? describe.skip : describe)('a server of the Subscriptions R5 Backport guide', () => {
  beforeAll(async () => {
    world = await openWorld(settingsFor(baseUrl ?? ''));
  });
  afterAll(() => world.close());

  it.each(checks)('$id: $title', ({ run }) => run(world), 60_000);
});
