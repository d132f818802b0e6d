/**
 * Definitions compiled from the published ones. The answers expected here are those of https://hl7.org/fhir/R4:
 * in particular where the npm source deviates from it.
 */
import { describe, expect, it } from '@jest/globals';
import {
  type Definitions,
  type ElementDefinition,
  loadDefinitions,
  readDefinitions,
} from '../../src/fhir/definitions.ts';

const definitions: Definitions = loadDefinitions();

function element(type: string, name: string): ElementDefinition {
  const found = definitions.type(type)?.elements.get(name);
  if (found === undefined) throw new Error(`${type}.${name} is not defined`);
  return found;
}

describe('types', () => {
  it('knows the 146 resource types of R4 and no other', () => {
    expect(definitions.resourceTypes.size).toBe(146);
    expect(definitions.resourceTypes.has('Encounter')).toBe(true);
    for (const name of ['Resource', 'DomainResource', 'SubscriptionStatus', 'HumanName', '__proto__'])
      expect(definitions.resourceTypes.has(name)).toBe(false);
  });

  it('gives own and inherited elements of a resource, a backbone and a data type', () => {
    expect([...(definitions.type('Encounter')?.elements.keys() ?? [])]).toEqual(
      expect.arrayContaining(['id', 'meta', 'contained', 'modifierExtension', 'status', 'hospitalization']),
    );
    expect([...(definitions.type('Encounter.location')?.elements.keys() ?? [])]).toEqual([
      'id',
      'extension',
      'modifierExtension',
      'location',
      'status',
      'physicalType',
      'period',
    ]);
    expect([...(definitions.type('Period')?.elements.keys() ?? [])]).toEqual(['id', 'extension', 'start', 'end']);
    expect(definitions.type('Period')?.base).toBe('Element');
    expect(definitions.type('Age')?.base).toBe('Quantity');
    expect(definitions.type('dateTime')?.kind).toBe('primitive-type');
    expect(definitions.type('Observation.nowhere')).toBeUndefined();
  });

  it.each([
    ['Encounter', 'status', { min: 1, max: 1, types: [{ code: 'code' }] }],
    ['Encounter', 'location', { min: 0, max: Infinity, types: [{ code: 'Encounter.location' }] }],
    ['Observation.component', 'referenceRange', { max: Infinity, types: [{ code: 'Observation.referenceRange' }] }],
    ['Encounter', 'subject', { types: [{ code: 'Reference', targets: ['Patient', 'Group'] }] }],
    ['Communication', 'about', { types: [{ code: 'Reference', targets: ['Resource'] }] }],
    ['Timing', 'repeat', { types: [{ code: 'Timing.repeat' }] }],
    ['Patient', 'id', { types: [{ code: 'id' }] }],
    ['HumanName', 'id', { types: [{ code: 'string' }] }],
    ['Extension', 'url', { min: 1, types: [{ code: 'uri' }] }],
    ['Patient', 'deceased', { isChoice: true, types: [{ code: 'boolean' }, { code: 'dateTime' }] }],
  ])('describes %s.%s', (type, name, expected) => {
    expect(element(type, name)).toMatchObject(expected);
  });

  it('opens Extension.value[x] to all fifty types', () => {
    expect(element('Extension', 'value').types).toHaveLength(50);
  });
});

describe('constraints', () => {
  it('are those of the type and of its bases, each with the type that states it', () => {
    const stated = definitions.type('Encounter.location')?.constraints.map(({ source, key }) => `${source} ${key}`);
    expect(stated).toEqual(['Element ele-1']);
    const observation = definitions.type('Observation')?.constraints.map(({ source, key }) => `${source} ${key}`);
    expect(observation).toEqual(
      expect.arrayContaining(['DomainResource dom-3', 'Observation obs-6', 'Observation obs-7']),
    );
  });

  it('of one element stand at the element', () => {
    expect(element('Organization', 'address').constraints?.map((constraint) => constraint.key)).toEqual(['org-2']);
    // Range.low is a SimpleQuantity.
    expect(element('Range', 'low').constraints?.map((constraint) => constraint.key)).toEqual(['sqt-1']);
    expect(element('Encounter', 'status').constraints).toBeUndefined();
  });

  it('are as published where the vendor changed them', () => {
    const offset = definitions.type('Timing.repeat')?.constraints.find((constraint) => constraint.key === 'tim-9');
    expect(offset?.expression).toContain("when in ('C' | 'CM' | 'CD' | 'CV')");
  });
});

