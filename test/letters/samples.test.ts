/**
 * The official French samples, where they are at hand (../shared/samples, outside the project): every document is read, and
 * its type, patient, author and stay are those of the file.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { DocumentReference, Encounter, Patient, Practitioner } from 'fhir/r4.js';
import { adaptLetter } from '../support/letter.ts';
import { fixturePath, only, planOf, read, resources } from './letters.ts';

const samples = new URL('../../../shared/samples/', import.meta.url);
const isHere = existsSync(samples);
const files = isHere
  ? ['ldl', 'cda-general', 'cda-oncology', 'hl7v2'].flatMap((folder) =>
      readdirSync(new URL(`${folder}/`, samples), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.xml$/i.test(name))
        .sort()
        .map((name) => `${folder}/${name}`),
    )
  : [];

function sample(name: string): Buffer {
  return readFileSync(new URL(name, samples));
}

/** type, format, family at birth, author, start and end of the stay (liaison letters), numbers of Organization, Practitioner */
const letters: readonly (readonly [
  string,
  string,
  string,
  string,
  string,
  string | undefined,
  string | undefined,
  number,
  number,
])[] = [
  [
    'ldl/LDL-SES_2022.01.xml',
    '11490-0',
    'urn:asip:ci-sis:ldl-ses:2017',
    'PAT-TROIS',
    'DR Charles DAVID',
    '2019-10-29T11:17:00+01:00',
    '2019-12-03T13:30:00+01:00',
    2,
    3,
  ],
  [
    'ldl/LDL-SES_2020.01.xml',
    '11490-0',
    'urn:asip:ci-sis:ldl-ses:2017',
    'NESSI',
    'DR Charles DAVID',
    '2019-10-29T11:17:00+01:00',
    '2019-12-03T13:30:00+01:00',
    2,
    3,
  ],
  [
    'ldl/LDL-EES_2022.01.xml',
    '18761-7',
    'urn:asip:ci-sis:ldl-ees:2017',
    'PAT-TROIS',
    'DR Charles BOILEAU',
    '2019-10-29T11:17:00+01:00',
    undefined,
    2,
    2,
  ],
  [
    'ldl/LDL-EES_2020.01.xml',
    '18761-7',
    'urn:asip:ci-sis:ldl-ees:2017',
    'NESSI',
    'DR Charles BOILEAU',
    '2019-10-29T11:17:00+01:00',
    undefined,
    2,
    2,
  ],
];

const documents: readonly (readonly [name: string, type: string, format: string, author: string])[] = [
  ['cda-general/ANEST-CR-ANEST_2022.01.xml', '77436-4', 'urn:asip:ci-sis:cr-anest:2020', 'DR Pierre LEGRIS'],
  [
    'cda-general/BIO-CR-BIO_2021.01_CDA-R2-Niveau-1.xml',
    '11502-2',
    'urn:ihe:iti:xds-sd:pdf:2008',
    'DR Marcel CAMPARINI',
  ],
  ['cda-general/DLU-EHPAD-FLUDT_2022.01.xml', '74207-2', 'urn:asip:ci-sis:fludt:2017', 'DR Charles BOILEAU'],
  ['cda-general/VSM_1.4_2022.01.xml', 'SYNTH', 'urn:asip:ci-sis:vsm:2012', 'DR Stéphane MEDIONI'],
  ['cda-oncology/CANCER-FRCP_2022.01_Appareil.xml', '34794-8', 'urn:asip:ci-sis:frcp:2011', 'DR Charles MULLER'],
  [
    'cda-oncology/CANCER-PPS_2022.01_Autopresentable.xml',
    '18776-5',
    'urn:asip:ci-sis:pps-cancer:2017',
    'DR Charles MULLER',
  ],
  ['cda-oncology/CANCER-CR-GM_2022.01_AnalyseRealisee.xml', '51969-4', 'urn:asip:ci-sis:crgm:2018', 'DR Michel MARTIN'],
  ['cda-oncology/IMG-DA-IMG_2024.01_TEP_Thorax.xml', '55115-0', 'urn:ans:ci-sis:img-da:2022', 'DR Charles BOILEAU'],
];

/** One line of the golden table: what the file says, and how much was made of it. */
function summary(name: string): unknown {
  const result = read(sample(name));
  if (result.kind === 'review') return { review: result.reasons.map(({ expression }) => expression) };
  const { plan } = result;
  const { type, author, content } = only<DocumentReference>(plan, 'DocumentReference');
  const [official] = only<Patient>(plan, 'Patient').name ?? [];
  const [stay] = resources<Encounter>(plan, 'Encounter');
  const made: Record<string, number> = {};
  for (const { resource } of plan.entries) made[resource.resourceType] = (made[resource.resourceType] ?? 0) + 1;
  const findings: Record<string, number> = {};
  for (const { code } of plan.findings) findings[code] = (findings[code] ?? 0) + 1;
  return {
    type: type?.coding?.[0]?.code,
    format: content[0]?.format?.code,
    patient: [official?.family, official?.given?.[0]].join(' '),
    author: author?.[0]?.display,
    stay: stay?.period,
    made,
    findings,
  };
}

