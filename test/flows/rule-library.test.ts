/** Rule sets as their authors and sites use them: parameters that are set, fixtures that are run, rules on trial, the command. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRuleCheck } from '../../src/check-rules.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { episode, hospital, person, professionals, stay } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { extension, judgment, theBreak } from './view.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(...professionals());
});
afterAll(() => test?.close());

const profile = fileURLToPath(new URL('../../profiles/rules/suspicion-and-referral.json', import.meta.url));
const shipped = JSON.parse(readFileSync(profile, 'utf8')) as Resource;

/** The site waits longer for the letter: two days in place of the day itself. */
function lenient(value: number): Resource {
  const url = 'https://suture.example/fhir/StructureDefinition/rule-parameters';
  const parameter = [
    { url: 'name', valueString: 'delaiLettreSortie' },
    { url: 'value', valueDuration: { value, code: 'd', system: 'http://unitsofmeasure.org' } },
  ];
  return {
    resourceType: 'Basic',
    id: 'lenient',
    code: { coding: [{ system: 'https://suture.example/fhir/CodeSystem/record-note', code: 'rule-parameters' }] },
    subject: { reference: hospital },
    extension: [
      {
        url,
        extension: [
          { url: 'level', valueCode: 'site' },
          { url: 'parameter', extension: parameter },
        ],
      },
    ],
  };
}

describe('A delay that a site sets', () => {
  const who = person('l1', 1);

  it('counts without a restart, for expectations that run already', async () => {
    await client.putAll(...episode(who), stay('l1', '2026-03-02T16:20:00+01:00'));
    await client.settle();
    expect(await judgment(client, 'l1', 'RUP-20')).toMatchObject({ dueAt: '2026-03-03T00:00:00+01:00' });
    expect((await client.put(lenient(2))).status).toBe(201);
    await client.settle();
    expect(await judgment(client, 'l1', 'RUP-20')).toMatchObject({ dueAt: '2026-03-05T00:00:00+01:00' });
  });

  it('is told by the break, with the version of what set it', async () => {
    await client.moveClock('2026-03-05T00:00:01+01:00');
    const { issue } = await theBreak(client, 'l1', 'RUP-20');
    const parts = extension(issue, 'break-parameter')?.extension ?? [];
    expect(parts.map(({ valueString, valueReference }) => valueString ?? valueReference?.reference)).toEqual([
      'delaiLettreSortie',
      '2 d',
      'Basic/lenient/_history/1',
    ]);
  });

  it('is no more when it is withdrawn', async () => {
    await client.remove('Basic/lenient');
    await client.settle();
    expect(await judgment(client, 'l1', 'RUP-20')).toMatchObject({ dueAt: '2026-03-03T00:00:00+01:00' });
  });

  it('is refused when no rule has it, or its calendar does not count so', async () => {
    const wrong = JSON.parse(JSON.stringify(lenient(2)).replace('delaiLettreSortie', 'delaiLettre')) as Resource;
    expect((await client.put(wrong)).status).toBe(422);
    const hours = JSON.parse(JSON.stringify(lenient(2)).replace('"code":"d"', '"code":"h"')) as Resource;
    const reply = await client.put(hours);
    expect([reply.status, reply.json.issue[0].details.text]).toEqual([
      422,
      'the parameter delaiLettreSortie is not counted in "h"',
    ]);
  });
});

/** The third rule expects a wrong thing of its first fixture. */
const mistaken = JSON.parse(
  JSON.stringify(shipped).replace('"valueCode":"waiting"', '"valueCode":"broken"'),
) as Resource;

describe('The fixtures of a rule set', () => {
  it('are run by an operation', async () => {
    const answer = await client.get('PlanDefinition/suspicion-and-referral/$fixtures');
    const parameters = answer.json.parameter as { name: string; valueInteger?: number }[];
    expect(parameters.find(({ name }) => name === 'failed')?.valueInteger).toBe(0);
    expect(parameters.filter(({ name }) => name === 'fixture').length).toBeGreaterThan(30);
  });

  it('refuse it when they find another thing than they expect, with the place', async () => {
    const reply = await client.put(mistaken);
    expect(reply.status).toBe(422);
    expect(reply.json.issue[0].expression).toEqual(['PlanDefinition.contained[0].parameter[3]']);
    expect(reply.json.issue[0].details.text).toMatch(/^fixture "attend trois jours ouvrés" of RUP-01: found waiting/);
  });

  it('are checked by the command too, with every fault and its place', async () => {
    const check = await createRuleCheck('Europe/Paris');
    expect(await check(profile)).toMatchObject({ lines: [], rules: 4 });
    const folder = mkdtempSync(join(tmpdir(), 'rules-'));
    const file = join(folder, 'wrong.json');
    writeFileSync(file, JSON.stringify(mistaken));
    expect((await check(file)).lines).toEqual([
      expect.stringMatching(/wrong\.json: PlanDefinition\.contained\[0\]\.parameter\[3\]: fixture /),
    ]);
    writeFileSync(file, '{"resourceType": "PlanDefinition", "status": 3}');
    expect((await check(file)).lines.length).toBeGreaterThan(0);
    writeFileSync(file, '{');
    expect((await check(file)).lines).toHaveLength(1);
  });
});

describe('A rule set on trial', () => {
  it('counts its judgments and opens nothing', async () => {
    await client.put({ ...shipped, status: 'draft', experimental: true });
    const request = {
      resourceType: 'ServiceRequest',
      id: 'l1-referral',
      status: 'active',
      intent: 'order',
      code: {
        coding: [{ system: 'https://suture.example/fhir/CodeSystem/orientation', code: 'adressage-suspicion-cancer' }],
      },
      subject: { reference: 'Patient/l1' },
      authoredOn: '2026-02-20',
    };
    await client.putAll(request);
    await client.settle();
    const answer = await client.get('PlanDefinition/suspicion-and-referral/$counts');
    const told = answer.json.parameter as {
      name: string;
      valueCode?: string;
      part?: { valueCode?: string; valueInteger?: number }[];
    }[];
    expect(told[0]).toEqual({ name: 'mode', valueCode: 'shadow' });
    const counts = told.flatMap(({ part = [] }) =>
      part.length === 0 ? [] : [part.map((one) => one.valueCode ?? one.valueInteger)],
    );
    expect(counts).toContainEqual(['RUP-01', 'broken', 1]);
    expect(await client.search('DetectedIssue?break-rule=RUP-01')).toEqual([]);
    const { text } = await client.get('/metrics');
    expect(text).toContain('suture_judgments{rule="RUP-01",state="broken"} 1');
  });
});