describe('repairs of the source', () => {
  it.each([
    ['Meta', 'project'],
    ['Meta', 'compartment'],
    ['Binary', 'url'],
    ['DeviceDefinition', 'classification'],
  ])('does not know %s.%s, which the vendor added', (type, name) => {
    expect(definitions.type(type)?.elements.has(name)).toBe(false);
  });

  it('gives back what the vendor changed', () => {
    expect(element('Bundle.entry.response', 'outcome').types).toEqual([{ code: 'Resource' }]);
    expect(element('DetectedIssue', 'status').binding?.valueSet).toBe(
      'http://hl7.org/fhir/ValueSet/observation-status',
    );
    const targets = element('AuditEvent.agent', 'who').types.flatMap((type) => type.targets ?? []);
    expect([...targets].sort()).toEqual([
      'Device',
      'Organization',
      'Patient',
      'Practitioner',
      'PractitionerRole',
      'RelatedPerson',
    ]);
  });

  it('leaves out the three search parameters that R4 does not have', () => {
    expect(definitions.searchParameters('DetectedIssue').get('status')?.url).not.toBe(
      'http://hl7.org/fhir/SearchParameter/DetectedIssue-status',
    );
    expect(definitions.searchParameters('DeviceDefinition').has('classification')).toBe(false);
    expect(definitions.searchParameters('ServiceRequest').has('order-detail')).toBe(false);
  });
});

describe('search parameters', () => {
  it('joins those of the type, of DomainResource and of Resource', () => {
    const encounter = definitions.searchParameters('Encounter');
    expect(encounter.get('status')).toMatchObject({ type: 'token', expression: 'Encounter.status' });
    expect(encounter.get('patient')).toMatchObject({ type: 'reference', target: ['Patient'] });
    for (const code of ['_id', '_lastUpdated', '_tag', '_profile']) expect(encounter.has(code)).toBe(true);
    expect(definitions.searchParameters('Nothing').size).toBe(0);
  });

  it('keeps the components of a composite', () => {
    const parameter = definitions.searchParameters('Observation').get('code-value-quantity');
    expect(parameter?.components.map((component) => component.definition)).toEqual([
      'http://hl7.org/fhir/SearchParameter/clinical-code',
      'http://hl7.org/fhir/SearchParameter/Observation-value-quantity',
    ]);
  });
});

describe('compartment of a patient', () => {
  it('names the parameters that link a resource to it', () => {
    expect(definitions.compartment('Encounter')).toEqual(['patient']);
    expect(definitions.compartment('Communication')).toEqual(['subject', 'sender', 'recipient']);
    expect(definitions.compartment('Organization')).toEqual([]);
  });

  it('names only search parameters that exist', () => {
    for (const type of definitions.resourceTypes)
      for (const code of definitions.compartment(type))
        expect([type, definitions.searchParameters(type).has(code)]).toEqual([type, true]);
  });
});

describe('codes of required bindings', () => {
  it.each([
    ['http://hl7.org/fhir/ValueSet/administrative-gender', ['male', 'female', 'other', 'unknown']],
    ['http://hl7.org/fhir/ValueSet/quantity-comparator', ['<', '<=', '>=', '>']],
    // include by is-a filter over a v3 hierarchy
    ['http://terminology.hl7.org/ValueSet/v3-ConfidentialityClassification', ['U', 'L', 'M', 'N', 'R', 'V']],
    // nested concepts
    [
      'http://hl7.org/fhir/ValueSet/condition-clinical',
      ['active', 'recurrence', 'relapse', 'inactive', 'remission', 'resolved'],
    ],
  ])('lists %s', (valueSet, codes) => {
    expect([...(definitions.codes(valueSet) ?? [])].sort()).toEqual([...codes].sort());
  });

  it.each([
    'http://hl7.org/fhir/ValueSet/mimetypes',
    'http://hl7.org/fhir/ValueSet/ucum-units',
    'http://example.org/none',
  ])('does not guess at %s', (valueSet) => {
    expect(definitions.codes(valueSet)).toBeUndefined();
  });

  it('lists no empty value set', () => {
    const types = [...definitions.resourceTypes].map((name) => definitions.type(name));
    for (const type of types)
      for (const { binding } of type?.elements.values() ?? [])
        if (binding?.strength === 'required') expect(definitions.codes(binding.valueSet)?.size).not.toBe(0);
  });
});

it('reads an own search parameter beside the published ones', () => {
  const own = readDefinitions({
    resourceTypes: ['Task'],
    types: { Resource: { kind: 'resource', elements: [] }, Task: { kind: 'resource', base: 'Resource', elements: [] } },
    searchParameters: [
      {
        code: 'due',
        url: 'https://suture.example/fhir/SearchParameter/task-due',
        type: 'date',
        base: ['Task'],
        expression: 'Task.restriction.period.end',
        target: [],
        components: [],
      },
    ],
    compartments: {},
    valueSets: {},
  });
  expect(own.searchParameters('Task').get('due')?.type).toBe('date');
});
