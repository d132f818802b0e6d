/** Instances whose clocks differ: time does not go back for one patient. */
import { describe, expect, it } from '@jest/globals';
import { patientTime } from '../../src/breaks/patient-time.ts';
import type { Resource } from '../../src/fhir/index.ts';

const clockMs = Date.parse('2026-03-12T22:59:59.700Z');

function record(type: string, lastUpdated?: string): { readonly byType: ReadonlyMap<string, readonly Resource[]> } {
  const one = { resourceType: type, id: 'x', ...(lastUpdated === undefined ? {} : { meta: { lastUpdated } }) };
  return { byType: new Map([[type, [one]]]) };
}

describe('The instant of a judgment', () => {
  it.each([
    ['the clock, where nothing is written of breaks', record('Encounter', '2026-03-12T23:00:00.000Z'), 0],
    ['the clock, where it is later', record('DetectedIssue', '2026-03-12T22:59:59.000Z'), 0],
    ['that of the break, which another instance has opened', record('DetectedIssue', '2026-03-12T23:00:00.000Z'), 300],
    ['that of its Task', record('Task', '2026-03-12T22:59:59.900Z'), 200],
    ['the clock, where somebody wrote with a clock that was far ahead', record('Task', '2027-03-12T23:00:00.000Z'), 0],
    ['the clock, where the time of writing is not known', record('DetectedIssue'), 0],
  ])('is %s', (_title, facts, laterMs) => {
    expect(patientTime(clockMs, facts) - clockMs).toBe(laterMs);
  });
});
