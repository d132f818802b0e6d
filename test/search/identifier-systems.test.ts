/** French identifiers that are one under several spellings, and those that must never become one. */
import { describe, expect, test } from '@jest/globals';
import { canonicalIdentifier, canonicalSystem } from '../../src/search/index.ts';

const person = 'urn:oid:1.2.250.1.71.4.2.1';
const structure = 'urn:oid:1.2.250.1.71.4.2.2';

describe('one identifier, however it is written', () => {
  const rpps = ['https://rpps.esante.gouv.fr', '10101201234'] as const;
  const ins = ['urn:oid:1.2.250.1.213.1.4.8', '148057815100162'] as const;
  const siret = ['https://sirene.fr', '12000001500017'] as const;
  test.each([
    ['RPPS', rpps, [person, '810101201234']],
    ['RPPS by http', rpps, ['http://rpps.esante.gouv.fr', '10101201234']],
    ['RPPS in the national form under its own URI', rpps, ['https://rpps.esante.gouv.fr', '810101201234']],
    ['RPPS under a bare OID', rpps, ['1.2.250.1.71.4.2.1', '810101201234']],
    ['RPPS under URN:OID, with spaces', rpps, ['URN:OID:1.2.250.1.71.4.2.1', ' 8 10101201234 ']],
    ['ADELI', ['https://adeli.esante.gouv.fr', '751234567'], [person, '0751234567']],
    ['ADELI of Corsica', ['https://adeli.esante.gouv.fr', '2A1234567'], [person, '02a1234567']],
    ['FINESS', ['https://finess.esante.gouv.fr', '720000017'], [structure, '1720000017']],
    ['FINESS of Corsica', ['https://finess.esante.gouv.fr', '2B0000012'], [structure, '12B0000012']],
    ['SIREN', ['https://sirene.fr', '120000015'], [structure, '2120000015']],
    ['SIRET', siret, [structure, '312000001500017']],
    ['SIRET under the OID of SIRENE', siret, ['urn:oid:1.3.2', '12000001500017']],
    ['RPPS-rang', ['https://rppsrang.esante.gouv.fr', '12345678901234'], [structure, '412345678901234']],
    ['INS with spaces', ins, ['1.2.250.1.213.1.4.8', '1 48 05 78 151 001 62']],
    [
      'INS of Corsica',
      ['urn:oid:1.2.250.1.213.1.4.8', '148052A15100162'],
      ['urn:oid:1.2.250.1.213.1.4.8', '148052a15100162'],
    ],
  ] as const)('%s', (_name, [system, value], [otherSystem, otherValue]) => {
    expect(canonicalIdentifier(otherSystem, otherValue)).toEqual(canonicalIdentifier(system, value));
  });
});

describe('two identifiers', () => {
  test.each([
    [
      'an INS and its test form',
      ['urn:oid:1.2.250.1.213.1.4.8', '148057815100162'],
      ['urn:oid:1.2.250.1.213.1.4.10', '148057815100162'],
    ],
    [
      'a NIR and a NIA',
      ['urn:oid:1.2.250.1.213.1.4.8', '148057815100162'],
      ['urn:oid:1.2.250.1.213.1.4.9', '148057815100162'],
    ],
    ['RPPS and ADELI', ['https://rpps.esante.gouv.fr', '751234567'], ['https://adeli.esante.gouv.fr', '751234567']],
    ['a person and a structure', [person, '0751234567'], [structure, '0751234567']],
    [
      'an internal number of an establishment and an RPPS',
      [person, '3720000017/12'],
      ['https://rpps.esante.gouv.fr', '720000017/12'],
    ],
    [
      'local numbers that differ in case',
      ['https://hopital.example/ipp', 'AB12'],
      ['https://hopital.example/ipp', 'ab12'],
    ],
    [
      'local numbers that differ in inner spaces',
      ['https://hopital.example/ipp', 'A 12'],
      ['https://hopital.example/ipp', 'A12'],
    ],
    ['the same number in two systems', ['https://a.example', '1'], ['https://b.example', '1']],
  ] as const)('%s stay two', (_name, [system, value], [otherSystem, otherValue]) => {
    expect(canonicalIdentifier(otherSystem, otherValue)).not.toEqual(canonicalIdentifier(system, value));
  });
});

test('a version or a short number is no OID', () => {
  expect(canonicalSystem('1.0')).toBe('1.0');
  expect(canonicalSystem('4.5.6')).toBe('4.5.6');
});
