/** What the law asks of a liaison letter (CSP art. R. 1112-1-1, R. 1112-1-2), and who may see it. */
import { describe, expect, test } from '@jest/globals';
import type { DocumentReference, Encounter } from 'fhir/r4.js';
import { fixture, only, planOf } from './letters.ts';

const discharge = fixture('discharge.xml');
const admission = fixture('admission.xml');

function codesOf(source: string): string[] {
  return planOf(source).findings.map(({ code }) => code);
}

function withoutSection(source: string, code: string): string {
  return source.replace(
    new RegExp(`<component>\\s*<section>\\s*<code code="${code}"(?:(?!</section>)[^])*</section>\\s*</component>`),
    '',
  );
}

describe('a discharge letter', () => {
  test('that says all but the implant has that one finding, for information', () => {
    expect(planOf(discharge).findings).toMatchObject([{ code: 'L4d', severity: 'information' }]);
  });

  test.each([
    ['no médecin traitant', 'L1', discharge.replace(/<participant [^]*<\/participant>/, '')],
    ['no discharge mode', 'L2', discharge.replace('code="ORG-074"', 'code="ORG-000"')],
    ['no reason', 'L3', withoutSection(discharge, '42349-1')],
    ['an empty reason', 'L3', discharge.replace(/<paragraph>[^]*<\/paragraph>/, ' ')],
    ['no adverse events', 'L4a', discharge.replace('code="MED-143"', 'code="MED-000"')],
    ['no search for organisms', 'L4b', discharge.replace('code="MED-309"', 'code="MED-000"')],
    ['no word on transfusion', 'L4c', discharge.replace('code="MED-145"', 'code="MED-000"')],
    ['no discharge drugs', 'L5', withoutSection(discharge, '10183-2')],
    ['no stopped drugs', 'L6', withoutSection(discharge, '18610-6')],
    ['no awaited results', 'L7', withoutSection(discharge, '30954-2')],
    ['no follow-up', 'L8', withoutSection(discharge, '18776-5')],
  ])('with %s has finding %s', (_, code, source) => {
    expect(codesOf(source)).toContain(code);
  });

  test('of level 1 is held to its header only', () => {
    expect(codesOf(fixture('discharge-pdf.xml'))).toEqual(['header-only', 'stay-without-number']);
  });

  test('bears its findings as extensions of the DocumentReference', () => {
    const { extension = [] } = only<DocumentReference>(planOf(discharge), 'DocumentReference');
    const [finding] = extension.filter(
      ({ url }) => url === 'https://suture.example/fhir/StructureDefinition/letter-finding',
    );
    expect(finding?.extension?.map(({ url }) => url)).toEqual(['code', 'severity', 'text', 'expression']);
    expect(finding?.extension?.[0]).toEqual({ url: 'code', valueCode: 'L4d' });
  });

  test('X12: whose file is not what it says is told', () => {
    const source = fixture('discharge-pdf.xml').replace('mediaType="application/pdf"', 'mediaType="image/jpeg"');
    expect(codesOf(source)).toContain('media-type-mismatch');
  });
});

test.each([
  ['reason', '42349-1', 'E1'],
  ['treatments', '42346-7', 'E2'],
  ['allergies', '48765-2', 'E3'],
])('an admission letter without %s has a finding', (_, section, code) => {
  expect(codesOf(admission)).not.toContain(code);
  expect(codesOf(withoutSection(admission, section))).toContain(code);
});

describe('confidentiality', () => {
  const code = '<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>';
  const mask = '<confidentialityCode code="INVISIBLE_PATIENT" codeSystem="1.2.250.1.213.1.1.4.13"/>';
  const labelsOf = (source: string, visibility: string[] = []) =>
    only<DocumentReference>(planOf(source, visibility), 'DocumentReference').securityLabel?.map(
      ({ coding }) => coding?.[0]?.code,
    );
  const all = ['MASQUE_PS', 'INVISIBLE_PATIENT', 'INVISIBLE_REPRESENTANTS_LEGAUX'];

  test.each([
    ['normal', code, ['N']],
    ['restricted', code.replace('"N"', '"R"'), ['R']],
    ['masked', code + mask, ['N', 'INVISIBLE_PATIENT']],
    ['X13: missing', '', ['V']],
    ['X13: unknown', code.replace('"N"', '"X"'), ['V']],
    ['X13: of another system', code.replace('113883.5.25', '113883.6.96'), ['V']],
    ['X13: doubled', code + code, ['V']],
    ['an unknown mask', code + mask.replace('INVISIBLE_PATIENT', 'MASQUE_X'), ['N', ...all]],
  ])('%s is carried to the label', (_, by, expected) => {
    expect(labelsOf(discharge.replace(code, by))).toEqual(expected);
  });

  test('from the carrier is added, under either spelling', () => {
    expect(labelsOf(discharge, ['INVISIBLE_REP_LEGAUX', 'MASQUE_PS'])).toEqual([
      'N',
      'MASQUE_PS',
      'INVISIBLE_REPRESENTANTS_LEGAUX',
    ]);
  });

  test('beyond normal lies on the bytes and the stay as well', () => {
    const plan = planOf(discharge, ['INVISIBLE_PATIENT']);
    for (const type of ['Binary', 'Encounter', 'DocumentReference']) {
      expect(only<Encounter>(plan, type).meta?.security?.map((label) => label.code)).toEqual([
        'N',
        'INVISIBLE_PATIENT',
      ]);
    }
    expect(only<Encounter>(planOf(discharge), 'Encounter').meta).toEqual({ source: 'urn:oid:1.2.250.1.999.7.3.40.1' });
  });

  test('taken at its strictest is told', () => {
    expect(codesOf(discharge.replace(code, ''))).toContain('confidentiality-assumed');
  });
});
