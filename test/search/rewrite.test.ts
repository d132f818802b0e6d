/** Each rewrite, before -> after, in the words of the index. That none changes what matches is sql-predicate.test.ts. */
import { describe, expect, test } from '@jest/globals';
import { parseSearch } from '../../src/search/index.ts';
import { rewrite } from '../../src/search/rewrite.ts';
import { context, now } from './record.ts';

function conditions(type: string, query: string, compartment?: string) {
  const options = compartment === undefined ? { now } : { now, compartment };
  return rewrite(context, parseSearch(context, type, [...new URLSearchParams(query)], options).criteria);
}

const { hash, dates } = context.readers;
const day = (text: string) => dates.range(text) ?? { lo: 0, hi: 0 };

test('a compartment becomes the references of its parameters', () => {
  const [condition, ...others] = conditions('Observation', '', 'Patient/p1');
  const expected = [hash('rObservation.subject\nPatient/p1'), hash('rObservation.performer\nPatient/p1')];
  expect(others).toEqual([]);
  expect(condition).toMatchObject({ kind: 'keys', match: 'any', keys: expect.arrayContaining(expected) });
});

test('an id without type becomes one reference per type', () => {
  const [condition] = conditions('Encounter', 'subject=23');
  expect(condition).toMatchObject({
    keys: [hash('rEncounter.subject\nPatient/23'), hash('rEncounter.subject\nGroup/23')],
  });
});

test('a patient is sought under the key of the subject', () => {
  expect(conditions('Encounter', 'patient=23')).toMatchObject([{ keys: [hash('rEncounter.subject\nPatient/23')] }]);
});

test('nothing sought is nothing found, and nothing excluded is no condition', () => {
  expect(conditions('Patient', 'gender=http://other.example|female&active=true')).toEqual([{ kind: 'nothing' }]);
  expect(conditions('Patient', 'gender:not=http://other.example|female')).toEqual([]);
});

test('exclusions are joined', () => {
  const [one, ...others] = conditions('Encounter', 'status:not=finished&class:not=IMP&type:missing=true');
  expect(others).toEqual([]);
  expect(one).toMatchObject({ kind: 'keys', match: 'none' });
  expect(one?.kind === 'keys' && one.keys.length).toBe(3);
});

describe('two bounds of a date', () => {
  test('are one range where a resource has only one such date', () => {
    const [condition, ...others] = conditions('Task', 'authored-on=gt2026-03-01&authored-on=lt2026-03-05');
    expect(others).toEqual([]);
    if (condition?.kind !== 'ranges') throw new Error('expected ranges');
    expect(condition.alternatives[0]?.ranges[0]).toEqual(
      expect.arrayContaining([
        { side: 'hi', operator: '>', value: day('2026-03-01').hi },
        { side: 'lo', operator: '<', value: day('2026-03-05').lo },
      ]),
    );
  });

  test('stay two where it may have several', () => {
    expect(conditions('Patient', '_lastUpdated=gt2025&birthdate=gt1940&birthdate=lt1950')).toHaveLength(2);
    expect(conditions('CarePlan', 'activity-date=gt2026-03-01&activity-date=lt2026-03-05')).toHaveLength(2);
  });
});

describe('a bound of the end of a date bounds its start', () => {
  const starts = (type: string, query: string) => {
    const [condition] = conditions(type, query);
    if (condition?.kind !== 'ranges') throw new Error('expected ranges');
    return condition.alternatives[0]?.ranges[0]?.filter(({ side }) => side === 'lo').map(({ operator }) => operator);
  };
  test('by the longest that a date is', () => expect(starts('Task', 'authored-on=gt2026-03-01')).toEqual(['>']));
  test('not where a period has no longest', () => expect(starts('Encounter', 'date=gt2026-03-01')).toEqual([]));
  test('always from above', () => expect(starts('Encounter', 'date=eb2026-03-01')).toEqual(['<']));
});
