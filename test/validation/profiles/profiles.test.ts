/**
 * What profiles can say, each in one small profile that is given as a differential, and again as a snapshot where that
 * reads otherwise: https://hl7.org/fhir/R4/profiling.html, elementdefinition.html.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ConformanceResource, createLibrary, loadDefinitions } from '../../../src/fhir/index.ts';
import { createTerminology } from '../../../src/terminology/index.ts';
import { createValidator, type Validator } from '../../../src/validation/index.ts';

type Data = Readonly<Record<string, unknown>>;

const base = 'https://guide.example/fhir';
const url = (name: string): string => `${base}/StructureDefinition/${name}`;

interface Made {
  readonly type?: string;
  readonly on?: string;
  readonly view?: 'differential' | 'snapshot';
  readonly more?: Data;
}

/** Each element: `path`, `path:slice`, with what it says. */
function profile(name: string, elements: Readonly<Record<string, Data>>, made: Made = {}): ConformanceResource {
  const { type = 'Observation', on, view = 'differential', more = {} } = made;
  const element = Object.entries(elements).map(([id, said]) => ({ id, path: id.replace(/:[^.]+/g, ''), ...said }));
  return {
    resourceType: 'StructureDefinition',
    url: url(name),
    version: '1.0.0',
    status: 'active',
    kind: 'resource',
    type,
    derivation: 'constraint',
    baseDefinition: on ?? `http://hl7.org/fhir/StructureDefinition/${type}`,
    [view]: { element: [{ id: type, path: type }, ...element] },
    ...more,
  };
}

const sliced = (discriminator: readonly Data[], rest: Data = {}): Data => ({
  slicing: { discriminator, rules: 'open', ...rest },
});
const bySystem = sliced([{ type: 'value', path: 'system' }]);
const loinc = (code: string): Data => ({ system: 'http://loinc.org', code });

