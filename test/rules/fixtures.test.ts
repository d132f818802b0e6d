/** Every shipped rule says of its own fixtures what they expect; pure, on a manual clock. */
import { describe, expect, test } from '@jest/globals';
import { createQueryCheck, createSelect } from '../../src/breaks/select.ts';
import { createPlaces } from '../../src/breaks/sites.ts';
import { runFixtures } from '../../src/breaks/fixtures.ts';
import { type FixtureState, readFixtures, readRuleSet } from '../../src/rules/index.ts';
import { createSearchContext } from '../../src/search/index.ts';
import { definitions, readProfiles } from './support.ts';

const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl: 'http://127.0.0.1:8080/fhir' });
const setting = { select: createSelect(search), places: createPlaces('Europe/Paris') };

describe.each(readProfiles('rules').map((resource) => [String(resource.id), resource] as const))(
  '%s',
  (_id, resource) => {
    const reading = readRuleSet(resource, { definitions, checkQuery: createQueryCheck(search) });
    const issues = reading.kind === 'faults' ? reading.issues : [];
    const ruleSet = reading.kind === 'ok' ? reading.ruleSet : undefined;
    const { fixtures, issues: fixtureIssues } = readFixtures(resource);

    test('is read without fault', () => {
      expect([...issues, ...fixtureIssues]).toEqual([]);
    });

    const outcomes = ruleSet === undefined ? [] : runFixtures(ruleSet, fixtures, setting);
    const lines = outcomes.map((outcome) => [outcome.fixture.rule, outcome.fixture.name, outcome] as const);

    if (lines.length > 0)
      test.each(lines)('%s %s', (_rule, _name, { fixture, found, reason, dueAtMs }) => {
        const due = fixture.dueAtMs === undefined ? undefined : new Date(fixture.dueAtMs).toISOString();
        const foundDue =
          fixture.dueAtMs === undefined || dueAtMs === undefined ? undefined : new Date(dueAtMs).toISOString();
        expect({ state: found, due: foundDue, ...(found === 'error' ? { reason } : {}) }).toEqual({
          state: fixture.expected,
          due,
        });
      });

    test('has fixtures of each outcome for each of its rules', () => {
      for (const rule of new Set(ruleSet?.rules.map(({ code }) => code))) {
        const expected = new Set(fixtures.filter((one) => one.rule === rule).map((one) => one.expected));
        const texts = (ruleSet?.rules ?? []).filter(({ code }) => code === rule);
        const wanted: FixtureState[] = [
          'broken',
          'none',
          ...(texts.some(({ applies }) => applies !== undefined) ? (['cancelled'] as const) : []),
          ...(texts.some(({ deadline }) => deadline !== undefined) ? (['waiting', 'met'] as const) : []),
          ...(texts.some(({ metAt }) => metAt !== undefined) ? (['repaired'] as const) : []),
        ];
        // What meets RUP-38 ends its start: only an engine that knew the expectation can call that met.
        const missing = wanted.filter((state) => !expected.has(state) && !(rule === 'RUP-38' && state === 'met'));
        expect({ rule, missing }).toEqual({ rule, missing: [] });
      }
    });
  },
);
