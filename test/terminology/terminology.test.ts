/** https://hl7.org/fhir/R4/valueset.html and codesystem.html: what a value set holds, and where that cannot be told. */
import { describe, expect, it } from '@jest/globals';
import { createLibrary, type ConformanceResource } from '../../src/fhir/index.ts';
import { createSearchTerms, createTerminology } from '../../src/terminology/index.ts';

const wards = 'https://hospital.example/CodeSystem/wards';
const rooms = 'https://hospital.example/CodeSystem/rooms';
const partial = 'https://hospital.example/CodeSystem/partial';
const absent = 'http://snomed.info/sct';

const codeSystems = [
  {
    resourceType: 'CodeSystem',
    url: wards,
    content: 'complete',
    concept: [
      {
        code: 'med',
        display: 'Médecine',
        property: [{ code: 'notSelectable', valueBoolean: true }],
        concept: [
          {
            code: 'cardio',
            display: 'Cardiologie',
            property: [{ code: 'floor', valueInteger: 2 }],
            concept: [{ code: 'usic' }],
          },
          { code: 'geria', display: 'Gériatrie', property: [{ code: 'status', valueCode: 'retired' }] },
        ],
      },
      { code: 'chir' },
      { code: 'ortho', property: [{ code: 'subsumedBy', valueCode: 'chir' }] },
    ],
  },
  { resourceType: 'CodeSystem', url: rooms, content: 'complete', caseSensitive: false, concept: [{ code: 'A1' }] },
  { resourceType: 'CodeSystem', url: partial, content: 'fragment', concept: [{ code: 'known' }] },
];

const valueSet = (name: string, compose: object): ConformanceResource => ({
  resourceType: 'ValueSet',
  url: `https://hospital.example/ValueSet/${name}`,
  compose,
});
const include = (...parts: readonly object[]) => ({ include: parts });
const filter = (property: string, op: string, value: string) => ({ system: wards, filter: [{ property, op, value }] });

const valueSets = [
  valueSet('all', include({ system: wards })),
  valueSet('some', include({ system: wards, concept: [{ code: 'cardio', display: 'Cardio' }, { code: 'chir' }] })),
  valueSet('below', include(filter('concept', 'is-a', 'med'))),
  valueSet('strictly-below', include(filter('concept', 'descendent-of', 'med'))),
  valueSet('not-below', include(filter('concept', 'is-not-a', 'med'))),
  valueSet('upwards', include(filter('concept', 'generalizes', 'usic'))),
  valueSet('second-floor', include(filter('floor', '=', '2'))),
  valueSet('floor-known', include(filter('floor', 'exists', 'true'))),
  valueSet('two', include(filter('code', 'in', 'chir, usic'))),
  valueSet('without-two', include(filter('code', 'not-in', 'chir,usic'))),
  valueSet('by-pattern', include(filter('code', 'regex', 'c.*'))),
  valueSet('active', { inactive: false, ...include({ system: wards }) }),
  valueSet('less', { include: [{ system: wards }], exclude: [filter('concept', 'is-a', 'med')] }),
  valueSet('imported', include({ valueSet: ['https://hospital.example/ValueSet/some'] })),
  valueSet(
    'both',
    include({
      system: wards,
      valueSet: ['https://hospital.example/ValueSet/below', 'https://hospital.example/ValueSet/some'],
    }),
  ),
  valueSet('circle', include({ system: rooms }, { valueSet: ['https://hospital.example/ValueSet/circle'] })),
  valueSet('mixed', include({ system: absent }, { system: rooms })),
  valueSet('from-fragment', include({ system: partial })),
  valueSet('outside', include({ system: absent, filter: [{ property: 'concept', op: 'is-a', value: '404684003' }] })),
  valueSet('outside-listed', include({ system: absent, concept: [{ code: '22298006' }] })),
  valueSet('rooms', include({ system: rooms })),
  valueSet('languages', include({ system: 'urn:ietf:bcp:47' })),
  valueSet('mime', include({ system: 'urn:ietf:bcp:13' })),
  {
    ...valueSet('expanded', {}),
    compose: undefined,
    expansion: { contains: [{ system: rooms, code: 'A1', contains: [{ system: rooms, code: 'A2' }] }] },
  },
];

const terminology = createTerminology(createLibrary([...codeSystems, ...valueSets] as ConformanceResource[]));
const url = (name: string): string => `https://hospital.example/ValueSet/${name}`;