const definitions: readonly ConformanceResource[] = [
  profile('needs-subject', { 'Observation.subject': { min: 1 } }),
  profile('no-note', { 'Observation.note': { max: '0' } }),
  profile('fixed', { 'Observation.status': { fixedCode: 'final' } }),
  profile('pattern', { 'Observation.code': { patternCodeableConcept: { coding: [loinc('8867-4')] } } }),
  profile('quantity-only', { 'Observation.value[x]': { type: [{ code: 'Quantity' }] } }),
  profile('quantity-if-any', { 'Observation.valueQuantity': { min: 1 }, 'Observation.valueQuantity.unit': { min: 1 } }),
  profile('range', {
    'Observation.value[x]': { type: [{ code: 'integer' }], minValueInteger: 0, maxValueInteger: 10 },
  }),
  profile('short', { 'Observation.value[x]': { type: [{ code: 'string' }], maxLength: 3 } }),
  profile('targets', {
    'Observation.subject': { type: [{ code: 'Reference', targetProfile: [url('named-patient')] }] },
  }),
  profile('named-patient', { 'Patient.name': { min: 1 } }, { type: 'Patient' }),
  profile('contained-only', { 'Observation.subject': { type: [{ code: 'Reference', aggregation: ['contained'] }] } }),
  profile('invariant', {
    'Observation.component': {
      constraint: [
        {
          key: 'g-1',
          severity: 'error',
          human: 'A value or its absence',
          expression: 'value.exists() or dataAbsentReason.exists()',
        },
      ],
    },
  }),
  profile('warns', {
    'Observation.note': {
      constraint: [{ key: 'g-2', severity: 'warning', human: 'Short', expression: 'text.length() < 5' }],
    },
  }),
  profile('bound', {
    'Observation.category': { binding: { strength: 'required', valueSet: `${base}/ValueSet/kinds` } },
  }),
  profile('derived', { 'Observation.note': { max: '0' } }, { on: url('needs-subject') }),
  profile('pinned', { 'Observation.note': { max: '0' } }, { on: `${url('needs-subject')}|1.0.0` }),
  // two versions side by side, of which another profile asks one
  profile('twice', { 'Observation.note': { max: '0' } }),
  profile('twice', { 'Observation.method': { min: 1 } }, { more: { version: '2.0.0' } }),
  profile('asks-version', {
    'Observation.meta': { min: 1 },
    'Observation.meta.profile': { ...sliced([{ type: 'pattern', path: '$this' }]), min: 1 },
    'Observation.meta.profile:one': { min: 1, max: '1', patternCanonical: `${url('twice')}|1.0.0` },
  }),
  // slices
  profile('by-value', {
    'Observation.identifier': bySystem,
    'Observation.identifier:ipp': { min: 1, max: '1' },
    'Observation.identifier:ipp.system': { fixedUri: 'urn:ipp' },
    'Observation.identifier:ipp.value': { min: 1 },
  }),
  profile('closed', {
    'Observation.identifier': sliced([{ type: 'value', path: 'system' }], { rules: 'closed' }),
    'Observation.identifier:ipp': {},
    'Observation.identifier:ipp.system': { patternUri: 'urn:ipp' },
  }),
  profile('ordered', {
    'Observation.identifier': sliced([{ type: 'value', path: 'system' }], { ordered: true }),
    'Observation.identifier:a': {},
    'Observation.identifier:a.system': { fixedUri: 'urn:a' },
    'Observation.identifier:b': {},
    'Observation.identifier:b.system': { fixedUri: 'urn:b' },
  }),
  profile('at-end', {
    'Observation.identifier': sliced([{ type: 'value', path: 'system' }], { rules: 'openAtEnd' }),
    'Observation.identifier:a': {},
    'Observation.identifier:a.system': { fixedUri: 'urn:a' },
  }),
  profile('by-pattern', {
    'Observation.category': sliced([{ type: 'pattern', path: '$this' }]),
    'Observation.category:vital': { min: 1, patternCodeableConcept: { coding: [{ code: 'vital-signs' }] } },
  }),
  profile('by-type', {
    'Observation.value[x]': sliced([{ type: 'type', path: '$this' }]),
    'Observation.value[x]:valueQuantity': { type: [{ code: 'Quantity' }] },
    'Observation.value[x]:valueQuantity.code': { min: 1 },
  }),
  profile('by-exists', {
    'Observation.identifier': sliced([{ type: 'exists', path: 'period' }]),
    'Observation.identifier:dated': { max: '1' },
    'Observation.identifier:dated.period': { min: 1 },
    'Observation.identifier:undated': { max: '0' },
    'Observation.identifier:undated.period': { max: '0' },
  }),
  profile(
    'by-profile',
    {
      'Bundle.entry': sliced([{ type: 'profile', path: 'resource' }]),
      'Bundle.entry:named': { min: 1 },
      'Bundle.entry:named.resource': { type: [{ code: 'Patient', profile: [url('named-patient')] }] },
    },
    { type: 'Bundle' },
  ),
  profile('resliced', {
    'Observation.identifier': bySystem,
    'Observation.identifier:ipp': { slicing: { discriminator: [{ type: 'value', path: 'use' }], rules: 'closed' } },
    'Observation.identifier:ipp.system': { fixedUri: 'urn:ipp' },
    'Observation.identifier:ipp/old': { max: '1' },
    'Observation.identifier:ipp/old.use': { fixedCode: 'old' },
  }),
  {
    ...profile('by-path', {}),
    // Without ids: what follows a slice below its path belongs to it.
    differential: {
      element: [
        { path: 'Observation.identifier', ...bySystem },
        { path: 'Observation.identifier', sliceName: 'a' },
        { path: 'Observation.identifier.system', fixedUri: 'urn:a' },
        { path: 'Observation.identifier.value', min: 1 },
        { path: 'Observation.identifier', sliceName: 'b', min: 1 },
        { path: 'Observation.identifier.system', fixedUri: 'urn:b' },
      ],
    },
  },
  profile('says-of-contained', {
    'Observation.contained': {
      constraint: [
        { key: 'c-1', severity: 'error', human: 'x', expression: '%resource.ofType(Observation).exists()' },
        { key: 'c-2', severity: 'error', human: 'y', expression: 'ofType(Device).exists()' },
      ],
    },
  }),
  profile('by-value-again', { 'Observation.identifier:ipp.assigner': { min: 1 } }, { on: url('by-value') }),
  profile('default', {
    'Observation.identifier': sliced([{ type: 'value', path: 'system' }], { rules: 'closed' }),
    'Observation.identifier:a': {},
    'Observation.identifier:a.system': { fixedUri: 'urn:a' },
    'Observation.identifier:@default': {},
    'Observation.identifier:@default.value': { min: 1 },
  }),
  profile('by-extension', {
    'Observation.extension': sliced([{ type: 'value', path: 'url' }]),
    'Observation.extension:urgent': { min: 1, type: [{ code: 'Extension', profile: [url('urgent')] }] },
  }),
  profile('marked', { 'Observation.subject': { mustSupport: true } }),
  // extensions
  profile(
    'urgent',
    {
      'Extension.extension': { max: '0' },
      'Extension.url': { fixedUri: url('urgent') },
      'Extension.value[x]': { min: 1, type: [{ code: 'boolean' }] },
    },
    { type: 'Extension', more: { context: [{ type: 'element', expression: 'Observation' }] } },
  ),
  profile(
    'reversed',
    {
      Extension: { isModifier: true },
      'Extension.url': { fixedUri: url('reversed') },
      'Extension.value[x]': { type: [{ code: 'boolean' }] },
    },
    { type: 'Extension', more: { context: [{ type: 'element', expression: 'Element' }] } },
  ),
  profile(
    'complex',
    {
      'Extension.extension': sliced([{ type: 'value', path: 'url' }], { rules: 'closed' }),
      'Extension.extension:since': { min: 1, max: '1' },
      'Extension.extension:since.url': { fixedUri: 'since' },
      'Extension.extension:since.value[x]': { min: 1, type: [{ code: 'date' }] },
      'Extension.url': { fixedUri: url('complex') },
      'Extension.value[x]': { max: '0' },
    },
    { type: 'Extension' },
  ),
  { resourceType: 'CodeSystem', url: `${base}/CodeSystem/kinds`, content: 'complete', concept: [{ code: 'a' }] },
  {
    resourceType: 'ValueSet',
    url: `${base}/ValueSet/kinds`,
    compose: { include: [{ system: `${base}/CodeSystem/kinds` }, { system: 'http://snomed.info/sct' }] },
  },
];

