/**
 * What must not call anybody, and what must: for each rule the case that teaches nurses to ignore the next alert, and the
 * one that would be missed. The stories are of one patient; the rules are those that are shipped.
 */
import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { qualified, somePatient, someTeam } from '../rules/support.ts';
import { startStory } from './support.ts';

const suture = 'https://suture.example/fhir/CodeSystem';
const own = (system: string, code: string) => ({ coding: [{ system: `${suture}/${system}`, code }] });
const subject = { reference: 'Patient/p1' };
const day = '2026-03-12T10:00:00+01:00';
const sameMorning = '2026-03-12T08:00:00+01:00';
const nextYear = '2027-03-01T10:00:00+01:00';

const referral: Resource = {
  resourceType: 'ServiceRequest',
  id: 'r1',
  status: 'active',
  intent: 'order',
  code: own('orientation', 'adressage-suspicion-cancer'),
  subject,
  authoredOn: day,
};

const homeCare: Resource = {
  ...referral,
  id: 'h1',
  resourceType: 'ServiceRequest',
  code: { text: 'soins' },
  category: [own('orientation', 'soins-domicile')],
};

const imaging: Resource = {
  ...referral,
  id: 'i1',
  resourceType: 'ServiceRequest',
  code: { text: 'IRM' },
  category: [{ coding: [{ code: 'imaging' }] }],
};

function condition(code: string, more: object = {}): Resource {
  return {
    resourceType: 'Condition',
    id: `c-${code}`,
    clinicalStatus: { coding: [{ code: 'active' }] },
    verificationStatus: { coding: [{ code: 'confirmed' }] },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code }] },
    subject,
    recordedDate: '2020-01-01',
    ...more,
  };
}

const result: Resource = {
  resourceType: 'DiagnosticReport',
  id: 'd1',
  status: 'final',
  code: { text: 'Mammographie' },
  subject,
  issued: day,
  basedOn: [{ reference: 'ServiceRequest/i1' }],
  conclusionCode: [own('conclusion', 'suspicion-cancer')],
};

const stay: Resource = {
  resourceType: 'Encounter',
  id: 'e1',
  status: 'finished',
  class: { code: 'IMP' },
  subject,
  period: { start: '2026-03-02T10:00:00+01:00', end: day },
};

const social: Resource = {
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  category: [{ coding: [{ code: 'social-history' }] }],
  code: { text: 'EPICES' },
  interpretation: [{ coding: [{ code: 'POS' }] }],
  subject,
  effectiveDateTime: day,
};

function hospital(id: string, start: string, more: object = {}): Resource {
  const period = { start };
  const base = { resourceType: 'Encounter', id, status: 'in-progress', class: { code: 'IMP' }, subject, period };
  return { ...base, ...more };
}

const missed: Resource = {
  resourceType: 'Appointment',
  id: 'a1',
  status: 'noshow',
  start: day,
  participant: [{ actor: subject, status: 'accepted' }],
};

const plan: Resource = {
  resourceType: 'CarePlan',
  id: 'plan-1',
  status: 'active',
  intent: 'plan',
  subject,
  created: '2025-06-01',
};

const moved = { hospitalization: { dischargeDisposition: { coding: [{ code: 'hosp' }] } } };
const urgent = { priority: { coding: [{ code: 'EM' }] } };

const doNot = { doNotPerform: true };

type Row = readonly [rule: string, title: string, resources: readonly Resource[]];

async function opens([rule, , resources]: Row): Promise<boolean> {
  const story = startStory();
  await story.at('2026-03-01T08:00:00+01:00', somePatient(qualified), someTeam());
  await story.at('2026-03-12T12:00:00+01:00', ...resources);
  await story.at(nextYear);
  return story.moves(rule).some((line) => line.endsWith(' open'));
}

