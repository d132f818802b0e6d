/**
 * Rules that harm nothing but themselves: rows P of the hostile inputs (../shared/reference/security-reliability.md),
 * judged in the thread for rules of others (src/breaks/isolation.ts).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLog } from '../../src/base/index.ts';
import { createExamine } from '../../src/breaks/fixtures.ts';
import { createIsolation, type Isolation } from '../../src/breaks/isolation.ts';
import { restoreJudgments } from '../../src/breaks/judge-patient.ts';
import { judgeRecord } from '../../src/breaks/judge-record.ts';
import { overrunLimits } from '../../src/base/index.ts';
import { createOverruns } from '../../src/breaks/overruns.ts';
import type { PatientRecord } from '../../src/breaks/record.ts';
import { bindBook, type RuleBook } from '../../src/breaks/rule-book.ts';
import { createQueryCheck, createSelect } from '../../src/breaks/select.ts';
import { createPlaces } from '../../src/breaks/sites.ts';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { readRuleSet } from '../../src/rules/index.ts';
import { createSearchContext } from '../../src/search/index.ts';
import { requireBuild } from '../flows/process.ts';
import { ruleSystem } from '../support/builders.ts';

const zone = 'Europe/Paris';
const baseUrl = 'http://127.0.0.1:8080/fhir';
const definitions = loadDefinitions();
const search = createSearchContext({ definitions, zone, baseUrl });
const setting = { definitions, checkQuery: createQueryCheck(search) };
const places = createPlaces(zone);
const select = createSelect(search);
const logged: string[] = [];
const log = createLog('error', (line) => void logged.push(line));
let isolation: Isolation;

beforeAll(() => {
  requireBuild();
  isolation = createIsolation({
    ...{ zone, baseUrl, places, custom: () => [], log },
    limits: { evaluationMs: 1500, elsewhereMs: 20_000, heapMb: 96 },
  });
});
afterAll(() => isolation.stop());

interface Written {
  readonly code: string;
  readonly start: string;
}

function ruleSet(rules: readonly Written[], more: object = {}): Resource {
  const condition = (kind: string, expression: string) => ({
    kind,
    expression: { language: 'text/fhirpath', expression },
  });
  return {
    resourceType: 'PlanDefinition',
    id: 'local',
    url: 'https://hopital.example/fhir/PlanDefinition/local',
    version: '1.0.0',
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }] },
    action: rules.map(({ code, start }) => ({
      id: code,
      prefix: code,
      title: code,
      code: [{ coding: [{ system: ruleSystem, code }] }],
      trigger: [{ type: 'data-changed', data: [{ type: 'Encounter' }] }],
      condition: [condition('start', start), condition('stop', 'false')],
    })),
    ...more,
  };
}

function bookOf(resource: Resource): RuleBook {
  const reading = readRuleSet(resource, setting);
  if (reading.kind === 'faults') throw new Error(JSON.stringify(reading.issues));
  const text = JSON.stringify(resource);
  return bindBook([{ reference: 'PlanDefinition/local', ruleSet: reading.ruleSet, text, isOutside: true }]);
}

const faultsOf = (start: string): readonly string[] => {
  const reading = readRuleSet(ruleSet([{ code: 'LOC-1', start }]), setting);
  return reading.kind === 'ok' ? [] : reading.issues.map(({ text }) => text);
};

/** A stay with 1,500 diagnoses. */
const stay: Resource = {
  resourceType: 'Encounter',
  id: 'e1',
  meta: { versionId: '1', lastUpdated: '2026-03-02T08:00:00.000Z' },
  status: 'planned',
  subject: { reference: 'Patient/p1' },
  diagnosis: Array.from({ length: 1500 }, (_unused, index) => ({ id: `d${index}`, rank: index + 1 })),
};
const record: PatientRecord = {
  reference: 'Patient/p1',
  patient: { resourceType: 'Patient', id: 'p1' },
  byType: new Map([['Encounter', [stay]]]),
  professionals: [],
};
const nowMs = Date.parse('2026-03-03T08:00:00Z');
const nothing = { history: () => Promise.resolve([]) };