const observation = { resourceType: 'Observation', status: 'final', code: { coding: [loinc('8867-4')] } };
const ids = (...systems: readonly string[]) => ({ identifier: systems.map((system) => ({ system })) });
const extension = (name: string, said: Data) => ({ extension: [{ url: url(name), ...said }] });
const patient = (changes: Data) => ({
  fullUrl: `urn:uuid:${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`,
  resource: { resourceType: 'Patient', ...changes },
});
const bundle = (changes: Data) => ({
  resourceType: 'Bundle',
  type: 'collection',
  status: undefined,
  code: undefined,
  entry: [patient(changes)],
});

const claims = (name: string): Data => ({ meta: { profile: [url(name)] } });

let validator: Validator;
beforeAll(async () => {
  const library = createLibrary(definitions);
  validator = await createValidator({
    definitions: loadDefinitions(),
    beyond: { library, terms: createTerminology(library) },
  });
});

type Case = readonly [profile: string, changes: Data, ...places: readonly string[]];

const cases: readonly Case[] = [
  ['needs-subject', {}, 'Observation.subject'],
  ['needs-subject', { subject: { display: 'x' } }],
  ['no-note', { note: [{ text: 'x' }] }, 'Observation.note[0]'],
  ['fixed', { status: 'amended' }, 'Observation.status'],
  ['pattern', {}],
  ['pattern', { code: { text: 'x', coding: [{ code: 'other' }, { ...loinc('8867-4'), display: 'x' }] } }],
  ['pattern', { code: { coding: [loinc('1-8')] } }, 'Observation.code'],
  ['quantity-only', { valueString: 'x' }, 'Observation.value.ofType(string)'],
  ['quantity-only', { valueQuantity: { value: 1 } }],
  ['quantity-if-any', { valueQuantity: { value: 1 } }, 'Observation.value.ofType(Quantity).unit'],
  ['range', { valueInteger: 11 }, 'Observation.value.ofType(integer)'],
  ['range', { valueInteger: -1 }, 'Observation.value.ofType(integer)'],
  ['range', { valueInteger: 10 }],
  ['short', { valueString: 'long' }, 'Observation.value.ofType(string)'],
  ['targets', { subject: { reference: 'Group/1' } }, 'Observation.subject'],
  ['targets', { subject: { reference: 'Patient/1' } }],
  [
    'targets',
    { contained: [{ resourceType: 'Patient', id: 'p', active: true }], subject: { reference: '#p' } },
    'Observation.subject',
  ],
  [
    'targets',
    { contained: [{ resourceType: 'Patient', id: 'p', name: [{ text: 'x' }] }], subject: { reference: '#p' } },
  ],
  ['contained-only', { subject: { reference: 'Patient/1' } }, 'Observation.subject'],
  [
    'invariant',
    { component: [{ code: { text: 'a' }, valueInteger: 1 }, { code: { text: 'b' } }] },
    'Observation.component[1]',
  ],
  ['bound', { category: [{ coding: [{ system: `${base}/CodeSystem/kinds`, code: 'b' }] }] }, 'Observation.category[0]'],
  ['bound', { category: [{ coding: [{ system: `${base}/CodeSystem/kinds`, code: 'a' }] }] }],
  ['bound', { category: [{ coding: [{ system: 'http://snomed.info/sct', code: '1' }] }] }],
  ['derived', { note: [{ text: 'x' }] }, 'Observation.subject', 'Observation.note[0]'],
  ['pinned', { note: [{ text: 'x' }] }, 'Observation.subject', 'Observation.note[0]'],
  ['twice', {}, 'Observation.method'],
  ['twice|1.0.0', {}],
  ['twice|1.0.0', { note: [{ text: 'x' }] }, 'Observation.note[0]'],
  ['twice|2.0.0', { note: [{ text: 'x' }] }, 'Observation.method'],
  ['asks-version', claims('twice|1.0.0')],
  ['asks-version', { ...claims('twice|2.0.0'), method: { text: 'x' } }, 'Observation.meta.profile'],
  ['asks-version', { ...claims('twice'), method: { text: 'x' } }, 'Observation.meta.profile'],
  ['asks-version', { ...claims('twice|1.0.0'), note: [{ text: 'x' }] }, 'Observation.note[0]'],
  ['by-value', ids('urn:other'), 'Observation.identifier'],
  ['by-value', ids('urn:ipp'), 'Observation.identifier[0].value'],
  [
    'by-value',
    {
      identifier: [
        { system: 'urn:ipp', value: '1' },
        { system: 'urn:ipp', value: '2' },
      ],
    },
    'Observation.identifier[1]',
  ],
  ['by-value', { identifier: [{ system: 'urn:x' }, { system: 'urn:ipp', value: '1' }] }],
  ['by-value-again', { identifier: [{ system: 'urn:ipp', value: '1' }] }, 'Observation.identifier[0].assigner'],
  ['closed', ids('urn:ipp', 'urn:other'), 'Observation.identifier[1]'],
  ['ordered', ids('urn:a', 'urn:x', 'urn:b')],
  ['ordered', ids('urn:b', 'urn:a'), 'Observation.identifier[1]'],
  ['at-end', ids('urn:a', 'urn:x')],
  ['at-end', ids('urn:x', 'urn:a'), 'Observation.identifier[0]'],
  ['by-pattern', { category: [{ coding: [{ code: 'other' }] }] }, 'Observation.category'],
  ['by-pattern', { category: [{ coding: [{ code: 'other' }, { code: 'vital-signs' }] }] }],
  ['by-type', { valueQuantity: { value: 1 } }, 'Observation.value.ofType(Quantity).code'],
  ['by-type', { valueString: 'x' }],
  ['by-exists', { identifier: [{ system: 'urn:a' }] }, 'Observation.identifier[0]'],
  ['by-exists', { identifier: [{ period: { start: '2026' } }] }],
  ['by-profile', bundle({ active: true }), 'Bundle.entry'],
  ['by-profile', bundle({ name: [{ text: 'x' }] })],
  ['by-path', ids('urn:b')],
  ['by-path', ids('urn:a'), 'Observation.identifier[0].value', 'Observation.identifier'],
  ['by-path', { identifier: [{ system: 'urn:a' }, { system: 'urn:b' }] }, 'Observation.identifier[0].value'],
  ['says-of-contained', { contained: [{ resourceType: 'Device', id: 'd' }], device: { reference: '#d' } }],
  [
    'says-of-contained',
    { contained: [{ resourceType: 'Patient', id: 'd' }], subject: { reference: '#d' } },
    'Observation.contained[0]',
  ],
  ['resliced', { identifier: [{ system: 'urn:ipp', use: 'old' }, { system: 'urn:x' }] }],
  [
    'resliced',
    {
      identifier: [
        { system: 'urn:ipp', use: 'old' },
        { system: 'urn:ipp', use: 'old' },
      ],
    },
    'Observation.identifier[1]',
  ],
  ['resliced', { identifier: [{ system: 'urn:ipp', use: 'official' }] }, 'Observation.identifier[0]'],
  ['default', { identifier: [{ system: 'urn:a' }, { system: 'urn:x', value: '1' }] }],
  ['default', { identifier: [{ system: 'urn:x' }] }, 'Observation.identifier[0].value'],
  ['by-extension', {}, 'Observation.extension'],
  ['by-extension', extension('urgent', { valueBoolean: true })],
  // extensions are judged wherever they stand
  ['marked', extension('urgent', { valueString: 'x' }), 'Observation.extension[0].value.ofType(string)'],
  ['marked', { code: { text: 'x', ...extension('urgent', { valueBoolean: true }) } }, 'Observation.code.extension[0]'],
  ['marked', extension('reversed', { valueBoolean: true }), 'Observation.extension[0]'],
  ['marked', { modifierExtension: [{ url: url('reversed'), valueBoolean: true }] }],
  ['marked', { modifierExtension: [{ url: url('urgent'), valueBoolean: true }] }, 'Observation.modifierExtension[0]'],
  ['marked', extension('complex', { extension: [{ url: 'since', valueDate: '2026-01-01' }] })],
  [
    'marked',
    extension('complex', { extension: [{ url: 'since', valueString: 'x' }] }),
    'Observation.extension[0].extension[0].value.ofType(string)',
  ],
  [
    'marked',
    extension('complex', { extension: [{ url: 'until', valueDate: '2026-01-01' }] }),
    'Observation.extension[0].extension',
    'Observation.extension[0].extension[0]',
  ],
];

