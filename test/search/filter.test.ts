/** `_filter` (https://hl7.org/fhir/R4/search_filter.html): the grammar, and that a filter finds what the parameters that it names find. */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { createPredicate, parseSearch } from '../../src/search/index.ts';
import { type Filter, parseFilter } from '../../src/search/filter.ts';
import { context, now } from './record.ts';

const print = (filter: Filter): string => {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return `(${filter.of.map(print).join(` ${filter.kind} `)})`;
    case 'not':
      return `not ${print(filter.of)}`;
    case 'test': {
      const steps = filter.path.map(({ name, where }) => (where === undefined ? name : `${name}[${print(where)}]`));
      return `${steps.join('.')} ${filter.operator} <${filter.value}>`;
    }
  }
};

describe('a filter is read as', () => {
  test.each([
    ['given eq "peter" and birthdate ge 2014-10-10', '(given eq <peter> and birthdate ge <2014-10-10>)'],
    ['name co "pet"', 'name co <pet>'],
    ['code eq http://loinc.org|1234-5', 'code eq <http://loinc.org|1234-5>'],
    ['subject.name co "a \\"b\\" c"', 'subject.name co <a "b" c>'],
    ['has-member[code eq x].status pr true', 'has-member[code eq <x>].status pr <true>'],
    ['not (status eq final) and (a eq 1 or b eq 2)', '(not status eq <final> and (a eq <1> or b eq <2>))'],
    ['((a eq 1))', 'a eq <1>'],
    ['value-quantity gt 5.4|http://unitsofmeasure.org|mg', 'value-quantity gt <5.4|http://unitsofmeasure.org|mg>'],
  ])('%s', (text, expected) => {
    expect(print(parseFilter(text))).toBe(expected);
  });
});

const patient: Resource = {
  resourceType: 'Patient',
  id: 'p1',
  name: [{ family: 'Lefèvre', given: ['Zoé', 'Aline'] }],
  gender: 'female',
  birthDate: '1948-05-04',
};

describe('a filter on a patient', () => {
  test.each([
    ['family eq "lefevre"', true],
    ['family eq "lefev"', false],
    ['family sw "lefev"', true],
    ['family ew "vre"', true],
    ['family co "fev"', true],
    ['given ne "zoe"', undefined],
    ['gender eq female', true],
    ['gender ne female', false],
    ['gender ne male', true],
    ['birthdate lt 1950', true],
    ['birthdate po 1948-05', true],
    ['birthdate ge 1950 or gender eq female', true],
    ['not (birthdate ge 1950) and family pr true', true],
    ['telecom pr true', false],
    ['telecom pr false', true],
    ['gender eq male or (family eq "a,b" or given eq aline)', true],
  ])('%s', (filter, expected) => {
    const ask = () =>
      createPredicate(context, parseSearch(context, 'Patient', [['_filter', filter]], { now }))(patient);
    if (expected === undefined) expect(ask).toThrow('not (... eq ...)');
    else expect(ask()).toBe(expected);
  });
});
