/** What the entries of a liaison letter become; the golden plans hold the whole, here stand the decisions. */
import { describe, expect, test } from '@jest/globals';
import type {
  AllergyIntolerance,
  Appointment,
  CarePlan,
  Composition,
  Condition,
  Device,
  MedicationStatement,
  Observation,
  Provenance,
  ServiceRequest,
} from 'fhir/r4.js';
import { letterEntrySystem } from '../../src/letters/index.ts';
import { fixture, only, planOf, resources, richLetter } from './letters.ts';

const discharge = richLetter('discharge');
const plan = planOf(discharge);
const admission = planOf(richLetter('admission'));
const setId = 'urn:oid:1.2.250.1.999.7.3.40';
const id = (number: string) => `urn:uuid:3b1f0c3e-0000-4000-8000-0000000000${number}`;
const codesOf = (found = plan.findings) => found.map(({ code }) => code);

describe('drugs', () => {
  const drugs = resources<MedicationStatement>(plan, 'MedicationStatement');

  test('have the status of their section, not the `completed` that is sent', () => {
    expect(drugs.map(({ status }) => status)).toEqual(['stopped', 'active', 'intended']);
    expect(only<MedicationStatement>(admission, 'MedicationStatement').status).toBe('active');
  });

  test('keep dose, rhythm, route, codes, and the line of the text with its reason for stopping', () => {
    expect(drugs[0]?.note).toEqual([{ text: 'Aspirine 75 mg, arrêtée en vue de l’intervention' }]);
    expect(drugs[1]).toMatchObject({
      medicationCodeableConcept: { text: 'Énoxaparine 4000 UI', coding: [{ code: '69999001' }, { code: 'B01AB05' }] },
      effectivePeriod: { start: '2026-03-02', end: '2026-03-30' },
      dosage: [
        {
          timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
          route: { coding: [{ code: '20066000' }] },
          doseAndRate: [{ doseQuantity: { value: 4000, unit: '[iU]' } }],
        },
      ],
    });
    expect(drugs[2]).toMatchObject({
      medicationCodeableConcept: { text: 'Paracétamol' },
      dosage: [
        {
          timing: { repeat: { when: ['PCM', 'HS'] } },
          asNeededCodeableConcept: { text: 'douleur' },
          doseAndRate: [{ doseRange: { low: { value: 0.5 }, high: { value: 1 } } }],
          maxDosePerPeriod: { numerator: { value: 3, unit: 'g' } },
        },
      ],
    });
  });

  test('whose treatment was over before the letter are completed', () => {
    const source = discharge.replace('<high value="20260330"/>', '<high value="20260228"/>');
    expect(resources<MedicationStatement>(planOf(source), 'MedicationStatement')[1]?.status).toBe('completed');
  });

  test('without a name are told, not made', () => {
    expect(codesOf()).toContain('entry-without-code');
  });
});

describe('statements', () => {
  const observations = resources<Observation>(plan, 'Observation');

  test('become observations with their kind of value; those of the stay are on the Encounter', () => {
    const told = observations.map(({ code, valueString, valueBoolean, valueQuantity }) => [
      code.coding?.[0]?.code,
      valueString ?? valueBoolean ?? valueQuantity?.value,
    ]);
    expect(told).toEqual([
      ['MED-142', 'Suites simples, reprise du transit au troisième jour.'],
      ['MED-145', true],
      ['718-7', 10.4],
    ]);
  });

  test('that are negated are told, not turned into their contrary', () => {
    expect(codesOf()).toContain('negation-not-mapped');
  });

  test('whose coded day is not the one of the text keep both, and say so', () => {
    const found = plan.findings.filter(({ code }) => code === 'narrative-code-mismatch');
    expect(found).toEqual([
      expect.objectContaining({ expression: expect.stringMatching(/entry\[4\]\/observation\/effectiveTime$/) }),
    ]);
    expect(observations[1]?.effectiveDateTime).toBe('2026-02-25');
    expect(observations[1]?.note?.[0]?.text).toContain('24/02/2026');
  });

  test('of a battery stand in its report', () => {
    const report = resources(plan, 'DiagnosticReport').find(({ status }) => status === 'final');
    expect(report).toMatchObject({
      code: { coding: [{ code: '58410-2' }] },
      result: [{ reference: /urn/ }].map(() => expect.anything()),
    });
  });

  test('of a problem are conditions: of the stay, of the past, ended', () => {
    expect(only<Condition>(plan, 'Condition')).toMatchObject({
      clinicalStatus: { coding: [{ code: 'active' }] },
      category: [{ coding: [{ code: 'encounter-diagnosis' }] }],
      code: { coding: [{ code: 'C18.2' }] },
      onsetDateTime: '2026-01-12',
    });
    const past = resources<Condition>(admission, 'Condition');
    expect(
      past.map(({ code, clinicalStatus, abatementDateTime }) => [
        code?.text,
        clinicalStatus?.coding?.[0]?.code,
        abatementDateTime,
      ]),
    ).toEqual([
      ['Hypertension artérielle', 'active', undefined],
      [undefined, 'resolved', '2006'],
    ]);
  });
});

