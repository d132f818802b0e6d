/**
 * Bytes of a letter to the plan of its resources. The golden files beside the fixtures hold whole plans; they are read
 * by eye once, and rewritten by UPDATE_GOLDEN=1 after a change that is meant.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Binary, DocumentReference, Encounter, Patient, Practitioner, PractitionerRole } from 'fhir/r4.js';
import type { LetterPlan } from '../../src/letters/index.ts';
import { fixture, fixturePath, only, planOf, read, resources, richLetter } from './letters.ts';

const discharge = fixture('discharge.xml');

/** The plan as a golden file has it: the bytes of the letter stand in the fixture already. */
function readable(plan: LetterPlan): unknown {
  const entries = plan.entries.map(({ content, resource, ...entry }) => ({
    ...entry,
    resource: content === undefined ? resource : { ...resource, data: '(bytes)' },
  }));
  return JSON.parse(JSON.stringify({ ...plan, entries })) as unknown;
}

test.each(['discharge', 'discharge-v2', 'discharge-pdf', 'admission'])('%s.xml gives its golden plan', (name) => {
  const plan = readable(planOf(fixture(`${name}.xml`)));
  const golden = fixturePath(`${name}.golden.json`);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${JSON.stringify(plan, null, 2)}\n`);
  expect(plan).toEqual(JSON.parse(readFileSync(golden, 'utf8')));
});

test.each(['discharge', 'admission'] as const)('%s.xml with a full body gives its golden plan', (name) => {
  const plan = readable(planOf(richLetter(name)));
  const golden = fixturePath(`${name}-body.golden.json`);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${JSON.stringify(plan, null, 2)}\n`);
  expect(plan).toEqual(JSON.parse(readFileSync(golden, 'utf8')));
});

describe('the bytes', () => {
  test('are kept one for one, under their own hash', () => {
    const bytes = Buffer.concat([Buffer.from('efbbbf', 'hex'), Buffer.from(discharge.replaceAll('\n', '\r\n'))]);
    const plan = planOf(bytes);
    const binary = only<Binary>(plan, 'Binary');
    expect(Buffer.from(binary.data ?? '', 'base64').equals(bytes)).toBe(true);
    expect(binary.id).toBe(createHash('sha256').update(bytes).digest('hex'));
    const [content] = only<DocumentReference>(plan, 'DocumentReference').content;
    expect(content?.attachment).toMatchObject({
      contentType: 'text/xml',
      url: `Binary/${binary.id}`,
      size: bytes.length,
      hash: createHash('sha1').update(bytes).digest('base64'),
    });
  });

  test('in another encoding give the same resources', () => {
    const latin = Buffer.from(discharge.replace('UTF-8', 'ISO-8859-1').replaceAll('’', "'"), 'latin1');
    const patient = only<Patient>(planOf(latin), 'Patient');
    expect(patient).toEqual(only<Patient>(planOf(discharge), 'Patient'));
  });
});

