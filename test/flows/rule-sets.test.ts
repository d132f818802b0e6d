/** Rule sets as data (design.md sections 2 and 5): put one to activate it, retire it to stop it, and what happens when one is wrong. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { careTeam, episode, patient, person, professionals, ruleSystem, stay, suture } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { breaks, judgment, judgments, theBreak } from './view.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
});
afterAll(() => test?.close());

interface RuleText {
  readonly code: string;
  readonly start: string;
  readonly stop: string;
  readonly focus?: string;
  readonly deadline?: readonly object[];
  readonly more?: object;
}

function action({ code, start, stop, focus = 'Encounter', deadline, more = {} }: RuleText): object {
  const condition = (kind: string, expression: string) => ({
    kind,
    expression: { language: 'text/fhirpath', expression },
  });
  const url = `${suture}/StructureDefinition/rule-deadline`;
  return {
    id: code,
    prefix: code,
    ...(deadline === undefined ? {} : { extension: [{ url, extension: deadline }] }),
    title: `Règle d'essai ${code}`,
    priority: 'routine',
    code: [{ coding: [{ system: ruleSystem, code }] }],
    trigger: [{ type: 'data-changed', data: [{ type: focus }] }],
    condition: [condition('start', start), condition('stop', stop)],
    ...more,
  };
}

function ruleSet(id: string, actions: readonly object[], more: object = {}): Resource {
  return {
    resourceType: 'PlanDefinition',
    id,
    url: `https://hopital.example/fhir/PlanDefinition/${id}`,
    version: '1.0.0',
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }] },
    action: actions,
    ...more,
  };
}

const shipped = (name: string): Resource =>
  JSON.parse(readFileSync(new URL(`../../profiles/rules/${name}.json`, import.meta.url), 'utf8')) as Resource;

/** Broken at once on every planned stay. */
const planned = { code: 'LOC-1', start: "status = 'planned'", stop: 'false' };

async function plannedStay(id: string, number: number): Promise<void> {
  const who = person(id, number);
  await client.putAll(patient(who), careTeam(id), { ...stay(id), status: 'planned' });
  await client.settle();
}

