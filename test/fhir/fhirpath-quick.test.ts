/** The quick way to run expressions against the way of the library, on random expressions and random records. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runSlowly } from '../../src/fhir/fhirpath.ts';
import {
  compileExpression,
  createDateReader,
  type Expression,
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

function compile(text: string): Expression | undefined {
  const compiled = compileExpression(text, { definitions, context: 'Encounter', variables });
  return compiled.kind === 'ok' ? compiled.expression : undefined;
}

const date = fc.constantFrom(
  '2026-03-02',
  '2026-03-03',
  '2026-03-02T16:20:00+01:00',
  '2026-03-02T23:30:00Z',
  '2026-03',
  '2026-02-30',
);
const code = fc.constantFrom('a', 'b', 'finished', 'IMP', '');
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 3 });

/** Without members that are undefined, as parsed JSON is. */
function clean(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

const coding = fc.record({
  system: maybe(fc.constantFrom('x', 'y')),
  code: maybe(code),
  userSelected: maybe(fc.boolean()),
});
const concept = fc.record({ coding: maybe(fc.array(coding, { maxLength: 2 })), text: maybe(code) });
const period = fc.record({
  start: maybe(date),
  end: maybe(date),
  _end: maybe(fc.constant({ extension: [{ url: 'u', valueCode: 'unknown' }] })),
});
const stay = fc
  .record({
    status: code,
    class: coding,
    period: maybe(period),
    type: maybe(fc.array(concept, { maxLength: 2 })),
    length: maybe(fc.constant({ value: 3, code: 'd', system: 'http://unitsofmeasure.org' })),
    subject: maybe(
      fc.constantFrom({ reference: 'Patient/p1' }, { reference: 'http://h/Patient/p1/_history/2' }, { display: 'x' }),
    ),
    statusHistory: maybe(fc.array(fc.record({ status: code, period }), { maxLength: 2 })),
    extension: maybe(
      fc.array(fc.record({ url: fc.constantFrom('u', 'v'), valueCoding: maybe(coding) }), { maxLength: 2 }),
    ),
    hospitalization: maybe(fc.record({ dischargeDisposition: maybe(concept) })),
  })
  .map(
    (parts) =>
      clean({
        resourceType: 'Encounter',
        id: 'e1',
        meta: { lastUpdated: '2026-03-02T17:00:00Z' },
        ...parts,
      }) as Resource,
  );
const letter = fc
  .record({
    id: fc.constantFrom('d1', 'd2', 'd3'),
    status: code,
    date: maybe(date),
    creations: fc.array(maybe(date), { maxLength: 2 }),
  })
  .map(
    ({ id, creations, ...parts }) =>
      clean({
        resourceType: 'DocumentReference',
        id,
        ...parts,
        content: creations.map((creation) => ({ attachment: { creation } })),
      }) as Resource,
  );
const observation = fc
  .oneof(
    fc.constantFrom<object>(
      { valueInteger: 3 },
      { valueString: 'a' },
      { valueBoolean: false },
      { valueDateTime: '2026-03-02' },
      {},
    ),
    coding.map((one) => ({ valueCodeableConcept: { coding: [one] } })),
  )
  .map((value) => clean({ resourceType: 'Observation', id: 'o1', status: 'final', ...value }) as Resource);
const patient = fc
  .constantFrom<object>(
    {},
    { deceasedBoolean: false },
    { deceasedBoolean: true },
    { deceasedDateTime: '2026-03-02' },
    { active: false },
  )
  .map((parts): Resource => ({ resourceType: 'Patient', id: 'p1', ...parts }));

const record = fc.record({
  focus: stay,
  patient: maybe(patient),
  anchor: maybe(date),
  letters: fc.array(letter, { maxLength: 3 }),
  values: fc.array(observation, { maxLength: 2 }),
  gp: fc.constantFrom(['a'], ['a', 'b'], []),
});

const paths: Readonly<Record<string, readonly string[]>> = {
  text: [
    'status',
    'class.code',
    'type.coding.code',
    'type.text',
    'subject.reference',
    'subject.referenceKey()',
    'period.end.plusDays(3)',
    'period.start.plusDays(length.value)',
    '%gp',
    "'a'",
    "extension('u').value.ofType(Coding).code",
    'hospitalization.dischargeDisposition.coding.code',
    '%values.value.ofType(string)',
    '$this.status',
    'statusHistory.status',
    "'Encounter/' + id",
    'status.upper()',
    'type.text.first()',
    'status.substring(1, 2)',
    '%letters.id',
    "status & 'x'",
    'period.end.toString()',
    'type.coding.userSelected.toString()',
    "period.end.extension('u').value.ofType(code)",
  ],
  date: [
    'period.start',
    'period.end',
    '%anchor',
    'now()',
    'today()',
    '%letters.date',
    '%letters.content.attachment.creation.min()',
    '%letters.content.attachment.creation.max()',
    '@2026-03-02',
    'period.end + 1 day',
    'period.start - 2 hours',
    'statusHistory.period.end',
    'meta.lastUpdated',
    '%values.value.ofType(dateTime)',
    'iif(period.end.exists(), period.end, %anchor)',
    'period.end.toDate()',
    '%patient.deceased.ofType(dateTime)',
  ],
  truth: [
    'true',
    'period.exists()',
    '%patient.active',
    'type.coding.userSelected',
    '%patient.deceased.ofType(boolean)',
    'hospitalization.empty()',
    'status is code',
    "status.matches('^fi')",
    '%values.value.ofType(boolean)',
  ],
  any: [
    'type',
    'type.coding',
    'period',
    'statusHistory',
    '%letters',
    '%values',
    '%values.value',
    'extension',
    'length',
    '%patient.deceased',
    'type[0].coding[1]',
    'type.coding.distinct()',
    '(type.coding | class)',
    'subject',
  ],
};

const pick = (kind: string) => fc.constantFrom(...(paths[kind] ?? []));
const condition: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    pick('truth'),
    fc.tuple(pick('text'), fc.constantFrom('=', '!=', 'in', '<'), pick('text')).map((parts) => `(${parts.join(' ')})`),
    fc
      .tuple(pick('date'), fc.constantFrom('=', '!=', '<', '<=', '>', '>='), pick('date'))
      .map((parts) => `(${parts.join(' ')})`),
    fc
      .tuple(pick('text'), fc.constantFrom('startsWith', 'endsWith', 'contains'), pick('text'))
      .map(([a, name, b]) => `${a}.${name}(${b})`),
    fc
      .tuple(tie('node'), fc.constantFrom('and', 'or', 'implies', 'xor'), tie('node'))
      .map((parts) => `(${parts.join(' ')})`),
    tie('node').map((inner) => `(${inner}).not()`),
    fc.tuple(pick('any'), tie('node')).map(([path, inner]) => `${path}.where(%focus.select(${inner})).exists()`),
    fc.constantFrom(
      "type.coding.exists(system = 'x' and code = 'a')",
      'type.coding.exists(userSelected)',
      "statusHistory.where(status = 'a').period.end.exists()",
      '%letters.where(date >= %anchor).exists()',
      '%letters.all(status = %focus.status)',
      "%letters.exists($this.status = 'a')",
      'type.coding.where($index = 0).exists()',
      "%values.where(value.coding.code = 'a').exists()",
      'type.coding.code.intersect(%gp).exists()',
      "class.where(code in ('a' | 'IMP')).exists()",
    ),
  ),
})).node;

