/**
 * The main job with the process killed on the way, at many places, and started again: the story ends as it does when
 * nobody kills anything (design.md section 4, "where a crash may fall"; section 6, invariants 1, 2 and 4).
 *
 * The client does what a client does whose answer was lost: it sends the same again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DetectedIssue, DocumentReference } from 'fhir/r4.js';
import { morning, startTestApp } from '../support/app.ts';
import {
  dischargeLetter,
  episode,
  person,
  professionals,
  restHook,
  ruleSystem,
  stay,
  transmission,
} from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { createServerProcess, requireBuild, type ServerProcess } from './process.ts';
import { breaks, counts, extension, judgments } from './view.ts';

const p1 = person('p1', 1);
const discharge = '2026-03-02T16:20:00+01:00';
const letterBytes = dischargeLetter(p1, discharge, '2026-03-03T09:30:00+01:00');

const steps = {
  people: (client: Client) => client.putAll(...professionals(), ...episode(p1)),
  subscribe: (client: Client, endpoint: string) =>
    client.putAll(restHook('hook', `DetectedIssue?code=${ruleSystem}|RUP-20`, endpoint, 'application/fhir+json')),
  discharge: (client: Client) => client.putAll(stay('p1', discharge)),
  midnight: (client: Client) => client.moveClock('2026-03-03T00:00:01+01:00'),
  tenOClock: (client: Client) => client.moveClock('2026-03-03T10:00:00+01:00'),
  async letter(client: Client): Promise<void> {
    const reply = await client.ingest(letterBytes);
    if (reply.status >= 300) throw new Error(`the letter was answered ${reply.status}: ${reply.text}`);
  },
  async transmit(client: Client): Promise<void> {
    const [letter] = await client.search<DocumentReference>('DocumentReference?patient=Patient/p1');
    await client.putAll(transmission('p1', `DocumentReference/${letter?.id}`, '2026-03-03T09:55:00+01:00'));
  },
  settle: (client: Client) => client.settle(),
};

/** What the story has come to, without ids and without what a repeated write may change. */
async function ending(client: Client): Promise<object> {
  const told = ['RUP-20', 'RUP-21', 'RUP-23'];
  const found = await Promise.all(told.map((rule) => breaks(client, 'p1', rule)));
  const lives = await Promise.all(
    found.flat().map(async ({ issue, state, reason, due, tasks, alerts }) => {
      const { json } = await client.get(`DetectedIssue/${issue.id}/_history`);
      const versions = json.entry as { resource: DetectedIssue }[];
      return {
        key: issue.identifier?.[0]?.value,
        identified: issue.identifiedDateTime,
        state,
        reason,
        due,
        tasks: tasks.map(({ status, owner }) => [status, owner?.reference]),
        alerts: alerts.map(({ sent }) => sent),
        life: versions.map(({ resource }) => extension(resource, 'break-state')?.valueCode),
      };
    }),
  );
  const judged = (await judgments(client, 'p1')).filter(({ rule }) => told.includes(rule));
  return {
    lives,
    judged: judged.map(({ issue: _issue, ...one }) => one),
    counts: await counts(client, [
      'Patient',
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Encounter',
      'Binary',
    ]),
    letters: (await client.search('DocumentReference?patient=Patient/p1')).length,
  };
}

/** Event numbers that the subscriber was told, in order. */
function numbers({ received }: Receiver): readonly number[] {
  return received.map(({ headers }) => Number(headers['x-suture-event-number']));
}

async function tellUndisturbed(): Promise<object> {
  const test = await startTestApp();
  const receiver = await openReceiver();
  const { client } = test;
  await steps.people(client);
  await steps.subscribe(client, receiver.url);
  for (const name of ['discharge', 'midnight', 'tenOClock', 'letter', 'settle', 'transmit', 'settle'] as const) {
    await steps[name](client);
  }
  const end = await ending(client);
  await test.close();
  await receiver.close();
  return end;
}

describe('A server that is killed with -9', () => {
  let server: ServerProcess;
  let receiver: Receiver;
  let expected: object;

  beforeAll(async () => {
    requireBuild();
    expected = await tellUndisturbed();
    receiver = await openReceiver();
    server = await createServerProcess({
      SUTURE_CLOCK: morning,
      SUTURE_HOOKS_ALLOW_LOOPBACK: 'true',
      SUTURE_LOG_LEVEL: 'warn',
    });
    await server.start();
  }, 300_000);
  afterAll(async () => {
    await server?.close();
    await receiver?.close();
  });

  /** Sends a step, kills while it is under way, starts again and sends it again. */
  async function killDuring(
    step: (client: Client) => Promise<unknown>,
    moment: Promise<unknown>,
    what?: 'server' | 'server and database',
  ): Promise<void> {
    const lost = step(server.client).catch(() => undefined);
    await moment;
    await server.kill(what);
    await lost;
    await server.start();
    await step(server.client);
  }

  it('ends the story as one that was left alone', async () => {
    await steps.people(server.client);
    await steps.subscribe(server.client, receiver.url);
    await steps.discharge(server.client);
    await server.kill(); // answered, not judged yet
    await server.start();
    await killDuring(steps.midnight, delay(60)); // somewhere between change, judgment, pre-alert
    await killDuring(steps.tenOClock, delay(15));
    await killDuring(steps.letter, delay(40)); // while the letter is stored
    await server.kill('server and database'); // the letter is answered: it is there whatever happens
    await server.start();
    await steps.settle(server.client);
    await killDuring(steps.transmit, delay(10));
    await steps.settle(server.client);
    expect(await ending(server.client)).toEqual(expected);
  }, 120_000);

  it('has told its subscriber everything, in order, and nothing twice under two numbers', () => {
    const told = numbers(receiver);
    expect([...new Set(told)]).toEqual([1, 2, 3]);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    const states = [1, 2, 3].map((number) => {
      const bodies = receiver.received.filter((_one, index) => told[index] === number).map(({ body }) => body);
      expect(new Set(bodies).size).toBe(1);
      return extension(JSON.parse(bodies[0] ?? '{}') as DetectedIssue, 'break-state')?.valueCode;
    });
    expect(states).toEqual(['pre-alert', 'open', 'auto-closed']);
  });

  it('sends again, under the same number, what was sent when it was killed before it could note it', async () => {
    receiver.forget();
    let wasCalled = (): void => undefined;
    const called = new Promise<void>((resolve) => {
      wasCalled = resolve;
    });
    receiver.answer((_received, index) => {
      if (index > 0) return { status: 200 };
      wasCalled();
      return 'hang';
    });
    const [issue] = await server.client.search<DetectedIssue>(`DetectedIssue?code=${ruleSystem}|RUP-20`);
    await server.client.put({ ...(issue as object), detail: 'précisé à la main' } as never);
    await called;
    await server.kill();
    await server.start();
    await steps.settle(server.client);
    expect(numbers(receiver)).toEqual([4, 4]);
  }, 240_000);

  it('keeps the position of a manual clock, and refuses to go back behind it', async () => {
    await server.kill();
    await server.start();
    const back = await server.client.post('/admin/clock', { now: '2026-03-03T09:59:59+01:00' });
    expect(back.status).toBe(400);
    expect(await server.client.moveClock('2026-03-03T10:00:00+01:00')).toBe(0);
  }, 240_000);
});