describe('a profile', () => {
  it.each(cases)('%s finds in %j its fault, or none', (name, changes, ...places) => {
    const resource = JSON.parse(JSON.stringify({ ...observation, ...changes })) as unknown;
    const issues = validator.validate(resource, { profiles: [url(name)] });
    const errors = issues.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ expression }) => expression)).toEqual(places);
    expect(errors.every(({ profile: from, french }) => from?.startsWith(base) === true && french !== undefined)).toBe(
      true,
    );
  });

  it('that is a warning does not refuse, and what is not known is a warning', () => {
    const told = (name: string, changes: Data) =>
      validator
        .validate({ ...observation, ...changes }, { profiles: [url(name)] })
        .map(({ severity, code }) => [severity, code]);
    expect(told('warns', { note: [{ text: 'too long' }] })).toEqual([['warning', 'invariant']]);
    expect(told('bound', { category: [{ coding: [{ system: 'http://snomed.info/sct', code: '1' }] }] })).toEqual([
      ['warning', 'not-supported'],
    ]);
  });

  it('tells of must-support only when asked', () => {
    const options = { profiles: [url('marked')] };
    expect(validator.validate(observation, options)).toEqual([]);
    expect(validator.validate(observation, { ...options, marksMustSupport: true })).toMatchObject([
      { severity: 'information', expression: 'Observation.subject' },
    ]);
  });

  it('for another type of resource is a fault', () => {
    expect(validator.validate(observation, { profiles: [url('named-patient')] })).toMatchObject([
      { severity: 'error', expression: 'Observation', text: expect.stringContaining('is for Patient') },
    ]);
  });

  it.each([['profiles-of-one-another', { type: 'Observation', on: url('profiles-of-one-another') }]])(
    '%s ends',
    async (name, made) => {
      const library = createLibrary([profile(name, {}, made)]);
      const circular = await createValidator({
        definitions: loadDefinitions(),
        beyond: { library, terms: createTerminology(library) },
      });
      expect(circular.validate(observation, { profiles: [url(name)] })).toMatchObject([{ severity: 'error' }]);
    },
  );
});
