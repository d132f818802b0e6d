/**
 * Versions of rule sets and back-tests (issue 4, "The rule library" and "The engine"): a new version judges what begins;
 * what runs is judged by it on request, a trial first. A back-test says what a rule set would have said, and writes nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Parameters, ParametersParameter, Task } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { episode, person, professionals, ruleSystem, stay, suture } from '../support/builders.ts';
import type { Client, Reply } from '../support/client.ts';
import { breaks, judgment, theBreak } from './view.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
});
afterAll(() => test?.close());

const expression = (text: string) => ({ language: 'text/fhirpath', expression: text });

/** A finished stay needs a diagnosis within so many days of its end. */
function ruleSet(version: string, days: number, more: object = {}): Resource {
  return {
    resourceType: 'PlanDefinition',
    id: 'coding',
    url: 'https://hopital.example/fhir/PlanDefinition/coding',
    version,
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }] },
    action: [
      {
        id: 'LOC-1',
        prefix: 'LOC-1',
        title: 'Diagnostic du séjour absent',
        priority: 'routine',
        code: [{ coding: [{ system: ruleSystem, code: 'LOC-1' }] }],
        trigger: [{ type: 'data-changed', data: [{ type: 'Encounter' }] }],
        condition: [
          { kind: 'start', expression: expression("status = 'finished' and period.end.exists()") },
          { kind: 'stop', expression: expression('diagnosis.exists()') },
        ],
        extension: [
          {
            url: `${suture}/StructureDefinition/rule-deadline`,
            extension: [
              { url: 'anchor', valueExpression: expression('period.end') },
              { url: 'delay', valueDuration: { value: days, code: 'd', system: 'http://unitsofmeasure.org' } },
              { url: 'calendar', valueCode: 'calendar-days' },
            ],
          },
        ],
      },
    ],
    ...more,
  };
}

const valueOf = ({ parameter = [] }: Parameters, name: string): unknown => partValue(parameter, name);

function partValue(parts: readonly ParametersParameter[], name: string): unknown {
  const found = parts.find((one) => one.name === name);
  return Object.entries(found ?? {}).find(([key]) => key.startsWith('value'))?.[1];
}

const partsOf = ({ parameter = [] }: Parameters, name: string): readonly ParametersParameter[][] =>
  parameter.filter((one) => one.name === name).map(({ part = [] }) => part);

const applied = async (body: object = { resourceType: 'Parameters', parameter: [] }): Promise<Parameters> => {
  const reply = await client.post('PlanDefinition/coding/$apply-version', body);
  expect(reply.status).toBe(200);
  return reply.json as Parameters;
};

async function discharged(id: string, number: number, end: string, more: object = {}): Promise<void> {
  await client.putAll(...episode(person(id, number)), stay(id, end, more));
  await client.settle();
}

