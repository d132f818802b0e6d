/**
 * What R4 says in words only: entries of Bundles, the size of attachments, systems, items of Questionnaires, contexts and
 * parts of extensions. https://hl7.org/fhir/R4/bundle.html, documents.html, datatypes.html, extensibility.html
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ConformanceResource, createLibrary, joinLibraries, loadDefinitions } from '../../../src/fhir/index.ts';
import { createBaseLibrary } from '../../../src/packages/index.ts';
import { createTerminology } from '../../../src/terminology/index.ts';
import { createValidator, type Validator } from '../../../src/validation/index.ts';

const guide = 'https://guide.example/StructureDefinition';

function extension(name: string, more: object): ConformanceResource {
  const made = {
    resourceType: 'StructureDefinition',
    url: `${guide}/${name}`,
    type: 'Extension',
    derivation: 'constraint',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Extension',
    ...more,
  };
  return made;
}

const simple = { differential: { element: [{ id: 'Extension', path: 'Extension' }] } };
const definitions = [
  extension('at-home', {
    ...simple,
    context: [{ type: 'fhirpath', expression: "Patient.address.where(use = 'home')" }],
  }),
  extension('of-active', {
    ...simple,
    context: [{ type: 'element', expression: 'Patient' }],
    contextInvariant: ['active = true'],
  }),
  extension('inside', { ...simple, context: [{ type: 'extension', expression: `${guide}/at-home` }] }),
  extension('two-parts', {
    context: [{ type: 'element', expression: 'Element' }],
    differential: {
      element: ['from', 'until'].flatMap((name) => [
        { id: `Extension.extension:${name}`, path: 'Extension.extension', sliceName: name },
        { id: `Extension.extension:${name}.url`, path: 'Extension.extension.url', fixedUri: name },
      ]),
    },
  }),
];

let validator: Validator;
beforeAll(async () => {
  const library = joinLibraries(createLibrary(definitions), createBaseLibrary());
  validator = await createValidator({
    definitions: loadDefinitions(),
    beyond: { library, terms: createTerminology(library) },
  });
});

const at = (name: string, more: object = { valueCode: 'x' }): object => ({ url: `${guide}/${name}`, ...more });
const patient = (members: object): object => ({ resourceType: 'Patient', id: 'p1', ...members });
const bundle = (type: string, ...entry: readonly object[]): object => ({ resourceType: 'Bundle', type, entry });
const entryOf = (resource: object, fullUrl?: string): object => ({
  ...(fullUrl === undefined ? {} : { fullUrl }),
  resource,
});
const composition = (members: object): object => ({
  resourceType: 'Composition',
  id: 'c1',
  status: 'final',
  type: { text: 'x' },
  date: '2026-03-02',
  title: 'x',
  author: [{ reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' }],
  ...members,
});
const authorUrl = 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0';
const author = entryOf(patient({}), authorUrl);
const document = (members: object): object => ({
  ...bundle('document', entryOf(composition(members), 'urn:uuid:6d1b1c0e-6f39-4c39-b6cc-3a7bb4b2a8c1'), author),
  identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:6d1b1c0e-6f39-4c39-b6cc-3a7bb4b2a8c9' },
  timestamp: '2026-03-02T10:00:00Z',
});
const question = (members: object): object => ({
  resourceType: 'Questionnaire',
  status: 'active',
  item: [
    { linkId: 'a', type: 'string' },
    { linkId: 'b', type: 'string', ...members },
  ],
});
const to = (reference: string, more: object = {}): object => patient({ managingOrganization: { reference, ...more } });
const urn = 'urn:uuid:6d1b1c0e-6f39-4c39-b6cc-3a7bb4b2a8c1';
const inside = (type: string): object => ({ resourceType: type, id: 'o', name: 'x' });
const when = (linkId: string): object => ({ question: linkId, operator: 'exists', answerBoolean: true });

describe('lets pass', () => {
  it.each<[string, object]>([
    ['a reference that states its type', to('Organization/1', { type: 'Organization' })],
    [
      'a reference that states its type by its definition',
      to('Organization/1/_history/2', { type: 'http://hl7.org/fhir/StructureDefinition/Organization' }),
    ],
    ['a reference by search', to('Organization?identifier=urn:oid:1.2|3')],
    ['a reference to another server, whatever its URL', to('https://a.example/registry/Practitioner/1')],
    ['a reference to what is contained, of the type it must be', { ...to('#o'), contained: [inside('Organization')] }],
    [
      'a reference to an entry of the type it must be',
      bundle('collection', entryOf(to(urn), authorUrl), entryOf(inside('Organization'), urn)),
    ],
    [
      'requests without identity',
      bundle('batch', { ...entryOf(patient({})), request: { method: 'POST', url: 'Patient' } }),
    ],
    [
      'an entry named by a urn',
      bundle('collection', entryOf(patient({}), 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0')),
    ],
    [
      'an entry named by its own type and id',
      bundle('collection', entryOf(patient({}), 'https://a.example/Patient/p1')),
    ],
    [
      'an entry named by a URL of another form',
      bundle('collection', entryOf(patient({}), 'https://a.example/files/1')),
    ],
    [
      'what a search has to say, without identity',
      bundle('searchset', {
        ...entryOf({ resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'informational' }] }),
        search: { mode: 'outcome' },
      }),
    ],
    ['a document with all that it names', document({})],
    [
      'an attachment of the size that it states',
      patient({ photo: [{ contentType: 'image/png', data: 'AAAA\nAA==', size: 4 }] }),
    ],
    [
      'an extension at the elements that its FHIRPath yields',
      patient({ address: [{ use: 'home', extension: [at('at-home')] }] }),
    ],
    ['an extension whose invariant about its element holds', patient({ active: true, extension: [at('of-active')] })],
    [
      'an extension inside the one that it is for',
      patient({ address: [{ use: 'home', extension: [at('at-home', { extension: [at('inside')] })] }] }),
    ],
    [
      'parts of an extension that it defines',
      patient({ extension: [at('two-parts', { extension: [{ url: 'from', valueDate: '2026' }] })] }),
    ],
    [
      'two conditions that say how they are joined',
      question({ enableWhen: [when('a'), when('a')], enableBehavior: 'all' }),
    ],
    [
      'a contained image that the narrative of a section shows',
      composition({
        contained: [{ resourceType: 'Binary', id: 'i1', contentType: 'image/png' }],
        section: [
          {
            text: {
              status: 'generated',
              div: '<div xmlns="http://www.w3.org/1999/xhtml"><img src="#i1" alt="x"/></div>',
            },
          },
        ],
      }),
    ],
    [
      'a contained library that a list of canonicals names',
      {
        resourceType: 'PlanDefinition',
        status: 'draft',
        library: ['#l1'],
        contained: [{ resourceType: 'Library', id: 'l1', status: 'draft', type: { text: 'x' } }],
      },
    ],
    [
      'a Bundle without identities that an operation is given',
      {
        resourceType: 'Parameters',
        parameter: [{ name: 'record', resource: bundle('collection', entryOf(patient({}))) }],
      },
    ],
  ])('%s', (_title, resource) => {
    expect(errorsOf(resource)).toEqual([]);
  });
});

it('warns of a system that is an OID without its urn', () => {
  const issues = validator.validate(patient({ identifier: [{ system: '1.2.250.1.71.4.2.1', value: '1' }] }));
  expect(issues.map(({ severity, expression }) => [severity, expression])).toEqual([
    ['warning', 'Patient.identifier[0]'],
  ]);
});

describe('refuses', () => {
  it.each<[string, object, string]>([
    ...[
      '1',
      'Organization',
      'Organization/',
      '/Organization/1',
      'organization/1',
      'Organisation/1',
      'Organization/a_b',
    ].map((reference): [string, object, string] => [
      `the reference ${reference}`,
      to(reference),
      'Patient.managingOrganization',
    ]),
    [
      'a reference that states another type than it names',
      patient({ link: [{ other: { reference: 'Patient/1', type: 'RelatedPerson' }, type: 'seealso' }] }),
      'Patient.link[0].other',
    ],
    [
      'a reference to what is contained, of another type',
      { ...to('#o'), contained: [inside('Location')] },
      'Patient.managingOrganization',
    ],
    [
      'a reference to an entry of another type',
      bundle('collection', entryOf(to(urn), authorUrl), entryOf({ resourceType: 'Location', name: 'x' }, urn)),
      'Bundle.entry[0].resource.managingOrganization',
    ],
    [
      'two contained resources with one id',
      { ...to('#o'), contained: [inside('Organization'), inside('Organization')] },
      'Patient.contained[1]',
    ],
    ['a relative fullUrl', bundle('collection', entryOf(patient({}), 'Patient/p1')), 'Bundle.entry[0]'],
    ['an entry without identity', bundle('collection', entryOf(patient({}))), 'Bundle.entry[0]'],
    [
      'a fullUrl that ends with another id',
      bundle('collection', entryOf(patient({}), 'https://a.example/Patient/p2')),
      'Bundle.entry[0]',
    ],
    [
      'a fullUrl that ends with another type',
      bundle(
        'message',
        entryOf(
          {
            resourceType: 'MessageHeader',
            id: 'm1',
            eventUri: 'https://a.example/e',
            source: { endpoint: 'https://a.example' },
          },
          'https://a.example/Patient/m1',
        ),
      ),
      'Bundle.entry[0]',
    ],
    [
      'a found resource without id',
      bundle('searchset', entryOf({ resourceType: 'Patient' }, 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0')),
      'Bundle.entry[0]',
    ],
    [
      'a link of one relation twice',
      {
        ...bundle('collection', entryOf(patient({}), 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0')),
        link: [
          { relation: 'next', url: 'https://a.example/1' },
          { relation: 'next', url: 'https://a.example/2' },
        ],
      },
      'Bundle.link[1]',
    ],
    [
      'a document without its subject',
      document({ subject: { reference: 'Patient/p9' } }),
      'Bundle.entry[0].resource.subject',
    ],
    [
      'a document without an entry of a section',
      document({ section: [{ section: [{ entry: [{ reference: 'Observation/o9' }] }] }] }),
      'Bundle.entry[0].resource.section[0].section[0].entry[0]',
    ],
    [
      'an attachment of another size',
      patient({ photo: [{ contentType: 'image/png', data: 'AAAA', size: 4 }] }),
      'Patient.photo[0]',
    ],
    [
      'a relative system of a code',
      patient({ maritalStatus: { coding: [{ system: 'marital-status', code: 'M' }] } }),
      'Patient.maritalStatus.coding[0]',
    ],
    [
      'a relative system of an identifier',
      patient({ identifier: [{ system: 'ipp', value: '1' }] }),
      'Patient.identifier[0]',
    ],
    [
      'an extension at another element than its FHIRPath yields',
      patient({ address: [{ use: 'work', extension: [at('at-home')] }] }),
      'Patient.address[0].extension[0]',
    ],
    [
      'an extension whose invariant about its element fails',
      patient({ active: false, extension: [at('of-active')] }),
      'Patient.extension[0]',
    ],
    ['an extension outside of the one that it is for', patient({ extension: [at('inside')] }), 'Patient.extension[0]'],
    [
      'a part of an extension that it does not define',
      patient({ extension: [at('two-parts', { extension: [{ url: 'since', valueDate: '2026' }] })] }),
      'Patient.extension[0].extension[0]',
    ],
    [
      'a name in the place of a URL',
      patient({ extension: [{ url: 'from', valueDate: '2026' }] }),
      'Patient.extension[0]',
    ],
    [
      'two conditions that do not say how they are joined',
      question({ enableWhen: [when('a'), when('a')] }),
      'Questionnaire.item[1]',
    ],
    [
      'a question enabled by one below it',
      question({ enableWhen: [when('c')], item: [{ linkId: 'c', type: 'string' }] }),
      'Questionnaire.item[1]',
    ],
  ])('%s', (_title, resource, expression) => {
    expect(errorsOf(resource)).toEqual([expression]);
  });
});

function errorsOf(resource: object): readonly unknown[] {
  const issues = validator.validate(resource);
  expect(issues.every(({ text, french }) => text !== '' && french !== undefined)).toBe(true);
  return issues.filter(({ severity }) => severity === 'error').map(({ expression }) => expression);
}
