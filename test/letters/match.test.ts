/** What the store knows already: structures, professionals, roles and stays. Decision 10 of the design. */
import { describe, expect, test } from '@jest/globals';
import type { Encounter, Organization, Practitioner, PractitionerRole } from 'fhir/r4.js';
import {
  type MatchContext,
  matchEncounter,
  matchEntry,
  matchOrganization,
  matchPractitioner,
  matchRole,
} from '../../src/letters/index.ts';
import { fixture, only, planOf } from './letters.ts';

const create = { kind: 'create', findings: [] };
const existing = (id: string) => ({ kind: 'existing', id, findings: [] });

describe('a structure', () => {
  const letter: Organization = {
    resourceType: 'Organization',
    name: 'Centre hospitalier du Val d’Arzon',
    identifier: [
      { system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1990000012' },
      { system: 'https://finess.esante.gouv.fr', value: '990000012' },
    ],
  };
  test.each([
    ['the national form', 'https://finess.esante.gouv.fr', '990000012', true],
    ['the form of the CI-SIS', 'urn:oid:1.2.250.1.71.4.2.2', '1990000012', true],
    ['the OID with a bare FINESS', 'urn:oid:1.2.250.1.71.4.2.2', '990000012', true],
    ['the former name of the register', 'http://finess.sante.gouv.fr', '990000012', true],
    ['another FINESS', 'https://finess.esante.gouv.fr', '990000013', false],
    ['the same number in another register', 'https://sirene.fr', '990000012', false],
  ])('stored under %s', (_, system, value, isKnown) => {
    const stored: Organization = {
      resourceType: 'Organization',
      id: 'h',
      name: 'CHVA',
      identifier: [{ system, value }],
    };
    expect(matchOrganization(letter, [stored])).toEqual(isKnown ? existing('h') : create);
  });
});

describe('a professional', () => {
  const person = (family: string | undefined, system: string, value: string, id?: string): Practitioner => ({
    resourceType: 'Practitioner',
    ...(id && { id }),
    identifier: [{ system, value }],
    ...(family && { name: [{ family }] }),
  });
  const rpps = 'https://rpps.esante.gouv.fr';
  const letter = person('DAVID', 'urn:oid:1.2.250.1.71.4.2.1', '801234567897');

  test.each([
    ['same RPPS, same name', person('David', rpps, '01234567897', 'x'), existing('x')],
    ['same RPPS under the OID', person('DAVID', 'urn:oid:1.2.250.1.71.4.2.1', '01234567897', 'x'), existing('x')],
    ['same RPPS, no name', person(undefined, rpps, '01234567897', 'x'), existing('x')],
    ['another RPPS, same name', person('DAVID', rpps, '01234567898', 'x'), create],
  ])('%s', (_, stored, expected) => {
    expect(matchPractitioner(letter, [stored])).toEqual(expected);
  });

  test('whose RPPS others carry under their names is made anew once, then found', () => {
    const others = [person('BOILEAU', rpps, '01234567897', 'a'), person('AUGUIN', rpps, '01234567897', 'b')];
    expect(matchPractitioner(letter, others)).toMatchObject({
      kind: 'create',
      findings: [{ code: 'professional-of-another-name' }],
    });
    expect(matchPractitioner(letter, [...others, person('DAVID', rpps, '01234567897', 'c')])).toEqual(existing('c'));
  });
});

describe('a role', () => {
  const letter: PractitionerRole = {
    resourceType: 'PractitionerRole',
    practitioner: { reference: 'urn:uuid:1' },
    organization: { reference: 'urn:uuid:2' },
  };
  const found = new Map([
    ['urn:uuid:1', 'Practitioner/p'],
    ['urn:uuid:2', 'Organization/o'],
  ]);
  const role = (practitioner: string, organization?: string, active = true): PractitionerRole => ({
    resourceType: 'PractitionerRole',
    id: 'r',
    active,
    practitioner: { reference: practitioner },
    ...(organization && { organization: { reference: organization } }),
  });
  test.each([
    ['of the same person in the same place', role('Practitioner/p', 'Organization/o'), existing('r')],
    ['in another place', role('Practitioner/p', 'Organization/z'), create],
    ['in no place', role('Practitioner/p'), create],
    ['of another person', role('Practitioner/z', 'Organization/o'), create],
    ['that has ended', role('Practitioner/p', 'Organization/o', false), create],
  ])('%s', (_, stored, expected) => {
    expect(matchRole(letter, [stored], { found })).toEqual(expected);
  });

  test('of a person or place that is new is new', () => {
    expect(matchRole(letter, [role('Practitioner/p', 'Organization/o')], { found: new Map() })).toEqual(create);
    const personOnly = new Map([['urn:uuid:1', 'Practitioner/p']]);
    expect(matchRole(letter, [role('Practitioner/p')], { found: personOnly })).toEqual(create);
  });
});

describe('a stay', () => {
  const numbered = planOf(fixture('discharge.xml'));
  const unnumbered = planOf(fixture('discharge-pdf.xml'));
  const hospital: Organization = {
    resourceType: 'Organization',
    id: 'h',
    identifier: [{ system: 'https://finess.esante.gouv.fr', value: '990000012' }],
  };
  const stored = (changes: Partial<Encounter> = {}): Encounter => ({
    resourceType: 'Encounter',
    id: 'e',
    status: 'in-progress',
    class: { code: 'IMP' },
    subject: { reference: 'Patient/p1' },
    period: { start: '2026-02-23T07:00:00+01:00' },
    serviceProvider: { reference: 'Organization/h' },
    ...changes,
  });
  const match = (
    plan: typeof numbered,
    encounters: Encounter[],
    found = new Map([['urn:uuid:id-2', 'Patient/p1']]),
  ) => {
    const context: MatchContext = { zone: 'Europe/Paris', allowTestIns: true, plan, found };
    return matchEncounter(only<Encounter>(plan, 'Encounter'), { encounters, organizations: [hospital] }, context);
  };
  const number = { system: 'urn:oid:1.2.250.1.999.7.2', value: 'SEJ-26-00311' };

  test('is found by its number, wherever and whenever it was', () => {
    const elsewhere = stored({
      identifier: [number],
      period: { start: '2026-02-20' },
      serviceProvider: { display: 'CH' },
    });
    expect(match(numbered, [elsewhere])).toEqual(existing('e'));
  });

  test('with the number of another patient’s stay is a doubt', () => {
    const other = stored({ identifier: [number], subject: { reference: 'Patient/p2' } });
    expect(match(numbered, [other])).toMatchObject({ kind: 'doubt', reasons: [{ code: 'conflict' }] });
    expect(match(numbered, [other], new Map())).toMatchObject({ kind: 'doubt' });
  });

  test.each([
    ['one stay of that day in that hospital', [stored()], existing('e')],
    [
      'a stay that began that day by local time',
      [stored({ period: { start: '2026-02-22T23:30:00Z' } })],
      existing('e'),
    ],
    ['a stay that began that day, and no more is said', [stored({ period: { start: '2026-02-23' } })], existing('e')],
    [
      'a hospital given by its FINESS alone',
      [stored({ serviceProvider: { identifier: { system: 'https://finess.esante.gouv.fr', value: '990000012' } } })],
      existing('e'),
    ],
    ['two such stays', [stored(), stored({ id: 'f' })], create],
    ['a stay of another day', [stored({ period: { start: '2026-02-24T07:00:00+01:00' } })], create],
    ['a stay of another day by local time', [stored({ period: { start: '2026-02-23T23:30:00Z' } })], create],
    ['a stay in another hospital', [stored({ serviceProvider: { reference: 'Organization/z' } })], create],
    ['a stay in no said hospital', [stored({ serviceProvider: { display: 'CH' } })], create],
    ['a stay of another patient', [stored({ subject: { reference: 'Patient/p2' } })], create],
    ['a consultation that day', [stored({ class: { code: 'AMB' } })], create],
    ['a cancelled stay', [stored({ status: 'cancelled' })], create],
    ['nothing', [], create],
  ])('without number meets %s', (_, encounters, expected) => {
    expect(match(unnumbered, encounters)).toEqual(expected);
  });

  test('with a number is found by day too, unless the other has another number of that hospital', () => {
    expect(match(numbered, [stored({ identifier: [{ system: 'urn:other', value: '1' }] })])).toEqual(existing('e'));
    expect(match(numbered, [stored({ identifier: [{ ...number, value: 'SEJ-26-00312' }] })])).toEqual(create);
  });

  test('that an admission letter has made gets its end from the discharge letter', () => {
    const derived = { system: 'https://suture.example/fhir/sid/stay', value: 'urn:oid:1.2.250.1.999.7.3.30' };
    const result = match(numbered, [stored({ identifier: [derived] })]);
    expect(result).toMatchObject({
      kind: 'existing',
      id: 'e',
      update: {
        id: 'e',
        status: 'finished',
        period: { end: '2026-03-02T16:20:00+01:00' },
        identifier: [derived, number],
      },
    });
  });

  test('that others have recorded is left as it is', () => {
    expect(match(numbered, [stored({ identifier: [number] })])).not.toHaveProperty('update');
  });
});

test('every entry of a plan is decided by its own rule', () => {
  const plan = planOf(fixture('discharge.xml'));
  const store = plan.entries.map(({ resource }, index) => ({ ...resource, id: resource.id ?? `s${index}` }));
  const patient = plan.entries.find(({ match }) => match.kind === 'patient')?.fullUrl ?? '';
  const context: MatchContext = {
    zone: 'Europe/Paris',
    allowTestIns: true,
    plan,
    found: new Map([[patient, patient]]),
  };
  const isNew = new Set(['content', 'new', 'practitioner-role', 'provenance']);
  for (const entry of plan.entries) {
    const { kind } = entry.match;
    expect(matchEntry(entry, [], context).kind).toBe('create');
    expect([kind, matchEntry(entry, store, context).kind]).toEqual([kind, isNew.has(kind) ? 'create' : 'existing']);
    if (kind !== 'derived' && kind !== 'composition' && kind !== 'encounter') continue;
    expect(matchEntry(entry, store, { ...context, found: new Map([[patient, 'Patient/other']]) }).kind).toBe('doubt');
  }
});
