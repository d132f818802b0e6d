/** Who is asked to act (design.md section 5, decision 3), and who is the GP. */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { type Circle, resolveGp, resolveRecipients, type Role } from '../../src/rules/index.ts';
import { codingOf, member, paris, ruleOf, somePatient, someStay, someTeam } from './support.ts';

function circle(parts: Partial<Circle> = {}): Circle {
  const nowMs = Date.parse('2026-03-13T10:00:00+01:00');
  return { focus: someStay(), patient: somePatient(), teams: [], nowMs, dates: paris.dates, ...parts };
}

const role = (name: keyof typeof codingOf): Role => ({ codings: [codingOf[name]], text: undefined });
const referencesOf = (roles: readonly Role[], parts: Partial<Circle>): readonly string[] =>
  resolveRecipients(roles, circle(parts)).map(({ reference }) => reference);

const attending = (reference: string, parts: object = {}): Resource =>
  someStay({ participant: [{ type: [{ coding: [codingOf.discharging] }], individual: { reference }, ...parts }] });

describe('Recipients', () => {
  test('are sought role by role: in the stay, in the teams, among the GPs', () => {
    const focus = attending('Practitioner/ward');
    const teams = [
      someTeam({
        participant: [member('secretary', 'PractitionerRole/office'), member('discharging', 'Practitioner/other')],
      }),
    ];
    expect(referencesOf([role('discharging'), role('secretary')], { focus, teams })).toEqual([
      'Practitioner/ward',
      'Practitioner/other',
      'PractitionerRole/office',
    ]);
    expect(referencesOf([role('secretary'), role('discharging')], { focus, teams })[0]).toBe('PractitionerRole/office');
  });

  test('know the GP from the patient, after the teams', () => {
    const patient = somePatient({ generalPractitioner: [{ reference: 'Practitioner/gp' }] });
    expect(referencesOf([role('gp')], { patient })).toEqual(['Practitioner/gp']);
    expect(referencesOf([role('gp')], { patient, teams: [someTeam()] })).toEqual([
      'PractitionerRole/gp',
      'Practitioner/gp',
    ]);
  });

  test('fall back on the coordinator when no role has a holder', () => {
    expect(referencesOf([role('discharging')], { teams: [someTeam()] })).toEqual(['PractitionerRole/nurse']);
    expect(referencesOf(ruleOf('RUP-20').roles, { teams: [someTeam()] })).toEqual(['PractitionerRole/nurse']);
  });

  test('fall back on organisations when there is no coordinator', () => {
    const focus = someStay({ serviceProvider: { reference: 'Organization/ward' } });
    const teams = [someTeam({ participant: [], managingOrganization: [{ reference: 'Organization/network' }] })];
    expect(referencesOf([role('secretary')], { focus, teams })).toEqual(['Organization/ward', 'Organization/network']);
    expect(referencesOf([role('secretary')], { focus: teams[0] as Resource })).toEqual(['Organization/network']);
    expect(referencesOf([role('secretary')], {})).toEqual([]);
  });

  test.each([
    ['2026-03-13T09:59:59+01:00', false],
    ['2026-03-13T10:00:00+01:00', false],
    ['2026-03-13T10:00:01+01:00', true],
    ['2026-03-13', true],
    ['2026-03-12', false],
  ])('whose time ended at %s count: %s', (end, counts) => {
    const focus = attending('Practitioner/ward', { period: { end } });
    expect(referencesOf([role('discharging')], { focus })).toEqual(counts ? ['Practitioner/ward'] : []);
  });

  test('are named once, without base and version', () => {
    const patient = somePatient({
      generalPractitioner: [{ reference: 'http://127.0.0.1:8080/fhir/PractitionerRole/gp/_history/3' }],
    });
    expect(referencesOf([role('gp')], { patient, teams: [someTeam()] })).toEqual(['PractitionerRole/gp']);
  });

  test('are found in the focus itself: who asked, who performs, who wrote; never the patient', () => {
    const of = (code: string): Role => ({
      codings: [{ system: 'https://suture.example/fhir/CodeSystem/focus-role', code }],
      text: undefined,
    });
    const request: Resource = {
      resourceType: 'ServiceRequest',
      id: 'r1',
      requester: { reference: 'Practitioner/asks' },
      performer: [{ reference: 'Organization/imaging' }, { reference: 'Patient/p1' }],
    };
    expect(referencesOf([of('requester'), of('performer')], { focus: request })).toEqual([
      'Practitioner/asks',
      'Organization/imaging',
    ]);
    const act: Resource = { resourceType: 'Procedure', performer: [{ actor: { reference: 'Practitioner/surgeon' } }] };
    expect(referencesOf([of('performer')], { focus: act })).toEqual(['Practitioner/surgeon']);
    const element = { detail: { performer: [{ reference: 'PractitionerRole/physio' }] } };
    const plan: Resource = { resourceType: 'CarePlan', author: { reference: 'Practitioner/asks' } };
    expect(referencesOf([of('performer'), of('author')], { focus: plan, element })).toEqual([
      'PractitionerRole/physio',
      'Practitioner/asks',
    ]);
  });

  test('tell the role under which they were found', () => {
    const [found] = resolveRecipients([role('gp')], circle({ teams: [someTeam()] }));
    expect(found?.role?.codings).toEqual([codingOf.gp]);
  });
});

