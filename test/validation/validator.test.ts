/**
 * Base validation against R4: what is refused and where, what is accepted.
 * https://hl7.org/fhir/R4/json.html, datatypes.html, references.html, narrative.html
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadDefinitions } from '../../src/fhir/index.ts';
import { createValidator, type Validator } from '../../src/validation/index.ts';
import { applyChange, broken } from './broken.ts';
import { allSamples, encounter, patient } from './samples.ts';

let validator: Validator;
beforeAll(async () => {
  validator = await createValidator({ definitions: loadDefinitions() });
});

describe('accepts', () => {
  it.each(Object.entries(allSamples))('the sample %s', (_name, sample) => {
    expect(validator.validate(sample)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'a required primitive with only a reason for its absence',
      encounter,
      {
        status: undefined,
        _status: {
          extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
        },
      },
    ],
    ['no-break spaces, tabs and line ends in a text', patient, { 'name.0.text': 'Mme\u00a0Odile\tLefèvre\r\n' }],
    ['a code with single spaces', encounter, { 'class.code': 'IN PATIENT' }],
    ['a leap second', encounter, { 'period.end': '2026-12-31T23:59:60Z' }],
    [
      'the farthest offsets',
      encounter,
      { period: { start: '2026-03-02T10:00:00+14:00', end: '2026-03-02T10:00:00-13:59' } },
    ],
    ['dates as precise as they are known', encounter, { period: { start: '2026-03', end: '2026-03-02' } }],
    [
      'an end on the day of the start',
      encounter,
      { period: { start: '2026-03-02T10:00:00+01:00', end: '2026-03-02' } },
    ],
    ['base64 in lines', patient, { photo: [{ contentType: 'image/png', data: 'AAAA\r\nAA==' }] }],
    [
      'a code outside an extensible binding',
      encounter,
      { class: { system: 'https://example.org/class', code: 'other' } },
    ],
    ['a reference by identifier only', encounter, { subject: { type: 'Patient', identifier: { value: '1' } } }],
    [
      'a reference to a type by urn',
      encounter,
      { subject: { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' } },
    ],
    ['an absolute reference elsewhere', encounter, { subject: { reference: 'https://x.example/files/Practitioner' } }],
    [
      'a contained resource that points at its container',
      patient,
      {
        'contained.0': {
          resourceType: 'Provenance',
          id: 'v',
          target: [{ reference: '#' }],
          recorded: '2026-03-02T10:00:00Z',
          agent: [{ who: { display: 'x' } }],
        },
        generalPractitioner: undefined,
      },
    ],
    [
      'a comment in a narrative',
      patient,
      { 'text.div': '<div xmlns="http://www.w3.org/1999/xhtml"><!-- x -->a</div>' },
    ],
    [
      'an image alone in a narrative',
      patient,
      { 'text.div': '<div xmlns="http://www.w3.org/1999/xhtml"><img src="#photo" alt=""/></div>' },
    ],
    [
      'links, pictures and titles that run no code',
      patient,
      {
        'text.div':
          '<div xmlns="http://www.w3.org/1999/xhtml"><a href="javascript-and-data.html" title="Data: javascript">a</a>' +
          '<img src="data:image/png;base64,AAAA" alt="Data: b"/>&#160;&#x1F600;</div>',
      },
    ],
    [
      'elements named like members of Object',
      patient,
      { 'name.0.text': 'constructor', 'identifier.0.value': '__proto__' },
    ],
    ['members that are undefined', patient, { maritalStatus: undefined }],
  ])('%s', (_title, sample, change) => {
    expect(validator.validate(applyChange(sample, change))).toEqual([]);
  });
});

describe('refuses', () => {
  it.each(broken)('%s', (...[, sample, change, expression, code]) => {
    const issues = validator.validate(applyChange(sample, change));
    expect(issues.map((issue) => [issue.expression, issue.code])).toContainEqual([expression, code]);
    for (const issue of issues) {
      expect(issue.severity).toBe('error');
      expect(issue.expression?.startsWith(expression.split(/[.[]/)[0] ?? '')).toBe(true);
    }
  });

  it.each([[null], [undefined], [5], ['x'], [[]], [{}], [[patient]]])('%j as a resource', (data) => {
    expect(validator.validate(data)).toHaveLength(1);
  });

  it('a resource of another type than expected', () => {
    expect(validator.validate(patient, { typeExpected: 'Encounter' })).toEqual([
      {
        severity: 'error',
        code: 'structure',
        expression: 'Patient.resourceType',
        text: 'expected a resource of type Encounter, found Patient',
        french: 'ressource de type Encounter attendue, Patient trouvé',
      },
    ]);
    expect(validator.validate(patient, { typeExpected: 'Patient' })).toEqual([]);
  });
});

describe('reports', () => {
  it('every fault of a resource', () => {
    const data = applyChange(patient, { gender: 'f', birthDate: 'x', 'name.0.use': 'y', shoe: 1 });
    const places = validator.validate(data).map((issue) => issue.expression);
    expect(new Set(places)).toEqual(
      new Set(['Patient.gender', 'Patient.birthDate', 'Patient.name[0].use', 'Patient.shoe']),
    );
  });

  it('at most fifty faults, and that there may be more', () => {
    const data = {
      resourceType: 'Patient',
      name: Array.from({ length: 100_000 }, () => ({ family: 5, given: [null] })),
    };
    const issues = validator.validate(data);
    expect(issues).toHaveLength(51);
    expect(issues[50]).toMatchObject({ severity: 'information' });
  });

  it('what was found and what was expected, without the data', () => {
    const texts = (change: Record<string, unknown>): string[] =>
      validator.validate(applyChange(patient, change)).map((issue) => issue.text);
    expect(texts({ birthDate: 'Zacharie' })).toEqual([
      'expected a date that exists, YYYY, YYYY-MM or YYYY-MM-DD, found other text',
    ]);
    expect(texts({ name: {} })).toEqual(['expected an array, found an object']);
    expect(texts({ gender: 'femme' })).toEqual([
      'expected a code of http://hl7.org/fhir/ValueSet/administrative-gender (required binding), found another code',
    ]);
    expect(texts({ 'name.0.period': { start: '2027', end: '2026' } })).toEqual([
      'per-1: If present, start SHALL have a lower value than end',
    ]);
  });

  it('no value of the resource, whatever is wrong', () => {
    const marker = 'Zébulon Marqueur 0612345678';
    const spoil = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(spoil);
      if (typeof value !== 'object' || value === null) return marker;
      return Object.fromEntries(
        Object.entries(value).map(([name, member]) => [name, name === 'resourceType' ? member : spoil(member)]),
      );
    };
    for (const sample of Object.values(allSamples)) {
      const issues = validator.validate(spoil({ ...sample, [marker]: marker }));
      expect(issues.length).toBeGreaterThan(0);
      expect(JSON.stringify(issues)).not.toContain('Zébulon');
    }
  });

  it('nothing twice', () => {
    for (const [, sample, change] of broken) {
      const lines = validator.validate(applyChange(sample, change)).map((issue) => JSON.stringify(issue));
      expect(new Set(lines).size).toBe(lines.length);
    }
  });
});

it('changes nothing in what it judges', () => {
  for (const sample of Object.values(allSamples)) {
    const before = JSON.stringify(sample);
    validator.validate(sample);
    expect(JSON.stringify(sample)).toBe(before);
  }
});

it('stays linear in the size of a hostile body', () => {
  const size = 100_000;
  const hostile: unknown[] = [
    { resourceType: 'Bundle', type: 'collection', entry: Array.from({ length: size }, () => ({ resource: 5 })) },
    {
      resourceType: 'Patient',
      generalPractitioner: Array.from({ length: size }, (_item, index) => ({ reference: `#${index}` })),
    },
    {
      resourceType: 'Patient',
      contained: Array.from({ length: size }, (_item, index) => ({ resourceType: 'Basic', id: `${index}` })),
    },
    {
      resourceType: 'Patient',
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${'<p '.repeat(size)}` },
    },
    {
      resourceType: 'Patient',
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a${' '.repeat(size)}` },
    },
    {
      resourceType: 'Patient',
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><!--${'-'.repeat(size)}` },
    },
    { resourceType: 'Patient', photo: [{ data: `${'='.repeat(size)}A` }] },
    { resourceType: 'Patient', language: `${'a '.repeat(size)} ` },
    Object.fromEntries([
      ['resourceType', 'Patient'],
      ...Array.from({ length: size }, (_item, index) => [`x${index}`, 1]),
    ]),
  ];
  // Processor time: other processes do not count.
  const started = process.cpuUsage();
  for (const body of hostile) expect(validator.validate(body).length).toBeGreaterThan(0);
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(10_000);
});