describe('A rule set', () => {
  it('is shipped with the server and active from the first start', async () => {
    const plans = await client.search('PlanDefinition?status=active&_count=50');
    const codes = plans.flatMap((plan) => (plan['action'] as { prefix: string }[]).map(({ prefix }) => prefix));
    const numbers = Array.from({ length: 38 }, (_unused, index) => `RUP-${String(index + 1).padStart(2, '0')}`);
    expect([...new Set(codes)].sort()).toEqual(numbers);
  });

  it('counts from the moment it is put, for patients who are there already too', async () => {
    await plannedStay('g1', 1);
    expect(await breaks(client, 'g1', 'LOC-1')).toEqual([]);
    expect((await client.put(ruleSet('local', [action(planned)]))).status).toBe(201);
    await client.settle();
    const { state, issue } = await theBreak(client, 'g1', 'LOC-1');
    expect(state).toBe('open');
    expect(issue).toMatchObject({
      severity: 'low',
      reference: 'https://hopital.example/fhir/PlanDefinition/local|1.0.0',
    });
    await plannedStay('g2', 2);
    expect((await theBreak(client, 'g2', 'LOC-1')).state).toBe('open');
  });

  it('counts in its next version for what runs as soon as that is applied', async () => {
    const changed = action({ ...planned, stop: "identifier.exists(value = 'SEJ-g1')" });
    await client.put(ruleSet('local', [changed], { version: '1.1.0' }));
    await client.settle();
    expect((await theBreak(client, 'g1', 'LOC-1')).state).toBe('open');
    const parameter = [{ name: 'dryRun', valueBoolean: false }];
    await client.post('PlanDefinition/local/$apply-version', { resourceType: 'Parameters', parameter });
    await client.settle();
    expect((await theBreak(client, 'g1', 'LOC-1')).state).toBe('auto-closed');
    expect((await theBreak(client, 'g2', 'LOC-1')).state).toBe('open');
  });

  it('stops when it is retired: its open breaks close with the reason rule-changed', async () => {
    await client.put(ruleSet('local', [action(planned)], { status: 'retired' }));
    await client.settle();
    const { state, reason, tasks } = await theBreak(client, 'g2', 'LOC-1');
    expect([state, reason, tasks.map(({ status }) => status)]).toEqual(['moot', 'rule-changed', ['cancelled']]);
    expect(
      (await judgments(client, 'g2')).filter(({ rule, state: now }) => rule === 'LOC-1' && now !== 'cancelled'),
    ).toEqual([]);
    await plannedStay('g3', 3);
    expect(await breaks(client, 'g3', 'LOC-1')).toEqual([]);
  });

  it('that is a draft on trial judges and opens nothing', async () => {
    const trial = action({ ...planned, code: 'LOC-3' });
    await client.put(ruleSet('trial', [trial], { status: 'draft', experimental: true }));
    await client.settle();
    expect((await judgments(client, 'g3')).find(({ rule }) => rule === 'LOC-3')).toMatchObject({ state: 'broken' });
    expect(await breaks(client, 'g3', 'LOC-3')).toEqual([]);
    await client.remove('PlanDefinition/trial');
  });

  it('that was deleted is gone like a retired one', async () => {
    await client.put(ruleSet('brief', [action({ ...planned, code: 'LOC-4' })]));
    await client.settle();
    expect((await theBreak(client, 'g3', 'LOC-4')).state).toBe('open');
    await client.remove('PlanDefinition/brief');
    await client.settle();
    expect((await theBreak(client, 'g3', 'LOC-4')).reason).toBe('rule-changed');
  });

  it('of the server that a site has retired stays so over a restart', async () => {
    const plan = await client.read('PlanDefinition/coordination');
    await client.put({ ...plan, status: 'retired' });
    test = await test.restart();
    client = test.client;
    expect((await client.read('PlanDefinition/coordination'))['status']).toBe('retired');
    await client.put({ ...plan, status: 'active' });
    await client.settle();
  });

  it('is refused when a rule of it stands in another one, and stops the judgments of nobody', async () => {
    const copy = { ...shipped('follow-up-at-home'), id: 'copy' };
    const reply = await client.put(copy);
    expect([reply.status, reply.json.issue[0].code]).toEqual([422, 'duplicate']);
    expect(reply.json.issue[0].expression).toEqual(['PlanDefinition.action[0].code']);
    expect(reply.json.issue[0].details.text).toContain('PlanDefinition/follow-up-at-home');
    // Two that are written in one moment cannot see each other: one of them counts.
    const twins = ['twin-1', 'twin-2'].map((id) => ({
      resource: ruleSet(id, [action({ ...planned, code: 'LOC-8' })]),
      request: { method: 'PUT', url: `PlanDefinition/${id}` },
    }));
    const both = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry: twins });
    expect(both.status).toBe(200);
    const who = person('g4', 4);
    await client.putAll(...episode(who), stay('g4', '2026-03-02T16:20:00+01:00'));
    await client.moveClock('2026-03-03T00:00:01+01:00');
    expect((await theBreak(client, 'g4', 'RUP-20')).state).toBe('open');
    expect((await theBreak(client, 'g3', 'LOC-8')).state).toBe('open');
    await client.remove('PlanDefinition/twin-1');
    await client.remove('PlanDefinition/twin-2');
    await client.settle();
  });

  it('may be put under another id once the first is retired', async () => {
    const first = await client.read('PlanDefinition/follow-up-at-home');
    await client.put({ ...first, status: 'retired' });
    expect((await client.put({ ...shipped('follow-up-at-home'), id: 'copy' })).status).toBe(201);
    await client.settle();
    expect((await theBreak(client, 'g4', 'RUP-20')).state).toBe('open');
    await client.remove('PlanDefinition/copy');
    await client.put({ ...first, status: 'active' });
    await client.settle();
  });
});