async function judge(...rules: readonly Written[]): Promise<Readonly<Record<string, string>>> {
  const book = bookOf(ruleSet(rules));
  const judged = await judgeRecord({ select, places, isolation }, nothing, { record, book, known: [], nowMs });
  return Object.fromEntries(
    judged.map(({ rule, result }) => [
      rule.code,
      result.kind === 'error'
        ? `${result.expression}: ${result.message}`
        : result.kind === 'none'
          ? 'none'
          : result.state,
    ]),
  );
}

const harmless = { code: 'LOC-9', start: "status = 'planned'" };
const xs = `'${'x'.repeat(28)}'`;
const copies = Array.from({ length: 11 }, () => '.select($this & $this & $this & $this)').join('');
const chain = Array.from({ length: 5 }, () => `.replace('', ${xs})`).join('');

describe('A rule of somebody else', () => {
  it('is judged in its thread as it would be here', async () => {
    const book = bookOf(ruleSet([harmless, { code: 'LOC-8', start: "status = 'finished'" }]));
    const there = await judgeRecord({ select, places, isolation }, nothing, { record, book, known: [], nowMs });
    const here = await judgeRecord({ select, places }, nothing, { record, book, known: [], nowMs });
    const shown = (judged: typeof here) =>
      judged.map(({ rule, focusKey, result, facts, site }) => [rule.code, focusKey, facts.since, site, result]);
    expect(shown(there)).toEqual(shown(here));
    expect(here.map(({ result }) => result.kind)).toEqual(['judgment', 'none']);
  });

  it.each<[string, string, RegExp]>([
    [
      'P3: a cross join over 1,500 items',
      'diagnosis.select(%focus.diagnosis.select(id)).exists()',
      /^starts: the evaluation takes more than 300000 steps$/,
    ],
    [
      'P3: the same in a form that only the library can run',
      'diagnosis.select(%focus.diagnosis.select(rank + 1)).exists($this = 0)',
      /^limits: the evaluation (takes longer than 1500 ms|needs more than 96 MB of memory)$/,
    ],
    [
      'P5: five chained replace of nothing by something',
      `status${chain}.length() > 1`,
      /^limits: the evaluation (takes longer than 1500 ms|needs more than 96 MB of memory)$/,
    ],
    [
      'P6: a text that is doubled again and again',
      `status${copies} = 'x'`,
      /^starts: the expression makes a text of more than 262144 characters$/,
    ],
  ])('%s: it gets an error, the other rules go on', async (row, start, expected) => {
    const before = process.memoryUsage().rss;
    const code = `LOC-${row.length}`;
    const found = await judge({ code, start }, harmless);
    expect(found[code]).toMatch(expected);
    expect(found['LOC-9']).toBe('broken');
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  });

  it('P3: does not stop this thread while it is judged', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    await judge({ code: 'LOC-2', start: 'diagnosis.select(%focus.diagnosis.select(rank + 1)).exists($this = 0)' });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
  });

  it.each([
    ['P1', "subject.display.matches('^(a+)+$')", /pattern/],
    ['P2', "subject.display.replaceMatches('(a|aa)+$', '') = ''", /not allowed/],
    ['P4', 'repeat(diagnosis).exists()', /not allowed/],
    ['P4', 'descendants().distinct().exists()', /not allowed/],
    ['P7', `${'('.repeat(1500)}true${')'.repeat(1500)}`, /nest|deep|depth/],
    ['P7', `${Array.from({ length: 1200 }, () => '1').join('+')} > 0`, /too large/],
    ['P7', `status = '${'a'.repeat(1_000_000)}'`, /characters/],
    ['P8', 'Encounter.constructor.exists()', /no element/],
    ['P8', '__proto__.exists()', /no element/],
    ['P8', 'hasOwnProperty.exists()', /no element/],
    ['P9', 'subject.resolve().exists()', /not allowed/],
    ['P9', "status.memberOf('http://x')", /not allowed/],
    ['P9', "%terminologies.expand('http://x').exists()", /variable/],
    ['P9', "conformsTo('http://x')", /not allowed/],
    ['P11', "trace('x').exists()", /not allowed/],
  ])('%s: is refused when it is put: %.60s', (_row, start, expected) => {
    expect(faultsOf(start).join('\n')).toMatch(expected);
  });

  it('P10: knows no time but that of the judgment', async () => {
    const start = 'today() = @2026-03-03 and now() = @2026-03-03T08:00:00Z';
    expect(await judge({ code: 'LOC-3', start })).toEqual({ 'LOC-3': 'broken' });
  });

  it('P12: makes no more than 500 judgments of one resource', async () => {
    const deadline = {
      url: 'https://suture.example/fhir/StructureDefinition/rule-deadline',
      extension: [
        { url: 'each', valueExpression: { language: 'text/fhirpath', expression: 'diagnosis' } },
        { url: 'anchor', valueExpression: { language: 'text/fhirpath', expression: '%now' } },
      ],
    };
    const resource = ruleSet([{ code: 'LOC-1', start: 'true' }]);
    const [action] = resource['action'] as readonly object[];
    const book = bookOf({ ...resource, action: [{ ...action, extension: [deadline] }] });
    const judged = await judgeRecord({ select, places, isolation }, nothing, { record, book, known: [], nowMs });
    expect(judged).toHaveLength(500);
  });

  it('P14: is refused with the same code twice', () => {
    const reading = readRuleSet(ruleSet([harmless, harmless]), setting);
    expect(reading.kind === 'faults' && reading.issues.map(({ code }) => code)).toEqual(['duplicate']);
  });

  it('P3: its fixtures are run in the thread too, and refuse it when they do not end', async () => {
    const fixtures = {
      resourceType: 'Parameters',
      id: 'f',
      parameter: [
        { name: 'rule', valueCode: 'LOC-1' },
        { name: 'focus', valueString: 'Encounter/e1' },
        { name: 'record', resource: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: stay }] } },
        {
          name: 'fixture',
          part: [
            { name: 'name', valueString: 'endless' },
            { name: 'now', valueDateTime: '2026-03-03T08:00:00Z' },
            { name: 'expected', valueCode: 'broken' },
          ],
        },
      ],
    };
    const start = 'diagnosis.select(%focus.diagnosis.select(rank + 1)).exists($this = 0)';
    const examine = createExamine({ ...setting, select, places, isolation, isOwn: () => false });
    const { issues } = await examine(ruleSet([{ code: 'LOC-1', start }], { contained: [fixtures] }));
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ code: 'too-costly', text: expect.stringMatching(/^LOC-1: the evaluation/) });
  });
});

