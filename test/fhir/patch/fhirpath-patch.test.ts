/** FHIRPath Patch: https://hl7.org/fhir/R4/fhirpatch.html. The public cases run in `test/conformance/`. */
import { describe, expect, it } from '@jest/globals';
import { Problem } from '../../../src/base/index.ts';
import {
  applyFhirPathPatch,
  createDateReader,
  loadDefinitions,
  parseJson,
  type Resource,
  serializeJson,
} from '../../../src/fhir/index.ts';

const definitions = loadDefinitions();
const moment = { nowMs: Date.parse('2026-03-12T08:00:00Z'), dates: createDateReader('Europe/Paris') };

const patient = `{
  "resourceType": "Patient", "id": "p1",
  "contained": [{ "resourceType": "Practitioner", "id": "mt", "name": [{ "family": "Le Goff" }] }],
  "identifier": [{ "use": "official", "value": "1" }, { "use": "usual", "value": "2" }],
  "name": [{ "family": "Marchand", "given": ["Lucie", null, "Anne"], "_given": [null, { "id": "g" }, null] }],
  "birthDate": "1951-06-03",
  "deceasedBoolean": false,
  "contact": [{ "name": { "text": "Yann" } }, { "gender": "male" }]
}`;
const observation = `{
  "resourceType": "Observation", "status": "final", "code": { "text": "poids" },
  "valueQuantity": { "value": 64.50, "unit": "kg" },
  "component": [{ "code": { "text": "a" }, "valueQuantity": { "value": 1.0 } }]
}`;

type Operation = Readonly<Record<string, unknown>>;
const codes: Readonly<Record<string, string>> = { type: 'valueCode', path: 'valueString', name: 'valueString' };

/** Parameters of operations such as `{ type, path, name, value: { valueDate } }`. */
function patchOf(operations: readonly Operation[]): unknown {
  const parameter = operations.map((operation) => ({
    name: 'operation',
    part: Object.entries(operation).map(([name, value]) =>
      name === 'value' ? { name, ...(value as object) } : { name, [codes[name] ?? 'valueInteger']: value },
    ),
  }));
  return { resourceType: 'Parameters', parameter };
}

function apply(resource: string, ...operations: Operation[]): Record<string, unknown> {
  const parsed = parseJson(resource) as Resource;
  return applyFhirPathPatch(parsed, patchOf(operations), { definitions, moment });
}

function problemOf(action: () => unknown): Problem {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('the patch was accepted');
}

