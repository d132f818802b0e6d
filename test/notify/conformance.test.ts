/** The checks of test/conformance/subscriptions, by an outsider who knows only the standard, against a server with a real clock. */
import { createReadStream, existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StructureDefinition } from 'fhir/r4.js';
import { extract } from 'tar-stream';
import { checks } from '../conformance/subscriptions/checks.ts';
import { eventRules, statusRules } from '../conformance/subscriptions/profiles.ts';
import { settingsFor } from '../conformance/subscriptions/settings.ts';
import { openWorld, type World } from '../conformance/subscriptions/world.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
let world: World;

beforeAll(async () => {
  test = await startTestApp({ clock: 'real' });
  world = await openWorld(settingsFor(test.app.baseUrl));
});
afterAll(async () => {
  await world?.close();
  await test?.close();
});

describe('to an outsider', () => {
  it.each(checks.map((check) => ({ ...check, numbers: check.requirements.join(', ') })))(
    '$id: $title ($numbers)',
    ({ run }) => run(world),
  );
});

const archive = `${import.meta.dirname}/../../../shared/packages/hl7.fhir.uv.subscriptions-backport.r4-1.1.0.tgz`;

/** From the published package of the guide, when it is at hand. */
async function readProfile(name: string): Promise<StructureDefinition> {
  const entries = createReadStream(archive).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries) {
    if (entry.header.name === `package/StructureDefinition-${name}.json`) return JSON.parse(await text(entry)) as never;
    entry.resume();
  }
  throw new Error(`the package has no ${name}`);
}

const slices = {
  subscription: 'parameter:subscription',
  topic: 'parameter:topic',
  status: 'parameter:status',
  type: 'parameter:type',
  'events-since-subscription-start': 'parameter:eventsSinceSubscriptionStart',
  error: 'parameter:error',
  'event-number': 'parameter:notificationEvent.part:eventNumber',
  timestamp: 'parameter:notificationEvent.part:eventTimestamp',
  focus: 'parameter:notificationEvent.part:eventFocus',
  'additional-context': 'parameter:notificationEvent.part:eventAdditionalContext',
};

(existsSync(archive) ? describe : describe.skip)('the rules of the outsider (left out without ../shared)', () => {
  it('are those of the published profile of the status', async () => {
    const { snapshot } = await readProfile('backport-subscription-status-r4');
    const element = (path: string) => snapshot?.element.find(({ id }) => id === `Parameters.${path}`);
    for (const [name, min, max, type] of [...statusRules, ...eventRules]) {
      const slice = slices[name];
      const value = element(`${slice}.value[x]`)?.type?.map(({ code }) => code.toLowerCase());
      const { min: least, max: most } = element(slice) ?? {};
      expect([name, least, most, value]).toEqual([name, min, max === Infinity ? '*' : '1', [type.toLowerCase()]]);
    }
  });
});