describe('the DocumentReference', () => {
  test('of level 3 says type, class and format of a discharge letter', () => {
    expect(only(planOf(discharge), 'DocumentReference')).toMatchObject({
      type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] },
      category: [{ coding: [{ code: '10' }] }],
      masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.250.1.999.7.3.40.1' },
      date: '2026-03-02T16:05:00+01:00',
      content: [
        { format: { code: 'urn:asip:ci-sis:ldl-ses:2017' }, attachment: { creation: '2026-03-02T16:05:00+01:00' } },
      ],
      context: {
        period: { start: '2026-02-23T07:45:00+01:00', end: '2026-03-02T16:20:00+01:00' },
        facilityType: { coding: [{ code: 'SA01' }] },
        practiceSetting: { coding: [{ code: 'ETABLISSEMENT' }] },
      },
    });
  });

  test.each([
    ['discharge-pdf.xml', '11490-0', 'urn:ihe:iti:xds-sd:pdf:2008'],
    ['admission.xml', '18761-7', 'urn:asip:ci-sis:ldl-ees:2017'],
  ])('of %s says type %s and format %s', (name, type, format) => {
    const reference = only<DocumentReference>(planOf(fixture(name)), 'DocumentReference');
    expect(reference.type?.coding?.[0]?.code).toBe(type);
    expect(reference.content[0]?.format?.code).toBe(format);
  });

  test('of a document without a guide of its own says so in the format', () => {
    const source = discharge.replace('1.2.250.1.213.1.1.1.29', '1.2.250.1.999.5').replace('11490-0', '34112-3');
    const reference = only<DocumentReference>(planOf(source), 'DocumentReference');
    expect(reference.content[0]?.format?.code).toBe('urn:asipSante:modelesHorsProfils:2011');
  });

  test('takes UUIDs and identifiers with an extension as what they are', () => {
    const uuid = discharge.replace(
      '<id root="1.2.250.1.999.7.3.40.1"/>',
      '<id root="9ED10155-A2AA-459C-8351-A61AD25FC78D"/>',
    );
    expect(planOf(uuid).facts.masterIdentifier.value).toBe('urn:uuid:9ed10155-a2aa-459c-8351-a61ad25fc78d');
    const extended = discharge.replace(
      '<id root="1.2.250.1.999.7.3.40.1"/>',
      '<id root="1.2.250.1.999.7" extension="L-1"/>',
    );
    expect(planOf(extended).facts.masterIdentifier).toEqual({ system: 'urn:oid:1.2.250.1.999.7', value: 'L-1' });
  });

  test('of a letter dated by day takes the time of reception as its date', () => {
    const source = discharge.replace(
      '<effectiveTime value="20260302160500+0100"/>',
      '<effectiveTime value="20260302"/>',
    );
    expect(only(planOf(source), 'DocumentReference')).toMatchObject({
      date: '2026-03-02T16:30:00Z',
      content: [{ attachment: { creation: '2026-03-02' } }],
    });
  });

  test('that replaces another names it, and so does the plan', () => {
    const plan = planOf(fixture('discharge-v2.xml'));
    const former = { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.250.1.999.7.3.40.1' };
    expect(plan.facts).toMatchObject({ versionNumber: 2, replaces: [former] });
    expect(only(plan, 'DocumentReference')).toMatchObject({
      relatesTo: [{ code: 'replaces', target: { identifier: former } }],
    });
  });

  test('may have the patient or a device as author', () => {
    const byPatient = discharge.replace(
      /(<author>[^]*?)<id [^>]*>/,
      '$1<id root="1.2.250.1.213.1.4.10" extension="258059999900193"/>',
    );
    const plan = planOf(byPatient);
    const { author, subject } = only<DocumentReference>(plan, 'DocumentReference');
    expect(author).toEqual([subject]);
    const device =
      '<assignedAuthor><id root="1.2.250.1.999.9"/><assignedAuthoringDevice><softwareName>DPI</softwareName></assignedAuthoringDevice></assignedAuthor>';
    const byDevice = only<DocumentReference>(
      planOf(discharge.replace(/<assignedAuthor>[^]*?<\/assignedAuthor>/, device)),
      'DocumentReference',
    );
    expect(byDevice.author).toEqual([{ reference: '#device-1', display: 'DPI' }]);
    expect(byDevice.contained?.map(({ id }) => id)).toEqual(['source-patient', 'device-1']);
  });
});