describe('allergies', () => {
  test('are made of an agent, with their reaction', () => {
    const [penicillin, none] = resources<AllergyIntolerance>(admission, 'AllergyIntolerance');
    expect(penicillin).toMatchObject({
      type: 'allergy',
      category: ['medication'],
      code: { text: 'Pénicilline', coding: [{ code: 'J01CE01' }] },
      onsetDateTime: '1998-05',
      reaction: [{ manifestation: [{ coding: [{ code: '126485001' }], text: 'Urticaire' }], severity: 'moderate' }],
    });
    expect(none?.code?.coding?.[0]?.code).toBe('429625007');
  });

  test('that were not found during the stay are not "no known allergy"', () => {
    expect(resources(plan, 'AllergyIntolerance')).toEqual([]);
  });
});

describe('what follows', () => {
  test('is a plan with its acts, its demands and the appointment that somebody must make', () => {
    const activities = only<CarePlan>(plan, 'CarePlan').activity?.map(({ reference }) => reference?.reference);
    const found = plan.entries.filter(({ fullUrl }) => activities?.includes(fullUrl));
    expect(found.map(({ resource }) => resource.resourceType)).toEqual([
      'ServiceRequest',
      'ServiceRequest',
      'Appointment',
    ]);
    const [scanner, nurse] = resources<ServiceRequest>(plan, 'ServiceRequest');
    expect(scanner).toMatchObject({
      status: 'active',
      intent: 'plan',
      priority: 'urgent',
      code: { coding: [{ code: 'ZBQK001' }] },
    });
    expect(nurse).toMatchObject({ occurrencePeriod: { start: '2026-03-02', end: '2026-03-30' } });
    expect(only<Appointment>(plan, 'Appointment')).toMatchObject({
      status: 'proposed',
      description: 'Consultation d’oncologie',
      requestedPeriod: [{ start: '2026-03-23', end: '2026-03-23' }],
      comment: 'recontacter pour fixer RDV',
    });
  });

  test('of awaited results is a report that has not come', () => {
    const report = resources(plan, 'DiagnosticReport').find(({ status }) => status === 'registered');
    expect(report).toMatchObject({ code: { text: 'Compte rendu anatomopathologique définitif' } });
  });
});

test('a device keeps its UDI and what stands in it', () => {
  expect(only<Device>(plan, 'Device')).toMatchObject({
    udiCarrier: [{ carrierHRF: '(01)09999999999994(17)281231(10)LOT7', deviceIdentifier: '09999999999994' }],
    expirationDate: '2028-12-31',
    lotNumber: 'LOT7',
    type: { text: 'Agrafes d’anastomose' },
  });
  expect(only(plan, 'DeviceUseStatement')).toMatchObject({ timingPeriod: { start: '2026-02-24' } });
});

