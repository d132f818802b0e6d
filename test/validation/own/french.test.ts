/** French national numbers: their form and key, in the URI and the OID form, and what an identity's status says of them. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadDefinitions } from '../../../src/fhir/index.ts';
import { createBaseLibrary } from '../../../src/packages/index.ts';
import { createTerminology } from '../../../src/terminology/index.ts';
import { createValidator, type Validator } from '../../../src/validation/index.ts';

let validator: Validator;
beforeAll(async () => {
  const library = createBaseLibrary();
  const beyond = { library, terms: createTerminology(library) };
  validator = await createValidator({ definitions: loadDefinitions(), beyond });
});

const ins = 'urn:oid:1.2.250.1.213.1.4.8';
const persons = 'urn:oid:1.2.250.1.71.4.2.1';
const structures = 'urn:oid:1.2.250.1.71.4.2.2';

describe('a number', () => {
  it.each([
    ['a NIR', ins, '252025917500146'],
    ['a NIR with spaces', ins, '2 52 02 59 175 001 46'],
    ['a NIR of Corse-du-Sud', ins, '184082A00412356'],
    ['a NIR of Haute-Corse in lower case', ins, '184082b00412383'],
    ['a provisional number (NIA)', 'urn:oid:1.2.250.1.213.1.4.9', '752025917500187'],
    ['an RPPS', 'https://rpps.esante.gouv.fr', '10101201233'],
    ['an RPPS in the national form', persons, '810101201233'],
    ['an ADELI of Corsica, by its form', 'https://adeli.esante.gouv.fr', '2A1234567'],
    ['an ADELI in the national form', persons, '0751234568'],
    ['a FINESS', 'https://finess.esante.gouv.fr', '759999998'],
    ['a FINESS in the national form', structures, '1759999998'],
    ['a SIREN', 'https://sirene.fr', '732829320'],
    ['a SIRET', 'https://sirene.fr', '73282932000074'],
    ['a SIRET in the national form', structures, '373282932000074'],
    ['a SIRET of La Poste', 'https://sirene.fr', '35600000049837'],
    ['a number of a system that is not national', 'urn:oid:1.2.250.1.71.4.2.7', 'X-42'],
    ['a number of another kind in the national OID', persons, '3759999998/42'],
  ])('that is %s is let pass', (_title, system, value) => {
    expect(findings({ resourceType: 'Basic', identifier: [{ system, value }], code: { text: 'x' } })).toEqual([]);
  });

  it.each([
    ['NIR with a wrong key', ins, '252025917500145', 'INS (NIR)'],
    ['NIR of Corsica with the key of 2A as 20', ins, '184082A00412309', 'INS (NIR)'],
    ['NIR without key', ins, '2520259175001', 'INS (NIR)'],
    ['NIA with a wrong key', 'urn:oid:1.2.250.1.213.1.4.9', '752025917500188', 'INS (NIR)'],
    ['RPPS with a wrong key', 'https://rpps.esante.gouv.fr', '10101201234', 'RPPS'],
    ['RPPS that is in the national form', 'https://rpps.esante.gouv.fr', '810101201233', 'RPPS'],
    ['national RPPS with a wrong key', persons, '810101201234', 'RPPS'],
    ['ADELI of ten digits', 'https://adeli.esante.gouv.fr', '7512345680', 'ADELI'],
    ['FINESS with a wrong key', 'https://finess.esante.gouv.fr', '759999999', 'FINESS'],
    ['national FINESS with a wrong key', structures, '1759999999', 'FINESS'],
    ['SIREN with a wrong key', 'https://sirene.fr', '732829321', 'SIREN/SIRET'],
    ['SIRET with a wrong key', 'https://sirene.fr', '73282932000075', 'SIREN/SIRET'],
    ['SIRET of thirteen digits in an OID', 'urn:oid:1.3.2', '7328293200007', 'SIREN/SIRET'],
  ])('that is a %s is warned about, and never quoted', (_title, system, value, register) => {
    const issues = validator.validate({ resourceType: 'Basic', identifier: [{ system, value }], code: { text: 'x' } });
    expect(issues).toEqual([
      expect.objectContaining({ severity: 'warning', code: 'business-rule', expression: 'Basic.identifier[0]' }),
    ]);
    expect(issues[0]?.text).toContain(register);
    expect(issues[0]?.french).toContain(register);
    expect(JSON.stringify(issues)).not.toContain(value);
  });

  it.each(['10', '11'])('of the test or demonstration system .%s is told as such', (arc) => {
    const identifier = [{ system: `urn:oid:1.2.250.1.213.1.4.${arc}`, value: '252025917500146' }];
    expect(findings({ resourceType: 'Patient', identifier })).toEqual([
      'Patient.identifier[0]: the identifier is an INS for tests or demonstrations: expected only on a server for tests',
    ]);
  });
});

describe('an identity', () => {
  const url = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability';
  const withStatus = (code: string, identifier: readonly object[] = []): object => ({
    resourceType: 'Patient',
    extension: [{ url, extension: [{ url: 'identityStatus', valueCoding: { system: 'https://hl7.fr/x', code } }] }],
    ...(identifier.length === 0 ? {} : { identifier }),
  });
  const type = { coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code: 'INS-NIR' }] };
  const number = { type, system: ins, value: '252025917500146' };

  it('that is qualified has an INS', () => {
    expect(findings(withStatus('VALI', [number]))).toEqual([]);
    expect(findings(withStatus('VALI'))).toEqual([
      'Patient: the identity is said to be qualified (VALI), expected an INS among the identifiers, found none',
    ]);
  });

  it('that is not qualified has none, though it may have a billing number of the same system', () => {
    expect(findings(withStatus('PROV', [number]))).toEqual([
      'Patient: the identity has the status PROV, expected an INS only with a qualified identity (VALI)',
    ]);
    expect(findings(withStatus('PROV', [{ ...number, type: { coding: [{ code: 'NH' }] } }]))).toEqual([]);
    expect(findings(withStatus('PROV'))).toEqual([]);
  });
});

function findings(resource: object): readonly string[] {
  return validator.validate(resource).map(({ expression = '', text }) => `${expression}: ${text}`);
}