describe('people and structures', () => {
  test('are each there once, however often the letter names them', () => {
    const plan = planOf(discharge);
    expect(resources(plan, 'Organization')).toHaveLength(2);
    expect(resources(plan, 'Practitioner')).toHaveLength(2);
    expect(resources(plan, 'PractitionerRole')).toHaveLength(2);
  });

  test('who share an identifier under different names are not made one', () => {
    const source = discharge.replace(/(<legalAuthenticator>[^]*?<family>)DIARRA/, '$1AUGEREAU');
    const families = resources<Practitioner>(planOf(source), 'Practitioner').map(({ name }) => name?.[0]?.family);
    expect(families.sort()).toEqual(['AUGEREAU', 'DIARRA', 'LESCOP']);
  });

  test('whose name is spelt with other accents are one', () => {
    const source = discharge.replace(/(<legalAuthenticator>[^]*?<family>)DIARRA/, '$1Diarrà');
    expect(resources(planOf(source), 'Practitioner')).toHaveLength(2);
  });

  test('carry the raw and the national form of their identifiers', () => {
    const [practitioner] = resources<Practitioner>(planOf(discharge), 'Practitioner');
    expect(practitioner?.identifier).toMatchObject([
      { system: 'urn:oid:1.2.250.1.71.4.2.1', value: '810009900029' },
      { system: 'https://rpps.esante.gouv.fr', value: '10009900029' },
    ]);
  });

  test('without any identifier are shown, not stored', () => {
    const source = discharge.replace(
      /(<legalAuthenticator>[^]*?<assignedEntity>\s*)<id [^>]*>/,
      '$1<id nullFlavor="UNK"/>',
    );
    const plan = planOf(source);
    expect(only<DocumentReference>(plan, 'DocumentReference').authenticator).toEqual({ display: 'DR Awa DIARRA' });
    expect(resources(plan, 'Practitioner')).toHaveLength(2);
  });

  test('come before whoever points at them, all but the Binary', () => {
    const plan = planOf(discharge);
    const seen = new Set<string>();
    for (const { fullUrl, resource } of plan.entries) {
      const named = JSON.stringify(resource).match(/urn:uuid:id-\d+/g) ?? [];
      if (resource.resourceType !== 'Binary') expect(named.filter((name) => !seen.has(name))).toEqual([]);
      seen.add(fullUrl);
    }
    for (const role of resources<PractitionerRole>(plan, 'PractitionerRole')) {
      expect(seen).toContain(role.practitioner?.reference);
    }
  });

  test('more than a letter can name send it to review', () => {
    const one = '<authenticator><assignedEntity><id root="1.2.250.1.999.9"/></assignedEntity></authenticator>';
    const result = read(discharge.replace('<informant>', `${one.repeat(201)}<informant>`));
    expect(result).toMatchObject({
      kind: 'review',
      reasons: [{ code: 'too-costly', expression: '/ClinicalDocument' }],
    });
  });
});

describe('the Patient', () => {
  test('has the French identity', () => {
    expect(only<Patient>(planOf(discharge), 'Patient')).toMatchObject({
      identifier: [
        {
          use: 'official',
          system: 'urn:oid:1.2.250.1.213.1.4.10',
          value: '258059999900193',
          type: { coding: [{ code: 'INS-NIR-TEST' }] },
        },
        { use: 'usual', system: 'urn:oid:1.2.250.1.999.7.1', value: 'IPP-004217', type: { coding: [{ code: 'PI' }] } },
      ],
      name: [
        { use: 'official', family: 'KERDONCUFF', given: ['SOLENE'], extension: [{ valueString: 'SOLENE ANNE-MARIE' }] },
        { use: 'usual', family: 'BRUNEL', given: ['SOLENE'] },
      ],
      birthDate: '1958-05-14',
      gender: 'female',
      extension: [{ valueAddress: { city: 'PORT-ARZON', extension: [{ valueCoding: { code: '99999' } }] } }],
      contact: [
        { relationship: [{ coding: [{ code: 'ECON' }] }, { coding: [{ code: 'DAU' }] }], name: { family: 'BRUNEL' } },
      ],
    });
  });

  test('is kept as the letter saw him on the DocumentReference', () => {
    const plan = planOf(discharge);
    const { contained, context } = only<DocumentReference>(plan, 'DocumentReference');
    expect(contained?.[0]).toMatchObject({ resourceType: 'Patient', id: 'source-patient', birthDate: '1958-05-14' });
    expect(context?.sourcePatientInfo).toEqual({ reference: '#source-patient' });
  });
});

