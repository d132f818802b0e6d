/** Writes that wait for others longer than PostgreSQL lets them wait for one lock: the caller does not hear of it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test?.close());

const patient = { resourceType: 'Patient', id: 'held', identifier: [{ system: 'urn:x', value: 'held' }] };

/** Holds the row of the patient until `release`. */
async function hold(): Promise<() => Promise<void>> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isHeld = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    isHeld = resolve;
  });
  const done = test.database.transaction(async (tx) => {
    await tx.query({ text: `select 1 from resource where type = 'Patient' and id = 'held' for update` });
    isHeld();
    await released;
  });
  await held;
  return async () => {
    release();
    await done;
  };
}

/** Resolves once PostgreSQL has given up a wait for a lock at least once: what waits now began later. */
async function waitedOnce(startedMs: number): Promise<void> {
  for (;;) {
    const [row] = await test.database.query<{ waits: string }>({
      text: `select count(*) as waits from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
             and state_change > to_timestamp($1::float8 / 1000) + interval '2 seconds'`,
      values: [startedMs],
    });
    if (Number(row?.waits) > 0) return;
  }
}

describe('A write that waits longer than one lock may take', () => {
  it.each([
    ['by criteria', () => test.client.send('PUT', 'Patient?identifier=urn:x|held', { body: patient }), 200],
    ['by id', () => test.client.put(patient as never), 200],
    [
      'in a transaction',
      () =>
        test.client.post('', {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [{ resource: patient, request: { method: 'PUT', url: 'Patient/held' } }],
        }),
      200,
    ],
  ])('%s is done all the same', async (_how, write, status) => {
    await test.client.putAll(patient);
    const [row] = await test.database.query<{ now: string }>({
      text: 'select extract(epoch from clock_timestamp()) * 1000 as now',
    });
    const release = await hold();
    const reply = write();
    await waitedOnce(Number(row?.now));
    await release();
    expect((await reply).status).toBe(status);
  });
});