describe('A new version of a rule set', () => {
  it('leaves what runs to the version that began it', async () => {
    await client.put(ruleSet('1.0.0', 3));
    await discharged('v1', 1, '2026-03-01T10:00:00+01:00');
    expect(await judgment(client, 'v1', 'LOC-1')).toMatchObject({
      state: 'waiting',
      dueAt: '2026-03-05T00:00:00+01:00',
    });
    await client.put(ruleSet('2.0.0', 0));
    await client.settle();
    // Also when the record is looked at again.
    await client.putAll({ ...stay('v1', '2026-03-01T10:00:00+01:00'), priority: { text: 'urgent' } });
    await client.settle();
    expect(await judgment(client, 'v1', 'LOC-1')).toMatchObject({
      state: 'waiting',
      dueAt: '2026-03-05T00:00:00+01:00',
    });
  });

  it('judges what begins from now on', async () => {
    await discharged('v2', 2, '2026-03-01T11:00:00+01:00');
    const { state, issue } = await theBreak(client, 'v2', 'LOC-1');
    expect([state, issue.reference]).toEqual(['open', 'https://hopital.example/fhir/PlanDefinition/coding|2.0.0']);
  });

  it('keeps both over a restart', async () => {
    test = await test.restart();
    client = test.client;
    await client.putAll(stay('v1', '2026-03-01T10:00:00+01:00'));
    await client.settle();
    expect((await judgment(client, 'v1', 'LOC-1')).state).toBe('waiting');
  });

  it('is tried first: how many breaks it would open, and nothing is written', async () => {
    const before = (await client.get('_history?_count=1')).json.total as number;
    const trial = await applied();
    expect([valueOf(trial, 'dryRun'), valueOf(trial, 'opened'), valueOf(trial, 'closed')]).toEqual([true, 1, 0]);
    const [rule = []] = partsOf(trial, 'rule');
    expect([partValue(rule, 'code'), partValue(rule, 'opened')]).toEqual(['LOC-1', 1]);
    expect((await client.get('_history?_count=1')).json.total).toBe(before);
    expect(await breaks(client, 'v1', 'LOC-1')).toEqual([]);
  });

  it('is applied on request: it does what the trial said, without a call', async () => {
    const dryRun = { name: 'dryRun', valueBoolean: false };
    const reply = await applied({ resourceType: 'Parameters', parameter: [dryRun] });
    expect(valueOf(reply, 'replaced')).toBe(1);
    await client.settle();
    const { state, due, alerts } = await theBreak(client, 'v1', 'LOC-1');
    expect([state, due, alerts]).toEqual(['open', '2026-03-02T00:00:00+01:00', []]);
    const again = await applied();
    expect([valueOf(again, 'opened'), valueOf(again, 'closed')]).toEqual([0, 0]);
  });

  it('tells what it would close, and what it would put off', async () => {
    await client.put(ruleSet('3.0.0', 10));
    await client.settle();
    expect((await theBreak(client, 'v1', 'LOC-1')).state).toBe('open');
    const trial = await applied();
    expect([valueOf(trial, 'opened'), valueOf(trial, 'closed')]).toEqual([0, 2]);
    await applied({ resourceType: 'Parameters', parameter: [{ name: 'dryRun', valueBoolean: false }] });
    await client.settle();
    expect((await theBreak(client, 'v1', 'LOC-1')).state).toBe('moot');
  });

  it('that is put again with its own version is a correction: it counts at once', async () => {
    await client.put(ruleSet('3.0.0', 1));
    await client.settle();
    expect((await judgment(client, 'v1', 'LOC-1')).dueAt).toBe('2026-03-03T00:00:00+01:00');
  });

  it('ends with its former versions when the rule set is retired', async () => {
    await client.put(ruleSet('4.0.0', 20));
    await client.put(ruleSet('4.0.0', 20, { status: 'retired' }));
    await client.settle();
    expect((await test.database.query({ text: 'select * from held_rule_set' })).length).toBe(0);
    const reply = await client.post('PlanDefinition/coding/$apply-version', { resourceType: 'Parameters' });
    expect(reply.status).toBe(422);
  });
});