describe('A rule that goes over its limits again and again', () => {
  it('is suspended for a while after the third time in sequence, and an operator is told', () => {
    let now = 0;
    const told: string[] = [];
    const overruns = createOverruns(
      createLog('error', (line) => void told.push(line)),
      () => now,
    );
    const [ruleSetRead] = bookOf(ruleSet([harmless])).ruleSets;
    const rule = ruleSetRead?.rules[0];
    if (ruleSetRead === undefined || rule === undefined) throw new Error('no rule');
    overruns.failed(ruleSetRead, rule);
    overruns.failed(ruleSetRead, rule);
    overruns.passed(ruleSetRead, rule);
    overruns.failed(ruleSetRead, rule);
    overruns.failed(ruleSetRead, rule);
    expect(overruns.suspension(ruleSetRead, rule)).toBeUndefined();
    overruns.failed(ruleSetRead, rule);
    expect(overruns.suspension(ruleSetRead, rule)).toMatch(/suspended/);
    expect(JSON.parse(told[0] ?? '{}')).toMatchObject({ rule: 'LOC-9', reason: 'limits' });
    now = overrunLimits.suspendedMs;
    expect(overruns.suspension(ruleSetRead, rule)).toBeUndefined();
  });
});

describe('A judgment that was made elsewhere', () => {
  it('is left out when its rule or its focus is not known here', () => {
    const book = bookOf(ruleSet([harmless]));
    const told = { rule: 'LOC-9', focusType: 'Encounter', focusKey: 'Encounter/gone', since: undefined };
    const result = { kind: 'none', reason: 'premise-changed', fulfilment: undefined, trace: [] } as const;
    const canonical = book.ruleSets[0]?.canonical ?? '';
    const whole = { record, ruleSets: book.ruleSets, select, places, nowMs, known: () => undefined };
    expect(restoreJudgments(whole, [{ ...told, canonical, result }])).toEqual([]);
    expect(restoreJudgments(whole, [{ ...told, canonical: 'other', focusKey: 'Encounter/e1', result }])).toEqual([]);
    expect(restoreJudgments(whole, [{ ...told, canonical, focusKey: 'Encounter/e1', result }])).toHaveLength(1);
  });
});
