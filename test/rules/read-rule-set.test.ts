/** A malformed rule set is refused with every fault named (design.md section 2, "A rule set is one PlanDefinition"). */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { isRuleSet } from '../../src/rules/index.ts';
import { read, readProfiles, ruleOf } from './support.ts';

type Json = Record<string, unknown>;

const deadlineUrl = 'https://suture.example/fhir/StructureDefinition/rule-deadline';
const fhirpath = (expression: string) => ({ language: 'text/fhirpath', expression });
const duration = (value: number, code: string) => ({ value, code, system: 'http://unitsofmeasure.org' });

const parts = [
  { url: 'anchor', valueExpression: fhirpath('period.end') },
  { url: 'delay', valueDuration: duration(2, 'd') },
  { url: 'calendar', valueCode: 'working-days' },
];

function action(changes: Json = {}, deadline: readonly Json[] = parts): Json {
  return {
    id: 'LOCAL-1',
    prefix: 'LOCAL-1',
    extension: [{ url: deadlineUrl, extension: deadline }],
    title: 'Appel absent',
    code: [{ coding: [{ system: 'https://suture.example/fhir/CodeSystem/break-rule', code: 'LOCAL-1' }] }],
    trigger: [{ type: 'data-changed', data: [{ type: 'Encounter' }] }],
    condition: [
      { kind: 'start', expression: fhirpath("status = 'finished'") },
      { kind: 'stop', expression: fhirpath("%calls.where(status = 'completed').exists()") },
    ],
    input: [input('calls', 'Communication?patient={{patient.id}}&sent=ge{{anchor}}')],
    ...changes,
  };
}

function input(id: string, query: string, type = 'Communication'): Json {
  const url = 'http://hl7.org/fhir/StructureDefinition/cqf-fhirQueryPattern';
  return { id, type, extension: [{ url, valueString: query }] };
}

function ruleSet(actions: readonly Json[], changes: Json = {}): Resource {
  return {
    resourceType: 'PlanDefinition',
    id: 'local',
    url: 'https://example.org/PlanDefinition/local',
    version: '3',
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }] },
    action: actions,
    ...changes,
  };
}

function faultsOf(resource: Resource): readonly string[] {
  const reading = read(resource);
  return reading.kind === 'ok' ? [] : reading.issues.map((issue) => `${issue.expression}: ${issue.text}`);
}

const place = 'PlanDefinition.action[0]';
const start = (expression: string, kind = 'start'): Json => ({ kind, expression: fhirpath(expression) });