describe('keys', () => {
  const keysOf = (source: string) =>
    planOf(source).entries.flatMap(({ resource, match }) =>
      match.kind === 'derived' ? (resource['identifier'] as { system: string; value: string }[]) : [],
    );

  test('are setId, section and entry; one that is there twice is numbered', () => {
    const keys = keysOf(discharge);
    expect(new Set(keys.map(({ system }) => system))).toEqual(new Set([letterEntrySystem]));
    const values = keys.map(({ value }) => value);
    expect(values).toContain(`${setId}#10183-2#${id('21')}`);
    expect(values).toContain(`${setId}#42545-4#${id('12')}~2`);
    expect(values).toContain(`${setId}#18776-5#section`);
    const uses = values.filter((value) => values.indexOf(value) !== values.lastIndexOf(value));
    expect(new Set(uses)).toEqual(new Set([`${setId}#46264-8#urn:oid:1.2.250.1.999.7.9#DM-1`]));
  });

  test('are the same in every version', () => {
    expect(keysOf(richLetter('discharge-v2'))).toEqual(keysOf(discharge));
  });
});

describe('the Composition', () => {
  const composition = only<Composition>(plan, 'Composition');

  test('is the letter in its order, final once approved', () => {
    expect(composition).toMatchObject({
      status: 'final',
      identifier: { value: setId },
      confidentiality: 'N',
      attester: [{ mode: 'legal' }],
    });
    expect(composition.section?.map(({ code }) => code?.coding?.[0]?.code)).toEqual([
      '33557-0',
      '42349-1',
      '42545-4',
      '18610-6',
      '10183-2',
      '30954-2',
      '18776-5',
      '46264-8',
      '48765-2',
    ]);
    const ongoing = planOf(discharge.replace('code="9571008"', 'code="385651009"'));
    expect(only<Composition>(ongoing, 'Composition').status).toBe('preliminary');
  });

  test('names everything that was read, and the Provenance says from where', () => {
    const named = composition.section?.flatMap(({ entry = [] }) => entry.map(({ reference }) => reference)) ?? [];
    const derived = plan.entries.filter(({ match }) => match.kind === 'derived').map(({ fullUrl }) => fullUrl);
    expect(new Set(named)).toEqual(new Set(derived));
    const provenance = only<Provenance>(plan, 'Provenance');
    const letter = plan.entries.find(({ resource }) => resource.resourceType === 'DocumentReference');
    expect(provenance.entity).toEqual([{ role: 'source', what: { reference: letter?.fullUrl } }]);
    expect(provenance.target).toHaveLength(derived.length + 1);
  });

  test('X10: keeps the text of the narrative and nothing that runs or is fetched', () => {
    const div = composition.section?.[1]?.text?.div ?? '';
    expect(div).toBe(
      '<div xmlns="http://www.w3.org/1999/xhtml"><p>Colectomie <b>droite</b> &lt;programmée&gt;</p>' +
        '<p><span>Voir le dossier</span></p><span></span></div>',
    );
    expect(JSON.stringify(plan.entries.map(({ resource }) => resource))).not.toMatch(/javascript|onmouseover|alert/);
  });
});

test('masks and confidentiality lie on everything that was read from the letter', () => {
  const masked = planOf(discharge, ['MASQUE_PS']);
  const labelled = masked.entries.filter(({ match }) =>
    ['derived', 'composition', 'provenance', 'content', 'new'].includes(match.kind),
  );
  expect(labelled.length).toBeGreaterThan(15);
  for (const { resource } of labelled) {
    const { security } = resource['meta'] as { security: { code: string }[] };
    expect(security.map(({ code }) => code)).toEqual(['N', 'MASQUE_PS']);
  }
});

test('only a liaison letter of level 3 is read below its header', () => {
  const bodiless = [fixture('discharge-pdf.xml'), discharge.replace('code="11490-0"', 'code="34112-3"')];
  for (const source of bodiless) {
    const kinds = planOf(source).entries.map(({ match }) => match.kind);
    expect(kinds).not.toContain('derived');
    expect(kinds).not.toContain('composition');
    expect(kinds).not.toContain('provenance');
  }
});

test('a body of thousands of entries is read up to a limit, and told', () => {
  const entry = '<entry><observation><code code="1" codeSystem="1.2.3"/></observation></entry>';
  const source = discharge.replace(/<title>Synthèse[^]*?<text>/, (start) => `${entry.repeat(2000)}${start}`);
  const many = planOf(source);
  expect(many.entries.length).toBeLessThan(330);
  expect(codesOf(many.findings)).toContain('too-many-entries');
});
