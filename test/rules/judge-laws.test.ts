/** Laws of judging, on records made at random. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Resource } from '../../src/fhir/index.ts';
import { judge, type JudgmentResult } from '../../src/rules/index.ts';
import { caseOf, recorded, ruleOf, type Scene, someLetter, someMessage, someStay, someTeam } from './support.ts';

const start = Date.parse('2026-03-08T00:00:00Z');
const hour = 3_600_000;
const instant = fc.integer({ min: 0, max: 21 * 24 }).map((hours) => new Date(start + hours * hour).toISOString());
const written = fc.oneof(
  instant,
  instant.map((text) => text.slice(0, 10)),
);

const letter = fc
  .record({
    id: fc.stringMatching(/^d[0-9]$/),
    creation: fc.option(written, { nil: undefined }),
    status: fc.constantFrom('current', 'superseded', 'entered-in-error'),
    at: instant,
  })
  .map(({ id, creation, status, at }) => someLetter(creation, { id, status, meta: recorded('1', at) }));
const message = fc
  .record({
    id: fc.stringMatching(/^m[0-9]$/),
    sent: fc.option(instant, { nil: undefined }),
    about: fc.stringMatching(/^d[0-9]$/),
    at: instant,
  })
  .map(({ id, sent, about, at }) =>
    someMessage(sent, { id, about: [{ reference: `DocumentReference/${about}` }], meta: recorded('1', at) }),
  );
const visit = fc
  .record({
    id: fc.stringMatching(/^v[0-9]$/),
    from: written,
    status: fc.constantFrom('finished', 'planned', 'in-progress'),
  })
  .map(
    ({ id, from, status }): Resource => ({
      resourceType: 'Encounter',
      id,
      status,
      class: { code: 'AMB' },
      period: { start: from },
    }),
  );

const distinct = (resources: fc.Arbitrary<Resource>) =>
  fc.uniqueArray(resources, { maxLength: 4, selector: (resource) => resource.id });

const scene: fc.Arbitrary<Scene> = fc
  .record({
    end: written,
    letters: distinct(letter),
    messages: distinct(message),
    visits: distinct(visit),
    now: instant,
  })
  .map(({ end, now, ...inputs }) => ({
    now,
    since: '2026-03-08T00:00:00Z',
    focus: someStay({ period: { start: '2026-03-01T08:00:00+01:00', end } }),
    inputs: { ...inputs, appointments: [] },
  }));

const code = fc.constantFrom('RUP-20', 'RUP-21', 'RUP-23');

function run(rule: string, at: Scene): JudgmentResult {
  return judge(ruleOf(rule), caseOf(ruleOf(rule), at));
}

function stateAt(rule: string, at: Scene): string {
  const result = run(rule, at);
  return result.kind === 'judgment' ? result.state : result.kind;
}

function dueOf(result: JudgmentResult): number | undefined {
  return result.kind === 'judgment' ? result.timing?.dueAtMs : undefined;
}

describe('A judgment', () => {
  test('is the same whenever it is asked for, and leaves the record as it is', () => {
    fc.assert(
      fc.property(code, scene, (rule, at) => {
        const before = JSON.stringify(at);
        const first = run(rule, at);
        expect(run(rule, JSON.parse(before) as Scene)).toEqual(first);
        expect(JSON.stringify(at)).toBe(before);
      }),
      { numRuns: 60 },
    );
  });

  test('does not depend on the order of the inputs', () => {
    fc.assert(
      fc.property(code, scene, (rule, at) => {
        const reversed = Object.fromEntries(
          Object.entries(at.inputs ?? {}).map(([name, resources]) => [name, [...resources].reverse()]),
        );
        expect(run(rule, { ...at, inputs: reversed })).toMatchObject({
          ...run(rule, at),
          trace: expect.anything() as unknown,
        });
      }),
      { numRuns: 60 },
    );
  });

  test('is never broken before it is due, and never waiting after', () => {
    fc.assert(
      fc.property(code, scene, (rule, at) => {
        const due = dueOf(run(rule, at));
        if (due === undefined) return;
        const states = [-1, 0, 1].map((ms) => stateAt(rule, { ...at, now: new Date(due + ms).toISOString() }));
        expect(['waiting', 'met', 'repaired', 'cancelled']).toContain(states[0]);
        expect(['broken', 'met', 'repaired', 'cancelled']).toContain(states[1]);
        expect(states[2]).toBe(states[1]);
        expect(states[0] === 'waiting').toBe(states[1] === 'broken');
      }),
      { numRuns: 60 },
    );
  });

  test('that is met or repaired does not change as time passes', () => {
    fc.assert(
      fc.property(code, scene, (rule, at) => {
        const state = stateAt(rule, at);
        if (state !== 'met' && state !== 'repaired') return;
        expect(stateAt(rule, { ...at, now: '2027-01-01T00:00:00Z' })).toBe(state);
      }),
      { numRuns: 60 },
    );
  });

  test('is met exactly when the thing happened before the due instant', () => {
    fc.assert(
      fc.property(code, scene, (rule, at) => {
        const result = run(rule, at);
        if (result.kind !== 'judgment' || result.metAtMs === undefined) return;
        expect(result.state).toBe(result.metAtMs < (dueOf(result) ?? 0) ? 'met' : 'repaired');
      }),
      { numRuns: 60 },
    );
  });

  test('another letter never breaks what was met', () => {
    fc.assert(
      fc.property(scene, letter, (at, another) => {
        const letters = at.inputs?.['letters'] ?? [];
        if (letters.some((one) => one.id === another.id) || stateAt('RUP-20', at) !== 'met') return;
        expect(stateAt('RUP-20', { ...at, inputs: { ...at.inputs, letters: [...letters, another] } })).toBe('met');
      }),
      { numRuns: 60 },
    );
  });

  test('refuses to judge on inputs that were not loaded', () => {
    const rule = ruleOf('RUP-20');
    const facts = caseOf(rule, { now: '2026-03-13T00:00:00Z', focus: someStay(), team: [someTeam()] });
    expect(() => judge(rule, { ...facts, inputs: {} })).toThrow('the input letters of RUP-20 is not loaded');
  });
});
