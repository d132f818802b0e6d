/** FHIRPath for rules: what is refused when it is compiled, what fails when it runs, what cannot leak. */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  compileExpression,
  createDateReader,
  evaluate,
  evaluateBoolean,
  loadDefinitions,
  manyOf,
  type Moment,
  oneOf,
  type Resource,
  tryEvaluate,
} from '../../src/fhir/index.ts';

const definitions = loadDefinitions();
const variables = {
  focus: oneOf('Encounter'),
  patient: oneOf('Patient'),
  anchor: oneOf('System.DateTime'),
  letters: manyOf('DocumentReference'),
  values: manyOf('Observation'),
  gp: manyOf('System.String'),
};
const moment: Moment = { nowMs: Date.parse('2026-03-03T08:00:00Z'), dates: createDateReader('Europe/Paris') };

const stay: Resource = {
  resourceType: 'Encounter',
  id: 'stay-1',
  status: 'finished',
  class: { code: 'IMP' },
  type: [
    {
      coding: [
        { code: 'a', userSelected: true },
        { code: 'b', userSelected: true },
      ],
    },
  ],
  subject: { reference: 'http://127.0.0.1:9/fhir/Patient/p1/_history/2' },
  period: { start: '2026-02-26T10:00:00+01:00', end: '2026-03-02T16:20:00+01:00' },
  extension: [{ url: 'https://example.org/flag', valueCoding: { code: 'yes' } }],
};

function compile(text: string) {
  return compileExpression(text, { definitions, context: 'Encounter', variables });
}

function faultsOf(text: string): string {
  const compiled = compile(text);
  return compiled.kind === 'faults' ? compiled.issues.map((issue) => issue.text).join('\n') : 'no fault';
}

function run(text: string, bound: Record<string, unknown> = {}, focus: Resource = stay): readonly unknown[] {
  const compiled = compile(text);
  if (compiled.kind === 'faults') throw new Error(faultsOf(text));
  return evaluate(compiled.expression, focus, { focus, ...bound }, moment);
}

function failureOf(text: string, bound: Record<string, unknown> = {}, focus: Resource = stay): string {
  const compiled = compile(text);
  if (compiled.kind === 'faults') throw new Error(faultsOf(text));
  const result = tryEvaluate(compiled.expression, focus, { focus, ...bound }, moment);
  return result.kind === 'error' ? result.text : 'no failure';
}

