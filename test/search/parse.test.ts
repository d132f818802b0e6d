/** What is not understood is refused, with the parameter's name and never its value (https://hl7.org/fhir/R4/search.html#errors). */
import { describe, expect, test } from '@jest/globals';
import { Problem, type ProblemCategory } from '../../src/base/index.ts';
import { searchLimits } from '../../src/base/index.ts';
import { formatQuery, parseSearch } from '../../src/search/index.ts';
import { context, now } from './record.ts';

type Pairs = readonly (readonly [string, string])[];

function refusal(type: string | undefined, parameters: Pairs): { category: ProblemCategory; message: string } {
  try {
    parseSearch(context, type, parameters, { now });
  } catch (error) {
    if (error instanceof Problem) return { category: error.category, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

const secret = 'Dupont';

describe('refused, by name', () => {
  test.each<[string, string, string, ProblemCategory]>([
    ['an unknown parameter', 'nachname', secret, 'unsupported-parameter'],
    ['a parameter of another type', 'birthdate', secret, 'unsupported-parameter'],
    ['an unknown modifier', 'status:like', secret, 'unsupported-parameter'],
    ['a modifier of another kind of parameter', 'date:exact', '2026', 'unsupported-parameter'],
    ['two modifiers', 'status:not:missing', secret, 'unsupported-parameter'],
    ['a _filter without operator', '_filter', secret, 'incorrect'],
    ['a _filter that mixes and with or', '_filter', `status eq a and status eq b or class eq c`, 'incorrect'],
    ['a _filter with an open bracket', '_filter', '(status eq a', 'incorrect'],
    ['a functional list', '_list', '$current-allergies', 'unsupported-parameter'],
    ['_text of signs', '_text', '***', 'incorrect'],
    ['a value set that is not known', 'type:in', `http://${secret}.example/vs`, 'unsupported-parameter'],
    ['a code system without hierarchy', 'type:below', 'http://loinc.org|1', 'unsupported-parameter'],
    [':of-type of codes', 'status:of-type', 'a|b|c', 'unsupported-parameter'],
    [':of-type of half a value', 'identifier:of-type', 'a|b', 'incorrect'],
    [':below of what has no rows', '_profile:below', 'http://a', 'unsupported-parameter'],
    ['_query', '_query', secret, 'unsupported-parameter'],
    ['_contained', '_contained', 'true', 'unsupported-parameter'],
    ['_type on a type', '_type', 'Patient', 'unsupported-parameter'],
    ['a bad date', 'date', `ge${secret}`, 'incorrect'],
    ['a date that does not exist', 'date', '2026-02-30', 'incorrect'],
    ['a bad number', 'length', secret, 'incorrect'],
    ['a number with half a unit', 'length', '5|mg', 'incorrect'],
    ['a bad :missing', 'status:missing', secret, 'incorrect'],
    ['an empty value', 'status', '', 'incorrect'],
    ['an empty alternative', 'status', 'finished,,planned', 'incorrect'],
    ['a token with two bars', 'type', 'a|b|c', 'incorrect'],
    ['a token of nothing', 'type', '|', 'incorrect'],
    ['a reference to an unknown type', 'subject', `Dog/${secret}`, 'incorrect'],
    ['a chain through a token', 'status.name', secret, 'unsupported-parameter'],
    ['a chain to a parameter that no target has', 'subject.nachname', secret, 'unsupported-parameter'],
    ['a chain to a type that is no target', 'subject:Device.identifier', secret, 'unsupported-parameter'],
    ['a _has without parameter', '_has:Observation:patient', secret, 'incorrect'],
    ['a _has of an unknown type', '_has:Dog:patient:code', secret, 'incorrect'],
    ['a _has whose reference leads elsewhere', '_has:Observation:device:code', secret, 'incorrect'],
    ['a chain too long', 'part-of.part-of.part-of.part-of.status', 'finished', 'too-costly'],
    ['a value too long', 'identifier', secret.repeat(1000), 'too-costly'],
    [
      'too many alternatives',
      'identifier',
      Array.from({ length: searchLimits.orValuesMax + 1 }, () => secret).join(),
      'too-costly',
    ],
    ['U+0000', 'identifier', `${secret}\u0000`, 'incorrect'],
    ['a bad _count', '_count', '-1', 'incorrect'],
    ['a bad _total', '_total', secret, 'incorrect'],
    ['a bad _summary', '_summary', secret, 'incorrect'],
    ['a sort by what has no order', '_sort', '_text', 'unsupported-parameter'],
    ['a sort by an unknown parameter', '_sort', 'nachname', 'unsupported-parameter'],
    ['a modified _count', '_count:exact', '3', 'unsupported-parameter'],
    ['_include of a token', '_include', 'Encounter:status', 'unsupported-parameter'],
    ['an unknown modifier of _include', '_include:all', 'Encounter:subject', 'unsupported-parameter'],
    ['a target of _include that is no type', '_include', 'Encounter:subject:Dog', 'incorrect'],
    ['a bad _elements', '_elements', 'status;drop', 'incorrect'],
  ])('%s', (_what, name, value, category) => {
    const found = refusal('Encounter', [[name, value]]);
    expect(found.category).toBe(category);
    expect(found.message).toContain(`parameter ${name.replace(/^(_count):.*/, '$1')}`);
    expect(found.message).not.toContain(secret);
  });

  test('too many parameters', () => {
    const many = Array.from({ length: searchLimits.parametersMax + 1 }, () => ['status', 'finished'] as const);
    expect(refusal('Encounter', many).category).toBe('too-costly');
  });

  test('a name that may be anything is not repeated', () => {
    expect(refusal('Encounter', [[`${secret} né en 1948`, '1']]).message).toBe(
      'a parameter: Encounter has no such search parameter',
    );
  });

  test('a single parameter given twice', () => {
    const twice: Pairs = [
      ['_count', '1'],
      ['_count', '2'],
    ];
    expect(refusal('Encounter', twice).message).toBe('parameter _count: it is given more than once');
  });

  test('a text without letters and digits', () => {
    expect(refusal('Patient', [['name', '***']]).category).toBe('incorrect');
  });

  test('true and false in other words', () => {
    expect(refusal('Patient', [['active', 'yes']]).message).toBe('parameter active: expected true or false');
  });

  test('a system where values have none', () => {
    expect(refusal('Patient', [['phone', 'http://x|06']]).category).toBe('incorrect');
  });

  test('a type that never stands in the compartment', () => {
    expect(() => parseSearch(context, 'Organization', [], { now, compartment: 'Patient/p1' })).toThrow('compartment');
  });

  test('an unknown type', () => {
    expect(() => parseSearch(context, 'Dog', [['_id', '1']], { now })).toThrow('unknown to FHIR R4');
    expect(refusal(undefined, [['_type', 'Dog']]).category).toBe('incorrect');
  });

  test('a parameter that one of several types lacks', () => {
    const mixed: Pairs = [
      ['_type', 'Patient,Encounter'],
      ['birthdate', '1948'],
    ];
    expect(refusal(undefined, mixed).message).toBe('parameter birthdate: Encounter has no such search parameter');
  });
});

describe('accepted', () => {
  test('result parameters are read', () => {
    const { result } = parseSearch(
      context,
      'Encounter',
      [
        ['_count', '50'],
        ['_sort', '-date,_id'],
        ['_total', 'accurate'],
        ['_summary', 'count'],
        ['_elements', 'status,subject'],
        ['_include', 'Encounter:patient'],
        ['_revinclude:iterate', 'Provenance:target:Encounter'],
        ['_format', 'json'],
        ['_pretty', 'true'],
      ],
      { now },
    );
    expect(result).toMatchObject({ count: 50, total: 'accurate', summary: 'count', elements: ['status', 'subject'] });
    expect(result.sorts.map(({ parameter, isDescending }) => [parameter.code, isDescending])).toEqual([
      ['date', true],
      ['_id', false],
    ]);
    expect(result.includes.map(({ kind, type, isIterated, target }) => [kind, type, isIterated, target])).toEqual([
      ['include', 'Encounter', false, undefined],
      ['revinclude', 'Provenance', true, 'Encounter'],
    ]);
  });

  test('a + that was not encoded in a time', () => {
    expect(() => parseSearch(context, 'Encounter', [['date', 'ge2026-03-02T08:00:00 01:00']], { now })).not.toThrow();
  });

  test('the self link says what was taken into account, and nothing else', () => {
    const pairs: Pairs = [
      ['status', 'finished,planned'],
      ['date', 'ge2026-03-02T08:00:00+01:00'],
      ['_format', 'json'],
      ['_cursor', 'old'],
    ];
    const search = parseSearch(context, 'Encounter', pairs, { now });
    expect(formatQuery(search)).toBe('status=finished%2Cplanned&date=ge2026-03-02T08%3A00%3A00%2B01%3A00');
    expect(formatQuery(search, 'new')).toMatch(/&_cursor=new$/);
  });
});