describe('a value set lists', () => {
  it.each([
    ['all', ['med', 'cardio', 'usic', 'geria', 'chir', 'ortho']],
    ['some', ['cardio', 'chir']],
    ['below', ['med', 'cardio', 'usic', 'geria']],
    ['strictly-below', ['cardio', 'usic', 'geria']],
    ['not-below', ['chir', 'ortho']],
    ['upwards', ['med', 'cardio', 'usic']],
    ['second-floor', ['cardio']],
    ['floor-known', ['cardio']],
    ['two', ['usic', 'chir']],
    ['without-two', ['med', 'cardio', 'geria', 'ortho']],
    ['active', ['med', 'cardio', 'usic', 'chir', 'ortho']],
    ['less', ['chir', 'ortho']],
    ['imported', ['cardio', 'chir']],
    ['both', ['cardio']],
    ['expanded', ['A1', 'A2']],
    ['outside-listed', ['22298006']],
  ])('%s', (name, codes) => {
    const listing = terminology.list(url(name));
    expect(listing !== undefined && 'members' in listing && listing.members.map(({ code }) => code)).toEqual(codes);
  });

  it.each([
    ['mixed', 'http://snomed.info/sct is not loaded'],
    ['outside', 'http://snomed.info/sct is not loaded'],
    ['from-fragment', 'is not loaded as a whole'],
    ['by-pattern', 'is not understood'],
    ['circle', 'is not loaded'],
    ['languages', 'cannot be listed'],
  ])('%s not at all, and says why', (name, reason) => {
    expect(terminology.list(url(name))).toEqual({ unknown: expect.stringContaining(reason) });
  });

  it('nothing when it is not there', () => {
    expect(terminology.list(url('absent'))).toBeUndefined();
  });

  it('the displays of the value set before those of the code system', () => {
    expect(terminology.list(url('some'))).toEqual({
      members: [
        { system: wards, code: 'cardio', display: 'Cardio' },
        { system: wards, code: 'chir' },
      ],
    });
  });
});

describe('a code', () => {
  it.each([
    ['all', wards, 'usic', 'in'],
    ['all', wards, 'USIC', 'out'],
    ['all', rooms, 'usic', 'out'],
    ['all', undefined, 'usic', 'in'],
    ['rooms', rooms, 'a1', 'in'],
    ['below', wards, 'chir', 'out'],
    ['less', wards, 'cardio', 'out'],
    ['active', wards, 'geria', 'out'],
    ['mixed', rooms, 'A1', 'in'],
    ['mixed', rooms, 'B1', 'out'],
    ['mixed', absent, '22298006', 'unknown'],
    ['mixed', wards, 'chir', 'out'],
    ['outside', absent, '22298006', 'unknown'],
    ['outside', wards, 'chir', 'out'],
    ['outside-listed', absent, '22298006', 'in'],
    ['outside-listed', absent, '404684003', 'out'],
    ['from-fragment', partial, 'known', 'in'],
    ['from-fragment', partial, 'new', 'unknown'],
    ['by-pattern', wards, 'chir', 'unknown'],
    ['absent', wards, 'chir', 'unknown'],
    ['languages', undefined, 'fr-FR', 'in'],
    ['languages', undefined, 'français', 'out'],
    ['mime', undefined, 'text/plain; charset=utf-8', 'in'],
    ['mime', undefined, 'pdf', 'out'],
  ] as const)('asked of %s: %s %s is %s', (name, system, code, membership) => {
    expect(terminology.member(url(name), system, code)).toBe(membership);
  });

  it.each([
    [wards, 'usic', 'in'],
    [wards, 'none', 'out'],
    [partial, 'none', 'unknown'],
    [absent, '1', 'unknown'],
    ['urn:ietf:bcp:47', 'fr', 'in'],
  ] as const)('of %s, %s, is known: %s', (system, code, known) => {
    expect(terminology.knows(system, code)).toBe(known);
  });
});

describe('subsumption', () => {
  it.each([
    ['med', 'usic', 'subsumes'],
    ['usic', 'med', 'subsumed-by'],
    ['chir', 'ortho', 'subsumes'],
    ['chir', 'chir', 'equivalent'],
    ['chir', 'med', 'not-subsumed'],
    ['chir', 'none', undefined],
  ] as const)('of %s and %s is %s', (codeA, codeB, outcome) => {
    expect(terminology.subsumes(wards, codeA, codeB)).toBe(outcome);
  });
});

describe('for search', () => {
  const terms = createSearchTerms(terminology);

  it('the codes of a value set are listed, or it is not known', () => {
    expect(terms.codes(url('both'))).toEqual([{ system: wards, code: 'cardio', display: 'Cardiologie' }]);
    expect([terms.codes(url('mixed')), terms.codes(url('absent'))]).toEqual([undefined, undefined]);
  });

  it('what is above and below a code includes it', () => {
    expect([terms.below(wards, 'cardio'), terms.above(wards, 'cardio')]).toEqual([
      ['cardio', 'usic'],
      ['cardio', 'med'],
    ]);
    expect([terms.below(wards, 'none'), terms.below(absent, '1')]).toEqual([undefined, undefined]);
  });
});