const expression = fc.oneof(
  condition,
  pick('any'),
  pick('text'),
  pick('date'),
  fc.tuple(pick('any'), condition).map(([path, inner]) => `${path}.select(iif(%focus.exists(${inner}), 1, 2))`),
);

describe('The quick way', () => {
  test('yields what the library yields, or more where the right side of an operator is not needed', () => {
    let compared = 0;
    fc.assert(
      fc.property(expression, record, (text, { focus, ...bound }) => {
        const compiled = compile(text);
        if (compiled?.quick === undefined) return;
        compared++;
        const { quick: _quick, ...rest } = compiled;
        const slow = tryEvaluate({ ...rest, quick: undefined }, focus, { focus, ...bound }, moment);
        const quick = tryEvaluate(compiled, focus, { focus, ...bound }, moment);
        if (slow.kind === 'error') return;
        expect(quick).toEqual(slow);
      }),
      { numRuns: 1000 },
    );
    expect(compared).toBeGreaterThan(300);
  });

  test.each([
    'period.end + length',
    '1 + 2 = 3',
    'type.count() * 2 > 1',
    'length > 3 days',
    '-1 < 0',
    "status.replace('a', 'b') = 'b'",
  ])('leaves %s to the library', (text) => {
    expect(compile(text)?.quick).toBeUndefined();
  });

  test('knows the same origin of values as the library', () => {
    const compiled = compile('%letters.content.attachment.creation.min()');
    const letters = [
      { resourceType: 'DocumentReference', id: 'd1', content: [{ attachment: { creation: '2026-03-02' } }] },
    ];
    const focus: Resource = { resourceType: 'Encounter', id: 'e1' };
    if (compiled === undefined) throw new Error('it compiles');
    const expected = [{ value: '2026-03-02', origin: letters[0] }];
    expect(runSlowly(compiled, focus, { letters }, moment)).toEqual(expected);
    expect(tryEvaluate(compiled, focus, { letters }, moment)).toEqual({ kind: 'items', items: expected });
  });
});
