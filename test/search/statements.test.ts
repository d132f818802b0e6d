/** The statements themselves: one text per shape, a start that is selective, one place that hides. */
import { describe, expect, test } from '@jest/globals';
import { parseSearch, toCountSql, toSql, type Visible } from '../../src/search/index.ts';
import { context, now } from './record.ts';

const everything: Visible = () => 'true';

function statement(type: string, query: string, visible = everything) {
  const search = parseSearch(context, type, [...new URLSearchParams(query)], { now });
  return toSql(context, search, { visible, count: 20 });
}

/** The first index table that the page is made from. */
const start = (type: string, query: string) => /from (\w+_index|resource)\b/.exec(statement(type, query).text)?.[1];

describe('a search starts', () => {
  test.each([
    ['Encounter', 'patient=p1&status=finished&date=ge2026', 'token_index'],
    ['Patient', 'name=dupont&gender=female', 'string_index'],
    ['Patient', 'name=dupont&identifier=urn:x|1', 'token_index'],
    ['Encounter', 'date=ge2026', 'date_index'],
    ['Encounter', '_sort=-date', 'date_index'],
    ['Encounter', 'status=finished&_sort=date', 'date_index'],
    ['Encounter', 'status=finished&_sort=-date', 'token_index'],
    ['Observation', 'value-quantity=gt5', 'number_index'],
    ['Patient', '', 'resource'],
    ['Patient', '_id=p1&gender=female', 'resource'],
    ['Observation', '_lastUpdated=gt2026-03-02T08:00:00Z&status=final', 'resource'],
    ['Observation', '_lastUpdated=gt2026-03-02T08:00:00Z&patient=p1', 'token_index'],
    ['Patient', 'name:missing=true', 'resource'],
    ['Patient', '_profile=urn:x', 'resource'],
  ])('%s?%s from %s', (type, query, table) => expect(start(type, query)).toBe(table));
});

describe('a statement', () => {
  test('has one text and name for all values of one shape', () => {
    const [one, other] = [
      statement('Encounter', 'patient=p1&status=finished'),
      statement('Encounter', 'patient=p2&status=planned'),
    ];
    expect(other.text).toBe(one.text);
    expect(other.name).toBe(one.name);
    expect(other.values).not.toEqual(one.values);
    expect(statement('Encounter', 'patient=p1').name).not.toBe(one.name);
  });

  test('has no value in its text', () => {
    const { text } = statement(
      'Patient',
      'name=dupont&identifier=urn:x|148057815100162&birthdate=1948-05-04&_id=secret',
    );
    expect(text).not.toMatch(/dupont|148057815100162|1948|secret/);
  });

  test('asks of every resource that it reads whether it may be seen', () => {
    const visible: Visible = (alias) => `seen(${alias})`;
    for (const query of [
      'subject.name=x',
      'subject:Patient.gender=male',
      '_has:Observation:encounter:code=1',
      '_sort=date',
      'status=finished',
      '',
    ]) {
      const { text } = statement('Encounter', query, visible);
      const read = [...text.matchAll(/(?:from|join) resource (\w+)/g)].map(([, alias]) => alias);
      const hidden = [...text.matchAll(/seen\((\w+)\)/g)].map(([, alias]) => alias);
      // The last row read is the page itself, which was found by rows that were asked.
      expect(hidden.sort()).toEqual(read.slice(0, -1).sort());
    }
  });

  test('refuses a page key of another order', () => {
    const search = parseSearch(context, 'Encounter', [['status', 'finished']], { now });
    const after = { order: 'date_index true', values: ['1', '2'], rid: '3', type: 'Encounter', id: 'e1' };
    expect(() => toSql(context, search, { visible: everything, count: 20, after })).toThrow('too old');
  });

  test('counts index rows alone only when nothing is hidden', () => {
    const search = parseSearch(context, 'Encounter', [['patient', 'p1']], { now });
    expect(toCountSql(context, search, everything).text).not.toContain('resource');
    expect(toCountSql(context, search, () => 'false').text).toContain('join resource');
  });
});
