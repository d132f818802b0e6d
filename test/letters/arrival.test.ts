/** The same letter twice, the same number with other bytes, and versions that replace each other. */
import { describe, expect, test } from '@jest/globals';
import type { DocumentReference } from 'fhir/r4.js';
import { arrivalSearch, decideArrival, decideReplacement, replacementSearches } from '../../src/letters/index.ts';
import { fixture, only, planOf } from './letters.ts';

const first = planOf(fixture('discharge.xml'));
const second = planOf(fixture('discharge-v2.xml'));

function stored(plan: typeof first, changes: Partial<DocumentReference> = {}): DocumentReference {
  const subject = { reference: 'Patient/p1' };
  const custodian = { reference: 'Organization/h' };
  return { ...only<DocumentReference>(plan, 'DocumentReference'), id: 'd', subject, custodian, ...changes };
}

describe('a letter', () => {
  test('that nobody has is new', () => {
    expect(arrivalSearch(first.facts)).toEqual({
      type: 'DocumentReference',
      parameters: [['identifier', 'urn:ietf:rfc:3986|urn:oid:1.2.250.1.999.7.3.40.1']],
    });
    expect(decideArrival(first.facts, [])).toEqual({ kind: 'new' });
  });

  test('with the same bytes is known', () => {
    expect(decideArrival(first.facts, [stored(first)])).toEqual({ kind: 'known', id: 'd' });
  });

  test('with the same bytes is known although it was stored under another Binary', () => {
    const { content, ...rest } = stored(first);
    const attachment = { ...content[0]?.attachment, url: 'Binary/42' };
    expect(decideArrival(first.facts, [{ ...rest, content: [{ attachment }] }])).toEqual({ kind: 'known', id: 'd' });
  });

  test('with the same number and other bytes is a conflict', () => {
    const changed = planOf(fixture('discharge.xml').replace('Suites simples', 'Suites compliquées'));
    expect(decideArrival(changed.facts, [stored(first)])).toMatchObject({
      kind: 'conflict',
      id: 'd',
      reasons: [{ code: 'duplicate', expression: '/ClinicalDocument/id' }],
    });
  });

  test('is not the document whose set has the same number', () => {
    const other = stored(first, { masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3' } });
    expect(decideArrival(first.facts, [other])).toEqual({ kind: 'new' });
  });
});

describe('a version that replaces another', () => {
  const letter = { patient: 'Patient/p1', custodian: 'Organization/h' };

  test('is looked up by what it names', () => {
    expect(replacementSearches(second.facts)).toEqual([arrivalSearch(first.facts)]);
    expect(replacementSearches(first.facts)).toEqual([]);
  });

  test('supersedes it', () => {
    expect(decideReplacement(second.facts, stored(first), letter)).toEqual({ kind: 'supersedes', id: 'd' });
  });

  test('is taken when the former is not here', () => {
    expect(decideReplacement(second.facts, undefined, letter)).toEqual({ kind: 'former-unknown' });
  });

  test.each([
    ['X14: of another patient', second, stored(first, { subject: { reference: 'Patient/p2' } }), ['904']],
    ['X14: of another structure', second, stored(first, { custodian: { reference: 'Organization/z' } }), ['901']],
    ['already replaced', second, stored(first, { status: 'superseded' }), ['900']],
    ['X14: going down', first, stored(second), ['900']],
    ['of the same version', first, stored(first), ['900']],
    ['wrong in two ways', first, stored(second, { status: 'superseded' }), ['900', '900']],
  ])('is refused when the former is %s', (_, plan, former, codes) => {
    const result = decideReplacement(plan.facts, former, letter);
    expect(result.kind === 'refused' && result.reasons.map(({ diagnostics }) => diagnostics)).toEqual(codes);
  });
});