describe('Compiling an expression', () => {
  test.each([
    ['perod.end', 'Encounter has no element "perod": did you mean period? (line 1, column 1)'],
    ['period.ends', 'Period has no element "ends": did you mean end? (line 1, column 8)'],
    ['hospitalization.disposition', 'Encounter.hospitalization has no element "disposition" (line 1, column 17)'],
    ['constructor', 'Encounter has no element "constructor" (line 1, column 1)'],
    ['__proto__.exists()', 'Encounter has no element "__proto__" (line 1, column 1)'],
    ['toString.exists()', 'Encounter has no element "toString" (line 1, column 1)'],
    ['resourceType', 'Encounter has no element "resourceType" (line 1, column 1)'],
    ['Patient.name', 'Encounter has no element "Patient" (line 1, column 1)'],
    ['status.length', 'code has no element "length" (line 1, column 8)'],
    [
      "extension('u').valueString",
      'Extension has no element "valueString": write value.ofType(string) (line 1, column 16)',
    ],
    [
      '%values.valueQuantity',
      'Observation has no element "valueQuantity": write value.ofType(Quantity) (line 1, column 9)',
    ],
    [
      'statusHistory.where(perod.exists())',
      'Encounter.statusHistory has no element "perod": did you mean period? (line 1, column 21)',
    ],
    ["status = 'a' and\n  perod.exists()", 'Encounter has no element "perod": did you mean period? (line 2, column 3)'],
  ])('refuses the path of %s', (text, fault) => {
    expect(faultsOf(text)).toBe(fault);
  });

  test.each([
    ['%previous.exists()', '%previous is not a variable of this expression (line 1, column 1)'],
    ['%constructor', '%constructor is not a variable of this expression (line 1, column 1)'],
    ['%terminologies', '%terminologies is not a variable of this expression (line 1, column 1)'],
    ['%resource', '%resource is not a variable of this expression (line 1, column 1)'],
    ['%`@moment`', '%@moment is not a variable of this expression (line 1, column 1)'],
  ])('refuses the variable of %s', (text, fault) => {
    expect(faultsOf(text)).toBe(fault);
  });

  test.each([
    'subject.resolve()',
    "type.memberOf('http://x')",
    "conformsTo('http://x')",
    "trace('x')",
    'repeat(partOf)',
    'descendants()',
    'children()',
    'aggregate($this)',
    "defineVariable('x')",
    'type.coding.sort(code)',
    '_equal(status, status)',
    'htmlChecks()',
    "status.replaceMatches('a', 'b')",
  ])('refuses the function of %s', (text) => {
    expect(faultsOf(text)).toMatch(/is not allowed in a rule|unexpected/);
  });

  test.each([
    ["status = 'a' and 'b'", 'the operator and cannot work on Boolean and String (line 1, column 14)'],
    ['where(status)', 'found code, expected boolean (line 1, column 7)'],
    ['status.not()', 'found code, expected boolean (line 1, column 8)'],
    ['status = 5', 'the operator = cannot work on code and Integer (line 1, column 8)'],
    ["period.end > '2026-01-01'", 'the operator > cannot work on dateTime and String (line 1, column 12)'],
    ['period.end - period.start', 'found dateTime, expected quantity (line 1, column 20)'],
    [
      'type = type',
      'the operator = cannot work on CodeableConcept and CodeableConcept: use an element of it (line 1, column 6)',
    ],
    [
      '%anchor in (%anchor | period.end)',
      'the operator in cannot work on DateTime and DateTime or dateTime: compare with =, inside exists() (line 1, column 9)',
    ],
    ["status ~ 'a'", 'the operator ~ is not allowed: use = (line 1, column 8)'],
    ['exists(true, true)', 'exists() has 2 arguments, expected 0 to 1 (line 1, column 1)'],
    ['status.startsWith()', 'startsWith() has 0 arguments, expected 1 (line 1, column 8)'],
    [
      'period.end.startsWith(1)',
      'found dateTime, expected string (line 1, column 12)\nfound Integer, expected string (line 1, column 23)',
    ],
    ['period.ofType(Patient)', 'Period is never of type Patient (line 1, column 15)'],
    ['period.ofType(Perod)', '"Perod" is not a type (line 1, column 15)'],
    ['extension(status)', 'the argument must be a text written out in quotes (line 1, column 11)'],
    ['status.matches(status)', 'the argument must be a text written out in quotes (line 1, column 16)'],
  ])('refuses the types of %s', (text, fault) => {
    expect(faultsOf(text)).toBe(fault);
  });

  test('names every fault at once', () => {
    expect(faultsOf('perod.exists() and %x and resolve().exists()').split('\n')).toHaveLength(3);
  });

  test.each([
    ["status = 'finished'", ['System.Boolean'], []],
    ['Encounter.period.end', ['dateTime'], []],
    ['%values.value.ofType(Quantity).value', ['decimal'], ['values']],
    ["extension('https://example.org/flag').value.where(code = 'yes')", undefined, []],
    ['%letters.content.attachment.creation.min()', ['dateTime'], ['letters']],
    ['iif(length.exists(), period.end, %anchor)', ['dateTime', 'System.DateTime'], ['anchor']],
    ['%patient.deceased', ['boolean', 'dateTime'], ['patient']],
    ['partOf.identifier.`use`', ['code'], []],
  ])('knows what %s yields and reads', (text, types, uses) => {
    const compiled = compile(text);
    expect(compiled.kind).toBe('ok');
    if (compiled.kind !== 'ok') return;
    if (types !== undefined) expect(compiled.expression.shape.types).toEqual(types);
    expect([...compiled.expression.uses]).toEqual(uses);
  });
});

