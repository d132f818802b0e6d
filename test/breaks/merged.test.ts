/** Who is one with whom (src/breaks/merged.ts): what a Patient says, where a chain of merges ends, whom a text speaks of. */
import { describe, expect, it } from '@jest/globals';
import { asSurvivor, endOf, mergesSaid } from '../../src/breaks/merged.ts';

const link = (type: string, reference: string) => ({ type, other: { reference } });

describe('A Patient', () => {
  it.each<[string, readonly object[], readonly (readonly [string, string])[]]>([
    ['that is replaced', [link('replaced-by', 'Patient/b')], [['Patient/a', 'Patient/b']]],
    ['that replaces another', [link('replaces', 'Patient/b')], [['Patient/b', 'Patient/a']]],
    [
      'that is replaced, by its full URL',
      [link('replaced-by', 'http://h/fhir/Patient/b')],
      [['Patient/a', 'Patient/b']],
    ],
    ['that refers to another record of itself', [link('seealso', 'Patient/b'), link('refer', 'Patient/c')], []],
    ['that replaces itself', [link('replaces', 'Patient/a')], []],
    ['that is replaced by a relative', [link('replaced-by', 'RelatedPerson/b')], []],
    ['without links', [], []],
  ])('%s', (_what, links, merges) => {
    const said = mergesSaid({ resourceType: 'Patient', id: 'a', link: links });
    expect(said.map(({ patient, survivor }) => [patient, survivor])).toEqual(merges);
  });
});

describe('A chain of merges', () => {
  const chain = (...pairs: readonly (readonly [string, string])[]) => new Map(pairs);

  it.each<[string, ReadonlyMap<string, string>, string, string]>([
    ['of none ends where it begins', chain(), 'a', 'a'],
    ['ends at the last', chain(['a', 'b'], ['b', 'c']), 'a', 'c'],
    ['that is a circle ends at the first of it', chain(['a', 'b'], ['b', 'c'], ['c', 'a']), 'c', 'a'],
    ['that leads into a circle ends at the first of that', chain(['x', 'c'], ['c', 'b'], ['b', 'c']), 'x', 'b'],
  ])('%s', (_what, next, from, end) => {
    expect(endOf(next, from)).toBe(end);
  });
});

describe('A text of a merged record', () => {
  const group = { survivor: 'Patient/new', members: ['Patient/old.1', 'Patient/older'] };

  it('speaks of the survivor, whatever the form of the reference', () => {
    const raw = '{"a":"Patient/old.1","b":"http://h/fhir/Patient/older","c":"Patient/older/_history/2"}';
    expect(asSurvivor(raw, group)).toBe(
      '{"a":"Patient/new","b":"http://h/fhir/Patient/new","c":"Patient/new/_history/2"}',
    );
  });

  it('leaves alone what only begins or ends alike', () => {
    const raw = '{"a":"Patient/oldest","b":"Patient/oldx1","c":"MyPatient/older","d":"older"}';
    expect(asSurvivor(raw, group)).toBe(raw);
    expect(asSurvivor(raw, { survivor: 'Patient/new', members: [] })).toBe(raw);
  });
});
