/** https://hl7.org/fhir/R4/references.html#literal */
import { describe, expect, test } from '@jest/globals';
import { createReferenceReader } from '../../src/fhir/reference.ts';

const read = createReferenceReader('https://suture.example/fhir');

describe('a literal reference is', () => {
  test.each([
    ['Patient/p1', { kind: 'local', type: 'Patient', id: 'p1' }],
    ['Patient/p1/_history/3', { kind: 'local', type: 'Patient', id: 'p1', version: '3' }],
    ['https://suture.example/fhir/Patient/p1', { kind: 'local', type: 'Patient', id: 'p1' }],
    ['http://suture.example/fhir/Patient/p1', { kind: 'local', type: 'Patient', id: 'p1' }],
    ['https://suture.example/fhir/Patient/p1/_history/3', { kind: 'local', type: 'Patient', id: 'p1', version: '3' }],
    [
      'https://other.example/r4/Patient/p1/_history/3',
      { kind: 'remote', url: 'https://other.example/r4/Patient/p1', type: 'Patient', id: 'p1', version: '3' },
    ],
    ['https://other.example/plan', { kind: 'remote', url: 'https://other.example/plan' }],
    [
      'https://suture.example/fhirette/Patient/p1',
      { kind: 'remote', url: 'https://suture.example/fhirette/Patient/p1', type: 'Patient', id: 'p1' },
    ],
    [
      'urn:uuid:2f1c8d0e-58c7-4b55-9b1e-0a1b2c3d4e5f',
      { kind: 'urn', urn: 'urn:uuid:2f1c8d0e-58c7-4b55-9b1e-0a1b2c3d4e5f' },
    ],
    ['#gp', { kind: 'fragment', id: 'gp' }],
    ['Patient?identifier=urn:oid:1.2|3', { kind: 'conditional', type: 'Patient', query: 'identifier=urn:oid:1.2|3' }],
    ['patient/p1', { kind: 'unknown' }],
    ['Patient/', { kind: 'unknown' }],
    ['../Patient/p1', { kind: 'unknown' }],
    ['Patient/p1/extra', { kind: 'unknown' }],
    [`Patient/${'x'.repeat(65)}`, { kind: 'unknown' }],
    ['', { kind: 'unknown' }],
  ])('%s', (text, expected) => expect(read(text)).toEqual(expected));
});
