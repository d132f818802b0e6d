/** Dates in expressions: the clock and the zone are those passed in. Run under several zones by test/rules/time-zones.test.ts. */
import { describe, expect, test } from '@jest/globals';
import {
  compileExpression,
  createDateReader,
  type Evaluation,
  loadDefinitions,
  manyOf,
  oneOf,
  type Resource,
  tryEvaluate,
} from '../../src/fhir/index.ts';

const definitions = loadDefinitions();
const variables = { anchor: oneOf('System.DateTime'), letters: manyOf('DocumentReference') };

function attempt(text: string, end: string, bound: Record<string, unknown> = {}, zone = 'Europe/Paris'): Evaluation {
  const compiled = compileExpression(text, { definitions, context: 'Encounter', variables });
  if (compiled.kind === 'faults') throw new Error(compiled.issues.map((issue) => issue.text).join('\n'));
  const stay: Resource = { resourceType: 'Encounter', id: 's', period: { end } };
  const moment = { nowMs: Date.parse('2026-03-02T23:30:00Z'), dates: createDateReader(zone) };
  return tryEvaluate(compiled.expression, stay, bound, moment);
}

function run(text: string, end = '2026-03-02T16:20:00+01:00', bound: Record<string, unknown> = {}): unknown {
  const result = attempt(text, end, bound);
  return result.kind === 'error' ? result : result.items.map((item) => item.value);
}

describe('Dates in expressions', () => {
  test('take the time of the clock passed in', () => {
    expect(run('now()')).toEqual(['2026-03-03T00:30:00+01:00']);
    expect(run('today()')).toEqual(['2026-03-03']);
    expect(run('timeOfDay()')).toEqual(['00:30:00']);
    expect(attempt('today()', '', {}, 'America/Martinique')).toMatchObject({ items: [{ value: '2026-03-02' }] });
  });

  test.each([
    ['2026-03-02T16:20:00+01:00', '<', '2026-03-02T15:20:00.001Z', true],
    ['2026-03-02T16:20:00+01:00', '=', '2026-03-02T15:20:00Z', true],
    ['2026-10-25T02:30:00+02:00', '<', '2026-10-25T02:10:00+01:00', true],
    ['2026-03-02', '=', '2026-03-02', true],
    ['2026-03-02', '>', '2026-03-02', false],
    ['2026-03-02', '<', '2026-03-03', true],
    // A day beside an instant: true when some moment of the day satisfies it.
    ['2026-03-02', '>', '2026-03-02T16:20:00+01:00', true],
    ['2026-03-02', '<', '2026-03-02T16:20:00+01:00', true],
    ['2026-03-02', '=', '2026-03-02T23:59:59+01:00', true],
    ['2026-03-02', '>=', '2026-03-03T00:00:00+01:00', false],
    ['2026-03-02', '<', '2026-03-02T00:00:00+01:00', false],
    ['2026-03-11T23:30:00Z', '<', '2026-03-12', true],
    ['2026-03-11T22:30:00Z', '>', '2026-03-12', false],
    ['2026-03-11T23:30:00Z', '=', '2026-03-12', true],
    ['2026-03-11T22:30:00Z', '=', '2026-03-11', true],
    ['2026-02', '<', '2026-03-02', true],
    ['2025', '<', '2026-03-02T10:00:00Z', true],
  ])('%s %s %s is %s', (left, operator, right, expected) => {
    expect(run(`period.end ${operator} %anchor`, left, { anchor: right })).toEqual([expected]);
  });

  test.each([
    ['period.end > %anchor', '2026-03', 'a comparison found a date too coarse to decide it'],
    ['period.end = %anchor', '2026', 'a comparison found a date too coarse to decide it'],
    ['period.end > %anchor', '2026-02-30', 'a date in the record does not exist'],
    ['period.end > %anchor', '2026-03-02T24:00:00Z', 'a date in the record does not exist'],
    ['period.end + 1 day', '2026-02-30', 'a date cannot be moved by this duration'],
    ['period.end + 1 hour', '2026-03-02', 'a date cannot be moved by this duration'],
    ['period.end + 1 month', '2026-03', 'a date cannot be moved by this duration'],
    ["period.end + 1 'kg'", '2026-03-02', 'a date cannot be moved by this duration'],
  ])('%s with %s is an error, never false', (text, end, failure) => {
    expect(run(text, end, { anchor: '2026-03-02T10:00:00+01:00' })).toEqual({ kind: 'error', text: failure });
  });

  test.each([
    ['period.end + 7 days', '2026-10-20T12:00:00+02:00', '2026-10-27T12:00:00+01:00'],
    ["period.end + 7 'd'", '2026-10-20T12:00:00+02:00', '2026-10-27T12:00:00+01:00'],
    ['period.end + 168 hours', '2026-10-20T12:00:00+02:00', '2026-10-27T11:00:00+01:00'],
    ['period.end + 1 day', '2026-03-28T02:30:00+01:00', '2026-03-29T03:30:00+02:00'],
    ['period.end - 1 month', '2026-03-31', '2026-02-28'],
    ['period.end + 1 year', '2028-02-29', '2029-02-28'],
    ['period.end + 1 month', '2028-01-31', '2028-02-29'],
    ['period.end - 90 minutes', '2026-03-29T03:30:00+02:00', '2026-03-29T01:00:00+01:00'],
    ['period.end.toDate()', '2026-03-11T23:30:00Z', '2026-03-12'],
    ['period.end.toString().substring(0, 10).toDate() + 14 days', '2026-03-02T16:20:00+01:00', '2026-03-16'],
    ['period.end.toDateTime()', '2026-03-02', '2026-03-02'],
  ])('%s of %s is %s', (text, end, expected) => {
    expect(run(text, end)).toEqual([expected]);
  });

  test('the least and the greatest of dates are found across precisions', () => {
    const letters = ['2026-03-02T18:00:00Z', '2026-03-02', '2026-03-02T16:20:00+01:00'].map((creation, index) => ({
      resourceType: 'DocumentReference',
      id: `d${index}`,
      content: [{ attachment: { creation } }],
    }));
    expect(run('%letters.content.attachment.creation.min()', '', { letters })).toEqual(['2026-03-02']);
    expect(run('%letters.content.attachment.creation.max()', '', { letters })).toEqual(['2026-03-02T18:00:00Z']);
  });

  test('a local time without offset is read in the zone passed in; of two equal ones the first counts', () => {
    expect(run('period.end = %anchor', '2026-10-25T02:30:00', { anchor: '2026-10-25T00:30:00Z' })).toEqual([true]);
  });
});