describe('Reading a rule set', () => {
  test('takes a rule that judges parts of its focus one by one', () => {
    const activity = {
      trigger: [{ type: 'data-changed', data: [{ type: 'CarePlan' }] }],
      condition: [start("%element.detail.status = 'scheduled'"), start('%element.detail.exists()', 'stop')],
    };
    const each = { url: 'each', valueExpression: fhirpath('activity') };
    expect(faultsOf(ruleSet([action(activity, [each])]))).toEqual([]);
    expect(faultsOf(ruleSet([action(activity, [])]))).toEqual([
      `${place}.condition[0].expression.expression: %element is not a variable of this expression (line 1, column 1)`,
      `${place}.condition[1].expression.expression: %element is not a variable of this expression (line 1, column 1)`,
    ]);
    const filtered = { url: 'each', valueExpression: fhirpath('activity.where(detail.exists())') };
    expect(faultsOf(ruleSet([action(activity, [filtered])]))).toEqual([
      `${place}.extension[0].extension[0].value: each is a plain path to elements of the focus, as activity`,
    ]);
    const rare = { condition: [start('%element.detail.exists()'), start('%element.children().exists()', 'stop')] };
    expect(faultsOf(ruleSet([action({ ...activity, ...rare }, [each])]))).toHaveLength(1);
    const slow = { condition: [start('%element.detail.exists()'), start("%element.id.split('a').exists()", 'stop')] };
    expect(faultsOf(ruleSet([action({ ...activity, ...slow }, [each])]))).toEqual([
      `${place}.condition[1].expression.expression: %element is part of a resource: no arithmetic and no rare function beside it (line 1, column 1)`,
    ]);
  });

  test('takes a window in place of a delay, in days', () => {
    const window = (value: number, code: string): Json => ({ url: 'window', valueDuration: duration(value, code) });
    const parameter = { url: 'parameter', valueString: 'fenetre' };
    const looking = {
      condition: [start("status = 'finished'"), start('period.end.plusDays(%window) > now()', 'stop')],
    };
    expect(read(ruleSet([action(looking, [window(2, 'wk'), parameter])]))).toMatchObject({
      ruleSet: { rules: [{ deadline: undefined, window: { days: 14, parameter: 'fenetre' } }] },
    });
    expect(faultsOf(ruleSet([action(looking, [window(2, 'h')])]))).toEqual([
      `${place}.extension[0].extension[0].value: a window counts in d or wk`,
    ]);
    expect(faultsOf(ruleSet([action({}, [...parts, window(2, 'd')])]))).toEqual([
      `${place}.extension[0].extension[3]: a rule with a delay has no window`,
    ]);
  });

  test('accepts the small one that the faults below are made from', () => {
    expect(read(ruleSet([action()]))).toMatchObject({
      kind: 'ok',
      ruleSet: {
        canonical: 'https://example.org/PlanDefinition/local|3',
        mode: 'active',
        rules: [
          {
            code: 'LOCAL-1',
            title: { fr: 'Appel absent', en: 'Appel absent' },
            missing: { fr: 'Appel absent' },
            focusType: 'Encounter',
            priority: 'routine',
            severity: 'low',
            deadline: { delay: { value: 2, unit: 'd' }, calendar: 'working-days' },
            inputs: [{ name: 'calls', type: 'Communication', query: 'patient={{patient.id}}&sent=ge{{anchor}}' }],
          },
        ],
      },
    });
  });

  test.each<[string, Json, string]>([
    ['active', { status: 'active' }, 'active'],
    ['retired', { status: 'retired' }, 'off'],
    ['a draft', { status: 'draft' }, 'off'],
    ['an experimental draft', { status: 'draft', experimental: true }, 'shadow'],
  ])('knows what to do with one that is %s', (_what, changes, mode) => {
    expect(read(ruleSet([action()], changes))).toMatchObject({ ruleSet: { mode } });
  });

  test('knows rule sets from other PlanDefinitions', () => {
    expect(isRuleSet(ruleSet([]))).toBe(true);
    expect(isRuleSet(ruleSet([], { type: { coding: [{ code: 'order-set' }] } }))).toBe(false);
    expect(isRuleSet({ resourceType: 'Patient' })).toBe(false);
  });

  test.each<[string, Json, string]>([
    [
      'no code',
      { code: [], prefix: undefined, id: undefined },
      `${place}.code: the rule has no code of https://suture.example/fhir/CodeSystem/break-rule`,
    ],
    [
      'a code with a bar',
      { code: [], prefix: 'A|B' },
      `${place}.code: the code of a rule is letters, digits, dots and hyphens`,
    ],
    ['a prefix that is not its code', { prefix: 'LOCAL-2' }, `${place}.prefix: the prefix is not the code LOCAL-1`],
    ['no trigger', { trigger: [] }, `${place}.trigger: a rule has one trigger, found 0`],
    [
      'a timer as trigger',
      { trigger: [{ type: 'periodic', data: [{ type: 'Encounter' }] }] },
      `${place}.trigger[0].type: the trigger is of type data-changed`,
    ],
    [
      'no focus',
      { trigger: [{ type: 'data-changed' }] },
      `${place}.trigger[0].data: the trigger names one type of resource, the focus`,
    ],
    [
      'an unknown focus',
      { trigger: [{ type: 'data-changed', data: [{ type: 'Stay' }] }] },
      `${place}.trigger[0].data[0].type: "Stay" is not a type of resource`,
    ],
    [
      'a focus without patient',
      {
        trigger: [{ type: 'data-changed', data: [{ type: 'Organization' }] }],
        extension: undefined,
        condition: [start('active'), start('true', 'stop')],
      },
      `${place}.trigger[0].data[0].type: Organization belongs to no patient`,
    ],
    ['no start', { condition: [start('true', 'stop')] }, `${place}.condition: a rule has a condition of kind start`],
    ['no stop', { condition: [start('true')] }, `${place}.condition: a rule has a condition of kind stop`],
    [
      'two starts',
      { condition: [start('true'), start('true'), start('true', 'stop')] },
      `${place}.condition: a rule has one condition of kind start, found 2`,
    ],
    [
      'another language',
      {
        condition: [{ kind: 'start', expression: { language: 'text/cql', expression: 'true' } }, start('true', 'stop')],
      },
      `${place}.condition[0].expression.language: the language is text/fhirpath`,
    ],
    [
      'no expression',
      { condition: [{ kind: 'start' }, start('true', 'stop')] },
      `${place}.condition[0].expression.expression: the expression is missing`,
    ],
    [
      'a misspelt path',
      { condition: [start("statu = 'finished'"), start('true', 'stop')] },
      `${place}.condition[0].expression.expression: Encounter has no element "statu": did you mean status? (line 1, column 1)`,
    ],
    [
      'a former version',
      { condition: [start('%previous.exists()'), start('true', 'stop')] },
      `${place}.condition[0].expression.expression: %previous is not a variable of this expression (line 1, column 1)`,
    ],
    [
      'a start that reads inputs',
      { condition: [start('%calls.exists()'), start('true', 'stop')] },
      `${place}.condition[0].expression.expression: %calls is not a variable of this expression (line 1, column 1)`,
    ],
    [
      'a condition that is a date',
      { condition: [start('period.end'), start('true', 'stop')] },
      `${place}.condition[0].expression: a condition is true or false, this yields dateTime`,
    ],
    [
      'an input without name',
      { input: [{ type: 'Communication' }], condition: [start('true'), start('true', 'stop')] },
      `${place}.input[0].id: an input has an id of letters, digits and underscores: the name of its variable`,
    ],
    [
      'an input with the name of another thing',
      {
        input: [input('team', 'Communication?patient={{patient.id}}')],
        condition: [start('true'), start('true', 'stop')],
      },
      `${place}.input[0].id: the name "team" is taken`,
    ],
    [
      'an input of unknown type',
      {
        input: [input('calls', 'Call?patient={{patient.id}}', 'Call')],
        condition: [start('true'), start('true', 'stop')],
      },
      `${place}.input[0].type: "Call" is not a type of resource`,
    ],
    [
      'an input without query',
      { input: [{ id: 'calls', type: 'Communication' }] },
      `${place}.input[0].extension: an input has its query in the extension http://hl7.org/fhir/StructureDefinition/cqf-fhirQueryPattern`,
    ],
    [
      'a query of another type',
      { input: [input('calls', 'Encounter?patient={{patient.id}}')] },
      `${place}.input[0].extension[0].value: the query of this input begins with "Communication?"`,
    ],
    [
      'a query over all patients',
      { input: [input('calls', 'Communication?status=completed')] },
      `${place}.input[0].extension[0].value: the query is bound neither to {{patient.id}} nor to {{focus.id}}: it would read every record`,
    ],
    [
      'a query with an unknown template',
      { input: [input('calls', 'Communication?patient={{patient.id}}&sent=ge{{now-30d}}')] },
      `${place}.input[0].extension[0].value: {{now-30d}} is not one of {{focus.id}}, {{patient.id}}, {{anchor}}, {{due}}`,
    ],
    [
      'a query with an unknown parameter',
      { input: [input('calls', 'Communication?patient={{patient.id}}&about=x')] },
      `${place}.input[0].extension[0].value: Communication has no search parameter "about"`,
    ],
  ])('refuses a rule with %s', (_what, changes, fault) => {
    expect(faultsOf(ruleSet([action(changes)]))).toEqual([fault]);
  });

  const extension = `${place}.extension[0].extension`;
  const delay = { url: 'delay', valueDuration: duration(2, 'd') };
  const anchor = { url: 'anchor', valueExpression: fhirpath('period.end') };

  test.each<[string, readonly Json[], string]>([
    ['an unknown part', [...parts, { url: 'delai' }], `${extension}[3].url: "delai" is no part of rule-deadline`],
    ['a part twice', [...parts, delay], `${extension}[3]: the part delay is there twice`],
    ['a delay without anchor', parts.slice(1), `${place}: a delay runs from an anchor, and there is none`],
    [
      'a delay without calendar',
      parts.slice(0, 2),
      `${place}: a delay has a calendar: end-of-day, calendar-days, working-days, monday-to-saturday, hours`,
    ],
    [
      'a notice without delay',
      [anchor, { url: 'notice', valueDuration: duration(2, 'h') }],
      `${extension}[1]: notice means nothing without a delay`,
    ],
    [
      'an unknown calendar',
      [anchor, delay, { url: 'calendar', valueCode: 'jours-ouvres' }],
      `${extension}[2].value: the calendar is one of end-of-day, calendar-days, working-days, monday-to-saturday, hours`,
    ],
    [
      'working hours',
      [anchor, { url: 'delay', valueDuration: duration(72, 'h') }, { url: 'calendar', valueCode: 'working-days' }],
      `${extension}[2].value: the calendar working-days does not count in "h"`,
    ],
    [
      'a delay that is no duration',
      [anchor, { url: 'delay', valueDuration: duration(2, 'kg') }, parts[2] as Json],
      `${extension}[1].value: a duration is a whole number of min, h, d, wk, mo or a, at most ten years`,
    ],
    [
      'an anchor that is a text',
      [{ url: 'anchor', valueString: 'period.end' }, delay, parts[2] as Json],
      `${extension}[0].value: anchor is an Expression`,
    ],
    [
      'an anchor that is no date',
      [{ url: 'anchor', valueExpression: fhirpath('status') }, delay, parts[2] as Json],
      `${extension}[0].value: a date is expected, this yields code`,
    ],
    [
      'an anchor that reads the due date',
      [{ url: 'anchor', valueExpression: fhirpath('%due') }, delay, parts[2] as Json],
      `${extension}[0].value.expression: %due is not a variable of this expression (line 1, column 1)`,
    ],
    [
      'an anchor from the input that needs it',
      [{ url: 'anchor', valueExpression: fhirpath('%calls.sent.max()') }, delay, parts[2] as Json],
      `${place}.input: the query of calls needs the anchor, which is read from inputs`,
    ],
    [
      'an inhibition of itself',
      [...parts, { url: 'inhibits', valueCode: 'LOCAL-1' }],
      `${place}: the rule LOCAL-1 inhibits itself`,
    ],
    [
      'an escalation to nobody',
      [...parts, { url: 'escalation', extension: [{ url: 'after', valueDuration: duration(1, 'd') }] }],
      `${extension}[3]: an escalation says after what time (after) and to whom (role)`,
    ],
  ])('refuses a deadline with %s', (_what, deadline, fault) => {
    expect(
      faultsOf(ruleSet([action({}, deadline)])).map((found) => found.replace('.value.language', '.value')),
    ).toContain(fault);
    expect(faultsOf(ruleSet([action({}, deadline)])).length).toBeLessThanOrEqual(3);
  });

  test('names all faults of all rules at once', () => {
    const second = { ...action({ trigger: [] }), prefix: 'LOCAL-1' };
    const third = action({ input: [] });
    const found = faultsOf(ruleSet([action(), second, third, action()], { type: { coding: [{ code: 'order-set' }] } }));
    expect(found).toEqual([
      'PlanDefinition.type: a rule set has the type eca-rule',
      'PlanDefinition.action[1].trigger: a rule has one trigger, found 0',
      'PlanDefinition.action[2].condition[1].expression.expression: %calls is not a variable of this expression (line 1, column 1)',
      'PlanDefinition.action[3].code: the rule LOCAL-1 is there twice on Encounter',
    ]);
  });

  test('refuses a set without rules, and one with too many', () => {
    expect(faultsOf(ruleSet([]))).toEqual(['PlanDefinition.action: a rule set has at least one rule']);
    const many = Array.from({ length: 101 }, (_unused, index) =>
      action({ prefix: undefined, id: `L${index}`, code: [] }),
    );
    expect(faultsOf(ruleSet(many))).toEqual(['PlanDefinition.action: a rule set has at most 100 rules']);
  });

  test('reads a rule without delay: it breaks at once, since it starts', () => {
    const reading = read(
      ruleSet([action({ extension: undefined, input: [], condition: [start('true'), start('false', 'stop')] })]),
    );
    expect(reading).toMatchObject({
      ruleSet: { rules: [{ deadline: undefined, anchor: undefined, usesSince: true }] },
    });
  });
});

