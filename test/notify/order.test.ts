/** A law: whatever the receiver answers and whenever the server is started anew, no number is missing and none comes before its turn. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { openReceiver, type Receiver, type Reply } from '../support/receiver.ts';
import { day, empty, openScene, type Scene } from './scene.ts';

let test: TestDatabase;
let receiver: Receiver;
beforeAll(async () => {
  test = await openTestDatabase();
  receiver = await openReceiver();
});
afterAll(async () => {
  await receiver.close();
  await test.close();
});

const replies = fc.constantFrom<Reply>(
  { status: 200 },
  { status: 200 },
  { status: 204 },
  { status: 500 },
  { status: 307, headers: { location: 'https://elsewhere.example/' } },
  { status: 429, headers: { 'retry-after': '3' } },
  { status: 404, body: 'x'.repeat(1000) },
  'reset',
);

/** What happens, one after the other. */
const happenings = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('write' as const), patient: fc.integer({ min: 0, max: 2 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60_000 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  ),
  { minLength: 5, maxLength: 40 },
);

const subscriptions = ['s0', 's1', 's2'];

async function subscribe(scene: Scene): Promise<void> {
  for (const [index, id] of subscriptions.entries()) {
    const channel = { type: 'rest-hook', endpoint: `${receiver.url}/${id}`, payload: 'application/fhir+json' };
    const criteria = index === 0 ? 'Encounter' : `Encounter?subject=Patient/p${index}`;
    await scene.put('Subscription', id, { status: 'requested', reason: 'essai', criteria, channel });
  }
}

function sentTo(subscription: string) {
  return receiver.received
    .filter(({ headers }) => headers['x-suture-subscription'] === `Subscription/${subscription}`)
    .map(({ headers, body }) => ({ number: Number(headers['x-suture-event-number']), body }));
}

describe('deliveries', () => {
  it('miss no number and keep their order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(replies, { maxLength: 25 }), happenings, async (answers, story) => {
        receiver.forget();
        receiver.answer((_received, index) => answers[index] ?? { status: 200 });
        const written = await play(story);
        for (const [index, id] of subscriptions.entries()) {
          const count = written.filter((patient) => index === 0 || patient === index).length;
          const sent = sentTo(id);
          const numbers = sent.map(({ number }) => number);
          expect([...new Set(numbers)]).toEqual(Array.from({ length: count }, (_none, place) => place + 1));
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
          expect(new Set(sent.map(({ number, body }) => `${number} ${body}`)).size).toBe(count);
        }
      }),
      { numRuns: 8, endOnFailure: true },
    );
  }, 120_000);
});

/** Plays the story on a fresh database; answers the patient of each write. */
async function play(
  story: readonly ({ kind: 'write'; patient: number } | { kind: 'pass'; ms: number } | { kind: 'restart' })[],
): Promise<readonly number[]> {
  await empty(test.database);
  let holder = 1;
  let scene = await openScene(test.database, undefined, holder);
  await subscribe(scene);
  const written: number[] = [];
  for (const one of story) {
    if (one.kind === 'write') {
      const subject = { reference: `Patient/p${one.patient}` };
      await scene.put('Encounter', `e${written.length}`, { status: 'planned', class: { code: 'IMP' }, subject });
      written.push(one.patient);
    } else if (one.kind === 'pass') {
      await scene.pass(one.ms);
    } else {
      const former = scene;
      scene = await former.another(++holder);
      await former.stop();
    }
  }
  await scene.pass(2 * day);
  await scene.stop();
  return written;
}