describe('Running an expression', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test.each([
    ["status = 'finished'", [true]],
    ["class.code in ('IMP' | 'ACUTE')", [true]],
    ["type.coding.where(code = 'b').exists()", [true]],
    ["extension('https://example.org/flag').value.where(code = 'yes').exists()", [true]],
    ['hospitalization.exists()', [false]],
    ['hospitalization.dischargeDisposition.text', []],
    ['period.end', ['2026-03-02T16:20:00+01:00']],
    ['subject.referenceKey()', ['Patient/p1']],
    ['@2026-03-28.plusDays(1)', ['2026-03-29']],
    ['@2026-03-28T10:00:00+01:00.plusDays(1)', ['2026-03-29T10:00:00+02:00']],
    ['(1 | 2.5 | 3).where($this > 2)', [2.5, 3]],
    ["status.matches('^fin')", [true]],
    ["'it\\'s' + ' ' + status", ["it's finished"]],
    ['type.coding.first()', [{ code: 'a', userSelected: true }]],
    ['type.coding.where($index = 1).code', ['b']],
    ['%gp', ['Practitioner/1', 'Practitioner/2']],
  ])('%s yields %j', (text, expected) => {
    expect(run(text, { gp: ['Practitioner/1', 'Practitioner/2'] })).toEqual(expected);
  });

  test.each([
    ['Practitioner/1', 'Practitioner/1'],
    ['Practitioner/1/_history/3', 'Practitioner/1'],
    ['https://example.org/fhir/Practitioner/1', 'Practitioner/1'],
    ['urn:uuid:2f5d2a10-0000-4000-8000-000000000000', undefined],
    ['#p1', undefined],
  ])('knows the reference %s as %s', (reference, key) => {
    expect(run('subject.referenceKey()', {}, { ...stay, subject: { reference } })).toEqual(
      key === undefined ? [] : [key],
    );
  });

  test.each([
    ['%patient.deceased.ofType(boolean).where($this).exists()', false, false],
    ['%patient.deceased.ofType(boolean).exists($this)', false, false],
    ['%patient.deceased.ofType(boolean).where($this).exists()', true, true],
    ['%patient.deceased.ofType(boolean).all($this)', false, false],
    ['iif(%patient.deceased.ofType(boolean), true, false)', false, false],
    ['%patient.deceased.ofType(boolean) and true', false, false],
    ['%patient.deceased.ofType(boolean).not()', false, true],
  ])('%s is not fooled by the value %s of an element', (text, deceasedBoolean, expected) => {
    expect(run(text, { patient: { resourceType: 'Patient', deceasedBoolean } })).toEqual([expected]);
  });

  test('an unbound variable is empty, and a condition that yields nothing is an error, not false', () => {
    const compiled = compile("%patient.gender = 'female'");
    if (compiled.kind === 'faults') throw new Error('it compiles');
    expect(evaluateBoolean(compiled.expression, stay, {}, moment)).toEqual({ error: 'the condition yields nothing' });
  });

  test('a condition that is no boolean is an error', () => {
    const compiled = compile('type.coding.code.distinct()');
    if (compiled.kind === 'faults') throw new Error('it compiles');
    expect(evaluateBoolean(compiled.expression, stay, {}, moment)).toEqual({
      error: 'the condition is not true or false',
    });
  });

  test.each([
    ["type.coding.code = 'a'", 'a comparison found several values on one side: use exists(), first() or in'],
    ["type.coding.code.startsWith('a')", 'one value was expected, several were found'],
    ["type.coding.code in ('a' | 'b')", 'one value was expected, several were found'],
    ['type.where(coding.userSelected).exists()', 'a criterion is not true or false'],
    ['type.coding.single().exists()', 'the expression cannot be evaluated on this record'],
  ])('%s fails where there are several values', (text, failure) => {
    expect(failureOf(text)).toBe(failure);
  });

  test('what the library throws does not carry the record into messages', () => {
    const secret = {
      ...stay,
      period: { end: 'MARKER-1' },
      type: [{ coding: [{ code: 'MARKER-2' }, { code: 'MARKER-3' }] }],
    };
    for (const text of [
      'period.end > now()',
      'period.end + 1 day',
      "type.coding.code.startsWith('x')",
      'type.coding.single()',
    ]) {
      expect(failureOf(text, {}, secret)).not.toBe('no failure');
      expect(failureOf(text, {}, secret)).not.toMatch(/MARKER/);
    }
  });

  test('leaves the resources as they are, frozen or not', () => {
    const letter = Object.freeze({
      resourceType: 'DocumentReference',
      id: 'd1',
      content: [Object.freeze({ attachment: {} })],
    });
    const [found] = run('%letters.content', { letters: Object.freeze([letter]) });
    expect(found).toBe(letter.content[0]);
    expect(Object.getOwnPropertyNames(found)).toEqual(['attachment']);
  });

  test('tells the resource that a value was read from', () => {
    const letters = ['d1', 'd2'].map((id, index) => ({
      resourceType: 'DocumentReference',
      id,
      date: `2026-03-0${index + 1}T08:00:00Z`,
    }));
    const compiled = compile('%letters.date.max()');
    if (compiled.kind === 'faults') throw new Error('it compiles');
    const result = tryEvaluate(compiled.expression, stay, { letters }, moment);
    expect(result).toMatchObject({ items: [{ origin: letters[1] }] });
  });

  test('writes nothing on the console', () => {
    const spies = [jest.spyOn(console, 'warn'), jest.spyOn(console, 'log'), jest.spyOn(console, 'error')];
    run('period.end + 1.5 days');
    run('type.coding.take(1)');
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });

  test('refuses to match long texts', () => {
    expect(failureOf("status.matches('^a')", {}, { ...stay, status: 'a'.repeat(251) })).toBe(
      'matches() found a text longer than 250 characters',
    );
  });
});