describe('applyFhirPathPatch', () => {
  it.each<[string, Operation, string, unknown]>([
    [
      'adds to a list',
      { type: 'add', path: 'Patient', name: 'name', value: { valueHumanName: { text: 'x' } } },
      'name',
      [expect.anything(), { text: 'x' }],
    ],
    [
      'adds an element found by a condition',
      { type: 'add', path: "Patient.identifier.where(use = 'usual')", name: 'system', value: { valueUri: 'urn:x' } },
      'identifier',
      [
        { use: 'official', value: '1' },
        { use: 'usual', value: '2', system: 'urn:x' },
      ],
    ],
    [
      'takes a path without the type',
      { type: 'replace', path: 'contact[1].gender', value: { valueCode: 'female' } },
      'contact',
      [{ name: { text: 'Yann' } }, { gender: 'female' }],
    ],
    [
      'takes last() and first()',
      { type: 'replace', path: 'Patient.contact.last().gender.first()', value: { valueCode: 'female' } },
      'contact',
      [{ name: { text: 'Yann' } }, { gender: 'female' }],
    ],
    [
      'patches inside a contained resource',
      {
        type: 'replace',
        path: 'Patient.contained[0].ofType(Practitioner).name[0].family',
        value: { valueString: 'Le Gall' },
      },
      'contained',
      [{ resourceType: 'Practitioner', id: 'mt', name: [{ family: 'Le Gall' }] }],
    ],
    [
      'adds a contained resource',
      {
        type: 'add',
        path: 'Patient',
        name: 'contained',
        value: { resource: { resourceType: 'Organization', id: 'o' } },
      },
      'contained',
      [expect.anything(), { resourceType: 'Organization', id: 'o' }],
    ],
    [
      'follows several conditions, with brackets and dots in their texts',
      {
        type: 'delete',
        path: "Patient.identifier.where(use = 'usual' and (value = '2' or value = 'a.b)('))[0].where(value.exists()).value",
      },
      'identifier',
      [{ use: 'official', value: '1' }, { use: 'usual' }],
    ],
    [
      'follows skip, take, tail and single',
      { type: 'delete', path: 'Patient[0].contact.skip(1).take(1).single().gender' },
      'contact',
      [{ name: { text: 'Yann' } }],
    ],
    [
      'deletes nothing beyond the resource',
      { type: 'delete', path: 'Patient[1].contact.tail()' },
      'contact',
      [{ name: { text: 'Yann' } }, { gender: 'male' }],
    ],
    ['deletes nothing where nothing is', { type: 'delete', path: 'Patient.maritalStatus' }, 'maritalStatus', undefined],
    [
      'deletes the last child with its parents',
      { type: 'delete', path: 'Patient.contact[0].name.text' },
      'contact',
      [{ gender: 'male' }],
    ],
    [
      'replaces one form of a choice by another',
      { type: 'replace', path: 'Patient.deceased', value: { valueDateTime: '2026-03-01' } },
      'deceasedBoolean',
      undefined,
    ],
    [
      'adds a choice',
      { type: 'add', path: 'Patient', name: 'multipleBirth', value: { valueInteger: 2 } },
      'multipleBirthInteger',
      2,
    ],
    [
      'inserts into a list that is still empty',
      { type: 'insert', path: 'Patient.contact[1].telecom', index: 0, value: { valueContactPoint: { value: '1' } } },
      'contact',
      [{ name: { text: 'Yann' } }, { gender: 'male', telecom: [{ value: '1' }] }],
    ],
    [
      'inserts into an empty list below a condition',
      {
        type: 'insert',
        path: "Patient.identifier.where(use = 'usual').extension",
        index: 0,
        value: { part: [{ name: 'url', valueUri: 'urn:e' }] },
      },
      'identifier',
      [expect.anything(), { use: 'usual', value: '2', extension: [{ url: 'urn:e' }] }],
    ],
  ])('%s', (_what, operation, name, expected) => {
    expect(apply(patient, operation)[name]).toEqual(expected);
  });

  describe('keeps values and extensions of primitives side by side', () => {
    const names = (...operations: Operation[]): unknown => (apply(patient, ...operations)['name'] as unknown[])[0];

    it.each<[string, Operation, unknown]>([
      [
        'on insert',
        {
          type: 'insert',
          path: 'Patient.name[0].given',
          index: 1,
          value: { valueString: 'Eva', _valueString: { id: 'e' } },
        },
        { given: ['Lucie', 'Eva', null, 'Anne'], _given: [null, { id: 'e' }, { id: 'g' }, null] },
      ],
      [
        'on move',
        { type: 'move', path: 'Patient.name[0].given', source: 1, destination: 0 },
        { given: [null, 'Lucie', 'Anne'], _given: [{ id: 'g' }, null, null] },
      ],
      [
        'on delete',
        { type: 'delete', path: 'Patient.name[0].given[0]' },
        { given: [null, 'Anne'], _given: [{ id: 'g' }, null] },
      ],
      [
        'when the one with extensions goes',
        { type: 'delete', path: 'Patient.name[0].given[1]' },
        { given: ['Lucie', 'Anne'] },
      ],
      [
        'when a condition finds one',
        { type: 'delete', path: "Patient.name.given.where($this = 'Anne')" },
        { given: ['Lucie', null], _given: [null, { id: 'g' }] },
      ],
      ['when its extensions go', { type: 'delete', path: 'Patient.name[0].given[1].id' }, { given: ['Lucie', 'Anne'] }],
      [
        'on replace',
        { type: 'replace', path: 'Patient.name[0].given[1]', value: { valueString: 'Eva' } },
        { given: ['Lucie', 'Eva', 'Anne'] },
      ],
    ])('%s', (_what, operation, expected) => {
      expect(names(operation)).toEqual({ family: 'Marchand', ...(expected as object) });
    });

    it('gives a primitive its first extension, and takes the last one away', () => {
      const add = {
        type: 'add',
        path: 'Patient.birthDate',
        name: 'extension',
        value: {
          part: [
            { name: 'url', valueUri: 'urn:a' },
            { name: 'value', valueTime: '04:10:00' },
          ],
        },
      };
      const insert = {
        type: 'insert',
        path: 'Patient.birthDate.extension',
        index: 0,
        value: { part: [{ name: 'url', valueUri: 'urn:b' }] },
      };
      const extension = { url: 'urn:a', valueTime: '04:10:00' };
      expect(apply(patient, add)['_birthDate']).toEqual({ extension: [extension] });
      expect(apply(patient, insert)['_birthDate']).toEqual({ extension: [{ url: 'urn:b' }] });
      expect(apply(patient, add, insert)['_birthDate']).toEqual({ extension: [{ url: 'urn:b' }, extension] });
      const without = apply(patient, add, { type: 'delete', path: "Patient.birthDate.extension('urn:a')" });
      expect(without).toEqual(JSON.parse(patient));
    });
  });

  it('builds elements without a type name from parts, as deep as needed', () => {
    const value = {
      part: [
        { name: 'relationship', valueCodeableConcept: { text: 'fille' } },
        { name: 'relationship', valueCodeableConcept: { text: 'aidante' } },
        {
          name: 'name',
          part: [
            { name: 'family', valueString: 'Marchand' },
            { name: 'given', valueString: 'Eva' },
          ],
        },
      ],
    };
    const { contact } = apply(patient, { type: 'add', path: 'Patient', name: 'contact', value });
    expect((contact as unknown[])[2]).toEqual({
      relationship: [{ text: 'fille' }, { text: 'aidante' }],
      name: { family: 'Marchand', given: ['Eva'] },
    });
  });

  it('keeps the digits of decimals: untouched, given, and beside what is patched', () => {
    const patch = parseJson(
      `{"resourceType":"Parameters","parameter":[
        {"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Observation.value.ofType(Quantity).value"},{"name":"value","valueDecimal":65.100}]},
        {"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Observation"},{"name":"name","valueString":"component"},
          {"name":"value","part":[{"name":"code","valueCodeableConcept":{"text":"b"}},{"name":"value","valueQuantity":{"value":2.0}}]}]},
        {"name":"operation","part":[{"name":"type","valueCode":"move"},{"name":"path","valueString":"Observation.component"},{"name":"source","valueInteger":1},{"name":"destination","valueInteger":0}]}
      ]}`,
    );
    const patched = applyFhirPathPatch(parseJson(observation) as Resource, patch, { definitions, moment });
    expect(serializeJson(patched)).toMatch(/"value":65\.100/);
    expect(serializeJson(patched['component'])).toBe(
      '[{"code":{"text":"b"},"valueQuantity":{"value":2.0}},{"code":{"text":"a"},"valueQuantity":{"value":1.0}}]',
    );
  });

  it('compares decimals and dates in paths by value', () => {
    const byNumber = { type: 'delete', path: 'Observation.component.where(value.ofType(Quantity).value < 1.5)' };
    expect(apply(observation, byNumber)['component']).toBeUndefined();
    const byDate = { type: 'delete', path: 'Patient.birthDate.where($this < today())' };
    expect(apply(patient, byDate)['birthDate']).toBeUndefined();
  });

  it('applies operations in order and leaves the original untouched', () => {
    const original = parseJson(patient) as Resource;
    const before = serializeJson(original);
    const operations = [
      { type: 'delete', path: 'Patient.identifier[0]' },
      { type: 'replace', path: 'Patient.identifier[0].value', value: { valueString: '3' } },
    ];
    const patched = applyFhirPathPatch(original, patchOf(operations), { definitions, moment });
    expect(patched['identifier']).toEqual([{ use: 'usual', value: '3' }]);
    expect(serializeJson(original)).toBe(before);
  });

  it.each<[string, Operation]>([
    ['an element of the wrong type', { type: 'replace', path: 'Patient.birthDate', value: { valueString: '1951' } }],
    ['a form that a choice does not have', { type: 'replace', path: 'Patient.deceased', value: { valueString: 'x' } }],
    [
      'a resource where none belongs',
      { type: 'add', path: 'Patient', name: 'maritalStatus', value: { resource: { resourceType: 'Patient' } } },
    ],
    [
      'parts for a primitive',
      { type: 'add', path: 'Patient', name: 'language', value: { part: [{ name: 'x', valueCode: 'fr' }] } },
    ],
    [
      'parts that the type does not have',
      { type: 'add', path: 'Patient', name: 'contact', value: { part: [{ name: 'nom', valueString: 'x' }] } },
    ],
    ['no parts', { type: 'add', path: 'Patient', name: 'contact', value: { part: [] } }],
    ['two values', { type: 'add', path: 'Patient', name: 'gender', value: { valueCode: 'male', valueString: 'x' } }],
    ['no value', { type: 'add', path: 'Patient', name: 'gender', value: {} }],
    [
      'a value with extensions of the parameter',
      { type: 'add', path: 'Patient', name: 'gender', value: { valueCode: 'male', extension: [] } },
    ],
    [
      'adding what is there and cannot repeat',
      { type: 'add', path: 'Patient', name: 'birthDate', value: { valueDate: '1951-06-04' } },
    ],
    [
      'adding a second form of a choice',
      { type: 'add', path: 'Patient', name: 'deceased', value: { valueDateTime: '2026' } },
    ],
    [
      'adding an element that the type does not have',
      { type: 'add', path: 'Patient', name: 'nom', value: { valueString: 'x' } },
    ],
    [
      'adding an element named like a member of every object',
      { type: 'add', path: 'Patient', name: '__proto__', value: { valueString: 'x' } },
    ],
    [
      'adding at several places',
      { type: 'add', path: 'Patient.contact', name: 'gender', value: { valueCode: 'male' } },
    ],
    [
      'adding where nothing is',
      { type: 'add', path: 'Patient.maritalStatus', name: 'text', value: { valueString: 'x' } },
    ],
    [
      'replacing where nothing is',
      { type: 'replace', path: 'Patient.maritalStatus', value: { valueCodeableConcept: { text: 'x' } } },
    ],
    ['replacing several elements', { type: 'replace', path: 'Patient.identifier.value', value: { valueString: 'x' } }],
    ['deleting several elements', { type: 'delete', path: 'Patient.identifier' }],
    ['the id of the resource', { type: 'replace', path: 'Patient.id', value: { valueId: 'p2' } }],
    ['deleting the id of the resource', { type: 'delete', path: 'Patient.id' }],
    ['the whole resource', { type: 'delete', path: 'Patient' }],
    [
      'an index beyond the end',
      { type: 'insert', path: 'Patient.identifier', index: 3, value: { valueIdentifier: { value: '3' } } },
    ],
    [
      'inserting into what does not repeat',
      { type: 'insert', path: 'Patient.birthDate', index: 1, value: { valueDate: '1951' } },
    ],
    [
      'inserting into a part of a list',
      {
        type: 'insert',
        path: "Patient.identifier.where(use = 'usual')",
        index: 0,
        value: { valueIdentifier: { value: '3' } },
      },
    ],
    [
      'inserting into no list',
      {
        type: 'insert',
        path: "Patient.identifier.where(use = 'old')",
        index: 0,
        value: { valueIdentifier: { value: '3' } },
      },
    ],
    ['moving from beyond the end', { type: 'move', path: 'Patient.identifier', source: 2, destination: 0 }],
    ['moving to beyond the end', { type: 'move', path: 'Patient.identifier', source: 0, destination: 2 }],
    ['moving in several lists', { type: 'move', path: 'Patient.identifier.value', source: 0, destination: 0 }],
  ])('refuses %s, names the operation and says where', (_what, operation) => {
    const problem = problemOf(() => apply(patient, { type: 'delete', path: 'Patient.language' }, operation));
    expect(problem.category).toBe('unprocessable');
    expect(problem.issues).toMatchObject([
      {
        expression: 'Parameters.parameter[1]',
        text: expect.stringMatching(new RegExp(`^operation 2 \\(${String(operation['type'])} `)),
      },
    ]);
  });

  it.each<[string, Operation]>([
    ['an unknown type', { type: 'remove', path: 'Patient.name' }],
    ['a type named like a member of every object', { type: 'constructor', path: 'Patient.name' }],
    ['no path', { type: 'delete' }],
    ['a part that the type does not have', { type: 'delete', path: 'Patient.name[0]', index: 0 }],
    ['a part that does not exist', { type: 'delete', path: 'Patient.name[0]', count: 0 }],
    [
      'a negative index',
      { type: 'insert', path: 'Patient.identifier', index: -1, value: { valueIdentifier: { value: '3' } } },
    ],
    ['a path that is no FHIRPath', { type: 'delete', path: 'Patient..name' }],
    ['a path with an element that does not exist', { type: 'delete', path: 'Patient.nom' }],
    ['a path that leaves the resource', { type: 'delete', path: 'Patient.generalPractitioner.resolve().name' }],
    ['a path with an operator', { type: 'delete', path: 'Patient.language | Patient.gender' }],
    ['a path with a function that does not select', { type: 'delete', path: 'Patient.identifier.select(value)' }],
    ['a path that yields no element', { type: 'delete', path: "'Patient'" }],
    ['a path that cannot be evaluated', { type: 'delete', path: "Patient.identifier.where(value.toInteger() > 'a')" }],
  ])('refuses %s as no FHIRPath Patch', (_what, operation) => {
    const problem = problemOf(() => apply(patient, operation));
    expect(problem.category).toBe('incorrect');
    expect(problem.issues).toMatchObject([{ expression: 'Parameters.parameter[0]' }]);
  });

  it('refuses what is no Parameters, other parameters, parts that are there twice, and too many operations', () => {
    const resource = parseJson(patient) as Resource;
    const part = { name: 'type', valueCode: 'delete' };
    const one = { name: 'operation', part: [part, { name: 'path', valueString: 'Patient.language' }] };
    const parameters = (parameter: unknown): unknown => ({ resourceType: 'Parameters', parameter });
    for (const patch of [
      [],
      { resourceType: 'Patient' },
      parameters({}),
      parameters([{ name: 'x' }]),
      parameters([{ name: 'operation', part: [part, part] }]),
    ]) {
      expect(problemOf(() => applyFhirPathPatch(resource, patch, { definitions, moment })).category).toBe('incorrect');
    }
    const many = parameters(Array.from({ length: 101 }, () => one));
    expect(problemOf(() => applyFhirPathPatch(resource, many, { definitions, moment })).category).toBe(
      'content-too-costly',
    );
  });

  it('prints no text that stands in a path, and no value', () => {
    const path = "Patient.identifier.where(value = '1510675000123')";
    const { issues } = problemOf(() =>
      apply(patient, { type: 'replace', path, value: { valueIdentifier: { value: 'Secret' } } }),
    );
    expect(issues[0]?.text).toBe(
      "operation 1 (replace Patient.identifier.where(value = '…')): the path finds no element",
    );
  });
});
