/** Identitovigilance: INS, numbers of the sender and the four traits held against the record. */
import { describe, expect, test } from '@jest/globals';
import type { Patient } from 'fhir/r4.js';
import { isInsValid, matchPatient } from '../../src/letters/index.ts';

const insSystem = 'urn:oid:1.2.250.1.213.1.4.8';
const testSystem = 'urn:oid:1.2.250.1.213.1.4.10';
const ins = { system: insSystem, value: '258059999900193' };
const otherIns = { system: insSystem, value: '147069999900218' };
const ipp = { system: 'urn:oid:1.2.250.1.999.7.1', value: 'IPP-004217' };

const letter: Patient = {
  resourceType: 'Patient',
  identifier: [ins, ipp],
  name: [
    { use: 'official', family: 'KERDONCUFF', given: ['SOLENE'] },
    { use: 'usual', family: 'BRUNEL', given: ['SOLENE'] },
  ],
  birthDate: '1958-05-14',
  gender: 'female',
};

function stored(changes: Partial<Patient> = {}): Patient {
  return { ...letter, id: 'p1', ...changes };
}

function match(candidates: Patient[], asked: Patient = letter, allowTestIns = false) {
  return matchPatient(asked, candidates, { allowTestIns });
}

const existing = { kind: 'existing', id: 'p1', findings: [] };
const create = { kind: 'create', findings: [] };

function doubtOf(candidates: Patient[], asked: Patient = letter, allowTestIns = false) {
  const result = match(candidates, asked, allowTestIns);
  return result.kind === 'doubt'
    ? result.reasons.map(({ diagnostics = '', text }) => `${diagnostics} ${text}`).join('; ')
    : result;
}

describe('the same INS', () => {
  test.each<[string, Partial<Patient>]>([
    ['and the same traits', {}],
    ['and accents and hyphens', { name: [{ use: 'official', family: 'Kerdoncuff', given: ['Solène'] }] }],
    ['and all first names', { name: [{ use: 'official', family: 'KERDONCUFF', given: ['SOLENE', 'ANNE-MARIE'] }] }],
    ['and all first names in one', { name: [{ use: 'official', family: 'KERDONCUFF', given: ['SOLENE ANNE-MARIE'] }] }],
    [
      'and the birth name as maiden name',
      {
        name: [
          { use: 'usual', family: 'BRUNEL' },
          { use: 'maiden', family: 'KERDONCUFF' },
        ],
      },
    ],
    ['and a name without use', { name: [{ family: 'KERDONCUFF', given: ['SOLENE'] }] }],
    ['and no first name or gender recorded', { name: [{ use: 'official', family: 'KERDONCUFF' }], gender: 'unknown' }],
    ['and no number of the sender', { identifier: [ins] }],
  ])('%s is the same person', (_, changes) => {
    expect(match([stored(changes)])).toEqual(existing);
  });

  test.each<[string, Partial<Patient>, string]>([
    ['another family name', { name: [{ use: 'official', family: 'KERBRAT', given: ['SOLENE'] }] }, 'nom de naissance'],
    [
      'the married name as birth name',
      { name: [{ use: 'official', family: 'BRUNEL', given: ['SOLENE'] }] },
      'nom de naissance',
    ],
    ['another first name', { name: [{ use: 'official', family: 'KERDONCUFF', given: ['SOLANGE'] }] }, 'premier prénom'],
    ['another birth date', { birthDate: '1958-05-15' }, 'date de naissance'],
    ['a birth date without day', { birthDate: '1958-05' }, 'date de naissance'],
    ['another gender', { gender: 'male' }, 'sexe'],
    ['no birth date recorded', { birthDate: undefined }, 'date de naissance'],
  ])('and %s is a doubt that names the trait', (_, changes, trait) => {
    expect(doubtOf([stored(changes)])).toMatch(new RegExp(`^904 .*${trait}$`));
  });

  test('in two open records is a doubt, in one open and one merged is not', () => {
    expect(doubtOf([stored(), stored({ id: 'p2' })])).toContain('plusieurs patients');
    const merged = stored({ id: 'p2', active: false });
    const linked = stored({ id: 'p3', link: [{ type: 'replaced-by', other: { reference: 'Patient/p1' } }] });
    expect(match([merged, linked, stored()])).toEqual(existing);
    expect(doubtOf([merged])).toContain('plusieurs patients ouverts, ou aucun');
  });

  test('decides although the sender’s number is somebody else’s, which is told', () => {
    const neighbour = stored({ id: 'p2', identifier: [otherIns, ipp], birthDate: '1947-06-01' });
    expect(match([neighbour, stored()])).toMatchObject({
      kind: 'existing',
      id: 'p1',
      findings: [{ code: 'patient-number-of-another' }],
    });
  });

  test('under the test authority is not the one under the real authority', () => {
    expect(match([stored({ identifier: [{ ...ins, system: testSystem }] })])).toEqual(create);
  });
});