describe('The GP', () => {
  const rpps = (value: string) => ({ identifier: [{ system: 'https://rpps.esante.gouv.fr', value }] });
  const known: readonly Resource[] = [
    { resourceType: 'Practitioner', id: 'gp', ...rpps('10001234567') },
    { resourceType: 'PractitionerRole', id: 'gp-office', practitioner: { reference: 'Practitioner/gp' } },
    {
      resourceType: 'Practitioner',
      id: 'gp-again',
      identifier: [{ system: 'urn:oid:1.2.250.1.71.4.2.1', value: '810001234567' }],
    },
    {
      resourceType: 'PractitionerRole',
      id: 'gp-other',
      identifier: [{ system: 'http://rpps.esante.gouv.fr', value: '10001234567' }],
    },
    { resourceType: 'Practitioner', id: 'another', ...rpps('10007654321') },
    { resourceType: 'PractitionerRole', id: 'another-office', practitioner: { reference: 'Practitioner/another' } },
  ];
  const gpOf = (parts: Partial<Circle>): readonly string[] => resolveGp(circle(parts), known);

  test.each([
    [
      'the patient names the person',
      { patient: somePatient({ generalPractitioner: [{ reference: 'Practitioner/gp' }] }) },
    ],
    [
      'the patient names the office',
      { patient: somePatient({ generalPractitioner: [{ reference: 'PractitionerRole/gp-office' }] }) },
    ],
    [
      'the team names the person by another record',
      { teams: [someTeam({ participant: [member('gp', 'Practitioner/gp-again')] })] },
    ],
    [
      'the team names another office',
      { teams: [someTeam({ participant: [member('gp', 'PractitionerRole/gp-other')] })] },
    ],
  ])('is found under all references of the same RPPS number when %s', (_what, parts) => {
    expect(gpOf(parts)).toEqual([
      'Practitioner/gp',
      'Practitioner/gp-again',
      'PractitionerRole/gp-office',
      'PractitionerRole/gp-other',
    ]);
  });

  test('is nobody when nobody is named or the participation has ended', () => {
    expect(gpOf({})).toEqual([]);
    const participant = [member('gp', 'Practitioner/gp', { period: { end: '2026-03-01' } })];
    expect(gpOf({ teams: [someTeam({ participant })] })).toEqual([]);
  });

  test('may be an organisation, known by its FINESS number', () => {
    const finess = (system: string, value: string) => ({ identifier: [{ system, value }] });
    const organisations: readonly Resource[] = [
      { resourceType: 'Organization', id: 'centre', ...finess('https://finess.esante.gouv.fr', '690000001') },
      { resourceType: 'Organization', id: 'centre-2', ...finess('urn:oid:1.2.250.1.71.4.2.2', '1690000001') },
    ];
    const patient = somePatient({ generalPractitioner: [{ reference: 'Organization/centre' }] });
    expect(resolveGp(circle({ patient }), organisations)).toEqual(['Organization/centre', 'Organization/centre-2']);
  });
});
