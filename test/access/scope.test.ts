/** Scopes: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html, and row A9 of the hostile inputs. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatScope, grantScopes, parseScope, parseScopes } from '../../src/access/index.ts';

const constraint: readonly [string, string][] = [];

describe('parseScope', () => {
  it.each([
    ['patient/*.rs', { level: 'patient', type: '*', interactions: 'rs', constraint }],
    ['user/Observation.cruds', { level: 'user', type: 'Observation', interactions: 'cruds', constraint }],
    ['system/Patient.read', { level: 'system', type: 'Patient', interactions: 'rs', constraint }],
    ['system/Patient.write', { level: 'system', type: 'Patient', interactions: 'cud', constraint }],
    ['system/*.*', { level: 'system', type: '*', interactions: 'cruds', constraint }],
    [
      'system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory&status=final',
      {
        level: 'system',
        type: 'Observation',
        interactions: 'rs',
        constraint: [
          ['category', 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory'],
          ['status', 'final'],
        ],
      },
    ],
  ])('reads %s', (text, expected) => {
    expect(parseScope(text)).toEqual(expected);
  });

  it.each([
    'system/Patient.sr',
    'system/Patient.dus',
    'system/Patient.rr',
    'system/Patient.',
    'system/Patient.read.write',
    'system/patient.rs',
    'system/*.rs?category=x',
    'system/Observation.read?category=x',
    'system/Observation.rs?',
    'system/Observation.rs?subject.name=x',
    'system/Observation.rs?code:not=x',
    'system/Observation.rs?_has:Provenance:target:agent=x',
    'system/Observation.rs?_count=1',
    'system/Observation.rs?category=',
    'System/Observation.rs',
    'system/Observation.RS',
    `system/Observation.rs?category=${'x'.repeat(600)}`,
  ])('A9: takes no scope from %s', (text) => {
    expect(parseScope(text)).toBeUndefined();
  });
});

describe('parseScopes', () => {
  it('parts scopes of resources from all others, and tells what it refuses', () => {
    const parsed = parseScopes('openid fhirUser launch/patient  patient/Observation.rs system/Patient.sr');
    expect(parsed.scopes).toEqual([parseScope('patient/Observation.rs')]);
    expect(parsed.others).toEqual(['openid', 'fhirUser', 'launch/patient']);
    expect(parsed.refused).toEqual(['system/Patient.sr']);
  });

  it('A9: takes 300 of 10 000 scopes and refuses the others', () => {
    const many = Array.from({ length: 10_000 }, (_one, at) => `system/Observation.rs?code=${at}`).join(' ');
    const parsed = parseScopes(many);
    expect([parsed.scopes.length, parsed.refused.length]).toEqual([300, 9_700]);
  });
});

const anyScope = fc.record({
  level: fc.constantFrom('patient' as const, 'user' as const, 'system' as const),
  type: fc.constantFrom('*', 'Patient', 'Observation', 'DocumentReference'),
  interactions: fc.constantFrom('r', 'rs', 'cu', 'cud', 'cruds', 's'),
  constraint: fc.uniqueArray(
    fc.tuple(fc.constantFrom('_tag', '_security', '_profile'), fc.constantFrom('a', 's|b', 'http://x.fr/y|z+w')),
    { maxLength: 3, selector: (pair) => pair.join('=') },
  ),
});

describe('a scope', () => {
  it('is read again from what it is written as', () => {
    fc.assert(
      fc.property(anyScope, (scope) => {
        expect(parseScope(formatScope(scope))).toEqual(scope);
      }),
    );
  });

  it('is granted no wider than it was asked for, and no wider than it was allowed before', () => {
    fc.assert(
      fc.property(fc.array(anyScope, { maxLength: 4 }), fc.array(anyScope, { maxLength: 4 }), (asked, allowed) => {
        for (const granted of grantScopes(asked, allowed)) {
          const isWithin = (limit: (typeof asked)[number]) =>
            limit.level === granted.level &&
            (limit.type === '*' || limit.type === granted.type) &&
            [...granted.interactions].every((letter) => limit.interactions.includes(letter)) &&
            limit.constraint.every((pair) => granted.constraint.some((one) => one.join('=') === pair.join('=')));
          expect(asked.some(isWithin) && allowed.some(isWithin)).toBe(true);
        }
      }),
    );
  });
});