describe('the Encounter', () => {
  test('of a discharge letter is the finished stay', () => {
    expect(only<Encounter>(planOf(discharge), 'Encounter')).toMatchObject({
      identifier: [{ system: 'urn:oid:1.2.250.1.999.7.2', value: 'SEJ-26-00311' }],
      status: 'finished',
      class: { code: 'IMP' },
      period: { start: '2026-02-23T07:45:00+01:00', end: '2026-03-02T16:20:00+01:00' },
      reasonCode: [{ text: 'Colectomie droite programmée\nAdénocarcinome du côlon ascendant, pT3N1' }],
      hospitalization: {
        admitSource: { coding: [{ system: 'http://snomed.info/sct', code: '8715000' }] },
        dischargeDisposition: { coding: [{ code: '160849004' }] },
      },
    });
  });

  test('without a number is identified by setId, the same for every version', () => {
    const source = discharge.replace('<id root="1.2.250.1.999.7.2" extension="SEJ-26-00311"/>', '');
    const { identifier } = only<Encounter>(planOf(source), 'Encounter');
    expect(identifier).toMatchObject([
      { system: 'https://suture.example/fhir/sid/stay', value: 'urn:oid:1.2.250.1.999.7.3.40' },
    ]);
  });

  test('is not identified by the number of a doctor that stands where the stay’s should', () => {
    const source = discharge.replace(
      'root="1.2.250.1.999.7.2" extension="SEJ-26-00311"',
      'root="1.2.250.1.71.4.2.1" extension="810009900011"',
    );
    expect(only<Encounter>(planOf(source), 'Encounter').identifier?.[0]?.system).toBe(
      'https://suture.example/fhir/sid/stay',
    );
  });

  test('of an admission letter is in progress, at the hospital that receives', () => {
    const plan = planOf(fixture('admission.xml'));
    const encounter = only<Encounter>(plan, 'Encounter');
    expect(encounter).toMatchObject({ status: 'in-progress', period: { start: '2026-02-23T07:45:00+01:00' } });
    expect(encounter.period).not.toHaveProperty('end');
    expect(encounter.participant?.map(({ type }) => type?.[0]?.coding?.[0]?.code)).toEqual(['REFB']);
    expect(encounter.serviceProvider?.reference).toBeDefined();
  });

  test('of a letter without componentOf is made of the act’s dates', () => {
    const source = discharge.replace(/<componentOf>[^]*<\/componentOf>/, '');
    expect(only<Encounter>(planOf(source), 'Encounter').period?.end).toBe('2026-03-02T16:20:00+01:00');
  });

  test('is not made from a document that is no liaison letter', () => {
    const plan = planOf(discharge.replace('code="11490-0"', 'code="34112-3"'));
    expect(resources(plan, 'Encounter')).toEqual([]);
    expect(only<DocumentReference>(plan, 'DocumentReference').context).not.toHaveProperty('encounter');
  });
});

describe('a letter that cannot be taken goes to review with the place', () => {
  test.each([
    ['X1: a DOCTYPE', discharge.replace('<ClinicalDocument', '<!DOCTYPE x><ClinicalDocument'), 'structure', undefined],
    [
      'an unknown type',
      discharge.replace('code="11490-0"', 'code="99999-9"'),
      'not-supported',
      '/ClinicalDocument/code/@code',
    ],
    [
      'a type of another system',
      discharge.replace('code="11490-0" codeSystem="2.16.840.1.113883.6.1"', 'code="11490-0" codeSystem="1.2.3"'),
      'not-supported',
      '/ClinicalDocument/code/@code',
    ],
    [
      'a foreign document',
      discharge.replace('<templateId root="1.2.250.1.213.1.1.1.1"/>', ''),
      'not-supported',
      '/ClinicalDocument/templateId',
    ],
    [
      'no patient',
      discharge.replace(/<patient>[^]*<\/patient>/, ''),
      'required',
      '/ClinicalDocument/recordTarget/patientRole/patient',
    ],
    ['a text file', 'Bonjour', 'structure', undefined],
  ])('%s', (_, source, code, expression) => {
    const result = read(source);
    expect(result).toMatchObject({ kind: 'review', reasons: [{ severity: 'error', code }] });
    if (result.kind === 'review') expect(result.reasons[0]?.expression).toBe(expression);
  });

  test('and no reason quotes the patient', () => {
    const source = discharge.replace('19580514', 'MARKER').replaceAll('KERDONCUFF', 'MARKER');
    const result = read(source);
    expect(result.kind).toBe('review');
    expect(JSON.stringify(result)).not.toContain('MARKER');
  });
});
