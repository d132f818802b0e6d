/** Index values beside their keys: compartments, references, the order of pages, and what becomes of every R4 parameter. */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { createPredicate, noOrd, parseSearch, unsupportedParameters } from '../../src/search/index.ts';
import { createParameters } from '../../src/search/parameters.ts';
import { context, index, now } from './record.ts';

const encounter: Resource = {
  resourceType: 'Encounter',
  id: 'e1',
  meta: { profile: ['https://suture.example/fhir/StructureDefinition/x'] },
  status: 'finished',
  class: { system: 'urn:c', code: 'IMP' },
  subject: { reference: 'Patient/p1' },
  period: { start: '2026-03-02T08:00:00+01:00', end: '2026-03-02T16:20:00+01:00' },
  participant: [{ individual: { reference: 'https://suture.example/fhir/Practitioner/d1' } }],
  contained: [{ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/p2' } }],
  extension: [{ url: 'urn:x', valueReference: { reference: 'Device/v1/_history/2' } }],
  serviceProvider: { reference: 'urn:uuid:2f1c8d0e-58c7-4b55-9b1e-0a1b2c3d4e5f' },
};

describe('index values', () => {
  test('have keys that are sorted and unique, and drivers among them', () => {
    const { tokens, drivers } = index(encounter);
    expect([...tokens].sort((a, b) => (a < b ? -1 : 1))).toEqual(tokens);
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(new Set(drivers).size).toBe(drivers.length);
    expect(drivers.every((driver) => tokens.includes(driver))).toBe(true);
    expect(drivers.length).toBeLessThan(tokens.length);
  });

  test('are the same for the same content', () => {
    expect(index(structuredClone(encounter))).toEqual(index(encounter));
  });

  test('name every local reference, wherever it stands', () => {
    expect([...index(encounter).references].sort()).toEqual([
      'Device/v1',
      'Patient/p1',
      'Patient/p2',
      'Practitioner/d1',
    ]);
  });

  test('name the patient compartments', () => {
    expect(index(encounter).patients).toEqual(['Patient/p1']);
    expect(
      index({ resourceType: 'Patient', id: 'p1', link: [{ other: { reference: 'Patient/p2' } }] }).patients,
    ).toEqual(['Patient/p1', 'Patient/p2']);
    const communication = {
      sender: { reference: 'Patient/p3' },
      recipient: [{ reference: 'Practitioner/d1' }, { reference: 'Patient/p1' }],
    };
    expect([...index({ resourceType: 'Communication', id: 'm1', ...communication }).patients].sort()).toEqual([
      'Patient/p1',
      'Patient/p3',
    ]);
    expect(index({ resourceType: 'Practitioner', id: 'd1' }).patients).toEqual([]);
  });

  test.each<[string, Resource, string | undefined]>([
    ['the start of a stay', encounter, '2026-03-02T07:00:00Z'],
    [
      'the date of a task',
      { resourceType: 'Task', id: 't1', authoredOn: '2026-03-02T08:00:00Z', lastModified: '2026-03-05' },
      '2026-03-02T08:00:00Z',
    ],
    [
      'the sending of a message',
      { resourceType: 'Communication', id: 'm1', sent: '2026-03-02T08:00:00Z' },
      '2026-03-02T08:00:00Z',
    ],
    [
      'the last of several',
      { resourceType: 'Observation', id: 'o1', effectiveTiming: { event: ['2026-03-01T00:00:00Z'] } },
      '2026-03-01T00:00:00Z',
    ],
    ['none', { resourceType: 'Encounter', id: 'e1', status: 'planned' }, undefined],
    ['none of a practitioner', { resourceType: 'Practitioner', id: 'd1' }, undefined],
  ])('order by %s', (_what, resource, expected) => {
    expect(index(resource).ord).toBe(expected === undefined ? noOrd : Date.parse(expected));
  });

  test('of strings are folded and cut', () => {
    const { strings } = index({
      resourceType: 'Patient',
      id: 'p1',
      name: [{ family: "L'Haÿ-Les-Roses" }, { family: 'x'.repeat(500) }, { family: '***' }],
    });
    expect([...new Set(strings.map(({ v }) => v))].sort()).toEqual(['l hay les roses', 'x'.repeat(200)]);
  });
});

describe('the search parameters of R4', () => {
  test('are all compiled, but for those that wait for their own kind of index', () => {
    const waiting = new Map<string, Set<string>>();
    for (const type of context.definitions.resourceTypes) {
      for (const [code, reason] of unsupportedParameters(context, type)) {
        waiting.set(reason, (waiting.get(reason) ?? new Set()).add(code));
      }
    }
    expect([...waiting.keys()].sort()).toEqual(['it has no expression', 'matching by sound is not supported']);
    expect([...(waiting.get('it has no expression') ?? [])].sort()).toEqual(['_content', '_query', '_text']);
  });

  test('share the key of a path', () => {
    const { parameters } = context.parameters('Encounter');
    expect(parameters.get('patient')?.paths.map(({ name }) => name)).toEqual(
      parameters.get('subject')?.paths.map(({ name }) => name),
    );
    const combo = context.parameters('Observation').parameters.get('combo-code');
    expect(combo?.paths.map(({ name }) => name)).toEqual(['Observation.code', 'Observation.component.code']);
  });
});

describe('parameters of other guides', () => {
  const expressions: Readonly<
    Record<string, readonly [type: 'token' | 'string' | 'date' | 'reference', expression: string]>
  > = {
    'break-state': [
      'token',
      "DetectedIssue.extension('https://suture.example/fhir/StructureDefinition/break-state').value",
    ],
    'break-due': [
      'date',
      "DetectedIssue.extension.where(url='https://suture.example/fhir/StructureDefinition/break-due').value",
    ],
    birthplace: ['string', "extension('http://hl7.org/fhir/StructureDefinition/patient-birthPlace').value as Address"],
    nested: ['token', "extension.where(url='urn:card').extension.where(url='number').value"],
    'born-at': [
      'date',
      "Patient.birthDate.extension('http://hl7.org/fhir/StructureDefinition/patient-birthTime').value",
    ],
    wrong: ['token', 'Patient.naem'],
    clever: ['token', 'Patient.name.first().family'],
  };
  const definitions = {
    ...context.definitions,
    searchParameters: () =>
      new Map(
        Object.entries(expressions).map(([code, [type, expression]]) => [
          code,
          { code, type, expression, url: `urn:${code}`, target: [], components: [] },
        ]),
      ),
  };
  const custom = { ...context, definitions, parameters: createParameters(definitions, context.readers.hash) };
  const matches = (resource: Resource, name: string, value: string) =>
    createPredicate(custom, parseSearch(custom, resource.resourceType, [[name, value]], { now }))(resource);

  test('find extensions by URL, nested ones and those of primitives included', () => {
    const patient: Resource = {
      resourceType: 'Patient',
      id: 'p1',
      birthDate: '1948-05-04',
      _birthDate: {
        extension: [
          { url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime', valueDateTime: '1948-05-04T03:30:00Z' },
        ],
      },
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace', valueAddress: { city: 'Le Mans' } },
        {
          url: 'urn:card',
          extension: [
            { url: 'number', valueString: 'C7' },
            { url: 'type', valueString: 'C8' },
          ],
        },
      ],
    };
    expect(matches(patient, 'birthplace', 'le m')).toBe(true);
    expect(matches(patient, 'nested', 'c7')).toBe(true);
    expect(matches(patient, 'nested', 'c8')).toBe(false);
    expect(matches(patient, 'born-at', 'lt1948-05-04T04:00:00Z')).toBe(true);
    const issue: Resource = {
      resourceType: 'DetectedIssue',
      id: 'i1',
      extension: [
        { url: 'https://suture.example/fhir/StructureDefinition/break-state', valueCode: 'open' },
        {
          url: 'https://suture.example/fhir/StructureDefinition/break-due',
          valueDateTime: '2026-03-03T00:00:00+01:00',
        },
      ],
    };
    expect(matches(issue, 'break-state', 'open')).toBe(true);
    expect(matches(issue, 'break-state', 'moot')).toBe(false);
    expect(matches(issue, 'break-due', '2026-03-03')).toBe(true);
  });

  test('are refused with the reason when their expression is not understood', () => {
    const { unsupported } = custom.parameters('Patient');
    expect(unsupported.get('wrong')).toBe('its expression is not supported: Patient has no element naem');
    expect(unsupported.get('clever')).toBe('its expression is not supported: first() is not supported here');
    expect(() => parseSearch(custom, 'Patient', [['wrong', 'x']], { now })).toThrow('has no element naem');
  });
});