describe('A malformed rule set', () => {
  const duration = (value: number, code: string) => ({
    url: 'delay',
    valueDuration: { value, code, system: 'http://unitsofmeasure.org' },
  });
  const anchor = { url: 'anchor', valueExpression: { language: 'text/fhirpath', expression: 'period.end' } };

  it.each<[string, RuleText, string]>([
    ['a path that does not exist', { ...planned, start: "statuss = 'planned'" }, 'condition[0].expression.expression'],
    ['a syntax error', { ...planned, start: "status = 'planned" }, 'condition[0].expression.expression'],
    ['an unbound variable', { ...planned, stop: '%letters.exists()' }, 'condition[1].expression.expression'],
    ['an unknown function', { ...planned, stop: 'status.explode()' }, 'condition[1].expression.expression'],
    ['a remote look-up', { ...planned, stop: 'subject.resolve().exists()' }, 'condition[1].expression.expression'],
    ['a walk up the language', { ...planned, stop: 'constructor.exists()' }, 'condition[1].expression.expression'],
    ['a condition that is no yes or no', { ...planned, stop: 'period.end' }, 'condition[1].expression'],
    ['a focus of no patient', { ...planned, focus: 'Organization', start: 'active' }, 'trigger[0].data[0].type'],
    [
      'an unknown calendar',
      { ...planned, deadline: [anchor, duration(1, 'd'), { url: 'calendar', valueCode: 'lunar' }] },
      'extension',
    ],
    [
      'a unit that its calendar does not count',
      { ...planned, deadline: [anchor, duration(1, 'h'), { url: 'calendar', valueCode: 'working-days' }] },
      'extension',
    ],
    [
      'a negative delay',
      { ...planned, deadline: [anchor, duration(-1, 'd'), { url: 'calendar', valueCode: 'calendar-days' }] },
      'extension',
    ],
    [
      'a query that cannot be searched',
      { ...planned, more: { input: [input('visits', 'Encounter?nothing=1')] } },
      'input[0]',
    ],
    [
      'a query of another type',
      { ...planned, more: { input: [input('visits', 'Observation?patient={{patient.id}}')] } },
      'input[0]',
    ],
    [
      'an unknown template',
      { ...planned, more: { input: [input('visits', 'Encounter?patient={{nobody.id}}')] } },
      'input[0]',
    ],
    [
      'two triggers',
      { ...planned, more: { trigger: [1, 2].map(() => ({ type: 'data-changed', data: [{ type: 'Encounter' }] })) } },
      'trigger',
    ],
    [
      'no condition of the kind stop',
      {
        ...planned,
        more: { condition: [{ kind: 'start', expression: { language: 'text/fhirpath', expression: 'true' } }] },
      },
      'condition',
    ],
  ])('is refused when it is put, with the place: %s', async (_what, text, place) => {
    const reply = await client.put(ruleSet('wrong', [action(planned), action({ ...text, code: 'LOC-9' })]));
    expect([reply.status, reply.json.resourceType]).toEqual([422, 'OperationOutcome']);
    const places = (reply.json.issue as { expression?: string[] }[]).flatMap(({ expression = [] }) => expression);
    expect(places.some((one) => one.startsWith(`PlanDefinition.action[1].${place}`))).toBe(true);
    expect((await client.get('PlanDefinition/wrong')).status).toBe(404);
  });

  function input(id: string, query: string): object {
    const url = 'http://hl7.org/fhir/StructureDefinition/cqf-fhirQueryPattern';
    return { id, extension: [{ url, valueString: query }], type: 'Encounter' };
  }

  it('has all its faults named at once', async () => {
    const reply = await client.put(
      ruleSet('wrong', [
        action({ ...planned, start: "statuss = 'planned'", stop: '%nobody.exists()' }),
        action({ ...planned, focus: 'Organization', start: 'active' }),
        action({ ...planned, stop: 'explode()' }),
      ]),
    );
    expect(reply.status).toBe(422);
    const places = (reply.json.issue as { expression: string[] }[]).flatMap(({ expression }) => expression);
    for (const place of [
      'action[0].condition[0].expression.expression',
      'action[0].condition[1].expression.expression',
      'action[1].trigger[0].data[0].type',
      'action[2].condition[1].expression.expression',
    ]) {
      expect(places).toContain(`PlanDefinition.${place}`);
    }
  });

  it('is refused by POST and in a transaction too, and leaves the version in force alone', async () => {
    await client.put(ruleSet('sound', [action({ ...planned, code: 'LOC-5' })]));
    const wrong = ruleSet('sound', [action({ ...planned, code: 'LOC-5', start: 'nothing' })]);
    expect((await client.put(wrong)).status).toBe(422);
    expect((await client.post('PlanDefinition', wrong)).status).toBe(422);
    const entry = [{ resource: wrong, request: { method: 'PUT', url: 'PlanDefinition/sound' } }];
    expect((await client.post('', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(422);
    expect((await client.get('PlanDefinition/sound')).headers.get('etag')).toBe('W/"1"');
    await client.settle();
    expect((await theBreak(client, 'g3', 'LOC-5')).state).toBe('open');
    await client.remove('PlanDefinition/sound');
  });

  it('may wait unfinished as a draft', async () => {
    const draft = ruleSet('draft', [action({ ...planned, start: 'nothing' })], { status: 'draft' });
    expect((await client.put(draft)).status).toBe(201);
    expect((await client.put({ ...draft, status: 'active' })).status).toBe(422);
  });

  it('is any other PlanDefinition: not our business', async () => {
    const { type: _type, ...order } = ruleSet('order-set', [{ title: 'Prendre la tension' }]);
    expect((await client.put(order)).status).toBe(201);
  });
});

describe('A rule that fails while it is judged', () => {
  /** Yields nothing where the stay has no display of its hospital. */
  const failing = {
    code: 'LOC-6',
    start: "status = 'planned' and serviceProvider.display = 'ZZMARKER'",
    stop: 'false',
  };
  const metric = async (): Promise<number> => {
    const { text } = await client.get('/metrics');
    return Number(/^suture_rule_errors_total\{rule="LOC-6",expression="starts"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };

  beforeAll(async () => {
    const who = person('zzfails', 6);
    const { serviceProvider: _provider, ...bare } = stay('zzfails');
    await client.putAll(...episode(who), { ...bare, status: 'planned' });
    await client.put(ruleSet('failing', [action(failing), action({ ...planned, code: 'LOC-7' })]));
    await client.settle();
  });

  it('is neither met nor broken: the error is told, and opens nothing', async () => {
    const told = (await judgments(client, 'zzfails')).find(({ rule }) => rule === 'LOC-6');
    expect(told).toMatchObject({ rule: 'LOC-6', error: expect.stringMatching(/^starts: /) });
    expect(told?.state).toBeUndefined();
    expect(await breaks(client, 'zzfails', 'LOC-6')).toEqual([]);
  });

  it('does not stop the other rules', async () => {
    expect((await theBreak(client, 'zzfails', 'LOC-7')).state).toBe('open');
  });

  it('is counted by rule and expression, and logged without patient data', async () => {
    expect(await metric()).toBeGreaterThan(0);
    const lines = test.logged.filter((line) => line.includes('LOC-6'));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => /zzfails|ZZMARKER|VAUQUELIN|SEJ-/.test(line))).toEqual([]);
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ component: 'rules', rule: 'LOC-6', reason: 'starts' });
  });

  it('is tried again, also when nothing changes', async () => {
    const before = await metric();
    await client.moveClock('2026-03-04T00:00:00+01:00');
    expect(await metric()).toBeGreaterThan(before);
  });

  it('keeps an open break as it is while it fails', async () => {
    const display = (text: string) =>
      stay('zzfails', undefined, { status: 'planned', serviceProvider: { display: text } });
    await client.putAll(display('ZZMARKER'));
    await client.settle();
    expect((await theBreak(client, 'zzfails', 'LOC-6')).state).toBe('open');
    const { serviceProvider: _provider, ...bare } = stay('zzfails');
    await client.putAll({ ...bare, status: 'planned' });
    await client.settle();
    expect((await theBreak(client, 'zzfails', 'LOC-6')).state).toBe('open');
    await client.putAll(display('un autre hôpital'));
    await client.settle();
    expect((await theBreak(client, 'zzfails', 'LOC-6')).state).toBe('moot');
  });

  it('is judged as soon as the rule is corrected', async () => {
    const corrected = { ...failing, start: "status = 'planned' and serviceProvider.exists()" };
    await client.put(ruleSet('failing', [action(corrected)]));
    await client.settle();
    expect(await judgment(client, 'zzfails', 'LOC-6')).toMatchObject({ state: 'broken' });
  });
});
