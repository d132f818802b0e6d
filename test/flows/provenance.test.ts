/** Who moved a break, when, from where, to where and why (break-rules.md 4.4): a Provenance for each move, and $explain. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Parameters, ParametersParameter, Provenance } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { careTeam, episode, nurse, patient, person, professionals, stay } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { breaks, extension, theBreak } from './view.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals(), ...episode(person('q1', 1)), stay('q1', '2026-03-02T16:20:00+01:00'));
  await client.moveClock('2026-03-03T09:00:00+01:00');
});
afterAll(() => test?.close());

const part = (parts: readonly ParametersParameter[], name: string): unknown =>
  Object.entries(parts.find((one) => one.name === name) ?? {}).find(([key]) => key.startsWith('value'))?.[1];

describe('Each move of a break', () => {
  beforeAll(async () => {
    const move = async (status: string, more: object = {}): Promise<void> => {
      const { tasks } = await theBreak(client, 'q1', 'RUP-20');
      const [task] = tasks as unknown as Resource[];
      await client.putAll({ ...(task as Resource), status, owner: { reference: nurse }, ...more });
      await client.settle();
    };
    await move('accepted');
    await move('rejected', { statusReason: { text: 'patient transféré' } });
  });

  it('leaves a Provenance with who, when, from, to and why', async () => {
    const { issue } = await theBreak(client, 'q1', 'RUP-20');
    const found = await client.search<Provenance>(`Provenance?target=DetectedIssue/${issue.id}&_count=50`);
    const moves = found
      .map((one) => ({
        at: one.occurredDateTime,
        from: one.extension?.[0]?.valueCode,
        to: one.activity?.coding?.[0]?.code,
        why: one.reason?.[0]?.coding?.[0]?.code,
        who: one.agent[0]?.who.reference ?? one.agent[0]?.who.display,
      }))
      .sort((left, right) => ((left.at ?? '') + String(left.from) < (right.at ?? '') + String(right.from) ? -1 : 1));
    expect(moves).toEqual([
      { at: '2026-03-02T22:00:00+01:00', from: undefined, to: 'pre-alert', why: undefined, who: 'Suture' },
      { at: '2026-03-03T00:00:00+01:00', from: 'pre-alert', to: 'open', why: undefined, who: 'Suture' },
      { at: '2026-03-03T09:00:00+01:00', from: 'acknowledged', to: 'rejected', why: 'false-positive', who: nurse },
      { at: '2026-03-03T09:00:00+01:00', from: 'open', to: 'acknowledged', why: undefined, who: nurse },
    ]);
  });

  it('is a line of $explain', async () => {
    const { issue } = await theBreak(client, 'q1', 'RUP-20');
    const { parameter = [] } = await client.read<Parameters>(`DetectedIssue/${issue.id}/$explain`);
    const lines = parameter.filter(({ name }) => name === 'timeline').map((one) => one.part ?? []);
    expect(lines.map((parts) => [part(parts, 'from'), part(parts, 'state'), part(parts, 'reason')])).toEqual([
      [undefined, 'pre-alert', undefined],
      ['pre-alert', 'open', undefined],
      ['open', 'acknowledged', undefined],
      ['acknowledged', 'rejected', 'false-positive'],
    ]);
    expect(part(lines[3] ?? [], 'who')).toEqual({ reference: nurse });
  });

  it('stands in the record of the patient, and is valid against R4', async () => {
    const found = await client.search<Provenance>('Provenance?_count=50');
    const [one] = found as unknown as Resource[];
    const { issue } = await client.post('Provenance/$validate', one as Resource).then(({ json }) => json);
    expect((issue as { severity: string }[]).filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

describe('A rule without delay', () => {
  const left = (id: string, end: string): Resource =>
    stay(id, end, {
      period: { start: end.replace('T08', 'T06'), end },
      hospitalization: {
        dischargeDisposition: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/discharge-disposition', code: 'aadvice' }],
        },
      },
    });

  it.each([
    ['calls about what has just happened', 'q2', '2026-03-03T08:00:00+01:00', 1],
    ['records a stay that is imported months later, and calls nobody', 'q3', '2025-11-12T08:00:00+01:00', 0],
  ])('%s', async (_what, id, end, calls) => {
    await client.putAll(patient(person(id, 5 + calls)), careTeam(id), left(id, end));
    await client.settle();
    const [found] = await breaks(client, id, 'RUP-26');
    expect([found?.state, found?.tasks.length, found?.alerts.length]).toEqual(['open', calls, calls]);
    expect(extension(found?.issue as never, 'break-due')).toBeUndefined();
  });
});

describe('The digest', () => {
  it('tells after a downtime, at its hour, of what fell due meanwhile', async () => {
    await client.putAll(...episode(person('q9', 9)), stay('q9', '2026-03-03T10:00:00+01:00'));
    await client.settle();
    // Down from now on, for five days.
    test = await test.restart({ SUTURE_CLOCK: '2026-03-08T11:00:00+01:00' });
    client = test.client;
    await client.settle();
    const { state, alerts } = await theBreak(client, 'q9', 'RUP-20');
    expect([state, alerts]).toEqual(['open', []]);
    await client.moveClock('2026-03-09T08:00:00+01:00');
    const digests = await client.search<Resource>('Communication?category=notification&_count=50');
    const { issue } = await theBreak(client, 'q9', 'RUP-20');
    const about = digests.flatMap((one) => (one['about'] ?? []) as { reference?: string }[]);
    expect(about.filter(({ reference }) => reference === `DetectedIssue/${issue.id}`)).toHaveLength(1);
  });

  it('is sent once when the server is down at its hour', async () => {
    await client.putAll(
      ...episode(person('q10', 10)),
      stay('q10', '2025-10-03T10:00:00+02:00', { period: { start: '2025-10-01', end: '2025-10-03T10:00:00+02:00' } }),
    );
    await client.settle();
    const { issue } = await theBreak(client, 'q10', 'RUP-20');
    for (const clock of ['2026-03-12T05:00:00+01:00', '2026-03-12T06:00:00+01:00']) {
      test = await test.restart({ SUTURE_CLOCK: clock });
      client = test.client;
      await client.settle();
    }
    const digests = await client.search<Resource>('Communication?category=notification&_count=50');
    const about = digests.flatMap((one) => (one['about'] ?? []) as { reference?: string }[]);
    expect(about.filter(({ reference }) => reference === `DetectedIssue/${issue.id}`)).toHaveLength(1);
  });
});