describe('an INS that nobody has', () => {
  test('makes a patient', () => {
    expect(match([])).toEqual(create);
  });

  test('links by number only to a record without INS and with all the traits', () => {
    expect(match([stored({ identifier: [ipp] })])).toEqual(existing);
    expect(doubtOf([stored({ identifier: [ipp], gender: 'male' })])).toMatch(/^904 .*traits/);
    expect(doubtOf([stored({ identifier: [ipp], gender: 'unknown' })])).toMatch(/^904 .*traits/);
  });

  test('beside another INS with the same number and traits is a doubt', () => {
    expect(doubtOf([stored({ identifier: [otherIns, ipp] })])).toMatch(/^904 .*autre INS/);
  });

  test('beside somebody else who was given the same number makes a patient, and that is told', () => {
    const neighbour = stored({ identifier: [otherIns, ipp], birthDate: '1947-06-01' });
    expect(match([neighbour])).toMatchObject({ kind: 'create', findings: [{ code: 'patient-number-of-another' }] });
  });
});

describe('an identity without INS', () => {
  const unqualified = { ...letter, identifier: [ipp] };
  test('links by number and traits, and never makes a patient', () => {
    expect(match([stored()], unqualified)).toEqual(existing);
    expect(doubtOf([], unqualified)).toMatch(/^903/);
    expect(doubtOf([stored({ birthDate: '1958-05-15' })], unqualified)).toMatch(/^904/);
    expect(doubtOf([stored(), stored({ id: 'p2' })], unqualified)).toContain('plusieurs patients');
  });
});

describe('an identity that cannot be used', () => {
  test.each<[string, Patient, RegExp]>([
    ['a test INS', { ...letter, identifier: [{ ...ins, system: testSystem }] }, /^906 INS de test/],
    ['a demonstration INS', { ...letter, identifier: [{ ...ins, system: 'urn:oid:1.2.250.1.213.1.4.11' }] }, /^906/],
    ['a wrong key', { ...letter, identifier: [{ ...ins, value: '258059999900194' }] }, /^905 .*clé/],
    ['two INS', { ...letter, identifier: [ins, otherIns] }, /^905 plusieurs/],
    ['no first name', { ...letter, name: [{ use: 'official', family: 'KERDONCUFF' }] }, /^905 .*premier prénom/],
    ['no birth date and no gender', { ...letter, birthDate: undefined, gender: undefined }, /date de naissance, sexe/],
  ])('for %s is a doubt, even with a record that agrees', (_, asked, reason) => {
    expect(doubtOf([stored({ identifier: asked.identifier })], asked)).toMatch(reason);
  });

  test('for being a test INS is used where the setting allows it', () => {
    const asked = { ...letter, identifier: [{ ...ins, system: testSystem }] };
    expect(match([stored({ identifier: asked.identifier })], asked, true)).toEqual(existing);
  });

  test('is described without its values', () => {
    const reasons = JSON.stringify([
      match([stored({ birthDate: '1958-05-15', gender: 'male' })]),
      match([], { ...letter, identifier: [{ ...ins, value: '1' }] }),
    ]);
    expect(reasons).not.toMatch(/KERDONCUFF|1958|258059|IPP/i);
  });
});

test.each([
  ['279035121518989', true],
  ['277076322082910', true],
  ['258059999900193', true],
  ['279035121518988', false],
  ['190012A00412344', false],
  ['190012a004123', false],
  ['27903512151898', false],
  ['', false],
])('the key of %s is right: %s', (matricule, isValid) => {
  expect(isInsValid(matricule)).toBe(isValid);
});

test('Corsican numbers are counted with their letter replaced', () => {
  const key = (digits: string) => String(97 - (Number(digits) % 97)).padStart(2, '0');
  expect(isInsValid(`190012A004123${key('1900119004123')}`)).toBe(true);
  expect(isInsValid(`190012B004123${key('1900118004123')}`)).toBe(true);
  expect(isInsValid(`190012B004123${key('1900119004123')}`)).toBe(false);
});