describe('The rules that Suture ships', () => {
  test('are the 38 of the catalogue, in five sets, active', () => {
    const sets = readProfiles('rules').map(read);
    expect(sets.map((set) => set.kind)).toEqual(Array(5).fill('ok'));
    const codes = sets.flatMap((set) => (set.kind === 'ok' ? set.ruleSet.rules.map((rule) => rule.code) : []));
    expect([...new Set(codes)].sort()).toEqual(
      Array.from({ length: 38 }, (_one, at) => `RUP-${String(at + 1).padStart(2, '0')}`),
    );
  });

  test('RUP-20 warns two hours before, silences RUP-21 and goes up after twelve hours', () => {
    expect(ruleOf('RUP-20')).toMatchObject({
      title: {
        fr: 'Lettre de liaison absente le jour de la sortie',
        en: 'Discharge letter missing on the day of discharge',
      },
      missing: { fr: 'la lettre de liaison de sortie', en: 'the discharge letter' },
      severity: 'high',
      deadline: {
        delay: { value: 0, unit: 'd' },
        calendar: 'end-of-day',
        parameter: 'delaiLettreSortie',
        notice: { value: 2, unit: 'h' },
      },
      inhibits: ['RUP-21'],
      reopenWindow: { value: 7, unit: 'd' },
      escalation: [{ after: { value: 12, unit: 'h' } }],
      roles: [{ text: 'Médecin responsable de la sortie' }, {}],
    });
  });

  test.each([
    ['RUP-20', ['DocumentReference', 'Encounter', 'Patient']],
    ['RUP-21', ['CareTeam', 'Communication', 'DocumentReference', 'Encounter', 'Patient']],
    ['RUP-23', ['Appointment', 'Encounter', 'Patient']],
    ['RUP-33', ['CareTeam', 'Patient']],
    ['RUP-34', ['Communication']],
    ['RUP-38', ['Patient']],
  ])('%s wakes on changes of %j', (code, types) => {
    expect([...ruleOf(code).wakes].sort()).toEqual(types);
  });

  test('say in French and English what is missing, why, and what to do', () => {
    for (const code of ['RUP-20', 'RUP-21', 'RUP-23', 'RUP-33', 'RUP-34', 'RUP-38']) {
      const rule = ruleOf(code);
      for (const text of [rule.title, rule.missing, ...rule.corrections]) expect(text.en).not.toBe(text.fr);
      expect(rule.corrections.length).toBeGreaterThan(0);
      expect(rule.description).toMatch(/\.$/);
      expect(rule.roles.length).toBeGreaterThan(0);
    }
  });
});