if (!isHere) {
  test.skip('is left out: the official samples are not at hand', () => undefined);
} else {
  describe('a liaison letter', () => {
    test.each(letters)('%s is what it says', (...row) => {
      const [name, type, format, family, author, start, end, organizations, practitioners] = row;
      const plan = planOf(sample(name));
      const reference = only<DocumentReference>(plan, 'DocumentReference');
      expect(reference.type?.coding?.[0]).toMatchObject({ system: 'http://loinc.org', code: type });
      expect(reference.content[0]?.format?.code).toBe(format);
      expect(reference.author?.[0]?.display).toBe(author);
      expect(only<Patient>(plan, 'Patient').name?.[0]).toMatchObject({ use: 'official', family });
      expect(only<Patient>(plan, 'Patient').generalPractitioner?.[0]?.display).toBe('DR Stéphane MEDIONI');
      const { period } = only<Encounter>(plan, 'Encounter');
      expect([period?.start, period?.end]).toEqual([start, end]);
      expect(resources(plan, 'Organization')).toHaveLength(organizations);
      expect(resources(plan, 'Practitioner')).toHaveLength(practitioners);
    });

    test('keeps apart the people who carry one RPPS', () => {
      const people = resources<Practitioner>(planOf(sample('ldl/LDL-SES_2022.01.xml')), 'Practitioner');
      const shared = people.filter(({ identifier }) => identifier?.[0]?.value === '801234567897');
      expect(shared.map(({ name }) => name?.[0]?.family).sort()).toEqual(['AUGUIN', 'DAVID']);
    });

    test('adapted to another patient and stay is about them', () => {
      const bytes = adaptLetter(sample('ldl/LDL-SES_2022.01.xml').toString('utf8'), {
        ins: { root: '1.2.250.1.213.1.4.8', value: '258059999900193' },
        traits: { family: 'KERDONCUFF', given: 'SOLENE', birthDate: '1958-05-14', gender: 'female' },
        stay: {
          id: { root: '1.2.250.1.999.7.2', extension: 'S-1' },
          start: '2026-02-23T07:45:00+01:00',
          end: '2026-03-02T16:20:00+01:00',
        },
        document: {
          id: '1.2.250.1.999.1.1',
          setId: '1.2.250.1.999.1',
          effectiveTime: '2026-03-02T18:00:00+01:00',
          replaces: '1.2.250.1.999.1.0',
        },
      });
      const plan = planOf(bytes);
      expect(plan.facts).toMatchObject({
        masterIdentifier: { value: 'urn:oid:1.2.250.1.999.1.1' },
        replaces: [{ value: 'urn:oid:1.2.250.1.999.1.0' }],
      });
      expect(only<Patient>(plan, 'Patient')).toMatchObject({
        identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.8', value: '258059999900193' }, {}],
        name: [{ family: 'KERDONCUFF', given: ['SOLENE'] }],
        birthDate: '1958-05-14',
      });
      expect(only<Encounter>(plan, 'Encounter')).toMatchObject({
        identifier: [{ system: 'urn:oid:1.2.250.1.999.7.2', value: 'S-1' }],
        period: { start: '2026-02-23T07:45:00+01:00', end: '2026-03-02T16:20:00+01:00' },
      });
      expect(only(plan, 'DocumentReference')).toMatchObject({ date: '2026-03-02T18:00:00+01:00' });
    });
  });

  test.each(documents)('%s has type %s, format %s and author %s', (name, type, format, author) => {
    const plan = planOf(sample(name));
    const reference = only<DocumentReference>(plan, 'DocumentReference');
    expect(reference.type?.coding?.[0]?.code).toBe(type);
    expect(reference.content[0]?.format?.code).toBe(format);
    expect(reference.author?.[0]?.display).toBe(author);
    expect(resources(plan, 'Encounter')).toEqual([]);
  });

  test.each(files)('%s is read to the end, with a patient whose INS is right', (name) => {
    const result = read(sample(name));
    if (name.endsWith('2-7-MedicationCard.xml')) {
      // A Swiss document: the one that is none of ours.
      expect(result).toMatchObject({ kind: 'review', reasons: [{ expression: '/ClinicalDocument/templateId' }] });
      return;
    }
    if (result.kind === 'review') throw new Error(JSON.stringify(result.reasons));
    const patient = only<Patient>(result.plan, 'Patient');
    expect(patient.identifier?.[0]).toMatchObject({ use: 'official', value: expect.stringMatching(/^\d{15}$/) });
    expect(patient).toMatchObject({
      birthDate: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      gender: expect.stringMatching(/male$/),
    });
  });

  test('all of them give the golden table', () => {
    const table = Object.fromEntries(files.map((name) => [name, summary(name)]));
    const plain = JSON.parse(JSON.stringify(table)) as unknown;
    const golden = fixturePath('samples.golden.json');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${JSON.stringify(plain, null, 1)}\n`);
    expect(plain).toEqual(JSON.parse(readFileSync(golden, 'utf8')));
  });
}
