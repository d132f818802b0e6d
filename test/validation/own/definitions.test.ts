/**
 * What R4 says in words of definitions and codes: URLs, code systems and their supplements, paths of profiles, parts of
 * profiles, units of bounds. https://hl7.org/fhir/R4/valueset.html, codesystem.html, profiling.html
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ConformanceResource, createLibrary, joinLibraries, loadDefinitions } from '../../../src/fhir/index.ts';
import { createBaseLibrary } from '../../../src/packages/index.ts';
import { createTerminology } from '../../../src/terminology/index.ts';
import { createValidator, type Validator } from '../../../src/validation/index.ts';

const guide = 'https://guide.example';
const ucum = 'http://unitsofmeasure.org';
const profileElement = 'http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element';

const codeSystem = (url: string, more: object = {}): ConformanceResource => ({
  resourceType: 'CodeSystem',
  url,
  content: 'complete',
  concept: [{ code: 'a' }],
  ...more,
});
const profileOf = (type: string, name: string, element: readonly object[]): ConformanceResource => ({
  resourceType: 'StructureDefinition',
  url: `${guide}/${name}`,
  type,
  derivation: 'constraint',
  baseDefinition: `http://hl7.org/fhir/StructureDefinition/${type}`,
  differential: { element },
});

const library = createLibrary([
  codeSystem('http://hl7.org/fhir/guide/colours'),
  codeSystem(`${guide}/colours`),
  codeSystem(`${guide}/more`, { content: 'supplement', supplements: `${guide}/colours` }),
  profileOf('Observation', 'weight', [
    {
      path: 'Observation.valueQuantity',
      minValueQuantity: { value: 1, system: ucum, code: 'kg' },
      maxValueQuantity: { value: 300, system: ucum, code: 'kg' },
    },
  ]),
  profileOf('Composition', 'sections', [
    {
      id: 'Composition.section',
      path: 'Composition.section',
      slicing: { discriminator: [{ type: 'pattern', path: 'code' }], rules: 'open' },
    },
    { id: 'Composition.section:plan', path: 'Composition.section', sliceName: 'plan' },
    {
      id: 'Composition.section:plan.code',
      path: 'Composition.section.code',
      patternCodeableConcept: { coding: [{ code: 'plan' }] },
    },
    { id: 'Composition.section:plan.title', path: 'Composition.section.title', min: 1 },
  ]),
  profileOf('Composition', 'letter', [
    {
      id: 'Composition.section',
      path: 'Composition.section',
      slicing: { discriminator: [{ type: 'pattern', path: 'code' }], rules: 'open' },
    },
    {
      id: 'Composition.section:plan',
      path: 'Composition.section',
      sliceName: 'plan',
      min: 1,
      type: [
        {
          code: 'BackboneElement',
          profile: [`${guide}/sections`],
          _profile: [{ extension: [{ url: profileElement, valueString: 'Composition.section:plan' }] }],
        },
      ],
    },
  ]),
]);

let validator: Validator;
beforeAll(async () => {
  const whole = joinLibraries(library, createBaseLibrary());
  const terms = createTerminology(whole);
  validator = await createValidator({ definitions: loadDefinitions(), beyond: { library: whole, terms } });
});

function found(resource: object, profiles: readonly string[] = []): readonly (readonly unknown[])[] {
  return validator.validate(resource, { profiles }).map(({ severity, expression }) => [severity, expression]);
}

const coded = (system: string, code: string, more: object = {}): object => ({
  resourceType: 'Basic',
  code: { coding: [{ system, code, ...more }] },
});
const place = 'Basic.code.coding[0]';

describe('a code', () => {
  it.each([
    [
      'that a system of FHIR does not have is an error',
      coded('http://hl7.org/fhir/guide/colours', 'b'),
      [['error', place]],
    ],
    ['that another loaded system does not have is a warning', coded(`${guide}/colours`, 'b'), [['warning', place]]],
    ['that its system has is right', coded(`${guide}/colours`, 'a'), []],
    [
      'of a version that is not loaded is not judged',
      coded('http://hl7.org/fhir/guide/colours', 'b', { version: '9' }),
      [],
    ],
    ['of a system that nobody has loaded is not judged', coded('http://snomed.info/sct', 'b'), []],
    ['of a supplement is an error', coded(`${guide}/more`, 'a'), [['error', place]]],
  ])('%s', (_title, resource, expected) => {
    expect(found(resource)).toEqual(expected);
  });
});

const valueSet = (include: object, more: object = {}): object => ({
  resourceType: 'ValueSet',
  url: `${guide}/vs`,
  name: 'Colours',
  status: 'active',
  ...more,
  compose: { include: [include] },
});
const inside = codeSystem(`${guide}/inside`, { id: 'c', status: 'active', name: 'Inside' });

describe('a definition is refused for', () => {
  it.each([
    ['a relative URL', valueSet({ system: 'http://loinc.org' }, { url: 'ValueSet/vs' }), 'ValueSet.url'],
    ['a UUID that is none', valueSet({ system: 'http://loinc.org' }, { url: 'urn:uuid:12' }), 'ValueSet.url'],
    ['a relative system', valueSet({ system: 'CodeSystem/c' }), 'ValueSet.compose.include[0].system'],
    ['a link to nothing', valueSet({ system: '#c' }), 'ValueSet.compose.include[0].system'],
    [
      'a filter on notSelectable by another word than true and false',
      valueSet({ system: `${guide}/colours`, filter: [{ property: 'notSelectable', op: '=', value: 'yes' }] }),
      'ValueSet.compose.include[0].filter[0]',
    ],
    [
      'concepts that it says it has not',
      codeSystem(`${guide}/x`, { status: 'active', content: 'not-present' }),
      'CodeSystem',
    ],
    [
      'a supplement that does not say so',
      codeSystem(`${guide}/x`, { status: 'active', supplements: 'http://loinc.org' }),
      'CodeSystem',
    ],
    [
      'a path that its type does not have',
      {
        ...profileOf('Observation', 'x', [{ path: 'Observation.valueBla' }]),
        name: 'X',
        status: 'draft',
        kind: 'resource',
        abstract: false,
      },
      'StructureDefinition.differential.element[0]',
    ],
  ])('%s', (_title, resource, expression) => {
    const errors = found(resource).filter(([severity]) => severity === 'error');
    expect(errors).toContainEqual(['error', expression]);
  });

  it('neither the system of a contained code system nor a path into a data type', () => {
    expect(found(valueSet({ system: '#c' }, { contained: [inside] }))).toEqual([]);
    const paths = [
      'valueQuantity.code',
      'value[x]',
      'component.valuePeriod.start',
      'subject.identifier',
      'component.interpretation',
    ];
    const profile = profileOf(
      'Observation',
      'x',
      paths.map((path) => ({ id: path, path: `Observation.${path}` })),
    );
    const errors = found({ ...profile, name: 'X', status: 'draft', kind: 'resource', abstract: false });
    expect(errors.filter(([, expression]) => String(expression).includes('element'))).toEqual([]);
  });
});

describe('a profile', () => {
  const weighing = (value: number, code: string): object => ({
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'poids' },
    valueQuantity: { value, system: ucum, code },
  });
  it.each([
    [900, 'g', 1],
    [1100, 'g', 0],
    [400_000, 'g', 1],
    [2, 'kg', 0],
    [0.5, 'kg', 1],
    // Of another kind: not compared.
    [0.5, 'm', 0],
  ])('holds %d %s against its bounds in kg', (value, code, count) => {
    expect(found(weighing(value, code), [`${guide}/weight`])).toHaveLength(count);
  });

  it('may mean one element of another profile', () => {
    const letter = (...section: readonly object[]): object => ({
      resourceType: 'Composition',
      status: 'final',
      type: { text: 'x' },
      date: '2026-03-02',
      title: 'x',
      author: [{ display: 'x' }],
      section,
    });
    const plan = {
      code: { coding: [{ code: 'plan' }] },
      text: { status: 'empty', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
    };
    const asked = [`${guide}/letter`];
    expect(found(letter({ ...plan, title: 'x' }), asked)).toEqual([]);
    expect(found(letter(plan), asked)).toEqual([['error', 'Composition.section[0].title']]);
    expect(found(letter({ ...plan, title: 'x', code: { text: 'x' } }), asked)).toEqual([
      ['error', 'Composition.section'],
    ]);
  });
});

describe('a document', () => {
  const urn = (at: number): string => `urn:uuid:6d1b1c0e-6f39-4c39-b6cc-3a7bb4b2a8c${at}`;
  const document = (fullUrl: string, reference: string, ...others: readonly object[]): object => ({
    resourceType: 'Bundle',
    type: 'document',
    identifier: { system: 'urn:ietf:rfc:3986', value: urn(9) },
    timestamp: '2026-03-02T10:00:00Z',
    entry: [
      {
        fullUrl,
        resource: {
          resourceType: 'Composition',
          id: 'c',
          status: 'final',
          type: { text: 'x' },
          date: '2026-03-02',
          title: 'x',
          author: [{ reference }],
        },
      },
      ...others,
    ],
  });
  const organization = (fullUrl: string, meta?: object): object => ({
    fullUrl,
    resource: { resourceType: 'Organization', id: '6', ...(meta === undefined ? {} : { meta }), name: 'Clinique' },
  });
  const web = 'https://x.example/fhir';
  const versions = ['1', '2'].map((versionId) => organization(`${web}/Organization/6`, { versionId }));
  it.each([
    ['by urn', document(urn(1), urn(2), organization(urn(2))), 0],
    [
      'by a relative reference beside a RESTful fullUrl',
      document(`${web}/Composition/c`, 'Organization/6', organization(`${web}/Organization/6`)),
      0,
    ],
    ['not by a relative reference beside a urn', document(urn(1), 'Organization/6', organization(urn(2))), 1],
    ['by the version', document(`${web}/Composition/c`, 'Organization/6/_history/2', ...versions), 0],
    [
      'not by a version that it does not bring',
      document(`${web}/Composition/c`, 'Organization/6/_history/3', ...versions),
      1,
    ],
    ['not without the version of two', document(`${web}/Composition/c`, 'Organization/6', ...versions), 1],
  ])('names what it brings %s', (_title, resource, count) => {
    expect(found(resource).filter(([severity]) => severity === 'error')).toHaveLength(count);
  });
});