describe('Nobody is called', () => {
  it.each<Row>([
    ['RUP-01', 'an order that says what must not be done', [{ ...referral, ...doNot }]],
    ['RUP-06', 'an order that says what must not be done', [{ ...referral, ...doNot }]],
    ['RUP-03', 'an order that says what must not be done', [condition('C50.9'), { ...imaging, ...doNot }]],
    ['RUP-24', 'an order that says what must not be done', [{ ...homeCare, ...doNot }]],
    ['RUP-03', 'imaging of somebody with a lipoma', [condition('D17.9'), imaging]],
    [
      'RUP-03',
      'imaging of somebody whose cancer was cured long ago',
      [condition('C50.9', { clinicalStatus: { coding: [{ code: 'resolved' }] } }), imaging],
    ],
    [
      'RUP-20',
      'a stay of a patient who died at home the same day',
      [stay, { ...somePatient(qualified), deceasedDateTime: '2026-03-12' }],
    ],
    [
      'RUP-23',
      'a patient who goes on to another hospital',
      [{ ...stay, hospitalization: { dischargeDisposition: { coding: [{ code: 'hosp' }] } } }],
    ],
    [
      'RUP-37',
      'a social referral that was there when the weakness was found',
      [
        social,
        {
          ...referral,
          id: 's1',
          resourceType: 'ServiceRequest',
          code: { text: 's' },
          category: [own('orientation', 'social')],
          authoredOn: '2026-02-01',
        },
      ],
    ],
    ['RUP-29', 'who does not come because he is in hospital', [missed, hospital('e9', '2026-03-10T10:00:00+01:00')]],
    ['RUP-30', 'who is in hospital for months', [plan, hospital('e9', '2025-07-01T10:00:00+01:00')]],
    ['RUP-23', 'who is back in hospital before the week is over', [stay, hospital('e9', '2026-03-15T10:00:00+01:00')]],
    [
      'RUP-25',
      'who was moved to another hospital, as an emergency',
      [{ ...stay, ...moved }, hospital('e9', '2026-03-12T13:00:00+01:00', urgent)],
    ],
  ])('%s: %s', async (...row) => {
    expect(await opens(row as unknown as Row)).toBe(false);
  });
});

describe('Somebody is called', () => {
  it.each<Row>([
    ['RUP-01', 'a referral', [referral]],
    ['RUP-06', 'a referral', [referral]],
    ['RUP-24', 'care at home', [homeCare]],
    ['RUP-03', 'imaging of somebody with a cancer', [condition('C50.9'), imaging]],
    ['RUP-03', 'imaging of somebody with a tumour of unknown behaviour', [condition('D48.6'), imaging]],
    ['RUP-03', 'imaging of somebody with a carcinoma in situ', [condition('D05.1'), imaging]],
    [
      'RUP-04',
      'a suspicious result, whose own order is no answer to it',
      [{ ...imaging, status: 'completed', authoredOn: '2026-03-12' }, result],
    ],
    [
      'RUP-04',
      'a suspicious result; what was ordered that morning is no answer',
      [{ ...imaging, id: 'i2', authoredOn: sameMorning }, result],
    ],
    [
      'RUP-04',
      'a suspicious result, after which something is forbidden',
      [result, { ...imaging, id: 'i3', authoredOn: '2026-03-13', ...doNot }],
    ],
    ['RUP-20', 'a stay', [stay]],
    ['RUP-23', 'a stay', [stay]],
    ['RUP-37', 'a social weakness', [social]],
    [
      'RUP-37',
      'a social weakness, and a referral that must not be made',
      [
        social,
        {
          ...referral,
          ...doNot,
          id: 's1',
          resourceType: 'ServiceRequest',
          code: { text: 's' },
          category: [own('orientation', 'social')],
          authoredOn: '2026-03-13',
        },
      ],
    ],
    ['RUP-29', 'who does not come', [missed]],
    [
      'RUP-29',
      'who does not come, though a visit of last year was never closed',
      [missed, hospital('e9', '2025-03-10T10:00:00+01:00', { class: { code: 'AMB' } })],
    ],
    ['RUP-30', 'who is not heard of', [plan]],
    [
      'RUP-25',
      'who was moved to another hospital and is back after two weeks',
      [{ ...stay, ...moved }, hospital('e9', '2026-03-26T13:00:00+01:00', urgent)],
    ],
  ])('%s: %s', async (...row) => {
    expect(await opens(row as unknown as Row)).toBe(true);
  });
});