describe('A back-test', () => {
  const period = [
    { name: 'periodStart', valueDateTime: '2026-03-02T08:00:00+01:00' },
    { name: 'periodEnd', valueDateTime: '2026-04-01T00:00:00+02:00' },
  ];
  const body = (version: string, days: number, more: readonly object[] = []) => ({
    resourceType: 'Parameters',
    parameter: [{ name: 'ruleSet', resource: ruleSet(version, days, { status: 'draft' }) }, ...period, ...more],
  });
  const ask = (sent: object, headers = {}): Promise<Reply> => client.post('PlanDefinition/$backtest', sent, headers);

  /** Three stays without diagnosis: one break taken on, one rejected, one coded in time. */
  beforeAll(async () => {
    await client.moveClock('2026-03-09T09:00:00+01:00');
    await client.put(ruleSet('5.0.0', 2));
    await client.settle();
    await discharged('b1', 11, '2026-03-09T08:00:00+01:00');
    await discharged('b2', 12, '2026-03-09T08:10:00+01:00');
    await discharged('b3', 13, '2026-03-09T08:20:00+01:00');
    await client.moveClock('2026-03-10T09:00:00+01:00');
    const coded = { diagnosis: [{ condition: { display: 'fracture' } }] };
    await client.putAll(stay('b3', '2026-03-09T08:20:00+01:00', coded));
    await client.moveClock('2026-03-12T09:00:00+01:00');
    const task = async (id: string): Promise<Task> => (await theBreak(client, id, 'LOC-1')).tasks[0] as Task;
    const move = async (id: string, more: object) =>
      client.putAll({ ...(await task(id)), ...more } as unknown as Resource);
    await move('b1', { status: 'accepted' });
    await move('b2', { status: 'rejected', statusReason: { text: 'pas de codage ici' } });
    await client.settle();
    await client.moveClock('2026-04-01T09:00:00+02:00');
  });

  it('tells cases, alerts for each day, and the precision against what persons said', async () => {
    const before = (await client.get('_history?_count=1')).json.total as number;
    const reply = await ask(body('9.0.0', 2));
    expect(reply.status).toBe(200);
    const answer = reply.json as Parameters;
    const cases = partsOf(answer, 'case').map((parts) => ({
      patient: (partValue(parts, 'patient') as { reference: string }).reference,
      opened: partValue(parts, 'openedAt'),
      state: partValue(parts, 'state'),
      verdict: partValue(parts, 'verdict'),
    }));
    expect(cases.filter(({ patient }) => /b\d$/.test(patient))).toEqual([
      { patient: 'Patient/b1', opened: '2026-03-12T00:00:00+01:00', state: 'open', verdict: 'confirmed' },
      { patient: 'Patient/b2', opened: '2026-03-12T00:00:00+01:00', state: 'open', verdict: 'rejected' },
    ]);
    expect(valueOf(answer, 'precision')).toBe(0.5);
    expect(valueOf(answer, 'alerts')).toBeGreaterThanOrEqual(2);
    const [busiest = []] = partsOf(answer, 'busiestDay');
    expect(partValue(busiest, 'day')).toMatch(/^2026-03-/);
    expect((await client.get('_history?_count=1')).json.total).toBe(before);
  });

  it('finds what another threshold would have missed', async () => {
    const answer = (await ask(body('9.0.0', 40))).json as Parameters;
    expect(valueOf(answer, 'missed')).toBe(1);
    expect(partsOf(answer, 'case').filter((parts) => /b\d/.test(JSON.stringify(parts)))).toEqual([]);
  });

  it('looks at the patients that are named, and at a stored rule set by its reference', async () => {
    const parameter = [
      { name: 'reference', valueReference: { reference: 'PlanDefinition/follow-up-at-home' } },
      { name: 'patient', valueString: 'b1' },
      ...period,
    ];
    const answer = (await ask({ resourceType: 'Parameters', parameter })).json as Parameters;
    expect(valueOf(answer, 'patients')).toBe(1);
    const rules = partsOf(answer, 'case').map((parts) => partValue(parts, 'rule'));
    expect(rules).toContain('RUP-20');
    const own = await client.post('PlanDefinition/follow-up-at-home/$backtest', {
      resourceType: 'Parameters',
      parameter: parameter.slice(1),
    });
    expect(own.json).toEqual(answer);
  });

  it('runs as a job where the client does not wait: progress, answer, and an end when it is cancelled', async () => {
    const started = await ask(body('9.0.0', 2), { prefer: 'respond-async' });
    expect(started.status).toBe(202);
    const place = (started.headers.get('content-location') ?? '').replace(`${client.baseUrl}/`, '');
    await client.settle();
    const state = await client.get(place);
    expect([state.status, state.json.output[0].type, state.json.extension.patients]).toEqual([200, 'Parameters', 5]);
    const file = await client.get((state.json.output[0].url as string).replace(`${client.baseUrl}/`, ''));
    expect(JSON.parse(file.text).parameter[0].name).toBe('ruleSet');
    expect((await client.remove(place)).status).toBe(202);
    expect((await client.get(place)).status).toBe(404);
  });

  it('survives a restart', async () => {
    const started = await ask(body('9.0.0', 2), { prefer: 'respond-async' });
    const place = (started.headers.get('content-location') ?? '').replace(/^.*\/fhir\//, '');
    test = await test.restart();
    client = test.client;
    await client.settle();
    expect((await client.get(place)).status).toBe(200);
  });

  it.each<[string, () => object, number]>([
    ['no rule set', () => ({ resourceType: 'Parameters', parameter: period }), 400],
    ['a rule set with faults', () => body('9.0.0', -1), 422],
    [
      'a period that ends before it begins',
      () => ({
        resourceType: 'Parameters',
        parameter: [
          { name: 'ruleSet', resource: ruleSet('9.0.0', 1) },
          { name: 'periodStart', valueDateTime: '2026-03-02' },
          { name: 'periodEnd', valueDateTime: '2026-03-01' },
        ],
      }),
      400,
    ],
    ['a parameter that it does not have', () => body('9.0.0', 1, [{ name: 'speed', valueInteger: 3 }]), 400],
  ])('is refused with %s', async (_what, sent, status) => {
    expect((await ask(sent())).status).toBe(status);
  });
});
